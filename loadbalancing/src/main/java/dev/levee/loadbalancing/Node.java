package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.LoadTracker;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint as long as it stays in the set: its gate and its counters. One that left and came back is another node, so a call
 * that ends late changes nobody's counters but those of the node that it was sent to.
 */
final class Node<A> {
    private static final long CLOSED = 1L << 40;

    final String id;
    final A address;
    final @Nullable Gate gate;
    final @Nullable LoadTracker tracker;
    final @Nullable NodeHealth health;
    private final @Nullable OutcomeObserver watch;
    private final OutcomeRule rule;
    private final @Nullable NanoClock clock; // if anybody wants to know the time
    private final boolean readsStart;
    private final boolean readsEnd;
    private final Listener listener; // of the gate
    final PaddedLong inFlight = new PaddedLong(0); // CLOSED is added when it closes
    private volatile @Nullable Runnable whenIdle; // once closed
    private final @Nullable LongAdder picks;

    Node(
            Endpoint<A> endpoint,
            @Nullable Gate gate,
            @Nullable LoadTracker tracker,
            @Nullable NodeHealth health,
            @Nullable OutcomeRule rule,
            NanoClock balancerClock,
            boolean countsPicks) {
        this.id = endpoint.id();
        this.address = endpoint.address();
        this.gate = gate;
        this.tracker = tracker;
        this.health = health;
        this.watch = health == null ? null : health.watch;
        boolean timed = tracker != null || watch != null;
        this.rule = rule != null ? rule : gate != null ? gate.outcomes() : OutcomeRule.standard();
        this.listener = gate == null ? Listener.NONE : gate.environment().listener();
        int all = Gate.ENTRY | Gate.EXIT;
        int timing = timed || listener != Listener.NONE ? all : gate == null ? 0 : gate.timing();
        this.readsStart = (timing & Gate.ENTRY) != 0;
        this.readsEnd = (timing & Gate.EXIT) != 0;
        NanoClock read = gate == null ? balancerClock : gate.environment().clock();
        if (timed && read != balancerClock) {
            throw new IllegalArgumentException(
                    "the gate of an endpoint must have the clock of its balancer, but that of " + id + " has another");
        }
        this.clock = timing == 0 ? null : read;
        this.picks = countsPicks ? new LongAdder() : null;
    }

    /** Whether this is the endpoint: the same id at the same address. The weight may be another. */
    boolean is(Endpoint<A> endpoint) {
        return id.equals(endpoint.id()) && address.equals(endpoint.address());
    }

    /** Only where health is watched. */
    NodeHealth watchedHealth() {
        return Objects.requireNonNull(health);
    }

    int inFlight() {
        return (int) inFlight.getOpaque();
    }

    long picks() {
        return picks == null ? -1 : picks.sum();
    }

    long readStart() {
        return clock != null && readsStart ? clock.nanoTime() : 0L;
    }

    /** Takes the place that a bounding strategy wants to be taken. */
    boolean reserve() {
        return tracker == null || tracker.reserve();
    }

    /** Asks the gate, and counts the call as in flight if it may come. */
    long enter(long start) {
        if (gate != null) {
            long stamp = ask(gate, start);
            if (stamp == Gate.REFUSED) {
                if (listener != Listener.NONE) {
                    listener.onRefused(gate.name());
                }
                unreserve();
                return Gate.REFUSED;
            }
            if (count()) {
                return stamp;
            }
            gate.exit(stamp, start, start, Verdict.IGNORED, RefusedException.UNKNOWN);
            return Gate.REFUSED;
        }
        return count() ? 1L : Gate.REFUSED;
    }

    private long ask(Gate asked, long start) {
        try {
            return asked.tryEnter(start);
        } catch (Throwable thrown) { // by a gate of a user: the place is not lost all the same
            unreserve();
            throw thrown;
        }
    }

    private void unreserve() {
        if (tracker != null) {
            tracker.release();
        }
    }

    /** False if it has closed. */
    private boolean count() {
        if (inFlight.getAndAdd(1) >= CLOSED) {
            release();
            unreserve();
            return false;
        }
        if (picks != null) {
            picks.increment();
        }
        return true;
    }

    private void release() {
        if (inFlight.getAndAdd(-1) == CLOSED + 1) {
            Runnable task = whenIdle;
            if (task != null) {
                task.run();
            }
        }
    }

    /** From now on no call enters, not even one that has picked this node from an older set. */
    void close(Runnable task) {
        whenIdle = task;
        if (inFlight.getAndAdd(CLOSED) == 0L) {
            task.run();
        }
    }

    boolean isClosed() {
        return inFlight.getOpaque() >= CLOSED;
    }

    /** The call that has entered is on its way. */
    long begin(long stamp, long start) {
        if (tracker == null) {
            return 0L;
        }
        try {
            return tracker.started(start);
        } catch (Throwable thrown) { // by a strategy of a user: nothing is lost all the same
            release();
            tracker.release();
            if (gate != null) {
                gate.exit(stamp, start, start, Verdict.IGNORED, RefusedException.UNKNOWN);
            }
            throw thrown;
        }
    }

    /** Runs a call that has entered, and leaves. */
    <T extends @Nullable Object, X extends Throwable> T call(long stamp, long start, Exchange<? super A, T, X> exchange)
            throws X {
        long token = begin(stamp, start);
        T result;
        try {
            result = exchange.with(address);
        } catch (Throwable error) {
            leave(stamp, start, token, null, error);
            throw error;
        }
        leave(stamp, start, token, result, null);
        return result;
    }

    /** The call has ended with this outcome. */
    void leave(long stamp, long start, long token, @Nullable Object result, @Nullable Throwable error) {
        release();
        if (gate == null && tracker == null && watch == null) {
            return;
        }
        long end = readEnd();
        Verdict verdict = Outcomes.judge(rule, result, error);
        try {
            if (gate != null) {
                OutcomeRule own = gate.outcomes();
                Verdict toGate = own == rule ? verdict : Outcomes.judge(own, result, error);
                tell(gate, stamp, start, end, toGate, Outcomes.retryAfterNanos(own, toGate, result, error));
            }
        } finally { // whatever a gate of a user throws
            ended(token, start, end, verdict, result, error);
        }
    }

    /** The call has ended with this verdict. */
    void leave(long stamp, long start, long token, Verdict verdict) {
        release();
        if (gate == null && tracker == null && watch == null) {
            return;
        }
        long end = readEnd();
        try {
            if (gate != null) {
                tell(gate, stamp, start, end, verdict, RefusedException.UNKNOWN);
            }
        } finally {
            ended(token, start, end, verdict, null, null);
        }
    }

    private void ended(
            long token, long start, long end, Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        if (watch != null) {
            watch.ended(start, end, verdict);
        }
        if (tracker != null) {
            tracker.ended(token, start, end, verdict, result, error);
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

    long latencyNanos() {
        return tracker == null ? -1 : tracker.latencyNanos();
    }
}
