package dev.levee.grpc.balancing;

import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.grpc.GrpcOutcomes;
import dev.levee.loadbalancing.Ticket;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.Status;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A pick, and the stream that is made of it: it counts as in flight until the stream has closed, or the pick was
 * dropped. Given back once, whatever comes first.
 */
final class PickedStream extends ClientStreamTracer.Factory {
    private static final VarHandle ENDED = Handles.field(MethodHandles.lookup(), "ended", boolean.class);

    final ChannelEndpoint endpoint;
    final long pickedAtNanos;

    private final UnclaimedPicks unclaimed;

    /** One of the two is set: a ticket, or the end of one run of an operation that remembers where it went. */
    private final @Nullable Ticket<ChannelEndpoint> ticket;

    private final @Nullable CompletableFuture<Verdict> run;

    @SuppressWarnings("UnusedVariable") // written through ENDED
    private volatile boolean ended;

    PickedStream(
            ChannelEndpoint endpoint,
            UnclaimedPicks unclaimed,
            @Nullable Ticket<ChannelEndpoint> ticket,
            @Nullable CompletableFuture<Verdict> run) {
        this.endpoint = endpoint;
        this.unclaimed = unclaimed;
        this.ticket = ticket;
        this.run = run;
        this.pickedAtNanos = unclaimed.now();
    }

    @Override
    public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
        unclaimed.claimed(this);
        return new PickedTrace(info.getCallOptions());
    }

    /** Gives the pick back, without evidence: there will be no stream. */
    void dropped() {
        end(Verdict.IGNORED);
    }

    private void end(Verdict verdict) {
        if (!ENDED.compareAndSet(this, false, true)) {
            return;
        }
        if (ticket != null) {
            ticket.complete(verdict);
        } else if (run != null) {
            run.complete(verdict);
        }
    }

    private final class PickedTrace extends ClientStreamTracer {
        private final CallOptions options;
        private volatile boolean sent;
        private volatile @Nullable Metadata trailers;

        PickedTrace(CallOptions options) {
            this.options = options;
        }

        @Override
        public void outboundHeaders() {
            sent = true;
        }

        @Override
        public void inboundTrailers(Metadata arrived) {
            sent = true;
            trailers = arrived;
        }

        @Override
        public void streamClosed(Status status) {
            end(verdict(status));
        }

        private Verdict verdict(Status status) {
            io.grpc.Deadline deadline = options.getDeadline();
            if (status.getCode() == Status.Code.CANCELLED && deadline != null && deadline.isExpired()) {
                return Verdict.FAILURE; // a timeout further out was as quick as the deadline
            }
            return GrpcOutcomes.ofStream(status, trailers, sent);
        }
    }
}
