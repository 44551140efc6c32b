package dev.levee.loadbalancing;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The words of {@link Node}, {@link TriedHosts}, {@link PassingCalls} and {@link OutcomeCounters}. */
@SuppressWarnings("NullAway")
public class NodeStress {
    private static Node<String> node() {
        return new Node<>(
                Endpoint.of("a"),
                "a",
                null,
                null,
                null,
                null,
                null,
                Environment.system().clock(),
                false);
    }

    /** A call enters while the node closes: it is refused, or the node is idle only after it has left. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "refused, and the node is idle")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "in flight, and the node is not idle")
    @Outcome(id = "0, 2", expect = ACCEPTABLE, desc = "refused, and told twice, as documented")
    @Outcome(expect = FORBIDDEN, desc = "idle with a call in flight, or never idle")
    @State
    public static class EnteringWhileItCloses {
        private final Node<String> node = node();
        private final AtomicInteger idle = new AtomicInteger();

        @Actor
        public void calling(II_Result result) {
            result.r1 = node.enter(0) == Gate.REFUSED ? 0 : 1;
        }

        @Actor
        public void closing() {
            node.close(idle::incrementAndGet);
        }

        @Arbiter
        public void end(II_Result result) {
            result.r2 = idle.get();
        }
    }

    /** The last call leaves while the node closes: the task runs once, by the one or the other. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "once")
    @Outcome(expect = FORBIDDEN, desc = "never, or twice")
    @State
    public static class LeavingWhileItCloses {
        private final Node<String> node = node();
        private final AtomicInteger idle = new AtomicInteger();

        public LeavingWhileItCloses() {
            node.enter(0);
        }

        @Actor
        public void leaving() {
            node.leave(1, 0, 0, Verdict.SUCCESS);
        }

        @Actor
        public void closing() {
            node.close(idle::incrementAndGet);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = idle.get();
        }
    }

    /** What a thread reads in opaque mode: a closed node stays closed, and counts are whole. */
    @JCStressTest
    @Outcome(
            id = {"false, 0", "false, 1", "true, 1"},
            expect = ACCEPTABLE,
            desc = "closed stays closed")
    @Outcome(expect = FORBIDDEN, desc = "open after it was closed")
    @State
    public static class ClosedStaysClosed {
        private final Node<String> node = node();

        @Actor
        public void closing() {
            node.close(() -> {});
        }

        @Actor
        public void reading(ZI_Result result) {
            result.r1 = node.isClosed();
            result.r2 = node.isClosed() ? 1 : 0;
        }
    }

    /** Two runs of one operation never claim a host from the same reading. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "the other one reads again")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class ClaimedOnce {
        private final TriedHosts hosts = new TriedHosts() {};
        private final Node<String> first = node();
        private final Node<String> second = node();

        @Actor
        public void first(ZZ_Result result) {
            result.r1 = hosts.claim(first, null);
        }

        @Actor
        public void second(ZZ_Result result) {
            result.r2 = hosts.claim(second, null);
        }
    }

    /** Two outcomes of calls that passed at once: both count, and both have left. */
    @JCStressTest
    @Outcome(id = "1, 1, 9", expect = ACCEPTABLE, desc = "one more by the success, one less by the failure")
    @Outcome(id = "1, 1, 10", expect = ACCEPTABLE, desc = "in the other order")
    @Outcome(expect = FORBIDDEN, desc = "an outcome was lost")
    @State
    public static class PassingOutcomes {
        private final PassingCalls passing = new PassingCalls();

        public PassingOutcomes() {
            passing.tryEnter();
            passing.tryEnter();
        }

        @Actor
        public void success(III_Result result) {
            passing.ended(Verdict.SUCCESS);
            result.r1 = 1;
        }

        @Actor
        public void failure(III_Result result) {
            passing.ended(Verdict.FAILURE);
            result.r2 = 1;
        }

        @Arbiter
        public void end(III_Result result) {
            while (passing.tryEnter()) {
                result.r3++;
            }
        }
    }

    /** Totals are exact, although the other cells are written in opaque mode. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "both outcomes")
    @Outcome(expect = FORBIDDEN, desc = "one was lost")
    @State
    public static class TotalsAreExact {
        private final OutcomeCounters counters = new OutcomeCounters(0);

        @Actor
        public void success() {
            counters.success(1);
        }

        @Actor
        public void failure() {
            counters.failure(1);
        }

        @Arbiter
        public void end(JJ_Result result) {
            result.r1 = counters.successes();
            result.r2 = counters.failures();
        }
    }

    /** A run is seen with its start: an opaque write before a compare-and-set, an acquire before an opaque read. */
    @JCStressTest
    @Outcome(
            id = {"0, 7", "0, 9", "1, 9"},
            expect = ACCEPTABLE,
            desc = "the start with the run, or before it")
    @Outcome(expect = FORBIDDEN, desc = "the run with the start of the one before")
    @State
    public static class RunAndItsStart {
        private final OutcomeCounters counters = new OutcomeCounters(0);

        public RunAndItsStart() {
            counters.failure(7);
            counters.success(8);
        }

        @Actor
        public void failure() {
            counters.failure(9);
        }

        @Actor
        public void reader(JJ_Result result) {
            result.r1 = counters.run();
            result.r2 = counters.runSince();
        }
    }
}
