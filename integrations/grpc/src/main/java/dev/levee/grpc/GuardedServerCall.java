package dev.levee.grpc;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import dev.levee.grpc.GrpcAttemptException.Knowledge;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call that a server guard admits, perhaps later: the listener that gRPC gets, and the end that the policy waits for.
 *
 * <p>Events that come before the handler has begun wait in a queue, and reach it in their order, one at a time. As soon
 * as the queue is empty, {@link #handler} is set and events go straight to it. No user code runs under {@link #lock}.
 */
final class GuardedServerCall<Q, R> extends ServerCall.Listener<Q> {
    private final GrpcServerGuard guard;
    private final ServerCall<Q, R> call;
    private final Metadata headers;
    private final ServerCallHandler<Q, R> next;
    private final Context grpcContext = Context.current();
    private final CallFuture<@Nullable Object> end = new CallFuture<>();
    private final Object lock = new Object();

    /** Guarded by {@link #lock}. */
    private final Queue<Action<RuntimeException>> waiting = new ArrayDeque<>();

    /** Whether the policy has run the operation; guarded by {@link #lock}. */
    private boolean begun;

    private volatile boolean cancelled;
    private volatile ServerCall.@Nullable Listener<Q> handler;
    private volatile @Nullable CompletableFuture<?> admitted;
    private volatile @Nullable Status closedWith;

    /** The handler that queued events go to; only of the thread in {@link #install}. */
    private ServerCall.@Nullable Listener<Q> current;

    /** What the start of the handler threw; it belongs to the thread of {@link #begin} if it ran there. */
    private volatile @Nullable Throwable startFailure;

    /** What the handler threw at an event. */
    private volatile @Nullable Throwable handlerFailure;

    /** Written before the handler begins. */
    private volatile CallContext context = CallContext.current();

    GuardedServerCall(GrpcServerGuard guard, ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        this.guard = guard;
        this.call = call;
        this.headers = headers;
        this.next = next;
    }

    ServerCall.Listener<Q> begin(CallContext of, @Nullable Policy policy) {
        context = of;
        if (policy == null) {
            of.run(this::startHandler);
            return this;
        }
        CompletableFuture<@Nullable Object> future =
                of.<CompletableFuture<@Nullable Object>, RuntimeException>call(() -> policy.callAsync(this::operation));
        admitted = future;
        Throwable thrown = startFailure;
        if (thrown != null) {
            throw Unchecked.<RuntimeException>asDeclared(thrown); // to the server, as without a guard
        }
        future.whenComplete((nothing, error) -> ended(error));
        return this;
    }

    private CompletionStage<@Nullable Object> operation() {
        synchronized (lock) {
            if (begun) {
                throw new IllegalStateException("a call of a server cannot be repeated: leave retries and hedges out");
            }
            begun = true;
        }
        if (cancelled) {
            end.completeExceptionally(new CancellationException("cancelled by the client"));
            return end;
        }
        context = CallContext.current();
        try {
            startHandler();
        } catch (Throwable thrown) {
            startFailure = thrown;
            throw thrown;
        }
        return end;
    }

    private void startHandler() {
        Context before = grpcContext.attach();
        try {
            install(next.startCall(new ClosingCall(call), headers));
        } finally {
            grpcContext.detach(before);
        }
    }

    /**
     * Hands the events that have waited to the handler, and lets later ones go straight to it: also if it throws, since
     * the end of the call is one of them.
     */
    private void install(ServerCall.Listener<Q> started) {
        Throwable failure = null;
        while (true) {
            Action<RuntimeException> event;
            synchronized (lock) {
                event = waiting.poll();
                if (event == null) {
                    handler = started;
                    break;
                }
            }
            current = started;
            try {
                event.run();
            } catch (Throwable thrown) {
                failure = failure == null ? thrown : failure;
            }
        }
        if (failure != null) {
            throw Unchecked.<RuntimeException>asDeclared(failure);
        }
    }

    /** The policy has ended, or has not admitted the call. */
    private void ended(@Nullable Throwable error) {
        boolean ran;
        synchronized (lock) {
            ran = begun;
        }
        if (error == null || cancelled) {
            return;
        }
        if (!ran) {
            guard.refuse(call, Outcomes.unwrap(error));
        } else if (startFailure != null) {
            guard.logFailure(startFailure);
            call.close(Status.UNKNOWN.withDescription("the handler could not begin"), new Metadata());
        }
    }

    private void event(Action<RuntimeException> event) {
        if (handler == null) {
            synchronized (lock) {
                if (handler == null) {
                    waiting.add(event);
                    return;
                }
            }
        }
        event.run();
    }

    private void inContext(Consumer<ServerCall.Listener<Q>> event) {
        event(() -> {
            ServerCall.Listener<Q> to = handler == null ? current : handler;
            if (to == null) {
                return;
            }
            try {
                context.run(() -> event.accept(to));
            } catch (Throwable thrown) { // the server closes the call itself, and not through this
                if (!call.isCancelled()) {
                    handlerFailure = thrown;
                }
                throw thrown;
            }
        });
    }

    @Override
    public void onMessage(Q message) {
        inContext(to -> to.onMessage(message));
    }

    @Override
    public void onHalfClose() {
        inContext(ServerCall.Listener::onHalfClose);
    }

    @Override
    public void onReady() {
        inContext(ServerCall.Listener::onReady);
    }

    @Override
    public void onCancel() {
        cancelled = true;
        CompletableFuture<?> future = admitted;
        boolean ran;
        synchronized (lock) {
            ran = begun;
        }
        if (!ran && future != null) {
            future.cancel(true); // leaves the queue of the policy
        }
        inContext(to -> {
            try {
                to.onCancel();
            } finally {
                end();
            }
        });
    }

    @Override
    public void onComplete() {
        inContext(to -> {
            try {
                to.onComplete();
            } finally {
                end();
            }
        });
    }

    /** The call has ended for the policy, however it did; later ends have no effect. */
    private void end() {
        Status status = closedWith;
        Throwable thrown = handlerFailure;
        if (status == null && thrown != null) {
            status = Status.fromThrowable(thrown);
        }
        if (status == null) {
            end.completeExceptionally(new CancellationException("cancelled by the client"));
        } else if (status.isOk()) {
            end.complete(null);
        } else {
            end.completeExceptionally(new GrpcAttemptException(status, null, new Knowledge(false, true, false)));
        }
    }

    /** Notes the status that the handler answers with. */
    private final class ClosingCall extends SimpleForwardingServerCall<Q, R> {
        ClosingCall(ServerCall<Q, R> call) {
            super(call);
        }

        @Override
        public void close(Status status, Metadata trailers) {
            closedWith = status;
            super.close(status, trailers);
        }
    }
}
