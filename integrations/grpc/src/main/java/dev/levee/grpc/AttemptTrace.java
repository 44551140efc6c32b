package dev.levee.grpc;

import dev.levee.grpc.GrpcAttemptException.Knowledge;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** Sees whether the headers of any stream of an attempt went out: the transport says so once they are written. */
final class AttemptTrace extends ClientStreamTracer {
    private final GrpcClientGuard guard;
    private final StreamEnd closed;
    private volatile boolean made;
    private volatile boolean headersOut;
    private volatile boolean answered;

    /** Learns that a stream has ended for the transport, and whether the other side has said how. */
    @FunctionalInterface
    interface StreamEnd {
        void closed(Status status, boolean answered);
    }

    AttemptTrace(GrpcClientGuard guard, StreamEnd closed) {
        this.guard = guard;
        this.closed = closed;
    }

    /** Returns what makes this the tracer of each stream of the attempt. */
    ClientStreamTracer.Factory factory() {
        return new AttemptTracing();
    }

    /** Returns the exception of an attempt that has failed. */
    GrpcAttemptException failure(Status status, @Nullable Metadata trailers, boolean committed) {
        return new GrpcAttemptException(status, trailers, new Knowledge(made && !headersOut, answered, committed));
    }

    @Override
    public void outboundHeaders() {
        headersOut = true;
    }

    @Override
    public void inboundHeaders() {
        headersOut = true;
    }

    @Override
    public void inboundTrailers(Metadata arrived) {
        headersOut = true;
        answered = true;
    }

    @Override
    public void streamClosed(Status status) {
        closed.closed(status, answered);
    }

    private final class AttemptTracing extends ClientStreamTracer.Factory {
        @Override
        public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata ignored) {
            made = true;
            if (info.isHedging() || (info.getPreviousAttempts() > 0 && !info.isTransparentRetry())) {
                guard.channelRepeats();
            }
            return AttemptTrace.this;
        }
    }
}
