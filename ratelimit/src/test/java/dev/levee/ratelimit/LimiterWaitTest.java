package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every form of waiting for permits. One permit comes back every 10 ms, up to three. */
class LimiterWaitTest {
    private static final long MILLI = 1_000_000;
    private static final Duration LONG = Duration.ofSeconds(10);

    private final ManualTime time = new ManualTime();
    private final RateLimiter limiter =
            RateLimiter.of("mail", Limit.perSecond(100).burst(3), time.environment());
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private void drain() {
        limiter.tryAcquire(3);
        assertThat(limiter.tryAcquire()).isFalse();
    }

    private Thread waitOnAThread(String name, long permits, Duration maxWait) {
        Thread thread = time.start(() -> {
            try {
                limiter.acquire(permits, maxWait);
                order.add(name + " at " + time.elapsed().toMillis());
            } catch (InterruptedException interrupt) {
                order.add(name + " interrupted");
            } catch (RateLimitedException refusal) {
                order.add(name + " refused for " + refusal.retryAfterNanos() / MILLI);
            }
        });
        time.runReady();
        return thread;
    }

    private CompletableFuture<Void> waitWithoutAThread(String name, long permits, Duration maxWait) {
        CompletableFuture<Void> future = limiter.acquireAsync(permits, maxWait);
        future.whenComplete((ignored, error) -> order.add(
                error == null
                        ? name + " at " + time.elapsed().toMillis()
                        : name + " " + error.getClass().getSimpleName()));
        return future;
    }

    /** A deadline in the context of a call, in so many milliseconds. */
    private CallContext within(long millis) {
        return CallContext.current()
                .withDeadline(Deadline.after(millis(millis), time.environment().clock()));
    }

