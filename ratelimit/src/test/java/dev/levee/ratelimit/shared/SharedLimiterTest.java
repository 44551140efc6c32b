package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateDecision;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.Reservation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SharedLimiterTest {
    private final SharedCluster cluster = new SharedCluster();

    private static RateLimiter exact(SharedCluster.Node node, Limit limit) {
        return node.limits.limiter("api", config -> config.limit(limit).mode(SharedMode.EXACT));
    }

    @Nested
    class Exact {
        private final Limit limit = Limit.of(10, Duration.ofSeconds(10));

        @Test
        void all_nodes_together_admit_the_limit() {
            RateLimiter one = exact(cluster.node(), limit);
            RateLimiter two = exact(cluster.node(5_000_000_000L), limit);
            for (int i = 0; i < 5; i++) {
                assertThat(one.tryAcquire()).isTrue();
                assertThat(two.tryAcquire()).isTrue();
            }

            assertThat(one.tryAcquire()).isFalse();
            assertThat(two.tryAcquireOrWaitNanos()).isEqualTo(1_000_000_000L);
            cluster.pass(1_000);
            assertThat(two.tryAcquire()).isTrue();
            assertThat(one.tryAcquire()).isFalse();
        }

        @Test
        void limiters_of_one_name_in_one_process_share_it() {
            SharedCluster.Node node =
                    new SharedCluster.Node(cluster, 0, new SharedLimits.Delivery(Duration.ofSeconds(1), 256, 1));
            node.way.delayNanos = SharedCluster.MILLI;
            RateLimiter busy = node.limits.limiter("busy", limit);
            RateLimiter one = exact(node, limit);
            RateLimiter two = exact(node, limit);
            List<CompletableFuture<?>> calls = new ArrayList<>();
            busy.acquireAsync(1, Duration.ZERO); // so that those that come now go together
            for (int i = 0; i < 8; i++) {
                calls.add(one.acquireAsync(1, Duration.ofMillis(10)));
                calls.add(two.acquireAsync(1, Duration.ofMillis(10)));
            }
            cluster.pass(100);

            assertThat(calls)
                    .allSatisfy(call -> assertThat(call).isDone())
                    .filteredOn(call -> !call.isCompletedExceptionally())
                    .hasSize(10);
            node.way.delayNanos = 0;
            assertThat(one.tryAcquire()).isFalse();
        }

        @Test
        void a_limiter_made_while_another_of_its_name_asks_waits_for_that_answer() {
            SharedCluster.Node node = cluster.node();
            RateLimiter one = exact(node, Limit.of(1, Duration.ofSeconds(10)));
            node.way.fault = FaultyStore.Fault.HELD;
            CompletableFuture<?> early = one.acquireAsync(1, Duration.ofMillis(10));
            node.way.fault = FaultyStore.Fault.NONE;
            RateLimiter two = exact(node, Limit.of(1, Duration.ofSeconds(10)));
            CompletableFuture<?> late = two.acquireAsync(1, Duration.ofMillis(10));
            node.way.release();
            cluster.pass(100);

            assertThat(early).isCompleted();
            assertThat(late).isCompletedExceptionally();
        }

        @Test
        void a_flooded_limit_costs_no_trips() {
            RateLimiter limiter = exact(cluster.node(), limit);
            limiter.tryAcquire(10);
            limiter.tryAcquire();
            long before = cluster.store.batches();

            for (int i = 0; i < 1_000; i++) {
                assertThat(limiter.tryAcquire()).isFalse();
                assertThat(limiter.tryAcquire(3)).isFalse();
            }

            assertThat(cluster.store.batches()).isEqualTo(before);
        }

        @Test
        void more_than_the_capacity_are_never_there() {
            RateLimiter limiter = exact(cluster.node(), limit);

            assertThat(limiter.tryAcquireOrWaitNanos(11)).isEqualTo(RateLimiter.NEVER);
            assertThat(cluster.store.batches()).isZero();
        }

        @Test
        void a_refused_large_call_keeps_out_no_small_one() {
            RateLimiter limiter = exact(cluster.node(), limit);
            assertThat(limiter.tryAcquire(8)).isTrue();
            assertThat(limiter.tryAcquireOrWaitNanos(5)).isEqualTo(3_000_000_000L);

            assertThat(limiter.tryAcquire(2)).isTrue();
        }

        @Test
        void decisions_say_what_is_left() {
            RateLimiter limiter = exact(cluster.node(), limit);

            RateDecision admitted = limiter.decide(4);
            RateDecision refused = limiter.decide(7);

            assertThat(admitted.isAdmitted()).isTrue();
            assertThat(admitted.remaining()).isEqualTo(6);
            assertThat(admitted.resetNanos()).isEqualTo(4_000_000_000L);
            assertThat(refused.isAdmitted()).isFalse();
            assertThat(refused.retryAfterNanos()).isEqualTo(1_000_000_000L);
            assertThat(refused.remaining()).isEqualTo(6);
            assertThat(limiter.availablePermits()).isEqualTo(6);
        }

        @Test
        void calls_that_wait_share_a_trip() {
            SharedCluster.Node node = cluster.node();
            RateLimiter limiter = exact(node, limit);
            node.way.answerDelayNanos = 5 * SharedCluster.MILLI;
            CompletableFuture<?>[] calls = new CompletableFuture<?>[12];
            for (int i = 0; i < calls.length; i++) {
                calls[i] = limiter.acquireAsync(1, Duration.ZERO);
            }
            cluster.pass(20);

            assertThat(calls).allMatch(CompletableFuture::isDone);
            assertThat(calls)
                    .filteredOn(CompletableFuture::isCompletedExceptionally)
                    .hasSize(2);
            assertThat(cluster.store.batches()).isEqualTo(2);
        }

        @Test
        void a_sliding_window_is_kept_too() {
            RateLimiter limiter = cluster.node().limits.limiter("w", Limit.slidingWindow(3, Duration.ofMinutes(1)));

            assertThat(limiter.tryAcquire(3)).isTrue();
            assertThat(limiter.tryAcquire()).isFalse();
            cluster.pass(120_000);
            assertThat(limiter.tryAcquire(3)).isTrue();
        }
    }

    @Nested
    class Waiting {
        private final Limit limit = Limit.of(10, Duration.ofSeconds(10));
        private final SharedCluster.Node node = cluster.node();
        private final RateLimiter limiter = exact(node, limit);

        @Test
        void calls_get_their_turn_in_order() {
            limiter.tryAcquire(10);
            CompletableFuture<?> large = limiter.acquireAsync(3, Duration.ofSeconds(20));
            CompletableFuture<?> small = limiter.acquireAsync(1, Duration.ofSeconds(20));

            assertThat(limiter.tryAcquire()).isFalse();
            assertThat(limiter.waiting()).isEqualTo(2);
            cluster.pass(2_900);
            assertThat(large).isNotDone();
            cluster.pass(200);
            assertThat(large).isCompleted();
            assertThat(small).isNotDone();
            cluster.pass(1_000);
            assertThat(small).isCompleted();
            assertThat(limiter.waiting()).isZero();
        }

        @Test
        void a_turn_that_comes_too_late_is_refused_at_once() {
            limiter.tryAcquire(10);
            limiter.tryAcquire();

            CompletableFuture<?> late = limiter.acquireAsync(3, Duration.ofSeconds(2));

            assertThatThrownBy(late::join).hasCauseInstanceOf(RateLimitedException.class);
        }

        @Test
        void a_cancelled_call_leaves_its_permit() {
            node.way.answerDelayNanos = 5 * SharedCluster.MILLI;
            CompletableFuture<?> cancelled = limiter.acquireAsync(4, Duration.ZERO);
            CompletableFuture<?> other = limiter.acquireAsync(1, Duration.ZERO);
            cancelled.cancel(false);
            cluster.pass(50);

            assertThat(other).isCompleted();
            assertThat(limiter.availablePermits()).isEqualTo(9);
            assertThat(limiter.waiting()).isZero();
            assertThat(limiter.tryEnter(0)).isEqualTo(Gate.REFUSED);
        }

        /** A bucket of two, and a permit each ten seconds: four of them have passed since the second one was taken. */
        @Test
        void a_part_of_a_permit_that_has_come_back_counts() {
            RateLimiter slow = exact(node, Limit.of(1, Duration.ofSeconds(10)).burst(2));
            assertThat(slow.tryAcquire()).isTrue();
            cluster.pass(4_000);
            assertThat(slow.tryAcquire()).isTrue();

            assertThat(slow.tryAcquireOrWaitNanos()).isEqualTo(6_000_000_000L);
            assertThat(slow.tryAcquireOrWaitNanos(2)).isEqualTo(16_000_000_000L);
            CompletableFuture<?> next = slow.acquireAsync(1, Duration.ofSeconds(7));
            CompletableFuture<?> after = slow.acquireAsync(1, Duration.ofSeconds(17));
            CompletableFuture<?> late = slow.acquireAsync(1, Duration.ofSeconds(25));
            cluster.pass(6_001);
            assertThat(next).isCompleted();
            assertThat(late).isCompletedExceptionally();
            cluster.pass(10_001);
            assertThat(after).isCompleted();
        }

        @Test
        void a_wait_that_became_too_long_since_a_refusal_fails_at_once() {
            limiter.tryAcquire(8);
            assertThat(limiter.tryAcquireOrWaitNanos(5)).isEqualTo(3_000_000_000L);
            limiter.tryAcquire(1);

            assertThat(limiter.tryAcquireOrWaitNanos(5)).isEqualTo(4_000_000_000L);
            assertThat(limiter.acquireAsync(5, Duration.ofMillis(3_500))).isCompletedExceptionally();
        }

        @Test
        void a_refusal_behind_those_that_wait_tells_of_their_time() {
            limiter.tryAcquire(10);
            limiter.acquireAsync(3, Duration.ofSeconds(20));
            limiter.acquireAsync(2, Duration.ofSeconds(20));

            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(6_000_000_000L);
            assertThat(limiter.tryEnter(cluster.time.nanoTime())).isEqualTo(Gate.REFUSED);
            assertThat(limiter.refusal().retryAfterNanos()).isEqualTo(6_000_000_000L);
            cluster.pass(6_000);
            assertThat(limiter.refusal().retryAfterNanos()).isZero();
        }

        @Test
        void what_comes_back_ends_a_refusal() {
            limiter.tryAcquire(10);
            assertThat(limiter.tryAcquire()).isFalse();
            limiter.settle(-3);

            assertThat(limiter.tryAcquire(4)).isFalse();
            assertThat(limiter.tryAcquire(3)).isTrue();
        }

        @Test
        void those_behind_one_that_gives_up_move_up() {
            limiter.tryAcquire(10);
            Reservation large = limiter.reserve(10, Duration.ofSeconds(60));
            CompletableFuture<?> small = limiter.acquireAsync(1, Duration.ofSeconds(20));
            cluster.pass(500);
            assertThat(large.cancel()).isTrue();
            cluster.pass(499);
            assertThat(small).isNotDone();
            cluster.pass(2);

            assertThat(small).as("a permit takes a second").isCompleted();
        }

        @Test
        void those_behind_one_whose_time_is_up_move_up() {
            limiter.tryAcquire(10);
            CompletableFuture<?> large = limiter.acquireAsync(10, Duration.ofSeconds(60));
            CompletableFuture<?> small = limiter.acquireAsync(2, Duration.ofSeconds(20));
            large.completeExceptionally(new TimeoutException());
            cluster.pass(2_001);

            assertThat(small).isCompleted();
        }

        /** Nothing wakes a thread here but what unparks it. */
        @Test
        @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
        void all_threads_that_wait_for_a_reservation_end_when_one_is_interrupted() throws InterruptedException {
            CountDownLatch parked = new CountDownLatch(2);
            Environment environment = node.environment.toBuilder()
                    .scheduler(new ForwardingScheduler(node.environment.scheduler()) {
                        @Override
                        public void park(Object blocker, long nanos) {
                            parked.countDown();
                            LockSupport.park(blocker);
                        }
                    })
                    .build();
            RateLimiter parking = SharedLimits.of("parking", node.way, environment)
                    .limiter("api", config -> config.limit(limit).mode(SharedMode.EXACT));
            parking.tryAcquire(10);
            Reservation reservation = parking.reserve(5, Duration.ofMinutes(1));
            Queue<Class<?>> ends = new ConcurrentLinkedQueue<>();
            Runnable waits = () -> {
                try {
                    reservation.await();
                } catch (InterruptedException | CancellationException end) {
                    ends.add(end.getClass());
                }
            };
            Thread first = new Thread(waits);
            Thread second = new Thread(waits);
            first.start();
            second.start();
            parked.await();
            first.interrupt();
            first.join();
            second.join();

            assertThat(ends).containsExactlyInAnyOrder(InterruptedException.class, CancellationException.class);
        }

        @Test
        void a_deadline_is_kept_while_the_store_is_slow() {
            node.way.answerDelayNanos = 200 * SharedCluster.MILLI;
            CompletableFuture<Long> entered =
                    limiter.enterAsync(Deadline.after(Duration.ofMillis(30), node.environment.clock()));
            cluster.pass(29);
            assertThat(entered).isNotDone();
            cluster.pass(2);

            assertThat(entered).isCompletedWithValue(Gate.REFUSED);
            cluster.pass(500);
            assertThat(limiter.availablePermits()).isEqualTo(10);
        }

        @Test
        void a_blocked_thread_gets_its_permit() {
            limiter.tryAcquire(10);
            boolean[] done = new boolean[1];
            cluster.time.start(() -> {
                try {
                    limiter.acquire(2, Duration.ofSeconds(5));
                    done[0] = true;
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            cluster.time.awaitSleepers(1);
            cluster.pass(1_900);
            assertThat(done[0]).isFalse();
            cluster.pass(200);
            assertThat(done[0]).isTrue();
        }

        @Test
        void an_interrupted_thread_holds_nothing() {
            limiter.tryAcquire(10);
            Throwable[] thrown = new Throwable[1];
            Thread thread = cluster.time.start(() -> {
                try {
                    limiter.acquire(2, Duration.ofSeconds(5));
                } catch (InterruptedException e) {
                    thrown[0] = e;
                }
            });
            cluster.time.awaitSleepers(1);
            thread.interrupt();
            cluster.pass(5_000);

            assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
            assertThat(limiter.waiting()).isZero();
            assertThat(limiter.tryAcquire(5)).isTrue();
        }

        @Test
        void a_reservation_is_ready_and_can_be_cancelled() {
            Reservation now = limiter.reserve(4, Duration.ZERO);
            assertThat(now.isReady()).isTrue();
            limiter.tryAcquire(6);
            Reservation later = limiter.reserve(1, Duration.ofSeconds(5));

            assertThat(later.isReady()).isFalse();
            assertThat(now.cancel()).isTrue();
            assertThat(now.cancel()).isFalse();
            cluster.pass(1_100);
            assertThat(later.isReady()).isTrue();
            assertThat(later.whenReady()).isCompleted();
            assertThat(limiter.tryAcquire(3)).isTrue();
        }

        @Test
        void what_was_used_in_excess_is_settled() {
            limiter.tryAcquire();
            limiter.settle(11);

            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(3_000_000_000L);
            limiter.settle(-5);
            cluster.pass(3_000);
            assertThat(limiter.tryAcquire(6)).isTrue();
        }

        @Test
        void a_permit_that_was_not_used_comes_back_less_the_time() {
            limiter.tryAcquire(9);
            long stamp = limiter.enterAsync(Deadline.after(Deadline.FOREVER, node.environment.clock()))
                    .join();
            assertThat(limiter.tryAcquire()).isFalse();
            cluster.pass(400);
            limiter.cancel(stamp, 0);
            cluster.pass(601);

            assertThat(limiter.tryAcquire()).isTrue();
            assertThat(limiter.tryAcquire()).isFalse();
        }
    }

    @Nested
    class Leased {
        private final Limit limit = Limit.perSecond(1_000);

        @Test
        void most_calls_need_no_trip() {
            RateLimiter limiter = cluster.node().limits.limiter("api", limit);
            int admitted = 0;
            for (int i = 0; i < 10_000; i++) {
                cluster.time.advance(Duration.ofMillis(2));
                admitted += limiter.tryAcquire() ? 1 : 0;
            }

            assertThat(admitted).isEqualTo(10_000);
            assertThat(cluster.store.batches()).isLessThan(1_000);
        }

        @Test
        void what_a_node_holds_and_what_the_store_has_are_within_the_limit() {
            RateLimiter holder = cluster.node().limits.limiter("api", limit);
            RateLimiter other = cluster.node().limits.limiter("api", limit);
            for (int i = 0; i < 500; i++) {
                cluster.pass(1);
                holder.tryAcquire();
            }
            cluster.pass(60);

            int held = 0;
            while (holder.tryEnter(0) != Gate.REFUSED) {
                held++;
            }
            int there = 0;
            while (other.tryAcquire()) {
                there++;
            }
            assertThat(held).isGreaterThan(20);
            assertThat(held + there).isBetween(875, 1_000);
        }

        @Test
        void a_gate_decides_locally_and_asks_without_a_thread() {
            SharedCluster.Node node = cluster.node();
            RateLimiter limiter = node.limits.limiter("api", limit);
            node.way.answerDelayNanos = SharedCluster.MILLI;

            assertThat(limiter.tryEnter(0)).isEqualTo(Gate.REFUSED);
            CompletableFuture<String> call = limiter.callAsync(() -> CompletableFuture.completedFuture("yes"));
            assertThat(call).isNotDone();
            cluster.pass(5);
            assertThat(call).isCompletedWithValue("yes");
        }

        @Test
        void a_life_that_leaves_no_permit_is_refused() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> cluster.node()
                            .limits
                            .limiter(
                                    "api",
                                    config -> config.limit(Limit.perSecond(10)).leaseLife(Duration.ofSeconds(1))))
                    .withMessageContaining("limiter \"api\": leaseLife must be shorter")
                    .withMessageContaining("holds back 10");
        }

        @Test
        void an_expired_lease_is_worth_nothing() {
            SharedCluster.Node node = cluster.node();
            RateLimiter limiter = node.limits.limiter("api", limit);
            for (int i = 0; i < 200; i++) {
                limiter.tryAcquire();
            }
            assertThat(limiter.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
            node.way.fault = FaultyStore.Fault.LOST;
            cluster.pass(126);

            assertThat(limiter.tryEnter(0)).isEqualTo(Gate.REFUSED);
        }

        @Test
        void slow_limits_are_decided_call_by_call() {
            RateLimiter limiter = cluster.node().limits.limiter("api", Limit.of(5, Duration.ofMinutes(1)));

            assertThat(limiter.tryAcquire(5)).isTrue();
            assertThat(limiter.tryAcquire()).isFalse();
        }
    }
}
