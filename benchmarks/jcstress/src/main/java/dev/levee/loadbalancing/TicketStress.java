package dev.levee.loadbalancing;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.loadbalancing.discovery.Endpoint;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZI_Result;

/** A {@link Ticket} that several threads close: the node counts it out once. */
@SuppressWarnings("NullAway")
public class TicketStress {
    private static final Leases WITHOUT_END = new Leases("balancer", Nanos.NEVER, Environment.system());
    private static final Leases AN_HOUR = new Leases("balancer", 3_600_000_000_000L, Environment.system());

    /** A node with two calls in flight, one of which has a ticket. */
    private static final class TwoCalls {
        final Node<String> node = new Node<>(
                Endpoint.of("a"),
                "a",
                null,
                null,
                null,
                null,
                null,
                Environment.system().clock(),
                false);
        final Ticket<String> ticket;

        TwoCalls(Leases leases) {
            node.enter(0);
            ticket = new Ticket<>(Endpoint.of("a"), node, node.enter(0), 0, leases);
        }
    }

    /** Two outcomes at once. */
    @JCStressTest
    @Outcome(
            id = {"true, false, 1", "false, true, 1"},
            expect = ACCEPTABLE,
            desc = "one of them, and the other call is in flight")
    @Outcome(expect = FORBIDDEN, desc = "counted out twice, or not at all")
    @State
    public static class ClosedTwice {
        private final TwoCalls calls = new TwoCalls(WITHOUT_END);

        @Actor
        public void first(ZZI_Result result) {
            result.r1 = calls.ticket.complete(Verdict.SUCCESS);
        }

        @Actor
        public void second(ZZI_Result result) {
            result.r2 = calls.ticket.complete("result", null);
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = calls.node.inFlight();
        }
    }

    /** An outcome when the lease expires. */
    @JCStressTest
    @Outcome(
            id = {"true, false, 1", "false, true, 1"},
            expect = ACCEPTABLE,
            desc = "one of them, and the other call is in flight")
    @Outcome(expect = FORBIDDEN, desc = "counted out twice, or not at all")
    @State
    public static class ClosedWhenItExpires {
        private final TwoCalls calls = new TwoCalls(AN_HOUR);

        @Actor
        public void closing(ZZI_Result result) {
            result.r1 = calls.ticket.complete(Verdict.SUCCESS);
        }

        @Actor
        public void expiring(ZZI_Result result) {
            result.r2 = calls.ticket.expire();
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = calls.node.inFlight();
            calls.ticket.close();
        }
    }
}
