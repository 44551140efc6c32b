package dev.levee.http.blocking;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.TimedOutException;
import dev.levee.http.HttpRefusedException;
import dev.levee.http.Upstream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * One logical host of a client that blocks.
 *
 * @param <Q> a request
 * @param <R> a response
 */
public final class BlockingHost<Q, R> {
    final Upstream<URI, Q, R> upstream;
    private final BlockingTransport<Q, R> transport;
    private final Environment environment;

    BlockingHost(Upstream<URI, Q, R> upstream, BlockingTransport<Q, R> transport, Environment environment) {
        this.upstream = upstream;
        this.transport = transport;
        this.environment = environment;
    }

    /**
     * Sends a request and waits for the headers of the answer.
     *
     * @param request the request
     * @param timeoutNanos bounds all of it with the body of the answer; zero or less for no bound but that of the
     *     context
     * @param cancels gets, on this thread, what cancels the call, or later its body
     * @return the answer
     * @throws InterruptedIOException if the thread is interrupted, already or while it waits, or the time is up
     * @throws IOException what the client threw, or one that says what ended the call
     */
    public R send(Q request, long timeoutNanos, Consumer<Runnable> cancels) throws IOException {
        if (Thread.currentThread().isInterrupted()) { // a request that is sent first may have been done
            throw new InterruptedIOException("interrupted");
        }
        CallContext context = CallContext.current();
        if (timeoutNanos > 0) {
            context = context.withDeadline(Deadline.afterNanos(timeoutNanos, environment.clock()));
        }
        CompletableFuture<R> call = context.call(() -> upstream.send(request));
        cancels.accept(() -> cancel(call));
        try {
            return call.get();
        } catch (InterruptedException interrupt) {
            cancel(call);
            if (!call.isCompletedExceptionally()) { // its response came just now, and reaches no caller
                transport.discard(call.join());
            }
            Thread.currentThread().interrupt();
            throw caused(new InterruptedIOException("interrupted"), interrupt);
        } catch (CancellationException cancelled) {
            throw new IOException("Canceled", cancelled);
        } catch (ExecutionException failed) {
            throw asDeclared(Outcomes.unwrap(failed));
        }
    }

    private void cancel(CompletableFuture<R> call) {
        if (!call.cancel(true) && !call.isCompletedExceptionally()) {
            CompletionStage<?> body = transport.bodyEnd(call.join());
            if (body instanceof CallFuture<?> end && !end.isDone()) {
                end.requestCancel(new CancellationException("cancelled by the caller"));
            }
        }
    }

    private static IOException asDeclared(Throwable cause) {
        if (cause instanceof TimedOutException || cause instanceof DeadlineExpiredException) {
            return caused(new InterruptedIOException("timeout"), cause);
        }
        if (cause instanceof RefusedException refused) {
            return new HttpRefusedException(refused);
        }
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof IOException io ? io : new IOException(cause.getMessage(), cause);
    }

    private static IOException caused(IOException made, Throwable cause) {
        made.initCause(cause);
        return made;
    }
}
