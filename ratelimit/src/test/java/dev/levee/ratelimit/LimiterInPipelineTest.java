package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Pipeline;
import dev.levee.core.Readings;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A limiter in a pipeline, at which calls wait. */
class LimiterInPipelineTest {
    private final ManualTime time = new ManualTime();
    private final RateLimiter limiter = RateLimiter.of(
            "mail",
            config -> config.limit(Limit.perSecond(100).burst(1))
                    .maxWait(Duration.ofMillis(50))
                    .totals(true),
            time.environment());
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    private Thread callOnAThread(String name) {
        Thread thread = time.start(() -> {
            try {
                limiter.run(() -> order.add(name + " at " + time.elapsed().toMillis()));
            } catch (RateLimitedException | InterruptedWaitException refusal) {
                order.add(name + " " + refusal.getClass().getSimpleName());
            }
        });
        time.runReady();
        return thread;
    }

    @Nested
    class Waits {
        @Test
        void calls_are_served_in_turn_on_threads_and_without() {
            limiter.run(() -> {});
            callOnAThread("a");
            limiter.callAsync(() -> {
                order.add("b at " + time.elapsed().toMillis());
                return CompletableFuture.completedFuture(null);
            });
            callOnAThread("c");
            time.advance(Duration.ofMillis(30));
            assertThat(order).containsExactly("a at 10", "b at 20", "c at 30");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_call_whose_permit_comes_after_its_wait_is_refused_at_once() {
            limiter.run(() -> {});
            for (int i = 0; i < 5; i++) {
                limiter.reserve(1, Deadline.FOREVER);
            }
            assertThatThrownBy(() -> limiter.run(() -> {}))
                    .isInstanceOfSatisfying(
                            RateLimitedException.class,
                            refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(60_000_000));
        }

        @Test
        void a_call_whose_permit_comes_after_its_deadline_is_refused_at_once() {
            limiter.run(() -> {});
            Deadline near = Deadline.after(
                    Duration.ofMillis(10).minusNanos(1), time.environment().clock());
            assertThatThrownBy(() -> CallContext.current()
                            .withDeadline(near)
                            .call(() -> Pipeline.of(limiter).call(() -> order.add("ran"))))
                    .isInstanceOf(RateLimitedException.class);
            assertThat(CallContext.current().withDeadline(near).call(() -> limiter.callAsync(() -> null)))
                    .isCompletedExceptionally();
            assertThat(order).isEmpty();
            assertThat(limiter.waiting()).isZero();
        }

        @Test
        void a_call_does_not_begin_after_its_deadline_though_the_clock_has_jumped() {
            SettableClock clock = new SettableClock(0);
            Environment jumping = time.environment().toBuilder().clock(clock).build();
            RateLimiter jumped = RateLimiter.of(
                    "l", config -> config.limit(Limit.perSecond(100).burst(1)).maxWait(Deadline.FOREVER), jumping);
            jumped.tryAcquire();
            CompletableFuture<Long> turn = jumped.enterAsync(Deadline.afterNanos(20_000_000, clock));
            assertThat(turn).isNotDone();
            clock.set(20_000_000);
            time.advance(Duration.ofMillis(10));
            assertThat(turn).isCompletedWithValue(Gate.REFUSED);
            assertThat(jumped.availablePermits()).isEqualTo(1);
        }

        @Test
        void an_interrupted_call_leaves_the_queue() {
            limiter.run(() -> {});
            Thread first = callOnAThread("a");
            callOnAThread("b");
            first.interrupt();
            time.advance(Duration.ofMillis(10));
            assertThat(order).containsExactly("a InterruptedWaitException", "b at 10");
        }

        @Test
        void a_cancelled_call_leaves_the_queue() {
            limiter.run(() -> {});
            CompletableFuture<Object> first =
                    limiter.callAsync(() -> CompletableFuture.completedFuture(order.add("a")));
            callOnAThread("b");
            assertThat(first.cancel(true)).isTrue();
            time.advance(Duration.ofMillis(10));
            assertThat(order).containsExactly("b at 10");
        }

        @Test
        void a_call_that_waited_counts_as_admitted() {
            limiter.run(() -> {});
            callOnAThread("a");
            limiter.callAsync(() -> CompletableFuture.completedFuture(null));
            limiter.tryAcquire();
            time.advance(Duration.ofMillis(20));
            Map<String, Double> figures = Readings.of(limiter);
            assertThat(figures)
                    .containsEntry("limiter.calls.admitted", 3.0)
                    .containsEntry("limiter.calls.refused", 1.0)
                    .containsEntry("limiter.calls.waiting", 0.0);
        }
    }

    @Test
    void without_a_wait_it_refuses_at_once_and_says_that_it_does() throws InterruptedException {
        RateLimiter refusing = RateLimiter.of("l", Limit.perSecond(100).burst(1), time.environment());
        assertThat(refusing.mayWait()).isFalse();
        assertThat(limiter.mayWait()).isTrue();
        refusing.tryAcquire();
        Deadline never = Deadline.after(Deadline.FOREVER, time.environment().clock());
        assertThat(refusing.enter(never)).isEqualTo(Gate.REFUSED);
        assertThat(refusing.enterAsync(never)).isCompletedWithValue(Gate.REFUSED);
    }
}
