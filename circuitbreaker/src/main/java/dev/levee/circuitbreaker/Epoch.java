package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Gate;
import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/**
 * A breaker between two changes of its state: everything that is judged together, and dropped together.
 *
 * <p>A change is one compare-and-set of the breaker's reference, from the very epoch that was judged to a new one. So
 * one thread wins, an automatic change fails if the state was changed by hand after it was decided, and a late outcome
 * finds another epoch. Nothing is packed into a word: numbers are never reused, and no field can overflow.
 *
 * <p>The configuration belongs to it as well. A change of the configuration replaces the epoch by one that is the same
 * in all else: with the same number, so that calls in flight still count, and with the same permits.
 *
 * <p><b>Invariants.</b> All fields that decide anything are final. Only three are not: {@link #reconfigured}, which may
 * be cleared twice without harm, and the two links of the chain of epochs, which belong to the
 * {@link StateChangePublisher} once the epoch is current. {@link #stamp} is {@link Gate#REFUSED} exactly if there is a
 * {@link #refusal}. At most one of {@link #window} and {@link #probes} is there; with a {@link #ramp} there is a
 * window.
 *
 * <pre>{@code
 * stamps of calls
 * 0                        refused
 * n > 0                    number of the epoch that admitted the call: closed, observing, or ramping
 * n | 1 << 62              admitted while the breaker was disabled: recorded nowhere
 * -(lease << 10 | place)   a probe: the number of its lease, and its place among the permits (see Probes)
 * }</pre>
 *
 * <p>See ADR 18, and ADR 33 for the configuration.
 */
final class Epoch {
    /** The change that led to an epoch: when, why, and the counts of the epoch before. */
    record Change(long atNanos, String reason, Counts evidence) {}

    /** A flag: its window holds outcomes that were not judged by these limits. */
    static final int UNJUDGED = 1;

    /**
     * A flag: the end of a call is needed, but not stamped by its caller, so that the breaker reads the clock itself.
     */
    static final int READS_CLOCK = 2;

    /** The number of reopenings of a breaker that has not opened since it was closed. */
    private static final int NOT_OPENED = -1;

    /** A bit in the stamps of calls that are not recorded, whenever they end. */
    static final long UNRECORDED = 1L << 62;

    final State state;
    final long number;
    final CircuitBreakerConfig config;

    /** The duration from which a call counts as slow; {@link Nanos#NEVER} if none does. */
    final long slowNanos;

    /** Whether exits of this breaker come with the time of the end, by the settings that it was made with. */
    final boolean timed;

    /** The limits at which outcomes that are recorded here open the breaker. */
    final Thresholds limits;

    final Change change;

    /** The stamp of calls that are admitted at once, or {@link Gate#REFUSED}. */
    final long stamp;

    /** The window that records calls; null where they are not recorded. */
    final @Nullable Window window;

    /** The permits, if half-open. */
    final @Nullable Probes probes;

    /** The share of calls that is admitted, if ramping. */
    final @Nullable Ramp ramp;

    /** How long the epoch lasts; {@link Nanos#NEVER} if time does not end it. */
    final long nanos;

    /** How many times the breaker has opened again without having been closed; -1 if it has not opened at all. */
    final int reopenings;

    /** The refusal of every call that is refused; null where none is. */
    final @Nullable CircuitOpenException refusal;

    /**
     * {@link #UNJUDGED} and {@link #READS_CLOCK}; 0 without a change of the configuration. One field, because each
     * outcome reads it, and a plain one, because judging twice does no harm.
     */
    int reconfigured;

    /**
     * The epoch before this one, until the change from it to this one has been published. Plain, as {@link #next} is:
     * written before this epoch becomes current, and then by the one publisher at a time.
     */
    @Nullable Epoch previous;

    /** The epoch after this one, while the publisher walks the chain. */
    @Nullable Epoch next;

    private Epoch(Draft draft) {
        state = draft.state;
        previous = draft.previous;
        number = draft.number;
        config = draft.config;
        WindowRules rules = config.windowRules();
        slowNanos = rules.slowNanos();
        limits = state == State.OBSERVE_ONLY ? Thresholds.NONE : state == State.RAMPING ? rules.ramp : rules.closed;
        timed = previous == null ? rules.needsEnd() : previous.timed;
        reconfigured = rules.hasTimeWindow() && !timed ? READS_CLOCK : 0;
        change = draft.change;
        window = draft.window;
        probes = draft.probes;
        ramp = draft.ramp;
        nanos = draft.nanos;
        reopenings = draft.reopenings;
        refusal = draft.refusal;
        // A ramp decides on each call before it admits it.
        stamp = refusal != null ? Gate.REFUSED : window == null ? number | UNRECORDED : number;
    }

