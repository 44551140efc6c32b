package dev.levee.grpc;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.policy.TimedOutException;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A unary call as the stub sees it. It collects the request, runs the policy at {@code halfClose}, and hands the
 * outcome to the listener.
 *
 * <p>Invariants: the first end counts, of the policy, a cancel and a context that was cancelled ({@link #end} is
 * written once by compare-and-set); {@link #deliver} never runs twice at once, and calls {@code onClose} last and once.
 * A cancel and the start of the policy may race: each writes its own field ({@link #cancelled}, {@link #running})
 * before it reads the other's.
 */
final class GrpcUnaryCall<Q, R> extends ClientCall<Q, R> {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcClientGuard.class);
    private static final VarHandle END = Handles.field(MethodHandles.lookup(), "end", End.class);
    private static final VarHandle CANCELLED = Handles.field(MethodHandles.lookup(), "cancelled", Status.class);

    /** Enough to see why a call failed. */
    private static final int MAX_SUPPRESSED_FAILURES = 8;

    final GrpcClientGuard guard;
    final MethodDescriptor<Q, R> method;
    final Channel next;

    private final CallOptions options;
    private final Context context = Context.current();
    private final Context.CancellationListener contextListener = this::contextCancelled;
    private final Queue<GrpcAttempt<Q, R>> attempts = new ConcurrentLinkedQueue<>();
    private final OneAtATime delivery = new OneAtATime(this::deliver);
    private final AtomicLong requested = new AtomicLong();

    private volatile @Nullable Listener<R> listener;
    private volatile @Nullable End<R> end;
    private volatile @Nullable Status cancelled;
    private volatile @Nullable CompletableFuture<R> running;

    /** The request; written by the thread of the stub before the policy starts. */
    private Metadata headers = new Metadata();

    private @Nullable Q message;
    private boolean hasMessage;
    private boolean halfClosed;
    private @Nullable Boolean compression;

    /** What was delivered; only of {@link #deliver}. */
    private boolean headersDelivered;

    private boolean closed;

    /** How the call ends for the listener. */
    private record End<R>(
            Status status,
            @Nullable Metadata headers,
            @Nullable R message,
            Metadata trailers,
            Attributes attributes) {
        static <R> End<R> of(Status status) {
            return new End<>(status, null, null, new Metadata(), Attributes.EMPTY);
        }
    }

    GrpcUnaryCall(GrpcClientGuard guard, MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        this.guard = guard;
        this.method = method;
        this.next = next;
        this.options = options.getOption(AttemptMemory.OPTION) == null
                ? options.withOption(AttemptMemory.OPTION, new AttemptMemory())
                : options;
    }

    @Override
    public void start(Listener<R> responseListener, Metadata requestHeaders) {
        require(listener == null, "the call was started already");
        require(cancelled == null, "the call was cancelled");
        headers = Require.nonNull("headers", requestHeaders);
        listener = Require.nonNull("listener", responseListener);
        context.addListener(contextListener, Runnable::run);
        if (end != null) {
            handOver(); // cancelled meanwhile
        }
    }

    @Override
    public void request(int numMessages) {
        require(listener != null, "the call was not started");
        if (numMessages < 0) {
            throw new IllegalArgumentException("numMessages must be at least 0, but was " + numMessages);
        }
        requested.addAndGet(numMessages);
        if (end != null) {
            handOver();
        }
    }

    @Override
    public void sendMessage(Q request) {
        require(listener != null, "the call was not started");
        require(!halfClosed, "the call was half-closed");
        require(cancelled != null || !hasMessage, "a unary call has one message");
        message = request;
        hasMessage = true;
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        compression = enabled;
    }

    @Override
    public boolean isReady() {
        return listener != null && !halfClosed && cancelled == null;
    }

    @Override
    public Attributes getAttributes() {
        End<R> ended = end;
        return ended == null ? Attributes.EMPTY : ended.attributes;
    }

    @Override
    public void halfClose() {
        require(listener != null, "the call was not started");
        require(!halfClosed, "the call was half-closed already");
        halfClosed = true;
        if (cancelled != null) {
            return;
        }
        try {
            CallContext call = CallContext.current();
            Deadline deadline = GrpcDeadlines.of(options, context, guard.environment.clock());
            if (deadline != null) {
                call = call.withDeadline(deadline);
            }
            if (call.idempotent() && !guard.mayRunTwice(method)) {
                call = call.withIdempotent(false);
            }
            CompletableFuture<R> started =
                    call.<CompletableFuture<R>, RuntimeException>call(() -> guard.policy.callAsync(this::attempt));
            running = started;
            if (cancelled != null) {
                started.cancel(true);
            }
            started.whenComplete(this::policyEnded);
        } catch (Throwable thrown) { // a predicate of the user, or a deadline of another clock
            settle(End.of(statusOf(thrown)));
        }
    }

    private CompletionStage<R> attempt() {
        for (GrpcAttempt<Q, R> earlier : attempts) {
            if (earlier.isCommitted()) { // nothing is sent after headers of a response: fails as that did
                Throwable timeUp = earlier.cancelReason();
                return timeUp == null ? earlier : CompletableFuture.failedFuture(timeUp);
            }
        }
        GrpcAttempt<Q, R> attempt = new GrpcAttempt<>(this);
        attempts.add(attempt);
        Context before = context.attach();
        try {
            attempt.begin(options, headers, message, hasMessage, compression);
        } finally {
            context.detach(before);
        }
        return attempt;
    }

    @Override
    public void cancel(@Nullable String why, @Nullable Throwable cause) {
        Status status = Status.CANCELLED.withDescription(why == null ? "Call cancelled without message" : why);
        cancelAs(cause == null ? status : status.withCause(cause));
    }

    private void contextCancelled(Context ended) {
        cancelAs(Contexts.statusFromCancelled(ended));
    }

    private void cancelAs(Status status) {
        if (!CANCELLED.compareAndSet(this, null, status)) {
            return;
        }
        CompletableFuture<R> now = running;
        if (now != null) {
            now.cancel(true);
        }
        settle(End.of(status));
        handOver(); // an outcome that the listener has not got yet gives way to the cancel
    }

    private void policyEnded(@Nullable R result, @Nullable Throwable error) {
        Throwable failure = error == null ? null : Outcomes.unwrap(error);
        settle(failure == null ? succeeded(result) : failed(failure));
    }

    private End<R> succeeded(@Nullable R result) {
        if (result == null) {
            return End.of(Status.INTERNAL.withDescription(guard.part + ": the policy gave no message"));
        }
        for (GrpcAttempt<Q, R> attempt : attempts) {
            if (attempt.isDone() && !attempt.isCompletedExceptionally() && attempt.message == result) {
                return new End<>(
                        Status.OK, orEmpty(attempt.headers), result, orEmpty(attempt.trailers), attempt.attributes());
            }
        }
        return new End<>(Status.OK, new Metadata(), result, new Metadata(), Attributes.EMPTY); // of a fallback
    }

    private End<R> failed(Throwable failure) {
        Metadata headersOfIt = null;
        Attributes attributes = Attributes.EMPTY;
        for (GrpcAttempt<Q, R> attempt : attempts) {
            Throwable other = attempt.failure();
            if (other == failure) {
                headersOfIt = attempt.headers;
                attributes = attempt.attributes();
            } else if (other != null
                    && failure instanceof GrpcAttemptException
                    && failure.getSuppressed().length < MAX_SUPPRESSED_FAILURES) {
                failure.addSuppressed(other);
            }
        }
        return new End<>(statusOf(failure), headersOfIt, null, orEmpty(GrpcOutcomes.trailersOf(failure)), attributes);
    }

    private static Metadata orEmpty(@Nullable Metadata metadata) {
        return metadata == null ? new Metadata() : metadata;
    }

    /** Returns how a call ends for its listener that has failed so. */
    static Status statusOf(Throwable failure) {
        Status known = GrpcOutcomes.statusOf(failure);
        if (known != null) {
            // Failures of earlier attempts are suppressed in the exception, which would be lost.
            return known.getCause() == null && failure.getSuppressed().length > 0 ? known.withCause(failure) : known;
        }
        Status.Code code = Status.Code.UNKNOWN;
        if (failure instanceof TimedOutException || failure instanceof DeadlineExpiredException) {
            code = Status.Code.DEADLINE_EXCEEDED;
        } else if (failure instanceof RefusedException) {
            code = Status.Code.UNAVAILABLE;
        } else if (failure instanceof CancellationException) {
            code = Status.Code.CANCELLED;
        }
        return code.toStatus().withDescription(failure.getMessage()).withCause(failure);
    }

    private void settle(End<R> outcome) {
        if (END.compareAndSet(this, null, outcome)) {
            context.removeListener(contextListener);
            handOver();
        }
    }

    private void handOver() {
        Executor executor = options.getExecutor();
        Throwable rejected = executor == null ? null : HandedTask.tryExecute(executor, delivery::run, LOG, guard.part);
        if (executor == null || rejected != null) { // the listener gets its end whatever becomes of its executor
            guard.environment.handOver(delivery::run);
        }
    }

    private void deliver() {
        End<R> ended = end;
        Listener<R> to = listener;
        if (closed || ended == null || to == null) {
            return;
        }
        Context before = context.attach();
        try {
            Status left = cancelled;
            if (left != null) {
                close(to, left, new Metadata());
            } else {
                deliver(ended, to);
            }
        } finally {
            context.detach(before);
        }
    }

    private void deliver(End<R> ended, Listener<R> to) {
        try {
            if (ended.headers != null && !headersDelivered) {
                headersDelivered = true;
                to.onHeaders(ended.headers);
            }
            if (ended.message != null) {
                if (requested.get() < 1) {
                    return; // until the listener asks for it
                }
                to.onMessage(ended.message);
            }
        } catch (Throwable thrown) {
            close(
                    to,
                    Status.CANCELLED
                            .withDescription("the listener failed to take the response")
                            .withCause(thrown),
                    new Metadata());
            return;
        }
        close(to, ended.status, ended.trailers);
    }

    private void close(Listener<R> to, Status status, Metadata trailers) {
        closed = true;
        try {
            to.onClose(status, trailers);
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "{}: the listener of a call failed at its end", guard.part, thrown);
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalStateException(message);
        }
    }
}
