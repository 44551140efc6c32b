package dev.levee.http.blocking;

import dev.levee.core.CallFuture;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to one endpoint, by a client that blocks. Made by an adapter for each attempt, and used once.
 *
 * @param <R> a response
 */
public abstract class BlockingExchange<R> {
    private final CallFuture<@Nullable Void> bodyEnd = new CallFuture<>();

    /** For subclasses. */
    protected BlockingExchange() {}

    /**
     * Sends, and waits for status and headers.
     *
     * @return the response, whose body tells {@link #bodyEnd()} of its end
     * @throws Exception what the client throws
     */
    protected abstract R run() throws Exception;

    /**
     * Ends the exchange, wherever it stands: {@link #run}, or a read of the body, then fails. Called on any thread, at
     * any time, perhaps twice; may block.
     */
    protected abstract void abort();

    /**
     * Frees a response that came too late, or is not wanted.
     *
     * @param response what {@link #run} returned
     */
    protected abstract void close(R response);

    /**
     * Whether a byte of the request may have been sent, to whatever server. Read after {@link #run} has failed.
     *
     * @return false if certainly not
     */
    protected abstract boolean maybeSent();

    /**
     * Whether a failure says that the server has not processed what was sent, as a stream that was refused.
     *
     * @param failure what {@link #run} threw
     * @return true if it certainly says that
     */
    protected boolean isUnprocessed(Throwable failure) {
        return false;
    }

    /**
     * The end of the body, which the adapter completes.
     *
     * @return always the same one
     */
    protected final CallFuture<@Nullable Void> bodyEnd() {
        return bodyEnd;
    }

    /**
     * Ends a body of which a read failed; if it was cut off, the reason is that of the cut.
     *
     * @param failure what the read threw
     */
    protected final void bodyBroke(Throwable failure) {
        Throwable reason = bodyEnd.cancelReason();
        bodyEnd.completeExceptionally(reason == null ? failure : reason);
    }
}
