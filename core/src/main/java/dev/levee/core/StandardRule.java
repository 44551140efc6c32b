package dev.levee.core;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** The default of {@link OutcomeRule#standard()}. */
enum StandardRule implements OutcomeRule {
    INSTANCE;

    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        if (error == null) {
            return Verdict.SUCCESS;
        }
        if (error instanceof ConnectException
                || error instanceof NoRouteToHostException
                || error instanceof UnknownHostException) {
            return Verdict.NOT_SENT;
        }
        if (error instanceof InterruptedException || error instanceof CancellationException) {
            // Cut short by a timeout around this call, it is evidence; by the caller's own wish, it is not.
            Deadline deadline = CallContext.current().deadline();
            return deadline != null && deadline.isExpired() ? Verdict.FAILURE : Verdict.IGNORED;
        }
        return Verdict.FAILURE;
    }

    @Override
    public String toString() {
        return "standard";
    }
}
