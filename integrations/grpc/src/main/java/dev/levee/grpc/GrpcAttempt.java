package dev.levee.grpc;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Criticality;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of a unary call: a call of the channel below, as a future of its message that ends when that call has
 * really ended. A cancel of the future is passed on to the call, and does not end the future by itself.
 */
final class GrpcAttempt<Q, R> extends CallFuture<R> {
    static final Metadata.Key<String> PREVIOUS_ATTEMPTS =
            Metadata.Key.of("grpc-previous-rpc-attempts", Metadata.ASCII_STRING_MARSHALLER);
    static final Metadata.Key<String> CRITICALITY =
            Metadata.Key.of(Criticality.HEADER, Metadata.ASCII_STRING_MARSHALLER);

    private final GrpcUnaryCall<Q, R> owner;
    private final AttemptTrace trace;

    private @Nullable ClientCall<Q, R> call;

    /** The headers of the response, as soon as they have arrived. */
    volatile @Nullable Metadata headers;

    /** What else has arrived; written by the thread of the listener, read after the future has completed. */
    @Nullable R message;

    @Nullable Metadata trailers;

    private @Nullable Status violation;

    private volatile @Nullable Throwable failure;

    GrpcAttempt(GrpcUnaryCall<Q, R> owner) {
        this.owner = owner;
        this.trace = new AttemptTrace(owner.guard, (status, answered) -> {});
    }

    /** Starts the call of the channel; what that throws comes out, and then nothing is on its way. */
    void begin(
            CallOptions given, Metadata givenHeaders, @Nullable Q request, boolean hasRequest, @Nullable Boolean zip) {
        CallContext context = CallContext.current();
        CallOptions options = GrpcDeadlines.narrow(given, context.deadline()).withStreamTracerFactory(trace.factory());
        if (options.getExecutor() != null) {
            // That of a blocking stub takes nothing any more once the stub has its answer, and an attempt may end
            // later.
            options = options.withExecutor(owner.guard.environment::handOver);
        }
        ClientCall<Q, R> started = owner.next.newCall(owner.method, options);
        call = started;
        try {
            started.start(new AttemptArrivals(), headersOf(givenHeaders, context));
            started.request(2); // a second message shows that it is no unary call
            if (zip != null) {
                started.setMessageCompression(zip);
            }
            if (hasRequest) {
                started.sendMessage(request);
            }
            started.halfClose();
        } catch (Throwable thrown) {
            started.cancel("the call could not be sent", thrown);
            throw thrown;
        }
        onCancel(reason -> started.cancel("cancelled", reason));
    }

    static Metadata headersOf(Metadata given, CallContext context) {
        Metadata headers = new Metadata();
        headers.merge(given);
        if (context.attempt() > 1) {
            headers.discardAll(PREVIOUS_ATTEMPTS);
            headers.put(PREVIOUS_ATTEMPTS, Integer.toString(context.attempt() - 1));
        }
        if (context.criticality() != Criticality.CRITICAL && !headers.containsKey(CRITICALITY)) {
            headers.put(CRITICALITY, context.criticality().toHeader());
        }
        return headers;
    }

    Attributes attributes() {
        ClientCall<Q, R> started = call;
        return started == null ? Attributes.EMPTY : started.getAttributes();
    }

    /** Returns what the attempt failed with; null if it has not. */
    @Nullable Throwable failure() {
        return failure;
    }

    /**
     * Whether it has failed, or was given up, after headers of a response: then nothing more may be sent for the call.
     */
    boolean isCommitted() {
        return headers != null && (isCompletedExceptionally() || cancelReason() != null);
    }

    private final class AttemptArrivals extends ClientCall.Listener<R> {
        @Override
        public void onHeaders(Metadata arrived) {
            headers = arrived;
        }

        @Override
        public void onMessage(R arrived) {
            if (message != null) {
                violation = Status.INTERNAL.withDescription("more than one message in the response of a unary call");
                cancelCall(violation);
                return;
            }
            message = arrived;
        }

        private void cancelCall(Status why) {
            ClientCall<Q, R> started = call;
            if (started != null) {
                started.cancel(why.getDescription(), null);
            }
        }

        @Override
        public void onClose(Status status, Metadata arrived) {
            trailers = arrived;
            Status wrong = violation;
            if (wrong != null) {
                fail(wrong);
            } else if (!status.isOk()) {
                if (status.getCode() == Status.Code.CANCELLED && cancelReason() != null) {
                    completeExceptionally(new CancellationException("the attempt was cancelled"));
                } else {
                    fail(status);
                }
            } else if (message == null) {
                fail(Status.INTERNAL.withDescription("no message in the response of a unary call"));
            } else {
                complete(message);
            }
        }

        private void fail(Status status) {
            GrpcAttemptException thrown = trace.failure(status, trailers, headers != null);
            failure = thrown;
            completeExceptionally(thrown);
        }
    }
}
