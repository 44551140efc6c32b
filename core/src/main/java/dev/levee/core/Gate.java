package dev.levee.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A policy that admits now and learns later: a breaker, a rate limit, a bulkhead.
 *
 * <p>{@link #call} and {@link #callAsync} are the safe forms: they return every permit exactly once, whatever happens.
 * {@link #tryEnter} and {@link #exit} are for code that cannot hand over a lambda, such as an event loop or a balancer:
 *
 * <pre>{@code
 * long start = clock.nanoTime();
 * long stamp = gate.tryEnter(start);
 * if (stamp == Gate.REFUSED) throw gate.refusal();
 * ... // the work
 * gate.exit(stamp, start, clock.nanoTime(), Verdict.SUCCESS, RefusedException.UNKNOWN);
 * }</pre>
 *
 * <p>Implementations are thread-safe; {@code tryEnter} and {@code exit} never block, never throw and never allocate.
 * See ADR 3.
 *
 * @since 0.1
 */
public interface Gate extends Policy {
    /** The result of {@link #tryEnter} for a call that was not admitted; never a stamp. */
    long REFUSED = 0L;

    /** Bit of {@link #timing}: {@link #tryEnter} and {@link #exit} need the time at which the call started. */
    int ENTRY = 1;

    /** Bit of {@link #timing}: {@link #exit} needs the time at which the call ended. */
    int EXIT = 2;

    /**
     * Returns which readings of the clock the path of an admitted call needs. Constant for the life of the gate. A time
     * that is not needed may be passed as 0. A gate that seldom needs time, such as a breaker that is open, reads its
     * own clock.
     *
     * @return 0, {@link #ENTRY}, {@link #EXIT} or both
     */
    int timing();

    /**
     * Admits a call, or refuses it.
     *
     * @param nowNanos the time, if {@link #timing} has {@link #ENTRY}
     * @return a stamp that must be handed to {@link #exit} once, or {@link #REFUSED}
     */
    long tryEnter(long nowNanos);

    /**
     * Reports how an admitted call ended, and returns its permit.
     *
     * <p>Call it, or {@link #cancel}, exactly once for each stamp. A stamp of an earlier epoch of the gate is ignored;
     * a second exit with the same stamp cannot be told from the first.
     *
     * @param stamp what {@link #tryEnter} returned
     * @param startNanos when the call started, if {@link #timing} has {@link #ENTRY}
     * @param endNanos when the call ended, if {@link #timing} has {@link #EXIT}
     * @param verdict how it ended
     * @param retryAfterNanos how long the dependency asked to be left alone, {@link OutcomeRule#DO_NOT_RETRY}, or
     *     {@link RefusedException#UNKNOWN}
     */
    void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos);

    /**
     * Reports that an admitted call was surely not sent, because a policy further in refused it, and returns all that
     * it was given; instead of {@link #exit}. By default an exit with {@link Verdict#IGNORED}; a gate that keeps a
     * permit after the end of the call, as a rate limit does, gives it back here and when {@link #exit} says
     * {@link Verdict#NOT_SENT}.
     *
     * @param stamp what {@link #tryEnter} returned
     * @param startNanos when the call started, if {@link #timing} has {@link #ENTRY}
     */
    default void cancel(long stamp, long startNanos) {
        exit(stamp, startNanos, startNanos, Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    /**
     * Lets a gate that refuses after failures try a call now. For a caller that knows that the other side works again,
     * for example by a health check that has passed. It admits nothing by itself: the next calls are probes, and their
     * outcomes decide. A breaker that is open becomes half-open; whatever else a gate is in, and by default, this does
     * nothing. Does not block.
     */
    default void allowProbe() {}

    /**
     * Returns the rule that judges outcomes for this gate.
     *
     * @return the rule that this gate was built with
     */
    OutcomeRule outcomes();

    /**
     * Returns the reason why a call would be refused now.
     *
     * @return an exception without stack trace; it may be shared
     */
    RefusedException refusal();

    @Override
    default <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        return SingleGate.call(this, operation);
    }

    @Override
    default <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return GateSegment.of(Inner.OPERATION, this).callAsync(operation);
    }
}
