package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Calls that wait for permits of several limiters, and reservations that are settled. */
class PermitsWaitTest {
    private static final Duration LONG = Duration.ofHours(1);

    private final ManualTime time = new ManualTime();
    private final RateLimiter requests =
            RateLimiter.of("requests", Limit.perSecond(10).burst(10), time.environment());
    private final RateLimiter bytes =
            RateLimiter.of("bytes", Limit.perSecond(1_000).burst(1_000), time.environment());
    private final KeyedRateLimiter<String> perTenant =
            KeyedRateLimiter.of("tenants", Limit.perSecond(3), time.environment());

    private Permits needed(long size) {
        return Permits.of(requests, 1).and(bytes, size);
    }

    private static boolean isAdmitted(CompletableFuture<@Nullable Void> future) {
        return future.isDone() && !future.isCompletedExceptionally();
    }

    @Test
    void a_call_waits_until_all_are_there_and_takes_all_at_once() {
        assertThat(needed(1_000).tryAcquire().isAdmitted()).isTrue();
        CompletableFuture<@Nullable Void> turn = needed(500).acquireAsync(LONG);
        time.advance(Duration.ofMillis(499));
        assertThat(turn).isNotDone();
        assertThat(requests.availablePermits())
                .as("nothing is taken before its turn")
                .isEqualTo(10);
        time.advance(Duration.ofMillis(1));
        assertThat(isAdmitted(turn)).isTrue();
        assertThat(requests.availablePermits()).isEqualTo(9);
        assertThat(bytes.availablePermits()).isZero();
    }

    @Test
    void a_call_hears_of_what_comes_back_to_a_limiter_or_to_a_key() {
        needed(1_000).tryAcquire();
        perTenant.tryAcquire("a", 3);
        CompletableFuture<@Nullable Void> turn =
                needed(1_000).and(perTenant, "a", 2).acquireAsync(LONG);
        bytes.settle(-1_000);
        time.runReady();
        assertThat(turn).as("the key has none").isNotDone();
        perTenant.settle("a", -2);
        time.runReady();
        assertThat(isAdmitted(turn)).isTrue();
        CompletableFuture<@Nullable Void> bounded =
                needed(1).and(perTenant, "a", 1).acquireAsync(Duration.ofSeconds(1));
        bytes.reconfigure(Limit.of(1, LONG));
        time.runReady();
        assertThat(bounded).isCompletedExceptionally();
    }

    @Test
    void a_thread_waits_as_a_future_does() {
        needed(1_000).tryAcquire();
        List<Long> admitted = new ArrayList<>();
        time.start(() -> {
            try {
                needed(250).acquire(LONG);
                admitted.add(time.elapsed().toMillis());
            } catch (InterruptedException interrupt) {
                throw new AssertionError(interrupt);
            }
        });
        time.runReady();
        time.advance(Duration.ofSeconds(1));
        assertThat(admitted).containsExactly(250L);
    }

    @Test
    void a_thread_that_is_interrupted_while_it_waits_holds_nothing() {
        needed(1_000).tryAcquire();
        List<String> ended = new ArrayList<>();
        Thread thread = time.start(() -> {
            try {
                needed(250).acquire(LONG);
            } catch (InterruptedException interrupt) {
                ended.add("interrupted");
            }
        });
        time.runReady();
        CompletableFuture<@Nullable Void> behind = needed(100).acquireAsync(LONG);
        thread.interrupt();
        time.runReady();
        assertThat(ended).containsExactly("interrupted");
        time.advance(Duration.ofMillis(100));
        assertThat(isAdmitted(behind)).isTrue();
    }

    @Test
    void what_needs_many_is_not_overtaken_by_what_needs_few() {
        needed(1_000).tryAcquire();
        CompletableFuture<@Nullable Void> large = needed(800).acquireAsync(LONG);
        CompletableFuture<@Nullable Void> small =
                Permits.of(requests, 1).and(perTenant, "a", 1).acquireAsync(LONG);
        time.advance(Duration.ofMillis(700));
        assertThat(large).isNotDone();
        assertThat(small).as("behind it, though all of its permits are there").isNotDone();
        PermitsDecision now = needed(1).tryAcquire();
        assertThat(now.isAdmitted()).isFalse();
        assertThat(now.retryAfterNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(101));
        time.advance(Duration.ofMillis(100));
        assertThat(isAdmitted(large)).isTrue();
        assertThat(isAdmitted(small)).isTrue();
    }

