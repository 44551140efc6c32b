package dev.levee.http;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * A request at one endpoint, up to its headers. The balancer counts it as in flight until the body has ended: that is a
 * future of its own, of which this is the first part.
 */
final class RequestExchange<A, Q, R> extends CallFuture<Reply<R>> {
    /**
     * The exchange that begins on this thread. The function that a balancer gets once for a call does not know for
     * which attempt it is called.
     */
    private static final ThreadLocal<RequestExchange<?, ?, ?>> BEGINNING = new ThreadLocal<>();

    private final UpstreamCall<A, Q, R> call;
    private volatile boolean heard;

    RequestExchange(UpstreamCall<A, Q, R> call) {
        this.call = call;
    }

    CompletableFuture<Reply<R>> begin() {
        StackRoom.require(); // nothing is left behind on this thread
        RequestExchange<?, ?, ?> before = BEGINNING.get();
        BEGINNING.set(this);
        CompletableFuture<R> whole;
        try {
            whole = call.nextEndpoint.get();
        } finally {
            if (before == null) {
                BEGINNING.remove();
            } else {
                BEGINNING.set(before);
            }
        }
        passCancelTo(whole);
        whole.whenComplete((response, error) -> {
            if (error != null) {
                completeExceptionally(Outcomes.unwrap(error));
            } else if (!heard) { // a policy per endpoint has answered by itself
                complete(Reply.received(response));
            }
        });
        return this;
    }

    @SuppressWarnings("unchecked") // the exchange and the function belong to one call
    static <A, R> CompletableFuture<R> toAddress(A address) {
        return ((RequestExchange<A, ?, R>) Require.nonNull("exchange", BEGINNING.get())).to(address);
    }

    private CompletableFuture<R> to(A address) {
        Function<? super A, ? extends Policy> policies = call.upstream.config.policyPerEndpoint();
        return policies == null
                ? send(address)
                : Require.nonNull("policy of an endpoint", policies.apply(address))
                        .callAsync(() -> send(address));
    }

    private CompletableFuture<R> send(A address) {
        boolean elsewhere = call.leavesOthers();
        CallFuture<R> whole = new CallFuture<>();
        CompletionStage<R> sent;
        try {
            sent = inContext(() -> call.upstream.transport.send(address, call.request));
        } catch (Throwable transport) {
            return CompletableFuture.failedFuture(transport);
        }
        whole.onCancel(reason -> Stages.cancel(sent, reason));
        sent.whenComplete((response, error) -> {
            if (error != null) {
                whole.completeExceptionally(Outcomes.unwrap(error));
            } else {
                headersOf(response, whole, elsewhere);
            }
        });
        return whole;
    }

    private CompletionStage<R> inContext(Operation<CompletionStage<R>, RuntimeException> operation) {
        long nanos = call.upstream.attemptNanos();
        return nanos >= Nanos.NEVER
                ? operation.run()
                : CallContext.current()
                        .withDeadline(Deadline.afterNanos(nanos, call.upstream.environment.clock()))
                        .call(operation);
    }

    private void headersOf(R response, CallFuture<R> whole, boolean elsewhere) {
        Reply<R> reply = new Reply<>(
                call.upstream.transport, response, whole, call.isFailure(response), elsewhere, call.isReplayable());
        heard = true;
        whole.onCancel(reply::cancel);
        call.opened(reply);
        if (reply.failed) {
            whole.complete(response);
        }
        if (!complete(reply)) {
            reply.discard();
        }
    }
}
