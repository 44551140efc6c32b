package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.RefusedException;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BulkheadTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final List<String> order = new ArrayList<>();

    private Bulkhead queueing(int permits, int queue) {
        return Bulkhead.of(
                "db", config -> config.maxConcurrent(permits).queue(queue, Duration.ofSeconds(1)), environment);
    }

    @Nested
    class WithoutAQueue {
        private final Bulkhead bulkhead = Bulkhead.of("db", config -> config.maxConcurrent(2), environment);

        @Test
        void admits_up_to_the_limit_and_refuses_beyond() {
            long first = bulkhead.tryEnter(0);
            long second = bulkhead.tryEnter(0);
            assertThat(first).isNotEqualTo(Gate.REFUSED);
            assertThat(second).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            bulkhead.exit(first, 0, 0, dev.levee.core.Verdict.SUCCESS, RefusedException.UNKNOWN);
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead).hasToString("bulkhead \"db\" 2/2");
        }

        @Test
        void throws_one_shared_refusal_that_says_what_to_do() {
            bulkhead.tryEnter(0);
            bulkhead.tryEnter(0);
            Throwable refused = catchThrowable(() -> bulkhead.run(() -> {}));
            assertThat(refused)
                    .isInstanceOf(BulkheadFullException.class)
                    .hasMessage("bulkhead \"db\" is full: 2 calls in flight")
                    .isSameAs(bulkhead.refusal());
            assertThat(refused.getStackTrace()).isEmpty();
            assertThat(((RefusedException) refused).policy()).isEqualTo("db");
        }
    }

    @Nested
    class AsynchronousWaiters {
        @Test
        void whose_time_is_over_get_no_permit_even_if_their_timer_is_late() {
            Bulkhead bulkhead = queueing(1, 2);
            long stamp = bulkhead.tryEnter(0);
            environment
                    .scheduler()
                    .schedule(
                            () -> bulkhead.exit(stamp, 0, 0, dev.levee.core.Verdict.SUCCESS, RefusedException.UNKNOWN),
                            10); // before the timer of the first waiter, and at the same moment
            CompletableFuture<Long> late = bulkhead.enterAsync(Deadline.afterNanos(10, environment.clock()));
            CompletableFuture<Long> next = bulkhead.enterAsync(Deadline.afterNanos(11, environment.clock()));

            time.advance(Duration.ofNanos(10));

            assertThat(late).isCompletedWithValue(Gate.REFUSED);
            assertThat(next.join()).isNotEqualTo(Gate.REFUSED);
            assertThat(bulkhead).hasToString("bulkhead \"db\" 1/1");
        }

        @Test
        void are_served_first_come_first_served_when_permits_come_back() {
            Bulkhead bulkhead = queueing(1, 3);
            CompletableFuture<String> holder = new CompletableFuture<>();
            bulkhead.callAsync(() -> holder);
            for (String name : List.of("a", "b", "c")) {
                bulkhead.callAsync(() -> {
                    order.add(name);
                    return CompletableFuture.completedFuture(name);
                });
            }
            assertThat(bulkhead.waiting()).isEqualTo(3);
            assertThat(bulkhead.callAsync(() -> CompletableFuture.completedFuture("d")))
                    .as("the queue is full")
                    .isCompletedExceptionally();
            holder.complete("done");
            time.runReady();
            assertThat(order).containsExactly("a", "b", "c");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.waiting()).isZero();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void that_arrive_while_another_waits_come_after_it() {
            Bulkhead bulkhead = queueing(1, 3);
            bulkhead.tryEnter(0);
            CompletableFuture<Long> waiter = bulkhead.enterAsync(never());
            assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
            exit(bulkhead);
            assertThat(waiter).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
            assertThat(bulkhead.inFlight()).isOne();
        }

        @Test
        void give_up_when_their_time_is_over() {
            Bulkhead bulkhead = queueing(1, 3);
            bulkhead.tryEnter(0);
            CompletableFuture<Long> waiter = bulkhead.enterAsync(never());
            time.advance(Duration.ofSeconds(1));
            assertThat(waiter).isCompletedWithValue(Gate.REFUSED);
            assertThat(bulkhead.waiting()).isZero();
            exit(bulkhead);
            assertThat(bulkhead.inFlight()).isZero();
        }

        @Test
        void give_up_at_the_deadline_of_the_call() {
            Bulkhead bulkhead = queueing(1, 3);
            bulkhead.tryEnter(0);
            CallContext narrow =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofMillis(10), environment.clock()));
            CompletableFuture<String> future =
                    narrow.call(() -> bulkhead.callAsync(() -> CompletableFuture.completedFuture("late")));
            time.advance(Duration.ofMillis(10));
            assertThat(future).isCompletedExceptionally();
        }

        @Test
        void leave_the_queue_when_cancelled() {
            Bulkhead bulkhead = queueing(1, 1);
            bulkhead.tryEnter(0);
            CompletableFuture<String> first = bulkhead.callAsync(() -> CompletableFuture.completedFuture("x"));
            first.cancel(true);
            assertThat(bulkhead.waiting()).isZero();
            assertThat(time.pendingTimers()).isZero();
            CompletableFuture<Long> next = bulkhead.enterAsync(never());
            exit(bulkhead);
            assertThat(next).isCompleted();
        }

        @Test
        void see_the_context_of_the_call() {
            Bulkhead bulkhead = queueing(1, 1);
            bulkhead.tryEnter(0);
            CallContext third = CallContext.current().withAttempt(3);
            CompletableFuture<Integer> seen = third.call(() -> bulkhead.callAsync(() ->
                    CompletableFuture.completedFuture(CallContext.current().attempt())));
            exit(bulkhead);
            time.runReady();
            assertThat(seen).isCompletedWithValue(3);
        }
    }

    @Nested
    class BlockingWaiters {
        @Test
        void get_the_permit_that_comes_back() throws Exception {
            Bulkhead bulkhead = queueing(1, 1);
            bulkhead.tryEnter(0);
            ExecutorService threads = Executors.newCachedThreadPool();
            try {
                Future<String> waiting = threads.submit(() -> bulkhead.<String, RuntimeException>call(() -> "mine"));
                time.awaitSleepers(1);
                exit(bulkhead);
                assertThat(waiting.get()).isEqualTo("mine");
                assertThat(bulkhead.inFlight()).isZero();
            } finally {
                threads.shutdownNow();
            }
        }

        @Test
        void give_up_when_their_time_is_over() {
            ManualTime automatic = new ManualTime().autoAdvance();
            Bulkhead bulkhead = Bulkhead.of(
                    "db", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(1)), automatic.environment());
            bulkhead.tryEnter(0);
            assertThatThrownBy(() -> bulkhead.run(() -> {})).isInstanceOf(BulkheadFullException.class);
            assertThat(bulkhead.waiting()).isZero();
        }

        @Test
        void are_distinct_from_a_full_bulkhead_when_interrupted() {
            Bulkhead bulkhead = queueing(1, 1);
            bulkhead.tryEnter(0);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> bulkhead.run(() -> {}))
                    .isInstanceOf(InterruptedWaitException.class)
                    .hasMessage("bulkhead \"db\" was interrupted while it waited");
            assertThat(Thread.interrupted()).isTrue();
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> bulkhead.callInterruptibly(() -> "no")).isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();
            assertThat(bulkhead.waiting()).isZero();
        }
    }

    /** Random histories of entering, waiting, giving up and leaving, against a plain model with a queue of names. */
    @Property
    void permits_are_neither_lost_nor_made(@ForAll long seed) {
        RandomGenerator random = new java.util.Random(seed);
        int permits = 1 + random.nextInt(3);
        int queue = random.nextInt(4);
        Bulkhead bulkhead = queueing(permits, Math.max(queue, 1));
        int held = 0;
        List<CompletableFuture<Long>> waiters = new ArrayList<>();
        for (int step = 0; step < 60; step++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    boolean admitted = bulkhead.tryEnter(0) != Gate.REFUSED;
                    assertThat(admitted).isEqualTo(held < permits && waiters.isEmpty());
                    held += admitted ? 1 : 0;
                }
                case 1 -> {
                    CompletableFuture<Long> turn = bulkhead.enterAsync(never());
                    if (!turn.isDone()) {
                        waiters.add(turn);
                    } else if (turn.join() != Gate.REFUSED) {
                        held++;
                    }
                }
                case 2 -> {
                    if (!waiters.isEmpty()) {
                        waiters.remove(random.nextInt(waiters.size())).cancel(false);
                    }
                }
                default -> {
                    if (held > 0) {
                        exit(bulkhead);
                        if (waiters.isEmpty()) {
                            held--;
                        } else {
                            assertThat(waiters.remove(0))
                                    .as("first come, first served")
                                    .isCompleted();
                        }
                    }
                }
            }
            assertThat(bulkhead.inFlight()).isEqualTo(held).isLessThanOrEqualTo(permits);
            assertThat(bulkhead.waiting()).isEqualTo(waiters.size());
        }
    }

    @Test
    void two_threads_never_exceed_the_limit() throws Exception {
        Bulkhead bulkhead = Bulkhead.of("db", config -> config.maxConcurrent(1).queue(8, Duration.ofHours(1)));
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger worst = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                all.add(threads.submit(() -> {
                    for (int i = 0; i < 5_000; i++) {
                        bulkhead.run(() -> {
                            worst.accumulateAndGet(inside.incrementAndGet(), Math::max);
                            inside.decrementAndGet();
                        });
                    }
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(worst).hasValue(1);
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    @Test
    void settings_are_refused_with_name_bound_and_value() {
        assertThatThrownBy(() -> Bulkhead.of("b", 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("bulkhead \"b\": maxConcurrent must be at least 1, but was 0");
        assertThatThrownBy(() -> Bulkhead.of("b", config -> config.queue(-1, Duration.ofSeconds(1))))
                .hasMessage("bulkhead \"b\": maxWaiting must be at least 0, but was -1");
    }

    private Deadline never() {
        return Deadline.after(Duration.ofSeconds(Long.MAX_VALUE), environment.clock());
    }

    private static void exit(Bulkhead bulkhead) {
        bulkhead.exit(1, 0, 0, dev.levee.core.Verdict.SUCCESS, RefusedException.UNKNOWN);
    }
}
