package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A process that takes permits of a shared limit as fast as it can, until its input ends. Then it writes, for each call
 * that was admitted, the readings of the clock before and after; the clock is that of the machine, the same for all.
 */
final class LimitedProcess {
    static final Limit LIMIT = Limit.perSecond(1000).burst(400);
    private static final int THREADS = 2;

    private LimitedProcess() {}

    public static void main(String[] arguments) throws Exception {
        ClientResources resources = ClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .reconnectDelay(Delay.constant(Duration.ofMillis(5)))
                .build();
        RedisClient client = RedisClient.create(resources, "redis://127.0.0.1:" + arguments[0]);
        client.setOptions(ClientOptions.builder().autoReconnect(true).build());
        RedisQuotaStore store = RedisQuotaStore.of(client.connect());
        SharedLimits limits = SharedLimits.of("redis", store, Environment.system());
        SharedMode mode = SharedMode.valueOf(arguments[1]);
        RateLimiter limiter =
                limits.limiter("hot", config -> config.limit(LIMIT).mode(mode));
        AtomicBoolean stopped = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        List<List<long[]>> admitted = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            List<long[]> own = new ArrayList<>();
            admitted.add(own);
            Thread thread = new Thread(() -> {
                while (!stopped.get()) {
                    long before = System.nanoTime();
                    boolean yes = limiter.tryAcquire();
                    if (yes) {
                        own.add(new long[] {before, System.nanoTime()});
                    } else {
                        LockSupport.parkNanos(500_000);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        System.out.write('R');
        System.out.flush();
        awaitEndOfInput();
        stopped.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        DataOutputStream out = new DataOutputStream(new java.io.BufferedOutputStream(System.out));
        for (List<long[]> each : admitted) {
            for (long[] call : each) {
                out.writeLong(call[0]);
                out.writeLong(call[1]);
            }
        }
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void awaitEndOfInput() throws IOException {
        while (System.in.read() >= 0) {
            // the parent writes nothing, it closes
        }
    }
}
