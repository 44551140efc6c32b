package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Gate;
import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/**
 * A breaker between two changes of its state: everything that is judged together, and goes away together.
 *
 * <p>A change is one compare-and-set of the breaker's reference, from the very epoch that was judged to a new one. So one thread
 * wins, an automatic change fails if the state was changed by hand after it was decided, and what is reported late finds another
 * epoch. Nothing is packed into a word: numbers are never reused, and no field can overflow.
 *
 * <p>The configuration belongs to it as well. A change of the configuration replaces the epoch by one that is the same in all but that:
 * with the same number, so that calls under way still count, and with the same permits.
 */
final class Epoch {
    /** What led to an epoch: when, why, and the counts of the one before. */
    record Change(long atNanos, String reason, Counts evidence) {}

    /** Its window has outcomes in it that were not judged by these limits. */
    static final int UNJUDGED = 1;

    /** When a call ends is needed, and must be found out here. */
    static final int READS_CLOCK = 2;

    /** In the stamps of calls that are not recorded, whenever they end. */
    static final long UNRECORDED = 1L << 62;

    final State state;
    final long number;
    final CircuitBreakerConfig config;

    /** From how long on a call is slow. */
    final long slowNanos;

    /** Whether calls of this breaker are told when they end, by the settings that it was made with. */
    final boolean timed;

    /** When outcomes that are recorded here open the breaker. */
    final Thresholds limits;

    final Change change;

    /** What calls carry that are admitted without more ado, or {@link Gate#REFUSED}. */
    final long stamp;

    /** Where calls are recorded; null where they are not. */
    final @Nullable Window window;

    /** The permits, if half-open. */
    final @Nullable Probes probes;

    /** Who is admitted, if ramping. */
    final @Nullable Ramp ramp;

    /** How long it lasts; {@link Nanos#NEVER} if time does not end it. */
    final long nanos;

    /** How many times the breaker has opened again without having been closed. */
    final int reopenings;

    /** For every call that is refused; null where none is. */
    final @Nullable CircuitOpenException refusal;

    /**
     * {@link #UNJUDGED} and {@link #READS_CLOCK}; 0 without a change of the configuration. One field, because each outcome looks at it, and
     * a plain one, because it does no harm to judge twice.
     */
    int reconfigured;

    /** The epoch before this one, until it has been announced that this one follows it. */
    @Nullable Epoch previous;

    /** The epoch after this one, while the announcer is at it. */
    @Nullable Epoch next;

    private Epoch(Draft draft) {
        state = draft.state;
        previous = draft.previous;
        number = draft.number;
        config = draft.config;
        slowNanos = config.slowNanos();
        limits = state == State.OBSERVE_ONLY
                ? Thresholds.NONE
                : state == State.RAMPING ? config.rampLimits() : config.limits();
        timed = previous == null ? config.needsEnd() : previous.timed;
        reconfigured = config.hasTimeWindow() && !timed ? READS_CLOCK : 0;
        change = draft.change;
        window = draft.window;
        probes = draft.probes;
        ramp = draft.ramp;
        nanos = draft.nanos;
        reopenings = draft.reopenings;
        refusal = draft.refusal;
        // A ramp looks at each call before it admits it.
        stamp = refusal != null ? Gate.REFUSED : window == null ? number | UNRECORDED : number;
    }

    static Epoch first(CircuitBreakerConfig config, Change change) {
        Draft draft = new Draft(State.CLOSED, null, change, config, 1);
        draft.window = config.newWindow(change.atNanos);
        return new Epoch(draft);
    }

    /** Admits everything, and records it if there is a window. */
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

    static Epoch forcedOpen(Epoch previous, Change change, CircuitOpenException refusal) {
        Draft draft = after(previous, State.FORCED_OPEN, change);
        draft.refusal = refusal;
        return new Epoch(draft);
    }

    private static Draft after(Epoch previous, State state, Change change) {
        return new Draft(state, previous, change, previous.config, previous.number + 1);
    }

    /** This epoch with other settings: whatever has begun by the old ones goes on, an open time, probes or a ramp. */
    Epoch with(CircuitBreakerConfig other) {
        Draft draft = new Draft(state, this, change, other, number);
        boolean keeps = window != null && other.hasWindowOf(config);
        draft.window = window == null || keeps ? window : other.newWindow(change.atNanos);
        draft.probes = probes;
        draft.ramp = ramp;
        draft.nanos = nanos;
        draft.reopenings = reopenings;
        draft.refusal = refusal;
        Epoch epoch = new Epoch(draft);
        epoch.reconfigured |= keeps ? UNJUDGED : 0;
        return epoch;
    }

    /** What an epoch is made of; most have little of it. */
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
        int reopenings;

        @Nullable CircuitOpenException refusal;

        Draft(State state, @Nullable Epoch previous, Change change, CircuitBreakerConfig config, long number) {
            this.state = state;
            this.previous = previous;
            this.change = change;
            this.config = config;
            this.number = number;
        }
    }

    /** Whether its time is over. */
    boolean isOver(long nowNanos) {
        return nanos != Nanos.NEVER && nowNanos - change.atNanos >= nanos;
    }

    /** When its time is over, if ever. */
    long end() {
        return change.atNanos + nanos;
    }

    /** What this epoch has counted; an open one, what opened it. */
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
