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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint as long as it stays in the set: its gate and its counters. One that left and came back is another node,
 * so a call that ends late changes only the counters of the node that it was sent to. See ADR 20.
 *
 * <pre>
 *   the in-flight word:   63 ............ 41 | 40     | 39 ........ 0
 *                         0                  | CLOSED | calls in flight
 *
 *   enter: +1; if the bit is set, refused and -1        leave: -1        close: +CLOSED, once
 *   idle:  the word is CLOSED alone: after close() or after the -1 that makes it so
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>Each enter that is not refused is followed by exactly one leave.
 *   <li>After {@link #close} no call enters, even one that picked this node from an older set; and the task of close
 *       runs when the last call has left. A refused enter may be that last one and run the task again, so the task must
 *       run its action once.
 *   <li>A place that {@link #reserve} took is given back by the tracker's {@code ended}, or here if the call is
 *       refused.
 * </ul>
 */
final class Node<A> {
    /** The bit of the in-flight word that is set when the node has closed. */
    private static final long CLOSED = 1L << 40;
    /** The stamp of a call that went past the gate; gates give out no such stamp. */
    static final long PASSED = Long.MIN_VALUE;

    final String id;
    /** What figures, events and the log call it. */
    final String label;

    /** The label as the value of the tag of figures. */
    final List<String> tags;

    final A address;
    final @Nullable Gate gate;
    final @Nullable LoadTracker tracker;
    final @Nullable NodeHealth health;
    private final @Nullable OutcomeObserver observer;
    private final OutcomeRule rule;
    /** Null if neither the gate, nor the strategy, nor health needs the time. */
    private final @Nullable NanoClock clock;

    private final boolean readsStart;
    private final boolean readsEnd;
    /** Whether the gate is told how long calls take. */
    private final boolean timesGate;
    /** What the gate cannot know by itself; null without a gate. */
    private final @Nullable GateWatch watch;
    /** The calls that go past the gate; null without a gate. */
    private final @Nullable PassingCalls passing;
    /** The listener of the gate. */
    private final Listener listener;
    /** The number of calls in flight, and {@link #CLOSED}. */
    final PaddedLong inFlight = new PaddedLong(0);
    /** The task that runs when the last call has left; null until the node closes. */
    private volatile @Nullable Runnable whenIdle;

    private final @Nullable LongAdder picks;

    Node(
            Endpoint<A> endpoint,
            String label,
            @Nullable Gate gate,
            @Nullable LoadTracker tracker,
            @Nullable NodeHealth health,
            @Nullable OutcomeRule rule,
            @Nullable GateWatch watch,
            NanoClock balancerClock,
            boolean countsPicks) {
        this.id = endpoint.id();
        this.label = label;
        this.tags = List.of(label);
        this.address = endpoint.address();
        this.gate = gate;
        this.tracker = tracker;
        this.health = health;
        this.observer = health == null ? null : health.observer;
        boolean timed = tracker != null || observer != null;
        this.rule = rule != null ? rule : gate != null ? gate.outcomes() : OutcomeRule.standard();
        this.listener = gate == null ? Listener.NONE : gate.environment().listener();
        int all = Gate.ENTRY | Gate.EXIT;
        int timing = timed || listener != Listener.NONE ? all : gate == null ? 0 : gate.timing();
        this.readsStart = (timing & Gate.ENTRY) != 0;
        this.readsEnd = (timing & Gate.EXIT) != 0;
        NanoClock read = gate == null ? balancerClock : gate.environment().clock();
        if (timed && read != balancerClock) {
            throw new IllegalArgumentException(
                    "the gate of an endpoint must have the clock of its balancer, but that of " + label
                            + " has another");
        }
        this.clock = timing == 0 ? null : read;
        this.timesGate = gate != null && gate.timing() == all;
        this.watch = gate == null ? null : watch;
        this.passing = this.watch == null ? null : new PassingCalls();
        this.picks = countsPicks ? new LongAdder() : null;
    }

    /** Whether this is the node of the endpoint: the same id at the same address. The weight may be another. */
    boolean isOf(Endpoint<A> endpoint) {
        return id.equals(endpoint.id()) && address.equals(endpoint.address());
    }

    /** Returns the health, where it is watched. */
    NodeHealth watchedHealth() {
        return Objects.requireNonNull(health);
    }

    int inFlight() {
        return (int) inFlight.getOpaque(); // opaque: a number to show, old in any mode
    }

    long picks() {
        return picks == null ? -1 : picks.sum();
    }

    long readStart() {
        if (clock != null && readsStart) {
            return clock.nanoTime();
        }
        return watch == null ? 0L : watch.roughStart();
    }

    /** Takes a place, if the strategy bounds how many there are; false if another call has taken the last. */
    boolean reserve() {
        return tracker == null || tracker.reserve();
    }

    /**
     * Enters the gate and counts the call as in flight; {@link Gate#REFUSED} if the gate refuses or this has closed.
     */
    long enter(long start) {
        if (gate != null) {
            if (watch != null) {
                watch.begins();
            }
            long stamp = tryEnter(gate, start);
            if (stamp == Gate.REFUSED) {
                unreserve(); // first, since a gate of a user may throw when it is asked for its name
                if (listener != Listener.NONE) {
                    listener.onRefused(gate.kind(), gate.name());
                }
                return Gate.REFUSED;
            }
            if (countIn()) {
                return stamp;
            }
            cancel(gate, stamp, start);
            return Gate.REFUSED;
        }
        return countIn() ? 1L : Gate.REFUSED;
    }

    /** Whether the last call that went past the gate succeeded; true if none did so far. */
    boolean isPromising() {
        return passing != null && passing.isPromising();
    }

    /** Whether one more call may go past the gate, if there is a place for it. */
    boolean mayBePassed() {
        return gate != null && passing != null && gate.mayBePassed() && passing.hasRoom();
    }

    /** Counts a call as in flight that goes past the gate; false if it may not, or too many do. */
    boolean enterPast() {
        if (gate == null || passing == null || !gate.mayBePassed() || !passing.tryEnter()) {
            return false;
        }
        if (!reserve()) {
            passing.ended(Verdict.IGNORED);
            return false;
        }
        if (!countIn()) {
            passing.ended(Verdict.IGNORED);
            return false;
        }
        return true;
    }

    private long tryEnter(Gate entered, long start) {
        try {
            return entered.tryEnter(readsStart ? start : 0L);
        } catch (Throwable thrown) { // by a gate of a user: the place must not be lost
            unreserve();
            throw thrown;
        }
    }

    /** Gives a place back that was reserved for a call that was not sent. */
    void unreserve() {
        if (tracker != null) {
            tracker.release();
        }
    }

    /** Counts a call as in flight; false if this has closed. */
    private boolean countIn() {
        if (inFlight.getAndAdd(1) >= CLOSED) {
            countOut();
            unreserve();
            return false;
        }
        if (picks != null) {
            picks.increment();
        }
        return true;
    }

    private void countOut() {
        if (inFlight.getAndAdd(-1) == CLOSED + 1) {
            Runnable task = whenIdle;
            if (task != null) {
                task.run();
            }
        }
    }

    /** Refuses all further calls, and runs the task when the last one in flight has left. */
    void close(Runnable task) {
        whenIdle = task;
        if (inFlight.getAndAdd(CLOSED) == 0L) {
            task.run();
        }
    }

    boolean isClosed() {
        return inFlight.getOpaque() >= CLOSED; // opaque: enter() decides; one that is not seen closed yet refuses there
    }

    /** Notifies the strategy that a call has entered; returns the token that it wants back when the call ends. */
    long begin(long stamp, long start) {
        if (tracker == null) {
            return 0L;
        }
        try {
            return tracker.started(start);
        } catch (Throwable thrown) { // by a strategy of a user: nothing must be lost
            countOut();
            tracker.release();
            if (gate != null) {
                cancel(gate, stamp, start);
            }
            throw thrown;
        }
    }

    /** Runs a call that has entered, and leaves with its outcome. */
    <T extends @Nullable Object, X extends Throwable> T call(long stamp, long start, Exchange<? super A, T, X> exchange)
            throws X {
        long token = begin(stamp, start);
        T result;
        try {
            result = exchange.with(address);
        } catch (Throwable error) {
            leave(stamp, start, token, null, error, true);
            throw error;
        }
        leave(stamp, start, token, result, null, true);
        return result;
    }

    /**
     * Counts a call out, and reports its outcome to the gate, to health and to the strategy.
     *
     * @param here whether the call ran on this thread, which knows then whether it was called off
     */
    void leave(long stamp, long start, long token, @Nullable Object result, @Nullable Throwable error, boolean here) {
        countOut();
        if (gate == null && tracker == null && observer == null) {
            return;
        }
        long end = readEnd();
        Verdict verdict = judge(rule, result, error, here);
        try {
            if (gate != null) {
                OutcomeRule own = gate.outcomes();
                Verdict toGate = own == rule ? verdict : judge(own, result, error, here);
                if (toGate == Verdict.IGNORED && !Outcomes.mayHaveRun(toGate, error)) {
                    cancel(gate, stamp, start, end);
                } else {
                    exit(gate, stamp, start, end, toGate, Outcomes.retryAfterNanos(own, toGate, result, error));
                }
            }
        } finally { // even if a gate of a user throws
            ended(token, start, end, verdict, result, error);
        }
    }

    private static Verdict judge(OutcomeRule by, @Nullable Object result, @Nullable Throwable error, boolean here) {
        return here ? Outcomes.judgeBlocking(by, result, error) : Outcomes.judge(by, result, error);
    }

    /** Counts a call out, and reports its verdict to the gate, to health and to the strategy. */
    void leave(long stamp, long start, long token, Verdict verdict) {
        countOut();
        if (gate == null && tracker == null && observer == null) {
            return;
        }
        long end = readEnd();
        try {
            if (gate != null) {
                exit(gate, stamp, start, end, verdict, RefusedException.UNKNOWN);
            }
        } finally {
            ended(token, start, end, verdict, null, null);
        }
    }

    /** Counts a call out that was surely not sent, and is no evidence. */
    void leaveUnsent(long stamp, long start, long token) {
        countOut();
        long end = readEnd();
        try {
            if (gate != null) {
                cancel(gate, stamp, start, end);
            }
        } finally {
            ended(token, start, end, Verdict.IGNORED, null, null);
        }
    }

    private void ended(
            long token, long start, long end, Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        if (observer != null) {
            observer.ended(start, end, verdict);
        }
        if (tracker != null) {
            tracker.ended(token, start, end, verdict, result, error);
        }
    }

    private long readEnd() {
        return clock != null && readsEnd ? clock.nanoTime() : 0L;
    }

    private void exit(Gate left, long stamp, long start, long end, Verdict verdict, long retryAfterNanos) {
        if (watch == null) {
            left.exit(stamp, start, end, verdict, retryAfterNanos);
        } else if (stamp == PASSED) {
            exitPast(watch, start, verdict);
            return;
        } else if (verdict.isFailure() && watch.excuses(start, readsEnd ? end : watch.now())) {
            left.exit(stamp, readsStart ? start : 0L, end, Verdict.IGNORED, RefusedException.UNKNOWN);
        } else {
            boolean quick = timesGate && watch.excusesSlowness(start, end);
            left.exit(stamp, !readsStart ? 0L : quick ? end : start, end, verdict, retryAfterNanos);
        }
        publish(left, start, end, verdict);
    }

    /** Gives back all that a gate took for a call that was surely not sent. */
    private void cancel(Gate left, long stamp, long start) {
        if (watch != null && stamp == PASSED) {
            exitPast(watch, start, Verdict.IGNORED);
        } else {
            left.cancel(stamp, readsStart ? start : 0L);
        }
    }

    /** The same for a call that the gate has been told of, and its listener. */
    private void cancel(Gate left, long stamp, long start, long end) {
        cancel(left, stamp, start);
        if (watch == null || stamp != PASSED) {
            publish(left, start, end, Verdict.IGNORED);
        }
    }

    private void publish(Gate left, long start, long end, Verdict verdict) {
        if (listener != Listener.NONE) {
            listener.onOutcome(left.kind(), left.name(), verdict, end - start);
        }
    }

    private void exitPast(GateWatch knows, long start, Verdict verdict) {
        boolean excused = verdict.isFailure() && knows.excuses(start, knows.now());
        if (passing != null && passing.ended(excused ? Verdict.IGNORED : verdict)) {
            knows.allowProbes();
        }
    }

    /** Returns how long the gate says to wait, or {@link RefusedException#UNKNOWN}. */
    long retryAfterNanos() {
        return gate == null ? RefusedException.UNKNOWN : gate.refusal().retryAfterNanos();
    }

    long latencyNanos() {
        return tracker == null ? -1 : tracker.latencyNanos();
    }
}
