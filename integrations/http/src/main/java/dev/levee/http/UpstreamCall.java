package dev.levee.http;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.policy.Hedge;
import dev.levee.loadbalancing.BalancedCalls;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One call of an {@link Upstream}, with all its attempts. See ADR 51. */
final class UpstreamCall<A, Q, R> {
    final Upstream<A, Q, R> upstream;
    final Q request;
    /** Sends to another endpoint each time, on behalf of the exchange that begins on the thread. */
    final Supplier<CompletableFuture<R>> nextEndpoint;

    private final boolean replayable;
    private final @Nullable Hedge hedge;
    private final Queue<Reply<R>> open = new ConcurrentLinkedQueue<>();
    private final AtomicInteger sent = new AtomicInteger();
    private volatile boolean ended;
    /** Whether the caller has a response, and is to close it. */
    private volatile boolean handedOut;

    UpstreamCall(Upstream<A, Q, R> upstream, Q request) {
        this.upstream = upstream;
        this.request = request;
        this.replayable = upstream.isReplayable(request);
        this.hedge = upstream.mayHedge(request) ? upstream.hedge : null;
        Function<? super Q, ? extends @Nullable CharSequence> keys = upstream.config.key();
        CharSequence key = keys == null ? null : keys.apply(request);
        BalancedCalls<A> calls = key == null ? upstream.balancer : upstream.balancer.forKey(key);
        this.nextEndpoint = calls.operationAsync(RequestExchange::toAddress);
    }

    CompletableFuture<R> start() {
        CallFuture<R> answer = new CallFuture<>();
        CompletableFuture<R> held = upstream.outer.callAsync(
                () -> CancellableCompose.of(attempts(), response -> answerWith(response, answer)));
        answer.passCancelTo(held);
        held.whenComplete(answer::finish);
        answer.whenComplete((response, error) -> end(error == null));
        return answer;
    }

    /** Hands the response out, and holds the permits of limits as long as its body is read. */
    private CompletableFuture<R> answerWith(R response, CallFuture<R> answer) {
        CompletionStage<?> body = upstream.transport.bodyEnd(response);
        if (body == null) {
            return CompletableFuture.completedFuture(response);
        }
        CallFuture<R> end = new CallFuture<>();
        end.onCancel(reason -> Stages.cancel(body, reason));
        body.whenComplete((nothing, error) -> end.finish(response, error));
        if (!answer.complete(response)) { // it was cancelled in this moment
            Stages.cancel(body, new CancellationException("the call has ended"));
        }
        return end;
    }

    private CompletableFuture<R> attempts() {
        CompletableFuture<Reply<R>> last = upstream.retry == null ? attempt() : upstream.retry.callAsync(this::attempt);
        return CancellableCompose.of(last, Reply::whole); // the body of a failure that is final
    }

    private CompletableFuture<Reply<R>> attempt() {
        discardOpen(); // an attempt that is repeated
        CompletableFuture<Reply<R>> headers = hedge == null ? exchange() : hedge.callAsync(this::exchange);
        return CancellableCompose.of(
                headers, reply -> reply.failed ? CompletableFuture.completedFuture(reply) : reply.receive());
    }

    private CompletableFuture<Reply<R>> exchange() {
        return new RequestExchange<>(this).begin();
    }

    boolean isReplayable() {
        return replayable;
    }

    boolean isFailure(R response) {
        return Outcomes.judge(upstream.failures, response, null).isFailure();
    }

    /** Counts an exchange, and returns whether there are endpoints besides those that the call has been sent to. */
    boolean leavesOthers() {
        int exchanges = sent.incrementAndGet();
        return exchanges < upstream.balancer.usableEndpoints();
    }

    /** Makes sure that a reply is either received or discarded, also when the call has ended already. */
    void opened(Reply<R> reply) {
        open.add(reply);
        if (ended) {
            discardOpen();
        }
    }

    private void end(boolean withResponse) {
        handedOut = withResponse;
        ended = true;
        discardOpen();
    }

    private void discardOpen() {
        Reply<R> reply = open.poll();
        while (reply != null) {
            if (ended && !handedOut) {
                reply.abandon();
            } else {
                reply.discard();
            }
            reply = open.poll();
        }
    }
}