    static Epoch first(CircuitBreakerConfig config, Change change) {
        Draft draft = new Draft(State.CLOSED, null, change, config, 1);
        draft.window = config.windowRules().newWindow(change.atNanos);
        return new Epoch(draft);
    }

    /** Returns an epoch that admits every call, and records it if there is a window. */
    static Epoch admitting(State state, Epoch previous, Change change, @Nullable Window window) {
        Draft draft = after(previous, state, change);
        draft.window = window;
        return new Epoch(draft);
    }

    static Epoch open(Epoch previous, Change change, long nanos, int reopenings, CircuitOpenException refusal) {
        Draft draft = after(previous, State.OPEN, change);
        draft.nanos = nanos;
        draft.reopenings = reopenings;
        draft.refusal = refusal;
        return new Epoch(draft);
    }

    static Epoch halfOpen(Epoch previous, Change change, Probes probes, CircuitOpenException refusal) {
        Draft draft = after(previous, State.HALF_OPEN, change);
        draft.probes = probes;
        draft.reopenings = previous.reopenings;
        draft.refusal = refusal;
        return new Epoch(draft);
    }

    static Epoch ramping(Epoch previous, Change change, Ramp ramp, long nanos, Window window) {
        Draft draft = after(previous, State.RAMPING, change);
        draft.ramp = ramp;
        draft.nanos = nanos;
        draft.window = window;
        draft.reopenings = previous.reopenings;
        draft.refusal = ramp.refusal(0);
        return new Epoch(draft);
    }

    static Epoch forcedOpen(Epoch previous, Change change, long nanos, CircuitOpenException refusal) {
        Draft draft = after(previous, State.FORCED_OPEN, change);
        draft.nanos = nanos;
        draft.reopenings = previous.reopenings;
        draft.refusal = refusal;
        return new Epoch(draft);
    }

    private static Draft after(Epoch previous, State state, Change change) {
        return new Draft(state, previous, change, previous.config, previous.number + 1);
    }

    /**
     * Returns this epoch with other settings. What has begun by the old ones continues: an open time, probes or a ramp.
     */
    Epoch with(CircuitBreakerConfig other) {
        Draft draft = new Draft(state, this, change, other, number);
        boolean keeps = window != null && other.windowRules().haveWindowOf(config.windowRules());
        draft.window = window == null || keeps ? window : other.windowRules().newWindow(change.atNanos);
        draft.probes = probes;
        draft.ramp = ramp;
        draft.nanos = nanos;
        draft.reopenings = reopenings;
        draft.refusal = refusal;
        Epoch epoch = new Epoch(draft);
        epoch.reconfigured |= keeps ? UNJUDGED : 0;
        return epoch;
    }

    /** The parts of an epoch that is being made; most epochs have few of them. */
    private static final class Draft {
        final State state;
        final @Nullable Epoch previous;
        final Change change;
        final CircuitBreakerConfig config;
        final long number;

        @Nullable Window window;

        @Nullable Probes probes;

        @Nullable Ramp ramp;

        long nanos = Nanos.NEVER;
        int reopenings = NOT_OPENED;

        @Nullable CircuitOpenException refusal;

        Draft(State state, @Nullable Epoch previous, Change change, CircuitBreakerConfig config, long number) {
            this.state = state;
            this.previous = previous;
            this.change = change;
            this.config = config;
            this.number = number;
        }
    }

    /** Whether it refuses every call as long as it lasts. */
    boolean isOpen() {
        return state == State.OPEN || state == State.FORCED_OPEN;
    }

    /** Whether its time is over. */
    boolean isOver(long nowNanos) {
        return nanos != Nanos.NEVER && nowNanos - change.atNanos >= nanos;
    }

    /** Returns when its time is over; only if time ends it. */
    long end() {
        return change.atNanos + nanos;
    }

    /** Returns what this epoch has counted; of an open one, what opened it. */
    Counts tally(long nowNanos) {
        if (window != null) {
            return window.tally(nowNanos);
        }
        if (probes != null) {
            return probes.tally();
        }
        return state == State.OPEN ? change.evidence : Counts.NONE;
    }
}
