package dev.levee.http;

import dev.levee.core.internal.Require;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request together with what is to be done with the response; user code sees the request. */
final class JdkCall<T> extends HttpRequest {
    final HttpRequest request;
    final BodyHandler<T> handler;
    final @Nullable PushPromiseHandler<T> pushes;
    /** The body of one that cannot be replayed, which knows whether it was requested. */
    final @Nullable OneShotBody oneShot;

    JdkCall(HttpRequest request, BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushes, boolean replayable) {
        this.request = Require.nonNull("request", request);
        this.handler = Require.nonNull("responseBodyHandler", handler);
        this.pushes = pushes;
        this.oneShot = request.bodyPublisher()
                .filter(it -> !replayable && !ReplayableBodies.contains(it))
                .map(OneShotBody::new)
                .orElse(null);
    }

    @Override
    public Optional<BodyPublisher> bodyPublisher() {
        return request.bodyPublisher();
    }

    @Override
    public String method() {
        return request.method();
    }

    @Override
    public Optional<Duration> timeout() {
        return request.timeout();
    }

    @Override
    public boolean expectContinue() {
        return request.expectContinue();
    }

    @Override
    public URI uri() {
        return request.uri();
    }

    @Override
    public Optional<HttpClient.Version> version() {
        return request.version();
    }

    @Override
    public HttpHeaders headers() {
        return request.headers();
    }

    @Override
    public String toString() {
        return request.toString();
    }
}
