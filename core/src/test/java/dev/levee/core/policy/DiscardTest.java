package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A result that is not used is given away exactly once, in every form of call. */
class DiscardTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final List<Connection> opened = Collections.synchronizedList(new ArrayList<>());
    private final Timeout timeout = Timeout.of("t", SECOND, environment).discard(DiscardTest::close);
    private final CompletableFuture<Connection> stage = new CompletableFuture<>();

    private static final class Connection {
        int closed;
    }

    @AfterEach
    void everyConnectionIsClosedOnce() {
        time.advance(Duration.ofHours(1));
        assertThat(opened).isNotEmpty().allSatisfy(it -> assertThat(it.closed).isOne());
        assertThat(time.pendingTimers()).isZero();
        assertThat(Thread.interrupted()).isFalse();
    }

    private static void close(Object result) {
        ((Connection) result).closed++;
    }

    private Connection open() {
        Connection connection = new Connection();
        opened.add(connection);
        return connection;
    }

    private Connection openUnavailable() {
        assertThat(opened).as("a pool of two").filteredOn(it -> it.closed == 0).hasSizeLessThan(2);
        return open();
    }

    private void use(Connection connection) {
        connection.closed++;
    }

    @Nested
    class OfATimeout {
        @Test
        void late_on_the_thread_of_the_caller() {
            assertThatThrownBy(() -> timeout.call(() -> {
                        time.advance(SECOND);
                        return open();
                    }))
                    .isInstanceOf(TimedOutException.class);
        }

        @Test
        void in_time_is_the_callers() {
            use(timeout.call(DiscardTest.this::open));
            use(timeout.callAsync(() -> CompletableFuture.completedFuture(open()))
                    .join());
        }

        @Test
        void of_work_that_goes_on_after_its_caller_was_released() {
            Timeout handing = timeout.onExecutor(time::start);
            assertThat(handing.discard(DiscardTest::close)).hasToString(handing.toString());
            Throwable[] seen = new Throwable[1];
            time.start(() -> seen[0] = catchThrowable(() -> handing.call(() -> {
                sleepStubbornly(Duration.ofSeconds(3));
                return open();
            })));
            time.advance(SECOND);
            assertThat(seen[0]).isInstanceOf(TimedOutException.class);
            assertThat(opened).isEmpty();
            time.advance(Duration.ofSeconds(2));
        }

        @Test
        void of_work_whose_caller_was_interrupted() {
            Timeout handing = timeout.onExecutor(time::start);
            Throwable[] seen = {null};
            Thread caller = time.start(() -> seen[0] = catchThrowable(() -> handing.call(() -> {
                sleepStubbornly(Duration.ofMillis(500));
                return open();
            })));
            time.advance(Duration.ofMillis(100));
            caller.interrupt();
            time.advance(SECOND);
            assertThat(seen[0]).isInstanceOf(CancellationException.class);
        }

        @Test
        void of_a_stage_that_comes_after_the_time() {
            CompletableFuture<Connection> future = timeout.callAsync(stage::minimalCompletionStage);
            time.advance(SECOND);
            assertThat(future).isCompletedExceptionally();
            stage.complete(open());
        }

        @Test
        void of_a_supplier_that_took_too_long() {
            CompletableFuture<Connection> future = timeout.callAsync(() -> {
                time.advance(SECOND);
                return CompletableFuture.completedFuture(open());
            });
            assertThat(future).isCompletedExceptionally();
        }

        @Test
        void of_a_stage_that_was_cancelled_by_the_caller_and_has_a_result_all_the_same() {
            for (Policy outer : List.of(
                    timeout,
                    Pipeline.of(Bulkhead.of("b", 1, environment), timeout),
                    Pipeline.of(Retry.of("r", c -> {}, environment), timeout),
                    Pipeline.of(Retry.of("r", c -> c.discard(DiscardTest::close), environment), timeout),
                    Pipeline.of(Fallback.value("f", "s", environment), timeout),
                    Pipeline.of(Hedge.of("h", c -> c.discard(DiscardTest::close), environment), timeout),
                    Pipeline.of(Timeout.of("o", SECOND, environment).discard(DiscardTest::close), timeout))) {
                CompletableFuture<Connection> work = new CompletableFuture<>();
                CompletableFuture<Connection> future = outer.callAsync(work::minimalCompletionStage);
                future.cancel(true);
                work.complete(open());
            }
            assertThat(opened).hasSize(7);
        }

        @Test
        void of_blocking_work_on_an_executor_that_ignores_its_interrupt() {
            CompletableFuture<Connection> future = timeout.callAsync(time::start, () -> {
                sleepStubbornly(Duration.ofSeconds(3));
                return open();
            });
            time.advance(SECOND);
            assertThat(future).isCompletedExceptionally();
            time.advance(Duration.ofSeconds(2));
        }

        @Test
        void by_a_consumer_that_throws_changes_nothing() {
            Timeout throwing = Timeout.of("t", SECOND, environment).discard(result -> {
                close(result);
                throw new IllegalStateException("cannot close");
            });
            assertThatThrownBy(() -> throwing.call(() -> {
                        time.advance(SECOND);
                        return open();
                    }))
                    .isInstanceOf(TimedOutException.class);
        }
    }

    @Nested
    class OfARetry {
        private Retry retry(int attempts, Duration backoff) {
            return Retry.of(
                    "r",
                    config -> config.maxAttempts(attempts)
                            .backoff(Backoff.fixed(backoff))
                            .outcomes(rule -> rule.onResult(Connection.class, it -> true, Verdict.FAILURE))
                            .discard(DiscardTest::close),
                    environment);
        }

        @Test
        void repeated_is_closed_before_the_next_attempt_and_the_last_is_the_callers() {
            time.start(() -> use(retry(5, SECOND).call(DiscardTest.this::openUnavailable)));
            time.advance(Duration.ofSeconds(4));
            assertThat(opened).hasSize(5);
        }

        @Test
        void repeated_by_an_asynchronous_call_is_closed_before_the_wait() {
            CompletableFuture<Connection> future =
                    retry(5, SECOND).callAsync(() -> CompletableFuture.completedFuture(openUnavailable()));
            assertThat(opened.get(0).closed).isOne();
            time.advance(Duration.ofSeconds(4));
            assertThat(opened).hasSize(5);
            use(future.join());
        }

        @Test
        void of_a_call_that_is_cancelled_in_the_wait_or_before_its_result() {
            CompletableFuture<Connection> waits =
                    retry(5, SECOND).callAsync(() -> CompletableFuture.completedFuture(open()));
            waits.cancel(true);
            CompletableFuture<Connection> runs = retry(5, SECOND).callAsync(stage::minimalCompletionStage);
            runs.cancel(true);
            stage.complete(open());
            assertThat(opened).hasSize(2);
        }

        @Test
        void of_a_call_that_is_completed_from_outside() {
            CompletableFuture<Connection> runs = retry(5, SECOND).callAsync(stage::minimalCompletionStage);
            runs.completeExceptionally(new IllegalStateException("orTimeout"));
            stage.complete(open());
        }

        @Test
        void of_a_call_that_is_interrupted_in_the_wait() {
            Throwable[] seen = new Throwable[1];
            Thread caller = time.start(
                    () -> seen[0] = catchThrowable(() -> retry(5, SECOND).call(DiscardTest.this::open)));
            time.awaitSleepers(1);
            caller.interrupt();
            time.runReady();
            assertThat(seen[0]).isInstanceOf(InterruptedWaitException.class);
        }

        @Test
        void of_a_call_that_has_no_time_left_after_its_wait() {
            Environment slow = environment.toBuilder()
                    .executor(task -> environment.scheduler().schedule(task, SECOND.toNanos()))
                    .build();
            Retry late = Retry.of(
                    "r",
                    config -> config.totalTime(Duration.ofMillis(1500))
                            .backoff(Backoff.fixed(SECOND))
                            .outcomes(rule -> rule.onResult(Connection.class, it -> true, Verdict.FAILURE))
                            .discard(DiscardTest::close),
                    slow);
            CompletableFuture<Connection> future = late.callAsync(() -> CompletableFuture.completedFuture(open()));
            time.advance(Duration.ofSeconds(2));
            assertThat(catchThrowable(future::join))
                    .hasCauseInstanceOf(TimedOutException.class)
                    .hasMessageContaining("has been discarded");
        }
    }

    @Test
    void of_a_hedge_that_a_policy_further_out_has_cancelled() {
        Hedge hedge = Hedge.of("h", config -> config.discard(DiscardTest::close), environment);
        CompletableFuture<Connection> future =
                Pipeline.of(Bulkhead.of("b", 1, environment), hedge).callAsync(stage::minimalCompletionStage);
        future.cancel(true);
        stage.complete(open());
    }

    private void sleepStubbornly(Duration duration) {
        long start = time.nanoTime();
        for (long left = duration.toNanos(); left > 0; left = duration.toNanos() - (time.nanoTime() - start)) {
            try {
                environment.scheduler().sleep(left);
            } catch (InterruptedException ignored) {
                // it goes on
            }
        }
    }
}
