package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.FaultProxy;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.ratelimit.shared.SharedBulkhead;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Bulkheads that several processes share, on a real server: here each has a connection of its own. */
class SharedBulkheadOnRedisTest {
    private static final Duration LEASE = Duration.ofMillis(900);

    private static SharedBulkhead bulkhead(RedisClient client) {
        return SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(8).lease(LEASE), RedisPermitStore.of(client.connect()));
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(60));
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static boolean enter(SharedBulkhead bulkhead) {
        return bulkhead.tryEnter(System.nanoTime()) != Gate.REFUSED;
    }

    @Test
    void permits_of_an_owner_that_is_cut_off_go_to_another() throws Exception {
        try (RedisServer server = RedisServer.start();
                FaultProxy proxy = FaultProxy.to(server.port())) {
            RedisClient first = RedisClient.create("redis://127.0.0.1:" + proxy.port());
            RedisClient second = RedisClient.create(server.uri());
            SharedBulkhead owner = bulkhead(first);
            SharedBulkhead other = bulkhead(second);
            await(() -> {
                enter(owner);
                return owner.inFlight() == 8 || owner.inFlight() + other.leased() == 8;
            });
            proxy.freeze();

            await(() -> owner.leased() == 0);
            assertThat(enter(owner)).as("cut off, without a lease").isFalse();
            await(() -> {
                enter(other);
                return other.inFlight() == 8;
            });

            proxy.thaw();
            first.shutdown(0, 1, TimeUnit.SECONDS);
            second.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    /** Calls take much less than two thirds of a lease, so none is in flight when one ends. */
    @Test
    void never_more_calls_than_the_limit_while_connections_are_cut_and_the_server_is_flushed() throws Exception {
        AtomicInteger flying = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger calls = new AtomicInteger();
        AtomicBoolean stopped = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        List<SharedBulkhead> bulkheads = new ArrayList<>();
        Random random = new Random(7);
        try (RedisServer server = RedisServer.start();
                FaultProxy proxy = FaultProxy.to(server.port())) {
            RedisClient client = RedisClient.create("redis://127.0.0.1:" + proxy.port());
            RedisClient direct = RedisClient.create(server.uri());
            for (int i = 0; i < 4; i++) {
                SharedBulkhead bulkhead = bulkhead(client);
                bulkheads.add(bulkhead);
                for (int n = 0; n < 3; n++) {
                    threads.add(new Thread(() -> {
                        while (!stopped.get()) {
                            long stamp = bulkhead.tryEnter(System.nanoTime());
                            if (stamp != Gate.REFUSED) {
                                int now = flying.incrementAndGet();
                                most.accumulateAndGet(now, Math::max);
                                calls.incrementAndGet();
                                LockSupport.parkNanos(3_000_000);
                                flying.decrementAndGet();
                                bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
                            }
                            LockSupport.parkNanos(1_000_000);
                        }
                    }));
                }
            }
            threads.forEach(Thread::start);
            for (int i = 0; i < Integer.getInteger("levee.redis.permit.cuts", 25); i++) {
                TimeUnit.MILLISECONDS.sleep(20 + random.nextInt(150));
                if (i % 10 == 5) {
                    direct.connect().sync().flushall();
                } else if (i % 10 == 8) {
                    server.freeze();
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(1000));
                    server.thaw();
                }
                proxy.cut();
            }
            stopped.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            bulkheads.forEach(SharedBulkhead::close);
            System.out.printf("%d calls, %d at once at most%n", calls.get(), most.get());
            assertThat(calls.get()).isPositive();
            assertThat(most.get()).isLessThanOrEqualTo(8);
            client.shutdown(0, 1, TimeUnit.SECONDS);
            direct.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }
}
