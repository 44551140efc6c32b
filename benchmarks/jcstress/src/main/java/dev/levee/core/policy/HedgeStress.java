package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZLL_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/**
 * The word of {@link HedgeState}, the list of attempts of {@link HedgedCall}, and what {@link HedgeAttempt} and
 * {@link SuppressedFailures} publish.
 */
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

    private static final RacingHedge DISCARDING = new RacingHedge(
            "discarding",
            HedgeConfig.builder()
                    .idempotent(true)
                    .discard(result -> ((AtomicInteger) result).incrementAndGet())
                    .build(),
            Environment.system());

    private static <T> HedgedCall<T> call(RacingHedge hedge) {
        return new HedgedStages<>(
                hedge, Inner.OPERATION, CallContext.current(), 0, hedge.maxAttempts, null, CompletableFuture<T>::new);
    }

    /** Two attempts are added at once: both are in the list. */
    @JCStressTest
    @Outcome(
            id = {"2, 1", "3, 1"},
            expect = ACCEPTABLE,
            desc = "all three, the two in either order")
    @Outcome(expect = FORBIDDEN, desc = "an attempt is not in the list")
    @State
    public static class AttemptsAdded {
        private final HedgedCall<String> call = call(HEDGE);

        public AttemptsAdded() {
            call.addAttempt(1);
        }

        @Actor
        public void first() {
            call.addAttempt(2);
        }

        @Actor
        public void second() {
            call.addAttempt(3);
        }

        @Arbiter
        public void end(II_Result result) {
            HedgeAttempt<String> latest = call.addAttempt(4).previous;
            int sum = 0;
            for (HedgeAttempt<String> attempt = latest; attempt != null; attempt = attempt.previous) {
                sum += attempt.number;
            }
            result.r1 = latest == null ? 0 : latest.number;
            result.r2 = sum == 6 ? HedgeAttempts.first(latest) == null ? 0 : HedgeAttempts.first(latest).number : -sum;
        }
    }

    /** An attempt publishes its future while the call is settled: one of the two threads asks the future to end. */
    @JCStressTest
    @Outcome(id = "true", expect = ACCEPTABLE, desc = "it was asked to end")
    @Outcome(expect = FORBIDDEN, desc = "it is left running")
    @State
    public static class FutureOfALateAttempt {
        private final HedgedCall<String> call = call(HEDGE);
        private final CompletableFuture<String> running = new CompletableFuture<>();

        @Actor
        public void attempt() {
            call.follow(call.addAttempt(2), running);
        }

        @Actor
        public void settling() {
            call.complete("result");
        }

        @Arbiter
        public void end(Z_Result result) {
            result.r1 = running.isCancelled();
        }
    }

    /** Two threads find that a result is not used: it is discarded once. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "once")
    @Outcome(expect = FORBIDDEN, desc = "twice, or not at all")
    @State
    public static class DiscardedOnce {
        private final AtomicInteger discarded = new AtomicInteger();
        private final HedgeAttempt<AtomicInteger> attempt = DiscardedOnce.attempt(discarded);

        private static HedgeAttempt<AtomicInteger> attempt(AtomicInteger result) {
            HedgeAttempt<AtomicInteger> attempt = new HedgeAttempt<>(call(DISCARDING), 1, null);
            attempt.setAside(result, null);
            return attempt;
        }

        @Actor
        public void first() {
            attempt.discard();
        }

        @Actor
        public void second() {
            attempt.discard();
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = discarded.get();
        }
    }

    /** An attempt returns while its call is settled: its result is that of the call, or is discarded. */
    @JCStressTest
    @Outcome(
            id = {"true, 0", "false, 1"},
            expect = ACCEPTABLE,
            desc = "the result of the call, or discarded once")
    @Outcome(expect = FORBIDDEN, desc = "both, discarded twice, or left open")
    @State
    public static class ResultOfALateAttempt {
        private final AtomicInteger discarded = new AtomicInteger();
        private final HedgedCall<AtomicInteger> call = call(DISCARDING);
        private final HedgeAttempt<AtomicInteger> attempt = call.addAttempt(1);

        @Actor
        public void attempt() {
            attempt.accept(discarded, null);
        }

        @Actor
        public void settling() {
            call.completeExceptionally(new IllegalStateException("error"));
        }

        @Arbiter
        public void end(ZI_Result result) {
            result.r1 = !call.isCompletedExceptionally();
            result.r2 = discarded.get();
        }
    }
}
