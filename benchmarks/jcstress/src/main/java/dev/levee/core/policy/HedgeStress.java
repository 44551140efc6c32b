package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZLL_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The word of {@link HedgeState}, and what {@link HedgeAttempt} and {@link SuppressedFailures} publish. */
public class HedgeStress {
    private static final RacingHedge HEDGE = new RacingHedge(
            "hedge", HedgeConfig.builder().idempotent(true).maxAttempts(3).build(), Environment.system());

    /** A call without anything behind it. */
    private static final class Call extends HedgeState<String> {
        Call() {
            super(HEDGE);
        }
    }

    /** Two outcomes at once: one settles the call. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class SettledOnce {
        private final Call call = new Call();

        @Actor
        public void first(ZZ_Result result) {
            result.r1 = call.settle();
        }

        @Actor
        public void second(ZZ_Result result) {
            result.r2 = call.settle();
        }
    }

    /** A timer and a failure want to count the second attempt: one does. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class NextCountedOnce {
        private final Call call = new Call();

        @Actor
        public void timer(ZZ_Result result) {
            result.r1 = call.countNext(1);
        }

        @Actor
        public void other(ZZ_Result result) {
            result.r2 = call.countNext(1);
        }
    }

    /** The only attempt fails while the next one is counted: it is settled by the failure, or goes on. */
    @JCStressTest
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "the next one is in flight")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "the failure was the end")
    @Outcome(expect = FORBIDDEN, desc = "settled with an attempt in flight, or neither")
    @State
    public static class FailureWhileNextIsCounted {
        private final Call call = new Call();

        @Actor
        public void timer(ZZ_Result result) {
            result.r1 = call.countNext(1);
        }

        @Actor
        public void failure() {
            call.countFailure(HedgeState.NO_MORE);
        }

        @Arbiter
        public void end(ZZ_Result result) {
            result.r2 = call.isSettled();
        }
    }

    /** Plain fields of an attempt are published by {@code setAside}. */
    @JCStressTest
    @Outcome(
            id = {"false, -, -", "true, result, error"},
            expect = ACCEPTABLE,
            desc = "both with the flag")
    @Outcome(expect = FORBIDDEN, desc = "the flag without the outcome")
    @State
    @SuppressWarnings("NullAway")
    public static class OutcomeSetAside {
        private final HedgeAttempt<String> attempt = new HedgeAttempt<>(null, 1, null);

        @Actor
        public void attempt() {
            attempt.setAside("result", new IllegalStateException("error"));
        }

        @Actor
        public void reader(ZLL_Result seen) {
            seen.r1 = attempt.setAside;
            seen.r2 = seen.r1 ? attempt.result : "-";
            seen.r3 = !seen.r1 ? "-" : attempt.error == null ? "none" : attempt.error.getMessage();
        }
    }

    /** Two failures that are kept at once are both kept. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "both")
    @Outcome(expect = FORBIDDEN, desc = "one was lost")
    @State
    public static class FailuresKept {
        private final SuppressedFailures failures = new SuppressedFailures();
        private final Throwable error = new IllegalStateException("error");

        @Actor
        public void first() {
            failures.add(error);
        }

        @Actor
        public void second() {
            failures.add(error);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = failures.all().length;
        }
    }
}