    @Nested
    class UnderADeadline {
        @Test
        void a_call_whose_turn_comes_later_is_refused_at_once_whatever_it_would_wait() {
            drain();
            assertThatThrownBy(() -> within(10).run(() -> limiter.acquire(1, Deadline.FOREVER)))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(10 * MILLI));
            CompletableFuture<Void> future = within(10).call(() -> limiter.acquireAsync(1, Deadline.FOREVER));
            assertThat(future).isCompletedExceptionally();
            assertThat(limiter.waiting()).isZero();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_call_whose_turn_comes_in_time_waits() {
            drain();
            CompletableFuture<Void> future = within(11).call(() -> limiter.acquireAsync(1, Deadline.FOREVER));
            Thread thread = time.start(() -> {
                try {
                    within(21).run(() -> limiter.acquire(1, Deadline.FOREVER));
                    order.add("b at " + time.elapsed().toMillis());
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            time.runReady();
            time.advance(millis(20));
            assertThat(future).isCompleted();
            assertThat(thread.isAlive()).isFalse();
            assertThat(order).containsExactly("b at 20");
        }

        @Test
        void the_shorter_wait_counts() {
            drain();
            assertThatThrownBy(() -> within(10_000).run(() -> limiter.acquire(1, millis(9))))
                    .isInstanceOf(RateLimitedException.class);
        }

        @Test
        void permits_that_are_there_need_no_time() throws InterruptedException {
            CallContext late = within(1);
            time.advance(millis(5));
            late.run(() -> limiter.acquire(3, Deadline.FOREVER));
            assertThatThrownBy(() -> late.run(() -> limiter.acquire(1, Deadline.FOREVER)))
                    .isInstanceOf(RateLimitedException.class);
        }

        @Test
        void a_reservation_may_be_for_later_work() {
            drain();
            Reservation reservation = within(1).call(() -> limiter.reserve(1, Deadline.FOREVER));
            time.advance(millis(10));
            assertThat(reservation.isReady()).isTrue();
        }
    }

    @Nested
    class OnAThread {
        @Test
        void permits_that_are_there_are_taken_at_once() throws InterruptedException {
            limiter.acquire(2, Duration.ZERO);
            limiter.acquire(Deadline.FOREVER);
            assertThat(limiter.availablePermits()).isZero();
        }

        @Test
        void it_waits_until_the_permits_are_there_and_not_longer() {
            drain();
            waitOnAThread("a", 2, LONG);
            time.advance(millis(20).minusNanos(1));
            assertThat(order).isEmpty();
            time.advance(Duration.ofNanos(1));
            assertThat(order).containsExactly("a at 20");
            assertThat(limiter.availablePermits()).isZero();
            assertThat(limiter.waiting()).isZero();
        }

        @Test
        void a_wait_that_would_be_too_long_fails_at_once_with_the_time_that_it_would_take() {
            drain();
            RateLimitedException refusal = catchThrowableOfType(
                    RateLimitedException.class,
                    () -> limiter.acquire(2, millis(20).minusNanos(1)));
            assertThat(refusal.retryAfterNanos()).isEqualTo(20 * MILLI);
            assertThat(refusal)
                    .hasMessage("limiter \"mail\" has no permit: 100 per 1s, burst 3; 2 would be there in 20ms");
            waitOnAThread("a", 2, millis(20));
            waitOnAThread("b", 1, millis(29));
            assertThat(order).containsExactly("b refused for 30");
            time.advance(millis(20));
            assertThat(order).containsExactly("b refused for 30", "a at 20");
        }

        @Test
        void more_than_the_capacity_are_never_there() {
            assertThatThrownBy(() -> limiter.acquire(4, Deadline.FOREVER))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(RateLimiter.NEVER));
            drain();
            waitOnAThread("a", 1, LONG);
            assertThatThrownBy(() -> limiter.acquire(4, Deadline.FOREVER))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(RateLimiter.NEVER));
            assertThat(limiter.tryAcquireOrWaitNanos(4)).isEqualTo(RateLimiter.NEVER);
        }

        @Test
        void first_come_first_served_whatever_they_need() {
            drain();
            waitOnAThread("large", 3, LONG);
            waitOnAThread("small", 1, LONG);
            waitOnAThread("next", 1, LONG);
            time.advance(millis(29));
            assertThat(limiter.tryAcquire()).as("two are there, and kept").isFalse();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(31 * MILLI);
            assertThat(order).isEmpty();
            time.advance(millis(31));
            assertThat(order).containsExactly("large at 30", "small at 40", "next at 50");
        }

        @Test
        void an_interrupted_thread_holds_nothing_and_those_behind_it_move_up() {
            drain();
            Thread large = waitOnAThread("large", 3, LONG);
            waitOnAThread("small", 1, LONG);
            time.advance(millis(15));
            large.interrupt();
            time.runReady();
            assertThat(order).containsExactlyInAnyOrder("large interrupted", "small at 15");
            time.advance(millis(15));
            assertThat(limiter.availablePermits()).isEqualTo(2);
        }

        @Test
        void an_interrupt_from_before_the_call_counts_though_permits_are_there() {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> limiter.acquire(1, LONG)).isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();
            assertThat(limiter.availablePermits()).isEqualTo(3);
        }

