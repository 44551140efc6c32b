package dev.levee.loadbalancing.strategy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Verdict;
import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.J_Result;
import org.openjdk.jcstress.infra.results.LL_Result;
import org.openjdk.jcstress.infra.results.L_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/** What strategies learn from calls, and read in weak modes. */
@SuppressWarnings("NullAway")
public class StrategyStress {
    /** Two calls that begin at once are both counted, although the compare-and-set may fail without cause. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "both were counted in and out")
    @Outcome(expect = FORBIDDEN, desc = "a call was lost")
    @State
    public static class CallsInFlight {
        private final PeakEwma tracker = new PeakEwma(1_000_000_000L, null);
        private long first;
        private long second;

        @Actor
        public void first() {
            first = tracker.started(1L << 20);
        }

        @Actor
        public void second() {
            second = tracker.started(1L << 20);
        }

        /** With both counted out nothing is in flight, so that no age is left. */
        @Arbiter
        public void end(J_Result result) {
            tracker.ended(first, 0, 1L << 20, Verdict.IGNORED, null, null);
            tracker.ended(second, 0, 1L << 20, Verdict.IGNORED, null, null);
            result.r1 = (long) tracker.age(CoarseTime.at(1L << 40));
        }
    }

    /** A latency is read with its time: acquire and release around an opaque cell. */
    @JCStressTest
    @Outcome(id = "200", expect = ACCEPTABLE, desc = "the old sample is left out")
    @Outcome(expect = FORBIDDEN, desc = "a latency without its time counts as fresh")
    @State
    public static class LatencyWithItsTime {
        private final LatencyByInFlight latencies = new LatencyByInFlight();

        public LatencyWithItsTime() {
            latencies.record(1, 200, 0);
            // The ring of the level exists, with empty samples of time 0, which would be fresh.
            latencies.record(0, 100, Long.MIN_VALUE / 2);
        }

        @Actor
        public void recording() {
            latencies.record(0, 100, Long.MIN_VALUE / 2);
        }

        @Actor
        public void reading(J_Result result) {
            result.r1 = latencies.near(0, 0, new long[LatencyByInFlight.SAMPLES]);
        }
    }

    /** A key that is found has its endpoint, although the flag of use is plain. */
    @JCStressTest
    @Outcome(
            id = {"null", "a"},
            expect = ACCEPTABLE,
            desc = "nothing, or the whole")
    @Outcome(expect = FORBIDDEN, desc = "a row in parts")
    @State
    public static class RememberedKeys {
        private final KeyMemory memory = new KeyMemory(8);

        @Actor
        public void assigning() {
            memory.assign(1, "a", Set.of("a"));
        }

        @Actor
        public void reading(L_Result result) {
            result.r1 = memory.get(1);
        }
    }

    /** Two calls with one new key get one answer. */
    @JCStressTest
    @Outcome(
            id = {"a, a", "b, b"},
            expect = ACCEPTABLE,
            desc = "the same")
    @Outcome(expect = FORBIDDEN, desc = "two endpoints for one key")
    @State
    public static class OneAnswerForAKey {
        private final KeyMemory memory = new KeyMemory(8);
        private final Set<String> present = Set.of("a", "b");

        @Actor
        public void first(LL_Result result) {
            result.r1 = memory.assign(1, "a", present);
        }

        @Actor
        public void second(LL_Result result) {
            result.r2 = memory.assign(1, "b", present);
        }
    }

    /** One poll after the other: what one has written to plain fields is there for the next. */
    @JCStressTest
    @Outcome(
            id = {"1, 1"},
            expect = ACCEPTABLE,
            desc = "each polled or left it to the other")
    @Outcome(expect = FORBIDDEN, desc = "two polled in one room")
    @State
    public static class Polls {
        private static final float NANOS = 1 << 20;
        private final TypicalLatency typical = new TypicalLatency();
        private final MedianPoll poll = new MedianPoll(new PeakEwma[] {tracker(), tracker()}, typical);

        private static PeakEwma tracker() {
            PeakEwma tracker = new PeakEwma(1_000_000_000L, null);
            tracker.ended(CallAge.NOT_COUNTED, 0, (long) NANOS, Verdict.SUCCESS, "", null);
            return tracker;
        }

        @Actor
        public void first(II_Result result) {
            poll.run(1);
            poll.run(2);
            result.r1 = isMedian();
        }

        @Actor
        public void second(II_Result result) {
            poll.run(1);
            poll.run(2);
            result.r2 = isMedian();
        }

        /** Nothing yet, if the other thread has it; else the one latency that there is. */
        private int isMedian() {
            double nanos = typical.nanos();
            return nanos == 0 || nanos == NANOS ? 1 : 0;
        }
    }

    /** An endpoint that is found in the pool has its answer, and the answer its time. */
    @JCStressTest
    @Outcome(
            id = {"-1, -1", "5, 9"},
            expect = ACCEPTABLE,
            desc = "not there, or with answer and time")
    @Outcome(expect = FORBIDDEN, desc = "in the pool without an answer")
    @State
    public static class PlaceWithItsAnswer {
        private final ProbePool pool = pool();
        private final ProbedEndpoint endpoint = pool.newEndpoint(Endpoint.of("a"));

        @Actor
        public void answering() {
            pool.answered(endpoint, 5, 1000, 9);
        }

        @Actor
        public void picking(II_Result result) {
            ProbedEndpoint found = pool.at(0);
            result.r1 = found == null ? -1 : ProbeAnswer.inFlight(found.answer());
            result.r2 = found == null ? -1 : (int) found.answeredAt();
        }
    }

    /** An answer that is good for one call is used by one of two. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class AnswerUsedOnce {
        private final ProbedEndpoint endpoint = pool().newEndpoint(Endpoint.of("a"));

        public AnswerUsedOnce() {
            endpoint.answer(3, 100, 1, 0);
        }

        @Actor
        public void first(ZZ_Result result) {
            result.r1 = endpoint.use();
        }

        @Actor
        public void second(ZZ_Result result) {
            result.r2 = endpoint.use();
        }
    }

    /** Two failures at once: an update that meets the other one is dropped, but the word is never half of one. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "both counted: two in a row are failing")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "one was dropped; the third tells")
    @Outcome(expect = FORBIDDEN, desc = "half a word, or no failure was counted")
    @State
    public static class ShareOfFailures {
        private final ProbedEndpoint endpoint = pool().newEndpoint(Endpoint.of("a"));

        @Actor
        public void first() {
            endpoint.ended(0, 0, 9, Verdict.FAILURE, null, null);
        }

        @Actor
        public void second() {
            endpoint.ended(0, 0, 9, Verdict.FAILURE, null, null);
        }

        /** Failing is more than a share of 0.2: one failure makes 0.125, two 0.23, three 0.33. */
        @Arbiter
        public void end(ZZ_Result result) {
            result.r2 = endpoint.isFailing(9);
            endpoint.ended(0, 0, 9, Verdict.FAILURE, null, null);
            result.r1 = !endpoint.isFailing(9);
        }
    }

    /** A share and its time are read as one word: a high share of long ago is never read with the time of now. */
    @JCStressTest
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "it does not fail, by either word")
    @Outcome(expect = FORBIDDEN, desc = "the share of one word with the time of the other")
    @State
    public static class ShareWithItsTime {
        private static final long TEN_SECONDS = 10_000_000_000L;
        private final ProbedEndpoint endpoint = pool().newEndpoint(Endpoint.of("a"));

        public ShareWithItsTime() {
            for (int i = 0; i < 20; i++) {
                endpoint.ended(0, 0, 0, Verdict.FAILURE, null, null);
            }
        }

        @Actor
        public void failing() {
            endpoint.ended(0, 0, TEN_SECONDS, Verdict.FAILURE, null, null);
        }

        @Actor
        public void asking(Z_Result result) {
            result.r1 = endpoint.isFailing(TEN_SECONDS);
        }
    }

    /** The spare predicate goes from pick to pick by a release: a pick never asks the predicate of another one. */
    @JCStressTest
    @Outcome(
            id = {"0, 1"},
            expect = ACCEPTABLE,
            desc = "each the endpoint that its own predicate allows")
    @Outcome(expect = FORBIDDEN, desc = "an endpoint that was not eligible, or a spare that was kept")
    @State
    public static class SparePredicate {
        private final BalancingStrategy.Picker picker = new OneGroup();

        @Actor
        public void first(II_Result result) {
            picker.pick(0, index -> index == 0);
            result.r1 = picker.pick(0, index -> index == 0);
        }

        @Actor
        public void second(II_Result result) {
            picker.pick(0, index -> index == 1);
            result.r2 = picker.pick(0, index -> index == 1);
        }
    }

    private static final class OneGroup extends GroupPicker {
        private static final BalancingStrategy.Picker FIRST_ELIGIBLE = new BalancingStrategy.Picker() {
            @Override
            public int pick(long hash) {
                return 0;
            }

            @Override
            public int pick(long hash, IntPredicate eligible) {
                return eligible.test(0) ? 0 : eligible.test(1) ? 1 : -1;
            }
        };

        OneGroup() {
            super("group", null, new Group[] {both()}, new BalancingStrategy.Picker[] {FIRST_ELIGIBLE}, false);
        }

        private static Group both() {
            return new Group("both", null, new int[] {0, 1}, null, List.of(), new StripedSequence(0));
        }

        @Override
        int choose(long hash) {
            return 0;
        }

        @Override
        boolean isSubstitute(int group) {
            return false;
        }

        @Override
        String reason(int group) {
            return "";
        }
    }

    private static ProbePool pool() {
        ProbingConfig config = ProbingConfig.builder()
                .probe(endpoint -> new CompletableFuture<>())
                .poolSize(2)
                .build();
        return new ProbePool(config, new SplittableRandom(1));
    }
}
