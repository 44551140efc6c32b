package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint as long as it stays in the set: its gate and its counters. One that left and came back is another node, so a call
 * that ends late changes nobody's counters but those of the node that it was sent to.
 */
final class Node<A> {
    final String id;
    final A address;
    final @Nullable Gate gate;
    private final @Nullable NanoClock clock; // of the gate, if anybody wants to know the time
    private final boolean readsStart;
    private final boolean readsEnd;
    private final Listener listener; // of the gate
    private final PaddedCounter inFlight = new PaddedCounter(0);
    private final @Nullable LongAdder picks;

    Node(Endpoint<A> endpoint, @Nullable Gate gate, boolean countsPicks) {
        this.id = endpoint.id();
        this.address = endpoint.address();
        this.gate = gate;
        this.listener = gate == null ? Listener.NONE : gate.environment().listener();
        int timing = gate == null ? 0 : listener == Listener.NONE ? gate.timing() : Gate.ENTRY | Gate.EXIT;
        this.readsStart = (timing & Gate.ENTRY) != 0;
        this.readsEnd = (timing & Gate.EXIT) != 0;
        this.clock = gate == null || timing == 0 ? null : gate.environment().clock();
        this.picks = countsPicks ? new LongAdder() : null;
    }

    /** Whether this is the endpoint: the same id at the same address. The weight may be another. */
    boolean is(Endpoint<A> endpoint) {
        return id.equals(endpoint.id()) && address.equals(endpoint.address());
    }

    int inFlight() {
        return (int) inFlight.get();
    }

    long picks() {
        return picks == null ? -1 : picks.sum();
    }

    long readStart() {
        return clock != null && readsStart ? clock.nanoTime() : 0L;
    }

    /** Asks the gate, and counts the call as in flight if it may come. */
    long enter(long start) {
        if (gate != null) {
            long stamp = gate.tryEnter(start);
            if (stamp == Gate.REFUSED) {
                if (listener != Listener.NONE) {
                    listener.onRefused(gate.name());
                }
                return Gate.REFUSED;
            }
            count();
            return stamp;
        }
        count();
        return 1L;
    }

    private void count() {
        inFlight.getAndAdd(1);
        if (picks != null) {
            picks.increment();
        }
    }

    /** Runs a call that has entered, and leaves. */
    <T extends @Nullable Object, X extends Throwable> T call(long stamp, long start, Exchange<? super A, T, X> exchange)
            throws X {
        T result;
        try {
            result = exchange.with(address);
        } catch (Throwable error) {
            leave(stamp, start, null, error);
            throw error;
        }
        leave(stamp, start, result, null);
        return result;
    }

    /** The call has ended with this outcome. */
    void leave(long stamp, long start, @Nullable Object result, @Nullable Throwable error) {
        inFlight.getAndAdd(-1);
        if (gate != null) {
            long end = readEnd();
            OutcomeRule rule = gate.outcomes();
            Verdict verdict = Outcomes.judge(rule, result, error);
            tell(gate, stamp, start, end, verdict, Outcomes.retryAfterNanos(rule, verdict, result, error));
        }
    }

    /** The call has ended with this verdict. */
    void leave(long stamp, long start, Verdict verdict, long retryAfterNanos) {
        inFlight.getAndAdd(-1);
        if (gate != null) {
            tell(gate, stamp, start, readEnd(), verdict, retryAfterNanos);
        }
    }

    private long readEnd() {
        return clock != null && readsEnd ? clock.nanoTime() : 0L;
    }

    private void tell(Gate told, long stamp, long start, long end, Verdict verdict, long retryAfterNanos) {
        told.exit(stamp, start, end, verdict, retryAfterNanos);
        if (listener != Listener.NONE) {
            listener.onOutcome(told.name(), verdict, end - start);
        }
    }

    /** How long the gate says to wait, or {@link RefusedException#UNKNOWN}. */
    long retryAfterNanos() {
        return gate == null ? RefusedException.UNKNOWN : gate.refusal().retryAfterNanos();
    }
}