    @Test
    void a_wait_that_cannot_succeed_in_time_fails_at_once_with_the_time_and_the_limiter() {
        needed(1_000).tryAcquire();
        needed(600).acquireAsync(LONG);
        assertThatThrownBy(() -> needed(500).acquire(Duration.ofSeconds(1)))
                .isInstanceOfSatisfying(RateLimitedException.class, refusal -> {
                    assertThat(refusal.policy()).isEqualTo("bytes");
                    assertThat(refusal.retryAfterNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(1_100));
                })
                .hasMessage("limiter \"bytes\" has no permit: 1000 per 1s, burst 1000; 500 would be there in 1.1s");
        assertThatThrownBy(() -> needed(1_001).acquire(LONG))
                .isInstanceOfSatisfying(
                        RateLimitedException.class,
                        refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(RateLimiter.NEVER))
                .hasMessage("limiter \"bytes\" has no permit: 1000 per 1s, burst 1000;"
                        + " 1001 at once are more than it ever has");
        assertThat(requests.availablePermits()).isEqualTo(9);
    }

    @Test
    void a_key_is_planned_as_its_bucket_will_be() {
        Permits one = Permits.of(requests, 1).and(perTenant, "a", 3);
        assertThat(one.tryAcquire().isAdmitted()).isTrue();
        CompletableFuture<@Nullable Void> second = one.acquireAsync(LONG);
        assertThatThrownBy(() -> one.acquire(Duration.ofMillis(1_900)))
                .isInstanceOfSatisfying(RateLimitedException.class, refusal -> {
                    assertThat(refusal.policy()).isEqualTo("tenants");
                    assertThat(refusal.retryAfterNanos()).isBetween(1_999_999_990L, 2_000_000_010L);
                });
        time.advance(Duration.ofSeconds(1).plusNanos(10));
        assertThat(isAdmitted(second)).isTrue();
        assertThat(perTenant.availablePermits("a")).isZero();
        assertThat(perTenant.availablePermits("b")).isEqualTo(3);
    }

    @Test
    void parts_of_a_combination_are_planned_with_those_that_are_named_alone() {
        RateLimiter plan = RateLimiter.allOf("plan", requests, bytes);
        assertThat(Permits.of(plan, 10).tryAcquire().isAdmitted()).isTrue();
        Permits.of(plan, 5).acquireAsync(LONG);
        assertThatThrownBy(() -> Permits.of(requests, 5).and(perTenant, "a", 1).acquire(Duration.ofMillis(900)))
                .isInstanceOfSatisfying(
                        RateLimitedException.class,
                        refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(1_000_000_000));
    }

    @Test
    void what_gives_up_holds_nothing_and_those_behind_it_move_up() {
        needed(1_000).tryAcquire();
        CompletableFuture<@Nullable Void> first = needed(1_000).acquireAsync(LONG);
        CompletableFuture<@Nullable Void> second = needed(100).acquireAsync(LONG);
        time.advance(Duration.ofMillis(200));
        assertThat(second).isNotDone();
        assertThat(first.cancel(false)).isTrue();
        time.runReady();
        assertThat(isAdmitted(second)).isTrue();
        time.advance(Duration.ofSeconds(10));
        assertThat(requests.availablePermits()).isEqualTo(10);
        assertThat(bytes.availablePermits()).isEqualTo(1_000);
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void an_interrupted_thread_holds_nothing() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> needed(1).acquire(LONG)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(requests.availablePermits()).isEqualTo(10);
    }

