package dev.levee.core;

import java.util.concurrent.CompletableFuture;

/**
 * A gate at which a call may wait for its turn: a bulkhead with a queue, a limiter that paces.
 *
 * <p>{@link #tryEnter} is as in any gate and never waits. The waiting forms are used by {@link #call},
 * {@link #callAsync} and pipelines after {@code tryEnter} has refused; how long and how many may wait is the gate's own
 * configuration, and a gate that is configured not to wait returns {@link Gate#REFUSED} at once. The time spent waiting
 * is never part of the duration that is reported to this gate, or to one adjacent to it in a pipeline. See ADR 3.
 *
 * @since 0.1
 */
public interface WaitingGate extends Gate {
    /**
     * Waits for a permit on the calling thread.
     *
     * @param deadline the latest moment to give up; the gate's own maximum wait may come earlier
     * @return a stamp for {@link #exit}, or {@link Gate#REFUSED}
     * @throws InterruptedException if the thread is interrupted before it has a permit; it holds none then
     */
    long enter(Deadline deadline) throws InterruptedException;

    /**
     * Waits for a permit without a thread. Does not block.
     *
     * <p>Cancel the future to give up: if {@code cancel} returns true no permit was or will be acquired, otherwise the
     * future holds a stamp that must be handed to {@link #exit}.
     *
     * @param deadline the latest moment to give up; the gate's own maximum wait may come earlier
     * @return a future that completes with a stamp for {@link #exit} or with {@link Gate#REFUSED}, on the thread that
     *     released the permit
     */
    CompletableFuture<Long> enterAsync(Deadline deadline);

    /**
     * Returns whether a call may wait at this gate at all. Constant for the life of the gate. Default: true.
     *
     * @return false if {@link #enter} and {@link #enterAsync} never wait
     */
    default boolean mayWait() {
        return true;
    }

    /**
     * Returns the reason why a call with a deadline was refused by {@link #enter} or {@link #enterAsync}. Call it on
     * the thread on which {@code enter} has refused: a gate may remember why until then. Default: {@link #refusal()}.
     *
     * @param deadline the deadline that the call was refused with
     * @return an exception without stack trace; it may be shared
     */
    default RefusedException refusal(Deadline deadline) {
        return refusal();
    }

    /**
     * Returns the reason why a turn has ended with {@link Gate#REFUSED}. Default: {@link #refusal(Deadline)}; a gate
     * that refuses for different reasons, and knows which it was, says so here.
     *
     * @param turn what {@link #enterAsync} has returned
     * @param deadline the deadline that the call was refused with
     * @return an exception without stack trace; it may be shared
     */
    default RefusedException refusal(CompletableFuture<Long> turn, Deadline deadline) {
        return refusal(deadline);
    }
}
