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
 */
final class Epoch {
    /** What led to an epoch: when, why, and the counts of the one before. */
    record Change(long atNanos, String reason, Tally evidence) {}

    final State state;
    final long number;
    final Change change;

    /** What calls carry that are admitted without more ado, or {@link Gate#REFUSED}. */
    final long stamp;

    /** Where calls are recorded; null where they are not. */
    final @Nullable Window window;

    /** The permits, if half-open. */
    final @Nullable Probes probes;

    /** How long it lasts if open; {@link Nanos#NEVER} if time does not end it. */
    final long openNanos;

    /** How many times the breaker has opened again without having been closed. */
    final int reopenings;

    /** For every call that is refused; null where none is. */
    final @Nullable CircuitOpenException refusal;

    /** The epoch before this one, until it has been announced that this one follows it. */
    @Nullable Epoch previous;

    /** The epoch after this one, while the announcer is at it. */
    @Nullable Epoch next;

    private Epoch(
            State state,
            @Nullable Epoch previous,
            Change change,
            @Nullable Window window,
            @Nullable Probes probes,
            long openNanos,
            int reopenings,
            @Nullable CircuitOpenException refusal) {
        this.state = state;
        this.previous = previous;
        this.number = previous == null ? 1 : previous.number + 1;
        this.change = change;
        this.stamp = refusal == null ? number : Gate.REFUSED;
        this.window = window;
        this.probes = probes;
        this.openNanos = openNanos;
        this.reopenings = reopenings;
        this.refusal = refusal;
    }

    static Epoch first(Change change, Window window) {
        return new Epoch(State.CLOSED, null, change, window, null, Nanos.NEVER, 0, null);
    }

    /** Admits everything, and records it if there is a window. */
    static Epoch admitting(State state, Epoch previous, Change change, @Nullable Window window) {
        return new Epoch(state, previous, change, window, null, Nanos.NEVER, 0, null);
    }

    static Epoch open(Epoch previous, Change change, long openNanos, int reopenings, CircuitOpenException refusal) {
        return new Epoch(State.OPEN, previous, change, null, null, openNanos, reopenings, refusal);
    }

    static Epoch halfOpen(Epoch previous, Change change, Probes probes, CircuitOpenException refusal) {
        return new Epoch(State.HALF_OPEN, previous, change, null, probes, Nanos.NEVER, previous.reopenings, refusal);
    }

    static Epoch forcedOpen(Epoch previous, Change change, CircuitOpenException refusal) {
        return new Epoch(State.FORCED_OPEN, previous, change, null, null, Nanos.NEVER, 0, refusal);
    }

    /** Whether it is open, and long enough. */
    boolean isOver(long nowNanos) {
        return openNanos != Nanos.NEVER && nowNanos - change.atNanos >= openNanos;
    }

    /** What this epoch has counted; an open one, what opened it. */
    Tally tally(long nowNanos) {
        if (window != null) {
            return window.tally(nowNanos);
        }
        if (probes != null) {
            return probes.tally();
        }
        return state == State.OPEN ? change.evidence : Tally.NONE;
    }
}