    @Test
    void a_call_does_not_wait_past_its_deadline() {
        needed(1_000).tryAcquire();
        Deadline deadline =
                Deadline.after(Duration.ofMillis(400), time.environment().clock());
        CompletableFuture<@Nullable Void> late = CallContext.current()
                .withDeadline(deadline)
                .call(() -> needed(500).acquireAsync(LONG));
        assertThat(late).isCompletedExceptionally();
        CompletableFuture<@Nullable Void> inTime = CallContext.current()
                .withDeadline(deadline)
                .call(() -> needed(300).acquireAsync(LONG));
        time.advance(Duration.ofMillis(300));
        assertThat(isAdmitted(inTime)).isTrue();
    }

    @Test
    void another_call_that_is_faster_at_a_limiter_alone_makes_the_turn_later() {
        needed(1_000).tryAcquire();
        CompletableFuture<@Nullable Void> turn = needed(500).acquireAsync(LONG);
        time.advance(Duration.ofMillis(400));
        assertThat(bytes.tryAcquire(300)).as("it does not queue there").isTrue();
        time.advance(Duration.ofMillis(100));
        assertThat(turn).isNotDone();
        time.advance(Duration.ofMillis(300));
        assertThat(isAdmitted(turn)).isTrue();
        assertThat(requests.availablePermits()).isEqualTo(9);
    }

    @Test
    void totals_count_each_limiter_of_what_was_admitted_and_the_one_that_refused() {
        RateLimiter counted = RateLimiter.of(
                "counted", c -> c.limit(Limit.perSecond(1).burst(1)).totals(true), time.environment());
        Permits both = Permits.of(counted, 1).and(bytes, 1);
        both.acquireAsync(LONG);
        both.acquireAsync(LONG);
        time.advance(Duration.ofSeconds(1));
        both.acquireAsync(Duration.ZERO);
        List<String> metrics = new ArrayList<>();
        counted.measure((policy, metric, value) -> metrics.add(metric + " " + value));
        assertThat(metrics).contains("limiter.calls.admitted 2.0", "limiter.calls.refused 1.0");
    }

    @Test
    void what_cannot_wait_is_named() {
        assertThatThrownBy(() -> Permits.of(perTenant, "a", 1).acquire(LONG))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "a call must need a limiter without keys to wait at it, but needs 1 of a key of \"tenants\"");
        RateLimiter elsewhere = RateLimiter.of("elsewhere", Limit.perSecond(1), Environment.system());
        assertThatThrownBy(() -> needed(1).and(elsewhere, 1).acquire(LONG))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("one clock");
        assertThatThrownBy(() -> needed(1).acquire(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> needed(1).acquire(null)).isInstanceOf(NullPointerException.class);
    }

