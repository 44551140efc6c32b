package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** One deadline for a call and all that it does: it shrinks on its way in, travels to other threads, and is kept. */
class DeadlinesOnTheWayTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();
    private final Timeout timeout = Timeout.of("t", Duration.ofSeconds(10), environment);

    @AfterEach
    void nothingIsLeft() {
        assertThat(time.pendingTimers()).isZero();
        assertThat(Thread.interrupted()).isFalse();
        assertThat(CallContext.current().deadline()).isNull();
    }

    private CallContext until(long nanos) {
        return CallContext.current().withDeadline(Deadline.afterNanos(nanos, environment.clock()));
    }

    private static long left() {
        return CallContext.current().deadline().remainingNanos();
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        return seen[0];
    }

    @Property
    void is_the_least_of_all_timeouts_around(
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 1_000) Integer> limits,
            @ForAll @IntRange(min = 1, max = 1_000) int ambient) {
        Timeout[] timeouts = new Timeout[limits.size()];
        for (int i = 0; i < timeouts.length; i++) {
            timeouts[i] = Timeout.of("t" + i, Duration.ofNanos(limits.get(i)), environment);
        }
        long least = Math.min(ambient, limits.stream().min(Integer::compare).orElseThrow());
        Pipeline pipeline = Pipeline.of(timeouts);
        until(ambient).call(() -> {
            long blocking = pipeline.call(DeadlinesOnTheWayTest::left);
            assertThat(blocking).isEqualTo(least);
            CompletableFuture<Long> async = pipeline.callAsync(() -> CompletableFuture.completedFuture(left()));
            assertThat(async.join()).isEqualTo(least);
            assertThat(left()).as("restored").isEqualTo(ambient);
            return null;
        });
    }

    @Nested
    class EarlierThanTheTimeout {
        @Test
        void cuts_a_blocking_call_short() {
            Throwable thrown = catchThrowable(() -> until(300)
                    .call(() -> timeout.callInterruptibly(() -> {
                        environment.scheduler().sleep(Duration.ofSeconds(5).toNanos());
                        return "late";
                    })));
            assertThat(thrown)
                    .isInstanceOf(TimedOutException.class)
                    .hasMessage("timeout \"t\" timed out at the deadline of the call, after 300ns");
            assertThat(time.elapsed()).isEqualTo(Duration.ofNanos(300));
        }

        @Test
        void cuts_a_call_on_an_executor_short() {
            ManualTime byHand = new ManualTime();
            Environment real = byHand.environment();
            Timeout handing =
                    Timeout.of("t", Duration.ofSeconds(10), real).onExecutor(task -> byHand.start("worker", task));
            List<String> seen = new ArrayList<>();
            byHand.start("caller", () -> {
                CallContext context = CallContext.current().withDeadline(Deadline.afterNanos(300, real.clock()));
                Throwable thrown = catchThrowable(() -> context.call(() -> handing.callInterruptibly(() -> {
                    real.scheduler().sleep(Duration.ofSeconds(5).toNanos());
                    return "late";
                })));
                seen.add(thrown.getMessage());
            });
            byHand.advance(Duration.ofNanos(300));
            assertThat(seen).containsExactly("timeout \"t\" timed out at the deadline of the call, after 300ns");
        }

        @Test
        void cuts_an_asynchronous_call_short_and_cancels_its_stage() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = until(300).call(() -> timeout.callAsync(() -> work));
            time.advance(Duration.ofNanos(299));
            assertThat(future).isNotDone();
            time.advance(Duration.ofNanos(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(work).isCancelled();
        }

        @Test
        void is_kept_by_a_timeout_that_never_ends() {
            Timeout keeper = Timeout.of("keeper", Duration.ofSeconds(Long.MAX_VALUE), environment);
            assertThatThrownBy(() -> until(300)
                            .call(() -> keeper.callInterruptibly(() -> {
                                environment
                                        .scheduler()
                                        .sleep(Duration.ofSeconds(5).toNanos());
                                return "late";
                            })))
                    .isInstanceOf(TimedOutException.class);
            assertThat(time.elapsed()).isEqualTo(Duration.ofNanos(300));
        }
    }

    @Nested
    class PassedBeforeTheCall {
        private final List<String> ran = new ArrayList<>();
        private final CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));

        private void assertRefused(Throwable thrown) {
            assertThat(thrown)
                    .isInstanceOf(DeadlineExpiredException.class)
                    .hasMessage("timeout \"t\" refused a call whose deadline had passed");
            assertThat(thrown.getStackTrace()).isEmpty();
            assertThat(ran).isEmpty();
            assertThat(outside.verdicts()).as("no evidence").containsExactly(Verdict.IGNORED);
            assertThat(heard.events()).contains("timeout t refused");
        }

        @Test
        void refuses_a_blocking_call_at_once() {
            assertRefused(catchThrowable(
                    () -> until(0).call(() -> Pipeline.of(outside, timeout).call(() -> ran.add("x")))));
        }

        @Test
        void refuses_a_call_on_an_executor_at_once() {
            Timeout handing = timeout.onExecutor(task -> ran.add("handed over"));
            assertRefused(catchThrowable(
                    () -> until(0).call(() -> Pipeline.of(outside, handing).call(() -> ran.add("x")))));
        }

        @Test
        void refuses_an_asynchronous_call_at_once() {
            CompletableFuture<Boolean> future = until(0).call(() ->
                    Pipeline.of(outside, timeout).callAsync(() -> CompletableFuture.completedFuture(ran.add("x"))));
            assertRefused(failureOf(future));
        }

        @Test
        void is_not_tried_again() {
            Retry retry = Retry.of("r", config -> config.maxAttempts(5), environment);
            Throwable thrown = catchThrowable(
                    () -> until(0).call(() -> Pipeline.of(retry, timeout).call(() -> ran.add("x"))));
            assertThat(thrown).isInstanceOf(DeadlineExpiredException.class);
            assertThat(time.elapsed()).isZero();
            assertThat(ran).isEmpty();
        }

        @Test
        void is_counted() {
            for (int i = 0; i < 3; i++) {
                assertThat(catchThrowable(() -> until(0).call(() -> timeout.call(() -> "no"))))
                        .isNotNull();
            }
            assertThat(catchThrowable(() -> timeout.call(() -> {
                        time.advance(Duration.ofSeconds(10));
                        return "late";
                    })))
                    .isNotNull();
            Map<String, Double> figures = new HashMap<>();
            timeout.measure((policy, metric, value) -> figures.put(policy + " " + metric, value));
            assertThat(figures).containsEntry("t timeout.refused", 3.0).containsEntry("t timeout.timed.out", 1.0);
        }
    }

    @Test
    void travels_to_an_executor_that_carries_and_to_the_thread_of_a_timeout() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        Executor carrying = CallContext.carrying(tasks::add);
        List<Long> seen = new ArrayList<>();
        timeout.run(() -> carrying.execute(() -> seen.add(left())));
        tasks.remove().run();
        timeout.onExecutor(time::start).run(() -> seen.add(left()));
        assertThat(seen)
                .containsExactly(
                        Duration.ofSeconds(10).toNanos(), Duration.ofSeconds(10).toNanos());
    }

    @Test
    void of_another_clock_is_a_mistake_that_is_found_before_anything_runs() {
        ManualTime other = new ManualTime();
        CallContext foreign = CallContext.current()
                .withDeadline(Deadline.afterNanos(5, other.environment().clock()));
        assertThatThrownBy(() -> foreign.call(() -> timeout.call(() -> "no")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("different clocks");
    }

    @Test
    void ends_waits_inside_in_time() {
        Bulkhead full = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(5, Duration.ofHours(1)), environment);
        full.callAsync(CompletableFuture::new);
        Throwable thrown = catchThrowable(
                () -> until(300).call(() -> Pipeline.of(timeout, full).call(() -> "no")));
        assertThat(thrown).isInstanceOfAny(BulkheadFullException.class, TimedOutException.class);
        assertThat(time.elapsed()).isEqualTo(Duration.ofNanos(300));
        assertThat(full.waiting()).isZero();
    }
}
