package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Timers;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of attempts that end, a timer, and a caller that gives up: one outcome, nothing left running, no
 * result lost.
 */
class HedgeInterleavingTest {
    @Test
    void a_call_has_one_outcome_and_leaves_nothing_behind() {
        options(4).check(OfTheHedge.class);
    }

    @Test
    void an_attempt_that_starts_while_another_wins_and_is_not_cancelled_is_caught() {
        assertThatThrownBy(() -> options(12).check(OfAMutant.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options(int scenarios) {
        return ModelChecking.options()
                .threads(3)
                .actorsPerThread(1)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(scenarios))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    /** One call with two attempts at most. */
    public abstract static class OneCall {
        private final AtomicReference<Runnable> timer = new AtomicReference<>();
        private final List<CompletableFuture<String>> attempts = new CopyOnWriteArrayList<>();
        private final AtomicInteger outcomes = new AtomicInteger();
        private final AtomicInteger discarded = new AtomicInteger();
        private final CompletableFuture<String> future;

        OneCall() {
            NanoClock clock = () -> 0;
            RacingHedge hedge = new RacingHedge(
                    "h",
                    HedgeConfig.builder()
                            .delay(Duration.ofSeconds(1))
                            .budget(RetryBudget.unlimited())
                            .discard(result -> discarded.incrementAndGet())
                            .build(),
                    Environment.builder()
                            .clock(clock)
                            .scheduler(new OneTimer(clock, timer))
                            .executor(Runnable::run)
                            .build());
            future = call(hedge).follow(start());
            future.whenComplete((result, error) -> outcomes.incrementAndGet());
        }

        abstract HedgedCall<String> call(RacingHedge hedge);

        final CompletableFuture<String> start() {
            CompletableFuture<String> attempt = new CompletableFuture<>();
            attempts.add(attempt);
            return attempt;
        }

        @Operation
        public void theFirstSucceeds() {
            attempts.get(0).complete("first");
        }

        @Operation
        public void theFirstFails() {
            attempts.get(0).completeExceptionally(new IOException("first"));
        }

        @Operation
        public void theSecondEnds() {
            if (attempts.size() > 1) {
                attempts.get(1).complete("second");
            }
        }

        @Operation
        public void theTimeIsUp() {
            Runnable task = timer.getAndSet(null);
            if (task != null) {
                task.run();
            }
        }

        @Operation
        public void theCallerGivesUp() {
            future.cancel(true);
        }

        @Validate
        public void oneOutcomeAndNothingLeft() {
            if (future.isDone()) {
                check(timer.get() == null, "a timer is left");
                attempts.forEach(attempt -> check(attempt.isDone(), "an attempt is left running"));
            }
            for (int i = 0; i < attempts.size(); i++) {
                attempts.get(i).completeExceptionally(new IOException("end"));
            }
            check(future.isDone(), "no outcome");
            check(outcomes.get() == 1, "outcomes: " + outcomes);
            check(attempts.size() <= 2, "attempts: " + attempts.size());
            long results = attempts.stream()
                    .filter(attempt -> !attempt.isCompletedExceptionally())
                    .count();
            long given = future.isCompletedExceptionally() ? 0 : 1;
            check(results == given + discarded.get(), "results that are neither given nor discarded");
        }

        private static void check(boolean condition, String otherwise) {
            if (!condition) {
                throw new IllegalStateException(otherwise);
            }
        }
    }

    public static class OfTheHedge extends OneCall {
        @Override
        HedgedCall<String> call(RacingHedge hedge) {
            return new HedgedStages<>(hedge, Inner.OPERATION, CallContext.current(), 0, 2, null, this::start);
        }
    }

    /** Does not check, after it has started an attempt, whether the call is settled. */
    public static class OfAMutant extends OneCall {
        @Override
        HedgedCall<String> call(RacingHedge hedge) {
            return new HedgedCall<>(hedge, Inner.OPERATION, CallContext.current(), 0, 2, null) {
                @Override
                void launch(HedgeAttempt<String> attempt, int number) {
                    CompletableFuture<String> running = start();
                    attempt.future = running;
                    running.whenComplete(attempt);
                }

                @Override
                void repeated(@Nullable Throwable error) {}

                @Override
                Throwable failureOf(Throwable thrown) {
                    return thrown;
                }
            };
        }
    }

    private record OneTimer(NanoClock clock, AtomicReference<Runnable> timer) implements Scheduler, Timers {
        @Override
        public long set(Runnable task, long nowNanos, long delayNanos) {
            timer.set(task);
            return 1;
        }

        @Override
        public boolean take(long ticket, Runnable task) {
            return timer.compareAndSet(task, null);
        }

        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void sleep(long nanos) {}

        @Override
        public void park(Object blocker, long nanos) {}
    }
}
