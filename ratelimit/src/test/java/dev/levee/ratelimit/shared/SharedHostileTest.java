package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.testing.EndOfStack;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.Reservation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stores, executors and schedulers that break their promises, keys without end, and the end of a stack. */
class SharedHostileTest {
    private static final Limit LIMIT = Limit.of(100, Duration.ofSeconds(10));

    private final SharedCluster cluster = new SharedCluster();
    private final SharedCluster.Node node = cluster.node();
    private final ManualTime time = cluster.time;

    /** What a store does instead of an answer. */
    enum Breach {
        THROWS_AN_ERROR,
        HAS_NO_STACK,
        ANSWERS_NULL,
        ENDS_WITH_NULL,
        FAILS_WITHOUT_A_TEXT;

        <T> @Nullable CompletableFuture<T> apply() {
            return switch (this) {
                case THROWS_AN_ERROR -> throw new OutOfMemoryError("unable to create native thread");
                case HAS_NO_STACK -> throw new StackOverflowError();
                case ANSWERS_NULL -> null;
                case ENDS_WITH_NULL -> CompletableFuture.completedFuture(null);
                case FAILS_WITHOUT_A_TEXT ->
                    CompletableFuture.failedFuture(new IllegalStateException() {
                        private static final long serialVersionUID = 1L;

                        @Override
                        public String getMessage() {
                            throw new IllegalStateException("no text");
                        }
                    });
            };
        }
    }

    /** The way of a node to its store, which may be another one for some time. */
    private final class Way implements QuotaStore {
        private final QuotaStore store = new FaultyStore(cluster.store, time.environment());
        private @Nullable Supplier<@Nullable CompletableFuture<List<QuotaGrant>>> instead;
        private Runnable onTake = () -> {};

        @Override
        @SuppressWarnings("NullAway") // what must not be null
        public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
            onTake.run();
            return instead == null ? store.take(batch) : instead.get();
        }

        @Override
        public void check(Limit limit) {
            store.check(limit);
        }

