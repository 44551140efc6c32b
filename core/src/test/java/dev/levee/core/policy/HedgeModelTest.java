package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Random histories of one asynchronous call: whatever happens in whatever order, a few things hold. */
class HedgeModelTest {
    private static final OutcomeRule RULE = OutcomeRule.standard()
            .onError(IllegalArgumentException.class, Verdict.IGNORED)
            .onError(UnsupportedOperationException.class, Verdict.THROTTLED)
            .retryAfter((result, error) ->
                    error instanceof UnsupportedOperationException ? Long.parseLong(error.getMessage()) : -1);

    /** Something that happens to the call, perhaps to its nth attempt. */
    record Step(String what, int attempt) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<String> what = Arbitraries.of(
                "advance",
                "advance",
                "advance",
                "succeed",
                "fail",
                "fail",
                "mistake",
                "throttle",
                "hint",
                "stop",
                "cancel");
        return what.flatMap(kind -> Arbitraries.integers().between(0, 4).map(i -> new Step(kind, i)))
                .list()
                .ofMaxSize(12);
    }

    @Property(tries = 1500)
    void one_outcome_and_nothing_left_behind(
            @ForAll("steps") @Size(max = 12) List<Step> steps,
            @ForAll @IntRange(min = 1, max = 5) int maxAttempts,
            @ForAll @IntRange(min = 0, max = 4) int credit,
            @ForAll @IntRange(min = 0, max = 3) int delays,
            @ForAll boolean bounded) {
        new OneCall(maxAttempts, credit, delays, bounded).run(steps);
    }

    private static final class OneCall {
        private final ManualTime time = new ManualTime();
        private final Environment environment = time.environment();
        private final List<CompletableFuture<String>> attempts = new ArrayList<>();
        private final List<Object> discarded = new ArrayList<>();
        private final List<String> outcomes = new ArrayList<>();
        private final Deadline deadline = Deadline.after(Duration.ofMillis(350), environment.clock());
        private final Bulkhead inside = Bulkhead.of("b", c -> c.maxConcurrent(9), environment);
        private final int maxAttempts;
        private final Purse purse;
        private final boolean bounded;
        private final CompletableFuture<String> future;

        OneCall(int maxAttempts, int credit, int delays, boolean bounded) {
            this.maxAttempts = maxAttempts;
            this.purse = new Purse(credit);
            this.bounded = bounded;
            Hedge hedge = Hedge.of(
                    "h",
                    c -> c.maxAttempts(maxAttempts)
                            .delay(Duration.ofMillis(100L * delays))
                            .budget(purse)
                            .outcomes(RULE)
                            .discard(discarded::add),
                    environment);
            Pipeline pipeline = Pipeline.of(hedge, inside);
            CallContext context = bounded ? CallContext.current().withDeadline(deadline) : CallContext.current();
            future = context.call(() -> pipeline.callAsync(this::start));
            future.whenComplete((result, error) -> outcomes.add(result + " " + error));
        }

        private CompletableFuture<String> start() {
            assertThat(future == null || !future.isDone())
                    .as("starts while the call is wanted")
                    .isTrue();
            assertThat(bounded && deadline.isExpired())
                    .as("starts after the deadline")
                    .isFalse();
            CompletableFuture<String> attempt = new CompletableFuture<>();
            attempts.add(attempt);
            assertThat(CallContext.current().attempt()).isEqualTo(attempts.size());
            return attempt;
        }

        void run(List<Step> steps) {
            for (Step step : steps) {
                take(step);
                time.runReady();
                assertThat(attempts.size()).isLessThanOrEqualTo(Math.min(maxAttempts, 1 + purse.spent));
                if (future.isDone()) {
                    assertThat(time.pendingTimers()).isZero();
                    assertThat(attempts).allMatch(CompletableFuture::isDone);
                }
            }
            for (int i = 0; i < attempts.size(); i++) {
                attempts.get(i).completeExceptionally(new IllegalStateException("end"));
                time.advance(Duration.ofSeconds(1));
            }
            assertThat(future).isDone();
            assertThat(outcomes).hasSize(1);
            assertThat(time.pendingTimers()).isZero();
            assertThat(inside.inFlight()).isZero();
            assertThat(purse.firsts).isEqualTo(maxAttempts == 1 ? 0 : 1);
            long results = attempts.stream()
                    .filter(attempt -> !attempt.isCompletedExceptionally())
                    .count();
            assertThat(results).isEqualTo(discarded.size() + (future.isCompletedExceptionally() ? 0 : 1));
        }

        private void take(Step step) {
            if (step.what.equals("advance")) {
                time.advance(Duration.ofMillis(60L * (step.attempt + 1)));
            } else if (step.what.equals("cancel")) {
                future.cancel(true);
            } else if (step.attempt < attempts.size()) {
                end(step.what, attempts.get(step.attempt));
            }
        }

        private static void end(String what, CompletableFuture<String> attempt) {
            switch (what) {
                case "succeed" -> attempt.complete("yes");
                case "fail" -> attempt.completeExceptionally(new IllegalStateException("no"));
                case "mistake" -> attempt.completeExceptionally(new IllegalArgumentException("mine"));
                case "throttle" -> attempt.completeExceptionally(new UnsupportedOperationException("-1"));
                case "hint" -> attempt.completeExceptionally(new UnsupportedOperationException("150000000"));
                default ->
                    attempt.completeExceptionally(
                            new UnsupportedOperationException(Long.toString(OutcomeRule.DO_NOT_RETRY)));
            }
        }
    }

    /** A budget of a fixed number of attempts. */
    private static final class Purse implements RetryBudget {
        private final int credit;
        private int spent;
        private int firsts;

        Purse(int credit) {
            this.credit = credit;
        }

        @Override
        public String name() {
            return "purse";
        }

        @Override
        public void onFirstAttempt() {
            firsts++;
        }

        @Override
        public boolean tryWithdraw(double cost) {
            if (spent >= credit) {
                return false;
            }
            spent++;
            return true;
        }

        @Override
        public void measure(Sink sink) {}
    }
}