    /** Random histories: what is admitted of each limiter never exceeds its limit, and all that waits is served. */
    @Test
    void threads_that_wait_and_give_up_lose_no_permit_and_make_none() throws Exception {
        RateLimiter fast = RateLimiter.of("fast", Limit.perSecond(100_000).burst(10));
        RateLimiter faster = RateLimiter.of("faster", Limit.perSecond(300_000).burst(50));
        List<Thread> threads = new ArrayList<>();
        List<Throwable> wrong = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int size = 1 + i;
            Thread thread = new Thread(() -> {
                try {
                    for (int call = 0; call < 300; call++) {
                        Permits both = Permits.of(fast, 1).and(faster, size);
                        if (call % 3 == 0) {
                            both.acquireAsync(LONG).cancel(false);
                        } else if (call % 3 == 1) {
                            both.reserve(LONG).cancel();
                        } else {
                            both.acquire(LONG);
                        }
                    }
                } catch (Throwable thrown) {
                    synchronized (wrong) {
                        wrong.add(thrown);
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).isEmpty();
        assertThat(Permits.of(fast, 10).and(faster, 50).acquireAsync(LONG).get(1, TimeUnit.MINUTES))
                .isNull();
    }

    @Nested
    class AReservation {
        @Test
        void of_several_limiters_is_ready_when_all_are_there() throws InterruptedException {
            needed(1_000).tryAcquire();
            Reservation reservation = needed(500).reserve(LONG);
            assertThat(reservation.waitNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(500));
            assertThat(reservation.isReady()).isFalse();
            assertThat(reservation).hasToString("reservation of 1 of \"requests\" and 500 of \"bytes\"");
            time.advance(Duration.ofMillis(500));
            assertThat(reservation.isReady()).isTrue();
            reservation.await();
            assertThat(reservation.permits()).isEqualTo(1);
            assertThat(reservation.cancel()).isTrue();
            assertThat(reservation.cancel()).isFalse();
            assertThat(bytes.availablePermits()).isEqualTo(500);
            assertThat(requests.availablePermits()).isEqualTo(10);
            assertThatThrownBy(() -> reservation.settle(1)).isInstanceOf(UnsupportedOperationException.class);
        }

        /** Three come back in a second: what others have taken of them by then is used, and not given back. */
        @Test
        void of_a_key_gives_back_less_the_time_since_it_was_taken() {
            Reservation reservation =
                    Permits.of(requests, 1).and(perTenant, "acme", 3).reserve(LONG);
            assertThat(reservation.isReady()).isTrue();
            time.advance(Duration.ofSeconds(1));
            assertThat(perTenant.tryAcquire("acme", 3)).isTrue();
            assertThat(reservation.cancel()).isTrue();
            assertThat(perTenant.availablePermits("acme")).isZero();
        }

        @Test
        void of_a_key_that_is_cancelled_at_once_gives_everything_back() {
            Reservation reservation =
                    Permits.of(requests, 1).and(perTenant, "acme", 3).reserve(LONG);
            time.advance(Duration.ofNanos(10));
            assertThat(reservation.cancel()).isTrue();
            assertThat(perTenant.availablePermits("acme")).isEqualTo(3);
        }

        @Test
        void of_several_limiters_that_is_cancelled_before_its_turn_leaves_its_place() {
            needed(1_000).tryAcquire();
            Reservation reservation = needed(500).reserve(LONG);
            CompletableFuture<@Nullable Void> ready = reservation.whenReady();
            assertThat(reservation.cancel()).isTrue();
            time.runReady();
            assertThat(ready).isCompletedExceptionally();
            time.advance(Duration.ofSeconds(1));
            assertThat(bytes.availablePermits()).isEqualTo(1_000);
        }

        @Test
        void gives_back_what_was_not_used_and_the_rest_once() {
            Reservation reservation = bytes.reserve(800, LONG);
            reservation.settle(-300);
            assertThat(bytes.availablePermits()).isEqualTo(500);
            assertThatThrownBy(() -> reservation.settle(-600))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("reservation of 800 of limiter \"bytes\" has less than 600 permits left to give back");
            reservation.settle(-100);
            assertThat(reservation.cancel()).isTrue();
            assertThat(bytes.availablePermits()).as("not more than was taken").isEqualTo(1_000);
            time.advance(Duration.ofMillis(1));
            assertThat(bytes.availablePermits()).isEqualTo(1_000);
        }

        @Test
        void counts_what_was_used_in_excess_as_a_debt() {
            RateLimiter indebted = RateLimiter.of(
                    "indebted", c -> c.limit(Limit.perSecond(1_000)).maxDebt(1_000), time.environment());
            Reservation reservation = indebted.reserve(1_000, LONG);
            reservation.settle(500);
            assertThat(indebted.tryAcquireOrWaitNanos(1)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(501));
            reservation.settle(0);
            assertThat(indebted.tryAcquireOrWaitNanos(1)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(501));
        }

        @Test
        void has_nothing_to_settle_before_its_turn_or_after_a_cancel() {
            bytes.tryAcquire(1_000);
            Reservation reservation = bytes.reserve(100, LONG);
            assertThatThrownBy(() -> reservation.settle(-1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("reservation of 100 of limiter \"bytes\" has no permits, so none were used");
            time.advance(Duration.ofMillis(100));
            reservation.cancel();
            assertThatThrownBy(() -> reservation.settle(1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> reservation.settle(-101)).isInstanceOf(IllegalArgumentException.class);
        }

        /** Refilled in between, as by time: what is given back later counts for less. */
        @Test
        void gives_back_less_the_time_since_it_was_taken() {
            Reservation reservation = bytes.reserve(1_000, LONG);
            time.advance(Duration.ofMillis(400));
            reservation.settle(-500);
            assertThat(bytes.availablePermits()).isEqualTo(500);
        }
    }
}
