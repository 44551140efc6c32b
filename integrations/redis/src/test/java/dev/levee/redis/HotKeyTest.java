package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import io.lettuce.core.RedisClient;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Sixteen nodes, each with a connection of its own, on one limit. The bound is asserted always; that the limit is used
 * is asserted where the machine is there for this alone ({@code -Dlevee.redis.steady=SECONDS}).
 */
class HotKeyTest {
    private static final int NODES = 16;
    private static final long STEADY_SECONDS = Long.getLong("levee.redis.steady", 0);
    private static final Limit LIMIT = Limit.perSecond(2000).burst(2000);

    @ParameterizedTest
    @EnumSource(
            value = SharedMode.class,
            names = {"EXACT", "LEASED"})
    void sixteen_nodes_admit_what_the_limit_allows_and_no_more(SharedMode mode) throws Exception {
        try (RedisServer server = RedisServer.start()) {
            RedisClient client = RedisClient.create(server.uri());
            AtomicLong admitted = new AtomicLong();
            AtomicLong until = new AtomicLong(Long.MAX_VALUE);
            List<Thread> threads = new ArrayList<>();
            long start = System.nanoTime();
            for (int i = 0; i < NODES; i++) {
                SharedLimits limits =
                        SharedLimits.of("redis", RedisQuotaStore.of(client.connect()), Environment.system());
                RateLimiter limiter =
                        limits.limiter("hot", config -> config.limit(LIMIT).mode(mode));
                Thread thread = new Thread(() -> {
                    while (until.get() == Long.MAX_VALUE) {
                        if (limiter.tryAcquire()) {
                            admitted.incrementAndGet();
                        }
                        LockSupport.parkNanos(2_000_000);
                    }
                });
                threads.add(thread);
            }
            threads.forEach(Thread::start);
            TimeUnit.MILLISECONDS.sleep(1500); // the limit begins with nothing
            long from = System.nanoTime();
            long before = admitted.get();
            long time = time(client);
            TimeUnit.MILLISECONDS.sleep(Math.max(1500, STEADY_SECONDS * 1000));
            long steady = admitted.get() - before;
            double seconds = (System.nanoTime() - from) / 1e9;
            double passed = (time(client) - time) / 1e6;
            until.set(0);
            for (Thread thread : threads) {
                thread.join();
            }
            double allowed = LIMIT.permits() * seconds;
            System.out.printf(
                    "%s: %d of %.0f, %.4f; %.3f s for the limit in %.3f s%n",
                    mode, steady, allowed, steady / allowed, passed, seconds);
            Duration all = Duration.ofNanos(System.nanoTime() - start);
            assertThat(admitted.get()).isLessThanOrEqualTo((long) (LIMIT.permits() * (all.toNanos() / 1e9)) + 1);
            if (STEADY_SECONDS > 0) {
                assertThat(steady / allowed).isBetween(0.98, 1 + LIMIT.capacity() / allowed);
            }
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    /** The time of the shard, in microseconds. */
    private static long time(RedisClient client) {
        byte[] mark =
                client.connect(ByteArrayCodec.INSTANCE).sync().get("{levee:0}".getBytes(StandardCharsets.US_ASCII));
        return (long) ByteBuffer.wrap(mark).order(ByteOrder.LITTLE_ENDIAN).getDouble(2 + Double.BYTES);
    }
}
