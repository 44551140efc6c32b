package dev.levee.http;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.SafeLog;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A response whose headers have arrived. Its body is received once or discarded once. */
final class Reply<R> {
    private enum BodyState {
        OPEN,
        TAKEN,
        DISCARDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(Upstream.class);

    final R response;
    /** Whether it is a failure by its status, so that its body does not belong to the attempt. */
    final boolean failed;

    private final boolean elsewhere;
    private final boolean replayable;
    private final @Nullable Transport<?, ?, R> transport;
    private final @Nullable CallFuture<R> exchange;
    private final AtomicReference<BodyState> state = new AtomicReference<>(BodyState.OPEN);
    private volatile boolean abandoned;
    private volatile @Nullable CompletionStage<?> receiving;
    private volatile @Nullable R whole;

    Reply(
            Transport<?, ?, R> transport,
            R response,
            CallFuture<R> exchange,
            boolean failed,
            boolean elsewhere,
            boolean replayable) {
        this.transport = transport;
        this.response = response;
        this.exchange = exchange;
        this.failed = failed;
        this.elsewhere = elsewhere;
        this.replayable = replayable;
    }

    /** One whose body is not this object's business. */
    private Reply(@Nullable Transport<?, ?, R> transport, R response, boolean elsewhere, boolean replayable) {
        this.transport = transport;
        this.response = response;
        this.exchange = null;
        this.failed = false;
        this.elsewhere = elsewhere;
        this.replayable = replayable;
        this.whole = response;
        this.state.set(BodyState.TAKEN);
    }

    /** One of a blocking call, which receives and discards bodies by itself. */
    static <R> Reply<R> ended(Transport<?, ?, R> transport, R response, boolean elsewhere, boolean replayable) {
        return new Reply<>(transport, response, elsewhere, replayable);
    }

    /** One that did not come from an endpoint. */
    static <R> Reply<R> received(R response) {
        return new Reply<>(null, response, false, true);
    }

    /** Whether the endpoint speaks for itself alone, and there is another one that the call has not been sent to. */
    boolean othersMayAnswer() {
        return elsewhere && transport != null && transport.status(response) == HttpOutcomes.UNAVAILABLE;
    }

    /** Whether the body of the request is gone, however little was done with it. */
    boolean bodyIsUsedUp() {
        return !replayable;
    }

    /** The response with its body, which is received now if it was not before. */
    CompletableFuture<R> whole() {
        R known = whole;
        return known == null
                ? CancellableCompose.of(receive(), reply -> reply.whole())
                : CompletableFuture.completedFuture(known);
    }

    /** Completes with this when the body has been received, and ends the exchange. */
    CompletableFuture<Reply<R>> receive() {
        if (whole != null) {
            return CompletableFuture.completedFuture(this);
        }
        if (transport == null || exchange == null || !state.compareAndSet(BodyState.OPEN, BodyState.TAKEN)) {
            return CompletableFuture.failedFuture(new IllegalStateException("the response has been discarded"));
        }
        CallFuture<R> end = exchange;
        CallFuture<Reply<R>> done = new CallFuture<>();
        CompletionStage<R> body;
        try {
            body = transport.receive(response);
        } catch (Throwable thrown) {
            body = CompletableFuture.failedStage(thrown);
        }
        CompletionStage<R> stage = body;
        receiving = stage;
        done.onCancel(reason -> Stages.cancel(stage, reason));
        stage.whenComplete((result, error) -> {
            if (error == null) {
                whole = result;
                endWithBody(transport, result, end);
                done.complete(this);
                if (abandoned) {
                    abandon();
                }
            } else {
                Throwable cause = Outcomes.unwrap(error);
                end.completeExceptionally(cause);
                done.completeExceptionally(cause);
            }
        });
        cancelIfAsked(end, stage);
        return done;
    }

    /** Ends the exchange, at once or when the caller has read the body. */
    private void endWithBody(Transport<?, ?, R> from, R result, CallFuture<R> end) {
        CompletionStage<?> body = from.bodyEnd(result);
        if (body == null) {
            end.complete(result);
            return;
        }
        receiving = body;
        body.whenComplete((nothing, error) -> end.finish(result, error));
        cancelIfAsked(end, body);
    }

    /** For a reason that came before there was anything to cancel. */
    private static void cancelIfAsked(CallFuture<?> end, CompletionStage<?> stage) {
        Throwable reason = end.cancelReason();
        if (reason != null) {
            Stages.cancel(stage, reason);
        }
    }

    /** Asks for its end, wherever it stands. */
    void cancel(Throwable reason) {
        CompletionStage<?> body = receiving;
        if (body != null) {
            Stages.cancel(body, reason);
        }
        discard();
    }

    /** Has no effect on one that is being received. */
    void discard() {
        if (transport == null || exchange == null || !state.compareAndSet(BodyState.OPEN, BodyState.DISCARDED)) {
            return;
        }
        free(transport);
        exchange.complete(response);
    }

    /**
     * The call has ended without handing the response out: frees what it holds, also if it has been received and its
     * body was the caller's to read.
     */
    void abandon() {
        abandoned = true;
        discard();
        R received = whole;
        if (transport != null
                && exchange != null
                && received != null
                && transport.bodyEnd(received) != null
                && state.compareAndSet(BodyState.TAKEN, BodyState.DISCARDED)) {
            free(transport);
        }
    }

    private void free(Transport<?, ?, R> from) {
        try {
            from.discard(response);
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "An unused response could not be discarded", thrown);
        }
    }

    /** For a policy that does not know what it discards. */
    static void discard(Object reply) {
        if (reply instanceof Reply<?> known) {
            known.discard();
        }
    }
}
