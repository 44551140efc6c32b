package dev.levee.core.internal.parts;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.internal.CallState;

/** Failures that lie in a call itself: it was interrupted or called off, or its time is over. */
public final class CallerFailures {
    private CallerFailures() {}

    /**
     * Returns whether work on this thread failed for a reason that lies in its call, and not in what the work needs.
     *
     * @param failure what the work threw
     * @return whether it says nothing to other calls that wait for the same work
     */
    public static boolean isOfCaller(Throwable failure) {
        Deadline deadline = CallContext.current().deadline();
        return failure instanceof InterruptedException
                || failure instanceof InterruptedWaitException
                || Thread.currentThread().isInterrupted()
                || CallState.current().isCalledOff()
                || (deadline != null && deadline.isExpired());
    }
}
