package dev.levee.grpc;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Unchecked;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A call that streams, as the stub sees it: admitted by a policy when it starts, at most once sent, and over for the
 * policy when it has its status. What the stub does before it is admitted waits in a queue.
 *
 * <p>Invariants: {@link #begun} is set once, so that there is at most one call below; what waits is passed on by one
 * thread at a time, in order; {@code onClose} is called once ({@link #closed}), by the call below if there is one, and
 * by the policy if there is none. A cancel and the beginning may race: each writes its own field before it reads the
 * other's. See ADR 183.
 */
final class GrpcStreamCall<Q, R> extends ClientCall<Q, R> {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcClientGuard.class);

    private final GrpcClientGuard guard;
    private final Policy policy;
    private final MethodDescriptor<Q, R> method;
    private final CallOptions options;
    private final Channel next;
    private final Context context = Context.current();
    private final Context.CancellationListener contextListener =
            ended -> cancelAs(Contexts.statusFromCancelled(ended), null, null);
    private final Queue<Consumer<ClientCall<Q, R>>> waiting = new ConcurrentLinkedQueue<>();
    private final OneAtATime passing = new OneAtATime(this::pass);
    private final CallFuture<@Nullable Object> end = new CallFuture<>();
    private final AtomicBoolean begun = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicReference<@Nullable Status> cancelled = new AtomicReference<>();

    /** What is told of the end; written before the policy is asked. */
    private volatile @Nullable Listener<R> listener;

    private volatile @Nullable ClientCall<Q, R> call;

    /** Whether a stream of the call has ended for the transport. */
    private volatile boolean hasEnded;

    private volatile @Nullable CompletableFuture<@Nullable Object> admitted;
    private Metadata headers = new Metadata();

    GrpcStreamCall(
            GrpcClientGuard guard, Policy policy, MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        this.guard = guard;
        this.policy = policy;
        this.method = method;
        this.options = options;
        this.next = next;
    }

    @Override
    public void start(Listener<R> responseListener, Metadata requestHeaders) {
        require(listener == null, "the call was started already");
        require(cancelled.get() == null, "the call was cancelled");
        headers = Require.nonNull("headers", requestHeaders);
        listener = Require.nonNull("listener", responseListener);
        context.addListener(contextListener, Runnable::run);
        try {
            CallContext of = CallContext.current().withIdempotent(false); // sent once, whatever the policy repeats
            Deadline deadline = GrpcDeadlines.of(options, context, guard.environment.clock());
            if (deadline != null) {
                of = of.withDeadline(deadline);
            }
            CompletableFuture<@Nullable Object> future =
                    of.<CompletableFuture<@Nullable Object>, RuntimeException>call(() -> policy.callAsync(this::begin));
            admitted = future;
            if (cancelled.get() != null) {
                future.cancel(true);
            }
            future.whenComplete((status, error) -> policyEnded(error));
        } catch (Throwable thrown) { // a deadline of another clock
            closeUnsent(GrpcUnaryCall.statusOf(thrown));
        }
    }

    private CompletionStage<@Nullable Object> begin() {
        if (!begun.compareAndSet(false, true)) {
            return end; // once more: ends as the first time
        }
        if (cancelled.get() != null || closed.get()) {
            end.completeExceptionally(new CancellationException("cancelled before it was sent"));
            return end;
        }
        Context before = context.attach();
        try {
            send(CallContext.current());
        } catch (Throwable thrown) {
            end.completeExceptionally(thrown); // once more it ends so too
            throw thrown;
        } finally {
            context.detach(before);
        }
        return end;
    }

    private void send(CallContext of) {
        AttemptTrace trace = new AttemptTrace(guard, this::streamClosed);
        CallOptions narrowed = GrpcDeadlines.narrow(options, of.deadline()).withStreamTracerFactory(trace.factory());
        ClientCall<Q, R> started = next.newCall(method, narrowed);
        try {
            started.start(new StreamArrivals(trace), GrpcAttempt.headersOf(headers, of));
        } catch (Throwable thrown) {
            started.cancel("the call could not be sent", thrown);
            throw thrown;
        }
        call = started;
        end.onCancel(reason -> cut(started, "ended by the policy", reason));
        Status why = cancelled.get();
        if (why != null || closed.get()) {
            cut(started, why == null ? "ended by the policy" : why.getDescription(), null);
        }
        try {
            passing.run();
        } catch (Throwable thrown) { // what a stub did wrong while the call waited
            started.cancel("a request could not be sent", thrown);
        }
    }

    private void cut(ClientCall<Q, R> started, @Nullable String why, @Nullable Throwable cause) {
        started.cancel(why, cause);
        if (hasEnded) { // it has nothing that could say so any more
            endAsCut();
        }
    }

    /** The policy has ended: if nothing was sent, so does the call. */
    private void policyEnded(@Nullable Throwable error) {
        if (call != null) {
            return; // what the policy has ended is cancelled, and says so itself
        }
        Status why = cancelled.get();
        if (why == null) {
            why = error != null
                    ? GrpcUnaryCall.statusOf(Outcomes.unwrap(error))
                    : Status.UNAVAILABLE.withDescription(
                            guard.part + ": nothing was sent, and no policy can answer" + " a stream");
        }
        closeUnsent(why);
    }

    private void closeUnsent(Status status) {
        Listener<R> to = listener;
        if (to == null || !closed.compareAndSet(false, true)) {
            return;
        }
        context.removeListener(contextListener);
        waiting.clear();
        Runnable telling = () -> {
            Context before = context.attach();
            try {
                to.onClose(status, new Metadata());
            } catch (Throwable thrown) {
                SafeLog.warn(LOG, "{}: the listener of a call failed at its end", guard.part, thrown);
            } finally {
                context.detach(before);
            }
        };
        Executor executor = options.getExecutor();
        Throwable rejected = executor == null ? null : HandedTask.tryExecute(executor, telling, LOG, guard.part);
        if (executor == null || rejected != null) {
            guard.environment.handOver(telling);
        }
    }

    /**
     * A stream has ended for the transport. One that was cut off here is over, also if the executor of the call runs no
     * more, as that of a blocking stub whose iterator was dropped. After any other the channel may make another one, or
     * has: also if it was the channel that has cut it off.
     */
    private void streamClosed(Status status, boolean answered) {
        hasEnded = true;
        if (isCut()) {
            endAsCut();
        } else if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && !answered) {
            end.completeExceptionally(
                    new GrpcAttemptException(status, null, new GrpcAttemptException.Knowledge(false, false, true)));
        }
    }

    private boolean isCut() {
        return end.cancelReason() != null || cancelled.get() != null;
    }

    private void endAsCut() {
        end.completeExceptionally(new CancellationException("the stream was cancelled"));
    }

    private void pass() {
        ClientCall<Q, R> to = call;
        Throwable failure = null;
        Consumer<ClientCall<Q, R>> action = to == null ? null : waiting.poll();
        while (to != null && action != null) {
            try {
                action.accept(to);
            } catch (RuntimeException | Error thrown) {
                failure = thrown;
            }
            action = waiting.poll();
        }
        if (failure != null) {
            throw Unchecked.<RuntimeException>asDeclared(failure);
        }
    }

    private void later(Consumer<ClientCall<Q, R>> action) {
        require(listener != null, "the call was not started");
        if (!closed.get()) {
            waiting.add(action);
            passing.run();
        }
    }

    @Override
    public void request(int numMessages) {
        if (numMessages < 0) {
            throw new IllegalArgumentException("numMessages must be at least 0, but was " + numMessages);
        }
        later(to -> to.request(numMessages));
    }

    @Override
    public void sendMessage(Q message) {
        later(to -> to.sendMessage(message));
    }

    @Override
    public void halfClose() {
        later(ClientCall::halfClose);
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        later(to -> to.setMessageCompression(enabled));
    }

    @Override
    public boolean isReady() {
        ClientCall<Q, R> to = call;
        return to != null && waiting.isEmpty() && to.isReady();
    }

    @Override
    public Attributes getAttributes() {
        ClientCall<Q, R> to = call;
        return to == null ? Attributes.EMPTY : to.getAttributes();
    }

    @Override
    public void cancel(@Nullable String why, @Nullable Throwable cause) {
        Status status = Status.CANCELLED.withDescription(why == null ? "Call cancelled without message" : why);
        cancelAs(cause == null ? status : status.withCause(cause), why, cause);
    }

    private void cancelAs(Status status, @Nullable String why, @Nullable Throwable cause) {
        cancelled.compareAndSet(null, status);
        ClientCall<Q, R> to = call;
        if (to != null) {
            cut(to, why == null ? status.getDescription() : why, cause);
            return;
        }
        CompletableFuture<@Nullable Object> future = admitted;
        if (future != null) {
            future.cancel(true); // leaves the queue of the policy
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalStateException(message);
        }
    }

    private final class StreamArrivals extends ClientCall.Listener<R> {
        private final AttemptTrace trace;

        StreamArrivals(AttemptTrace trace) {
            this.trace = trace;
        }

        @Override
        public void onHeaders(Metadata arrived) {
            tell(to -> to.onHeaders(arrived));
        }

        @Override
        public void onMessage(R message) {
            tell(to -> to.onMessage(message));
        }

        @Override
        public void onReady() {
            tell(Listener::onReady);
        }

        private void tell(Consumer<Listener<R>> event) {
            Listener<R> to = listener;
            if (to != null && !closed.get()) {
                event.accept(to);
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            context.removeListener(contextListener);
            Throwable ended = end.cancelReason();
            boolean cut = status.getCode() == Status.Code.CANCELLED && isCut();
            if (status.isOk()) {
                end.complete(status);
            } else if (cut) {
                endAsCut();
            } else { // nothing is sent again, so it counts as committed
                end.completeExceptionally(trace.failure(status, trailers, true));
            }
            Listener<R> to = listener;
            if (to != null && closed.compareAndSet(false, true)) {
                boolean byPolicy = cut && cancelled.get() == null;
                to.onClose(byPolicy && ended != null ? GrpcUnaryCall.statusOf(ended) : status, trailers);
            }
        }
    }
}