        @Override
        public long replayNanos() {
            return store.replayNanos();
        }
    }

    private void seconds(long count) {
        time.advance(Duration.ofSeconds(count));
    }

    @ParameterizedTest
    @EnumSource(Breach.class)
    void an_outage_begins_and_ends_whatever_a_store_does_instead_of_an_answer(Breach breach) {
        Way way = new Way();
        Environment environment =
                time.environment().toBuilder().executor(Runnable::run).build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter =
                limits.limiter("api", config -> config.limit(LIMIT).onOutage(OnOutage.closed()));
        way.instead = breach::apply;
        assertThat(limiter.tryAcquire()).isFalse();
        assertThat(limits.isOutage()).isTrue();
        seconds(60);
        way.instead = null;
        seconds(7);
        assertThat(limits.isOutage()).isFalse();
        assertThat(limiter.tryAcquire()).isTrue();
    }

    @Test
    void an_answer_with_a_gap_is_none() {
        Way way = new Way();
        Environment environment =
                time.environment().toBuilder().executor(Runnable::run).build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter =
                limits.limiter("api", config -> config.limit(LIMIT).onOutage(OnOutage.closed()));
        way.instead = () -> CompletableFuture.completedFuture(Arrays.asList((QuotaGrant) null));
        try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
            assertThat(limiter.tryAcquire()).isFalse();
            assertThat(log.lines()).singleElement().asString().contains("0 answers to 1 requests");
        }
        way.instead = null;
        seconds(7);
        assertThat(limiter.tryAcquire()).isTrue();
    }

    /** The reason of a store of a user, which has no text. */
    private static final class TextlessException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no text");
        }
    }

    @Test
    void a_reason_without_a_text_keeps_no_call_waiting() {
        Way way = new Way();
        Environment environment =
                time.environment().toBuilder().executor(Runnable::run).build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter =
                limits.limiter("api", config -> config.limit(LIMIT).onOutage(OnOutage.closed()));
        way.instead = () -> CompletableFuture.completedFuture(List.of(QuotaGrant.failed(new TextlessException())));
        try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
            CompletableFuture<?> waits = limiter.acquireAsync(1, Duration.ofSeconds(1));
            assertThat(waits).isCompletedExceptionally();
            assertThat(log.lines()).singleElement().asString().contains("cannot decide", "TextlessException");
        }
        assertThat(catchThrowable(() -> limiter.acquire(1, Duration.ZERO)))
                .isInstanceOf(RateLimitedException.class)
                .hasMessageContaining("TextlessException");
        way.instead = null;
        seconds(7);
        limiter.tryAcquire(); // has the store asked again
        assertThat(limiter.tryAcquire()).isTrue();
    }

    @Test
    void a_key_that_fails_again_and_again_fills_no_log() {
        Way way = new Way();
        Environment environment =
                time.environment().toBuilder().executor(Runnable::run).build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter =
                limits.limiter("api", config -> config.limit(LIMIT).onOutage(OnOutage.closed()));
        try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
            for (int i = 0; i < 20; i++) {
                way.instead = () -> CompletableFuture.completedFuture(
                        List.of(QuotaGrant.failed(new IllegalStateException("of another program"))));
                seconds(60); // leases have lapsed
                limiter.tryAcquire(50);
                way.instead = null;
                seconds(60);
                limiter.tryAcquire(50);
                assertThat(limiter.tryAcquire(50)).isTrue();
            }
            assertThat(log.lines()).hasSize(2);
        }
    }

    @Test
    void an_outage_ends_also_if_a_probe_could_not_be_made() {
        Way way = new Way();
        boolean[] fails = {false};
        Environment environment = time.environment().toBuilder()
                .executor(Runnable::run)
                .clock(() -> {
                    if (fails[0]
                            && StackWalker.getInstance()
                                    .walk(frames -> frames.anyMatch(
                                            it -> it.getMethodName().equals("newBatch")))) {
                        throw new IllegalStateException("no time");
                    }
                    return time.nanoTime();
                })
                .build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter =
                limits.limiter("api", config -> config.limit(LIMIT).onOutage(OnOutage.closed()));
        way.instead = CompletableFuture::new;
        limiter.acquireAsync(1, Duration.ZERO);
        seconds(1);
        assertThat(limits.isOutage()).isTrue();
        fails[0] = true;
        seconds(120); // what was sent is dropped, and another probe is to be made
        fails[0] = false;
        way.instead = null;
        seconds(120);
        assertThat(limits.isOutage()).isFalse();
        assertThat(limiter.tryAcquire()).isTrue();
    }

    @Test
    void the_store_is_not_asked_on_the_thread_of_the_timers() {
        Way way = new Way();
        boolean[] allowed = {true};
        AtomicInteger asked = new AtomicInteger();
        way.onTake = () -> {
            assertThat(allowed[0]).as("asked by a task, or by a call").isTrue();
            asked.incrementAndGet();
        };
        Environment environment = time.environment().toBuilder()
                .executor(task -> {
                    allowed[0] = true;
                    task.run();
                    allowed[0] = false;
                })
                .build();
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter relaxed =
                limits.limiter("relaxed", config -> config.limit(LIMIT).mode(SharedMode.RELAXED));
        RateLimiter exact = limits.limiter(
                "exact", config -> config.limit(LIMIT).mode(SharedMode.EXACT).onOutage(OnOutage.localShare(1.0)));
        for (int i = 0; i < 20; i++) {
            allowed[0] = true;
            relaxed.acquireAsync(1, Duration.ZERO);
            exact.acquireAsync(100, Duration.ZERO);
            CompletableFuture<?> waits = exact.acquireAsync(50, Duration.ofMinutes(1));
            way.instead = i % 5 == 1 ? CompletableFuture::new : null;
            allowed[0] = false;
            seconds(60);
            assertThat(waits).isDone();
        }
        assertThat(asked.get()).isGreaterThan(40);
    }

    @Test
    void keys_are_bounded_in_an_outage_too() {
        KeyedRateLimiter<String> limiter = node.limits.keyed(
                "api", config -> config.limit(LIMIT).maxKeys(1_000).onOutage(OnOutage.localShare(0.5)));
        node.way.fault = FaultyStore.Fault.ERROR;
        for (int i = 0; i < 100_000; i++) {
            limiter.tryAcquire("key " + i);
        }
        assertThat(limiter.size()).isLessThan(1_100);
        assertThat(node.limits.isOutage()).isTrue();
        node.way.fault = FaultyStore.Fault.NONE;
        seconds(7);
        assertThat(node.limits.isOutage()).isFalse();
        assertThat(limiter.tryAcquire("key 0")).isTrue();
    }

    @Nested
    class A_scheduler_that_sets_no_timer {
        private boolean broken;
        private final Scheduler scheduler = new Scheduler() {
            private final Scheduler inner = time.environment().scheduler();

            @Override
            public Timer schedule(Runnable task, long delayNanos) {
                if (broken) {
                    throw new IllegalStateException("no timer");
                }
                return inner.schedule(task, delayNanos);
            }

            @Override
            public void sleep(long nanos) throws InterruptedException {
                inner.sleep(nanos);
            }

            @Override
            public void park(Object blocker, long nanos) {
                if (broken) {
                    throw new IllegalStateException("no park");
                }
                inner.park(blocker, nanos);
            }
        };
        private final Environment environment = time.environment().toBuilder()
                .scheduler(scheduler)
                .executor(Runnable::run)
                .build();
        private final Way way = new Way();
        private final SharedLimits limits = SharedLimits.of("redis", way, environment);
        private final RateLimiter limiter = limits.limiter(
                "api",
                config -> config.limit(Limit.of(1, Duration.ofSeconds(1))).maxWaiting(1_000));

        @Test
        void leaves_no_call_in_the_queue() {
            assertThat(limiter.tryAcquire()).isTrue();
            way.instead = CompletableFuture::new;
            for (int i = 0; i < 10; i++) {
                broken = true;
                Throwable thrown = catchThrowable(() -> limiter.acquire(1, Duration.ofMinutes(1)));
                broken = false;
                assertThat(thrown).hasMessage("no park");
                assertThat(limiter.waiting()).isZero();
            }
        }
    }

    @Test
    void a_lease_of_permits_goes_on_whatever_the_store_does() {
        for (Breach breach : Breach.values()) {
            ManualTime own = new ManualTime();
            MemoryPermitStore permits = new MemoryPermitStore(own::nanoTime);
            boolean[] breaks = {false};
            @SuppressWarnings("NullAway") // what must not be null
            PermitStore store = request -> breaks[0] ? breach.apply() : permits.renew(request);
            SharedBulkhead bulkhead = SharedBulkhead.of("pool", 10, store, own.environment());
            own.runReady();
            for (int round = 0; round < 3; round++) {
                breaks[0] = true;
                own.advance(Duration.ofMinutes(2));
                breaks[0] = false;
                own.advance(Duration.ofMinutes(1));
                assertThat(bulkhead.leased()).as("after %s", breach).isPositive();
                assertThat(bulkhead.tryEnter(own.nanoTime())).isNotEqualTo(Gate.REFUSED);
            }
        }
    }

    @Test
    void a_bulkhead_that_is_closed_while_its_store_is_gone_comes_to_an_end() {
        ManualTime own = new ManualTime();
        MemoryPermitStore permits = new MemoryPermitStore(own::nanoTime);
        boolean[] gone = {false};
        PermitStore store = request -> gone[0] ? Breach.FAILS_WITHOUT_A_TEXT.apply() : permits.renew(request);
        SharedBulkhead bulkhead = SharedBulkhead.of("pool", 10, store, own.environment());
        own.runReady();
        gone[0] = true;
        bulkhead.close();
        own.advance(Duration.ofMinutes(5));
        assertThat(own.pendingTimers()).isZero();
        assertThat(bulkhead.tryEnter(own.nanoTime())).isEqualTo(Gate.REFUSED);
    }

    @Test
    void a_lease_and_probes_survive_an_executor_that_drops_tasks() throws Exception {
        int[] drops = {0};
        Environment environment = time.environment().toBuilder()
                .executor(task -> {
                    if (drops[0] > 0) {
                        drops[0]--;
                    } else {
                        time.environment().executor().execute(task);
                    }
                })
                .build();
        MemoryPermitStore permits = new MemoryPermitStore(time::nanoTime);
        SharedBulkhead bulkhead = SharedBulkhead.of("pool", 10, permits, environment);
        time.runReady();
        drops[0] = 5;
        for (int i = 0; i < 600 && (drops[0] > 0 || bulkhead.leased() == 0); i++) {
            seconds(1);
            TimeUnit.MILLISECONDS.sleep(1); // what was dropped runs on threads of the machine
        }
        assertThat(drops[0]).isZero();
        assertThat(bulkhead.leased()).isPositive();
    }

    @Test
    void nothing_is_held_at_the_end_of_a_stack() throws Exception {
        Environment environment = Environment.closeable("shared-end-of-stack");
        MemoryQuotaStore store =
                new MemoryQuotaStore(System::nanoTime, Duration.ofMinutes(1).toNanos());
        QuotaStore way = new FaultyStore(store, environment);
        SharedLimits limits = SharedLimits.of("redis", way, environment);
        RateLimiter limiter = limits.limiter("api", config -> config.limit(Limit.perSecond(1_000_000)));
        RateLimiter exact = limits.limiter(
                "exact", config -> config.limit(Limit.perSecond(1_000_000)).mode(SharedMode.EXACT));
        KeyedRateLimiter<String> keyed = limits.keyed("keyed", Limit.perSecond(1_000_000));
        AtomicInteger keys = new AtomicInteger();
        EndOfStack.overflow(
                400,
                EndOfStack.SMALL,
                List.of(
                        next -> {
                            limiter.tryAcquire(500);
                            return next.run();
                        },
                        next -> {
                            exact.tryAcquire();
                            limiter.settle(3);
                            return next.run();
                        },
                        next -> {
                            keyed.tryAcquire("key " + keys.incrementAndGet() % 100);
                            return next.run();
                        },
                        next -> {
                            Reservation reservation = exact.reserve(1, Duration.ofSeconds(1));
                            try {
                                return next.run();
                            } finally {
                                reservation.cancel();
                            }
                        },
                        next -> {
                            exact.acquireAsync(1, Duration.ofSeconds(1)).cancel(false);
                            return next.run();
                        }));
        CompletableFuture<Boolean> others = CompletableFuture.supplyAsync(() -> {
            try {
                limiter.acquire(1, Duration.ofSeconds(30));
                exact.acquire(1, Duration.ofSeconds(30));
                keyed.tryAcquire("key 1");
                return limits.isOutage();
            } catch (InterruptedException interrupt) {
                throw Unchecked.<RuntimeException>asDeclared(interrupt);
            }
        });
        assertThat(others.get(60, TimeUnit.SECONDS)).isFalse();
        limits.close();
        environment.close();
    }
}