        @Test
        void one_more_than_may_wait_is_refused() {
            RateLimiter narrow = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(100).burst(1)).maxWaiting(2), time.environment());
            assertThat(narrow.tryAcquire()).isTrue();
            narrow.reserve(1, LONG);
            narrow.reserve(1, LONG);
            assertThatThrownBy(() -> narrow.acquire(1, LONG))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(30 * MILLI));
        }

        @ParameterizedTest
        @ValueSource(longs = {0, -1, Long.MIN_VALUE})
        void a_call_wants_at_least_one_permit_and_a_wait_that_is_not_negative(long permits) {
            String message = "permits must be at least 1, but was " + permits;
            assertThatThrownBy(() -> limiter.acquire(permits, LONG)).hasMessage(message);
            assertThatThrownBy(() -> limiter.acquireAsync(permits, LONG)).hasMessage(message);
            assertThatThrownBy(() -> limiter.reserve(permits, LONG)).hasMessage(message);
            assertThatThrownBy(() -> limiter.decide(permits)).hasMessage(message);
            assertThatThrownBy(() -> limiter.acquire(1, Duration.ofNanos(-1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("maxWait must not be negative, but was -1ns");
            assertThatThrownBy(() -> limiter.reserve(1, null)).isInstanceOf(NullPointerException.class);
        }
    }

    @Nested
    class WithoutAThread {
        @Test
        void it_completes_when_the_permits_are_there_on_the_executor() {
            List<Runnable> tasks = new ArrayList<>();
            Environment environment =
                    time.environment().toBuilder().executor(tasks::add).build();
            RateLimiter handing = RateLimiter.of("l", Limit.perSecond(100).burst(1), environment);
            assertThat(handing.acquireAsync(1, Duration.ZERO)).isCompletedWithValue(null);
            CompletableFuture<Void> future = handing.acquireAsync(1, LONG);
            time.advance(millis(10));
            assertThat(future).isNotDone();
            assertThat(handing.availablePermits()).isZero();
            tasks.forEach(Runnable::run);
            assertThat(future).isCompletedWithValue(null);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void one_queue_is_for_all_forms() {
            drain();
            waitWithoutAThread("async", 1, LONG);
            waitOnAThread("thread", 1, LONG);
            waitWithoutAThread("last", 1, LONG);
            assertThat(time.pendingTimers()).as("one timer, for the head").isEqualTo(1);
            time.advance(millis(30));
            assertThat(order).containsExactly("async at 10", "thread at 20", "last at 30");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_wait_that_would_be_too_long_fails_at_once() {
            drain();
            CompletableFuture<Void> future = limiter.acquireAsync(1, millis(9));
            assertThat(future)
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .withCauseInstanceOf(RateLimitedException.class);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_cancelled_one_holds_nothing_and_those_behind_it_move_up() {
            drain();
            CompletableFuture<Void> large = waitWithoutAThread("large", 3, LONG);
            waitWithoutAThread("small", 1, LONG);
            time.advance(millis(15));
            assertThat(large.cancel(true)).isTrue();
            time.runReady();
            assertThat(order).containsExactly("large CancellationException", "small at 15");
        }

        @Test
        void one_that_is_completed_from_outside_has_left_too() {
            drain();
            CompletableFuture<Void> timedOut = waitWithoutAThread("a", 1, LONG);
            CompletableFuture<Void> completed = waitWithoutAThread("b", 1, LONG);
            waitWithoutAThread("c", 1, LONG);
            timedOut.completeExceptionally(new TimeoutException());
            completed.complete(null);
            time.advance(millis(10));
            assertThat(order).containsExactly("a TimeoutException", "b at 0", "c at 10");
        }

        @Test
        void permits_that_are_on_their_way_to_a_cancelled_one_come_back() {
            List<Runnable> tasks = new ArrayList<>();
            Environment environment =
                    time.environment().toBuilder().executor(tasks::add).build();
            RateLimiter handing = RateLimiter.of("l", Limit.perSecond(100).burst(3), environment);
            handing.tryAcquire(3);
            CompletableFuture<Void> first = handing.acquireAsync(3, LONG);
            CompletableFuture<Void> second = handing.acquireAsync(3, LONG);
            time.advance(millis(30));
            assertThat(first.cancel(false)).as("its permits were taken").isTrue();
            List.copyOf(tasks).forEach(Runnable::run);
            tasks.clear();
            time.runReady();
            tasks.forEach(Runnable::run);
            assertThat(second).isCompletedWithValue(null);
            assertThat(handing.availablePermits()).isZero();
        }

        @Test
        void what_is_refused_by_a_broken_scheduler_is_not_left_in_the_queue() {
            Environment closed = Environment.closeable("waits");
            RateLimiter broken = RateLimiter.of("l", Limit.of(1, Duration.ofDays(1)), closed);
            broken.tryAcquire();
            closed.close();
            assertThatThrownBy(() -> broken.acquireAsync(1, Deadline.FOREVER))
                    .isInstanceOf(RejectedExecutionException.class);
            assertThat(broken.waiting()).isZero();
        }
    }

    /** Threads that wake only when they are told to: those of {@link ManualTime} look at their turn at every event. */
    @Nested
    @Timeout(60)
    class OnThreadsThatSleepSoundly {
        private final AtomicLong now = new AtomicLong();
        private final Map<Thread, Long> parkedUntil = new ConcurrentHashMap<>();
        private final RateLimiter sound = RateLimiter.of(
                "sound",
                Limit.perSecond(100).burst(3),
                time.environment().toBuilder()
                        .clock(now::get)
                        .scheduler(new SoundScheduler())
                        .build());

        /** What a thread does. */
        private interface InterruptibleAction {
            void run() throws InterruptedException;
        }

        private final class SoundScheduler implements Scheduler {
            @Override
            public Timer schedule(Runnable task, long delayNanos) {
                return time.environment().scheduler().schedule(task, delayNanos);
            }

            @Override
            public void sleep(long nanos) {}

            @Override
            public void park(Object blocker, long nanos) {
                parkedUntil.put(Thread.currentThread(), now.get() + nanos);
                LockSupport.park(blocker);
            }
        }

        private Thread waits(long turnMillis) {
            return waits(turnMillis, () -> sound.acquire(1, LONG));
        }

        private Thread waits(long turnMillis, InterruptibleAction action) {
            Thread thread = new Thread(() -> {
                try {
                    action.run();
                } catch (InterruptedException | CancellationException left) {
                    // it holds nothing
                }
            });
            thread.start();
            isParkedUntil(turnMillis, thread);
            return thread;
        }

        private void isParkedUntil(long millis, Thread thread) {
            long waitedMillis = 0;
            while (parkedUntil.getOrDefault(thread, -1L) != millis * MILLI && waitedMillis++ < 10_000) {
                LockSupport.parkNanos(MILLI);
            }
            assertThat(parkedUntil).containsEntry(thread, millis * MILLI);
        }

        private void isServedAt(long millis, Thread thread) throws InterruptedException {
            now.set(millis * MILLI);
            LockSupport.unpark(thread);
            thread.join();
        }

        @BeforeEach
        void drained() {
            sound.tryAcquire(3);
        }

        @Test
        void one_behind_another_that_gives_up_is_woken_for_its_new_turn() throws InterruptedException {
            Thread first = waits(10);
            Thread second = waits(20);
            Thread third = waits(30);
            second.interrupt();
            second.join();
            assertThat(sound.tryAcquireOrWaitNanos()).as("planned anew").isEqualTo(30 * MILLI);
            isServedAt(10, first);
            isParkedUntil(20, third);
            isServedAt(20, third);
        }

        @Test
        void all_that_wait_for_one_reservation_are_woken_when_it_is_cancelled() throws InterruptedException {
            Reservation reservation = sound.reserve(1, LONG);
            Thread one = waits(10, reservation::await);
            Thread other = waits(10, reservation::await);
            reservation.cancel();
            one.join();
            other.join(10_000);
            assertThat(other.isAlive()).isFalse();
        }

        @Test
        void each_is_woken_for_its_turn_at_a_higher_rate() throws InterruptedException {
            Thread first = waits(10);
            Thread second = waits(20);
            sound.reconfigure(Limit.perSecond(1000).burst(3));
            isParkedUntil(1, first);
            isServedAt(1, first);
            isParkedUntil(2, second);
            isServedAt(2, second);
        }
    }

    @Nested
    class WithTimersThatCannotBeCancelled {
        private final RateLimiter broken = RateLimiter.of(
                "l",
                Limit.perSecond(100).burst(3),
                time.environment().toBuilder().scheduler(new Uncancellable()).build());

        /** Its timers never fire, and throw when they are cancelled. */
        private static final class Uncancellable implements Scheduler {
            @Override
            public Timer schedule(Runnable task, long delayNanos) {
                return () -> {
                    throw new IllegalStateException("no cancel");
                };
            }

            @Override
            public void sleep(long nanos) {}

            @Override
            public void park(Object blocker, long nanos) {}
        }

        private void oneIsDue() {
            broken.tryAcquire(3);
            broken.reserve(1, LONG);
            time.advance(millis(30));
        }

        @Test
        void a_call_gets_its_permits() {
            oneIsDue();
            assertThat(broken.acquireAsync(2, LONG)).isCompleted();
            assertThat(broken.availablePermits()).isZero();
        }

        @Test
        void a_call_that_does_not_wait_gets_its_permits() {
            oneIsDue();
            assertThat(broken.tryAcquireOrWaitNanos(2)).isZero();
            assertThat(broken.availablePermits()).isZero();
        }
    }

    @Nested
    class Reservations {
        @Test
        void a_reservation_that_need_not_wait_is_ready() throws InterruptedException {
            Reservation reservation = limiter.reserve(2, Duration.ZERO);
            assertThat(reservation.isReady()).isTrue();
            assertThat(reservation.waitNanos()).isZero();
            reservation.await();
            time.runReady();
            assertThat(reservation.permits()).isEqualTo(2);
            assertThat(limiter.availablePermits()).isEqualTo(1);
        }

        @Test
        void it_says_how_long_it_takes_and_is_ready_then_whether_or_not_anything_waits_for_it() {
            drain();
            Reservation first = limiter.reserve(2, LONG);
            Reservation second = limiter.reserve(1, LONG);
            assertThat(first.waitNanos()).isEqualTo(20 * MILLI);
            assertThat(second.waitNanos()).isEqualTo(30 * MILLI);
            time.advance(millis(20));
            assertThat(first.isReady()).isTrue();
            assertThat(second.isReady()).isFalse();
            assertThat(second.waitNanos()).isEqualTo(10 * MILLI);
        }

        @Test
        void one_that_is_cancelled_before_its_turn_lets_others_move_up() {
            drain();
            Reservation first = limiter.reserve(2, LONG);
            Reservation second = limiter.reserve(1, LONG);
            assertThat(first.cancel()).isTrue();
            assertThat(first.cancel()).isFalse();
            assertThat(second.waitNanos()).isEqualTo(10 * MILLI);
            time.advance(millis(10));
            assertThat(second.isReady()).isTrue();
            assertThatThrownBy(first::await).isInstanceOf(CancellationException.class);
        }

        @Test
        void permits_are_given_back_exactly_once() {
            Reservation reservation = limiter.reserve(3, LONG);
            assertThat(limiter.availablePermits()).isZero();
            assertThat(reservation.cancel()).isTrue();
            assertThat(limiter.availablePermits()).isEqualTo(3);
            assertThat(limiter.tryAcquire(2)).isTrue();
            assertThat(reservation.cancel()).isFalse();
            assertThat(limiter.availablePermits()).isEqualTo(1);
            assertThat(reservation.isReady()).isFalse();
        }

        @Test
        void what_is_given_back_late_is_less_the_time_that_has_passed() {
            Reservation reservation = limiter.reserve(3, LONG);
            time.advance(millis(10));
            assertThat(limiter.availablePermits()).isEqualTo(1);
            assertThat(reservation.cancel()).isTrue();
            assertThat(limiter.availablePermits()).isEqualTo(3);
            Reservation late = limiter.reserve(1, LONG);
            time.advance(millis(30));
            limiter.tryAcquire(3);
            assertThat(late.cancel()).isTrue();
            assertThat(limiter.availablePermits()).isZero();
        }

        @Test
        void a_thread_waits_for_it_and_cancels_it_when_it_is_interrupted() {
            drain();
            Reservation first = limiter.reserve(1, LONG);
            Reservation second = limiter.reserve(1, LONG);
            Thread thread = awaitOnAThread("first", first);
            awaitOnAThread("second", second);
            thread.interrupt();
            time.runReady();
            assertThat(order).containsExactly("first interrupted");
            time.advance(millis(10));
            assertThat(order).containsExactly("first interrupted", "second at 10");
            assertThat(first.cancel()).isFalse();
        }

        private Thread awaitOnAThread(String name, Reservation reservation) {
            Thread thread = time.start(() -> {
                try {
                    reservation.await();
                    order.add(name + " at " + time.elapsed().toMillis());
                } catch (InterruptedException interrupt) {
                    order.add(name + " interrupted");
                }
            });
            time.runReady();
            return thread;
        }

        @Test
        void a_future_tells_when_it_is_ready() {
            drain();
            Reservation first = limiter.reserve(1, LONG);
            Reservation second = limiter.reserve(1, LONG);
            CompletableFuture<Void> ready = first.whenReady();
            CompletableFuture<Void> cancelled = second.whenReady();
            time.advance(millis(10));
            assertThat(ready).isCompletedWithValue(null);
            second.cancel();
            time.runReady();
            assertThat(cancelled).isCompletedExceptionally();
            CompletableFuture<Void> later = first.whenReady();
            time.runReady();
            assertThat(later).isCompletedWithValue(null);
        }

        /** A scheduler on which no thread can be parked. */
        private Scheduler withoutParking() {
            return new ForwardingScheduler(time.environment().scheduler()) {
                @Override
                public void park(Object blocker, long nanos) {
                    throw new IllegalStateException("no park");
                }
            };
        }

        @Test
        void one_whose_thread_cannot_wait_is_cancelled_and_those_behind_it_move_up() {
            Environment environment =
                    time.environment().toBuilder().scheduler(withoutParking()).build();
            RateLimiter parkless = RateLimiter.of("l", Limit.perSecond(100).burst(1), environment);
            parkless.tryAcquire();
            Reservation head = parkless.reserve(1, LONG);
            Reservation second = parkless.reserve(1, LONG);
            assertThatThrownBy(second::await).hasMessage("no park");
            assertThat(second.cancel()).isFalse();
            Reservation third = parkless.reserve(1, LONG);
            time.advance(millis(20));
            assertThat(head.isReady()).isTrue();
            assertThat(third.isReady()).isTrue();
            assertThat(parkless.waiting()).isZero();
        }

        @Test
        void one_that_would_be_too_late_is_refused_at_once() {
            drain();
            assertThatThrownBy(() -> limiter.reserve(1, millis(9)))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(10 * MILLI));
            assertThat(limiter.waiting()).isZero();
        }
    }

    @Nested
    class Changes {
        @Test
        void a_higher_rate_serves_those_that_wait_earlier() {
            drain();
            waitWithoutAThread("async", 1, LONG);
            waitOnAThread("thread", 1, LONG);
            limiter.reconfigure(Limit.perSecond(1000).burst(3));
            time.advance(millis(2));
            assertThat(order).containsExactly("async at 1", "thread at 2");
        }

        @Test
        void a_lower_rate_refuses_at_once_those_that_cannot_be_served_in_time_any_more() {
            drain();
            waitWithoutAThread("a", 1, LONG);
            waitOnAThread("b", 1, millis(20));
            waitWithoutAThread("c", 1, LONG);
            waitWithoutAThread("d", 3, LONG);
            limiter.reconfigure(Limit.perSecond(10).burst(2));
            time.runReady();
            assertThat(order).containsExactlyInAnyOrder("b refused for 200", "d RateLimitedException");
            order.clear();
            time.advance(millis(300));
            assertThat(order).containsExactly("a at 100", "c at 200");
        }

        @Test
        void a_debt_that_is_settled_moves_turns_back_and_permits_given_back_move_them_up() {
            RateLimiter indebted = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(100).burst(3)).maxDebt(5), time.environment());
            indebted.tryAcquire(3);
            Reservation patient = indebted.reserve(1, LONG);
            Reservation hasty = indebted.reserve(1, millis(20));
            indebted.settle(2);
            assertThat(patient.waitNanos()).isEqualTo(30 * MILLI);
            assertThatThrownBy(hasty::await).isInstanceOf(RateLimitedException.class);
            indebted.settle(-2);
            assertThat(patient.waitNanos()).isEqualTo(10 * MILLI);
            indebted.settle(-1);
            assertThat(patient.isReady()).isTrue();
        }
    }

    @Test
    void eighty_thousand_that_give_up_together_take_a_constant_number_of_steps_each() {
        drain();
        List<CompletableFuture<Void>> futures = new ArrayList<>();
        for (int i = 0; i < 80_000; i++) {
            futures.add(limiter.acquireAsync(1, Deadline.FOREVER));
        }
        assertThat(limiter.waiting()).isEqualTo(80_000);
        for (int i = 79_999; i > 0; i--) {
            futures.get(i % 2 == 0 ? i : 80_000 - i).cancel(false);
        }
        assertThat(limiter.waiting()).isEqualTo(1);
        time.advance(millis(10));
        assertThat(futures.get(0)).isCompletedWithValue(null);
    }
}
