package dev.levee.http;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call of a {@link BalancedHttpClient} that blocks its caller, without a hedge: every attempt is a {@code send} of
 * the client inside, on the thread of the caller. It does what {@link UpstreamCall} does with futures. See ADR 58.
 */
final class BlockingCall<T> {
    private final Upstream<URI, HttpRequest, HttpResponse<?>> upstream;
    private final JdkTransport transport;
    private final JdkCall<T> call;
    private final Operation<HttpResponse<?>, Exception> nextEndpoint;
    private int sent;
    /** Whether the last attempt left endpoints that the call has not been sent to. */
    private boolean elsewhere;
    /** A response that is a failure by its status, as long as its body is neither received nor discarded. */
    private @Nullable HttpResponse<?> open;

    BlockingCall(Upstream<URI, HttpRequest, HttpResponse<?>> upstream, JdkTransport transport, JdkCall<T> call) {
        this.upstream = upstream;
        this.transport = transport;
        this.call = call;
        Function<? super HttpRequest, ? extends @Nullable CharSequence> keys = upstream.config.key();
        CharSequence key = keys == null ? null : keys.apply(call);
        this.nextEndpoint = key == null
                ? upstream.balancer.operation(this::exchange)
                : upstream.balancer.forKey(key).operation(this::exchange);
    }

    HttpResponse<?> send() throws IOException, InterruptedException {
        try {
            return upstream.outer.callInterruptibly(this::attempts);
        } finally {
            discardOpen();
        }
    }

    private HttpResponse<?> attempts() throws IOException, InterruptedException {
        HttpResponse<?> last =
                upstream.retry == null ? attempt().response : upstream.retry.callInterruptibly(this::attempt).response;
        if (last != open) {
            return last;
        }
        open = null;
        return transport.receiveNow(last); // the body of a failure that is final
    }

    private Reply<HttpResponse<?>> attempt() throws IOException, InterruptedException {
        discardOpen(); // of an attempt that is repeated
        HttpResponse<?> response;
        try {
            response = nextEndpoint.run();
        } catch (IOException | InterruptedException | RuntimeException thrown) {
            throw thrown;
        } catch (Exception undeclared) { // by a policy of an endpoint
            throw new IOException(undeclared.getMessage(), undeclared);
        }
        return Reply.ended(transport, response, elsewhere, upstream.isReplayable(call));
    }

    private HttpResponse<?> exchange(URI address) throws IOException, InterruptedException {
        Function<? super URI, ? extends Policy> policies = upstream.config.policyPerEndpoint();
        return policies == null
                ? sendTo(address)
                : Require.nonNull("policy of an endpoint", policies.apply(address))
                        .<HttpResponse<?>, IOException>callInterruptibly(() -> sendTo(address));
    }

    private HttpResponse<?> sendTo(URI address) throws IOException, InterruptedException {
        sent++;
        elsewhere = sent < upstream.balancer.usableEndpoints();
        long nanos = upstream.attemptNanos();
        if (nanos >= Nanos.NEVER) {
            return sendNow(address);
        }
        CallContext context =
                CallContext.current().withDeadline(Deadline.afterNanos(nanos, upstream.environment.clock()));
        try {
            return context.<HttpResponse<?>, Exception>call(() -> sendNow(address));
        } catch (IOException | InterruptedException | RuntimeException thrown) {
            throw thrown;
        } catch (Exception impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private HttpResponse<?> sendNow(URI address) throws IOException, InterruptedException {
        AttemptBody<T> body = transport.bodyOf(call, this::isFailure);
        HttpResponse<?> response = transport.sendNow(address, call, body);
        if (body.isFailed()) {
            open = response;
        }
        return response;
    }

    private boolean isFailure(HttpResponse<?> response) {
        return Outcomes.judge(upstream.failures, response, null).isFailure();
    }

    private void discardOpen() {
        HttpResponse<?> response = open;
        if (response != null) {
            open = null;
            transport.discard(response);
        }
    }
}
