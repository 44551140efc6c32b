package dev.levee.http;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/** A response of which the body may still be under way. */
final class JdkResponse<T> implements HttpResponse<T>, HttpResponse.ResponseInfo {
    final HttpResponse<Flow.Publisher<List<ByteBuffer>>> received;
    final JdkCall<T> call;
    /** What the caller's body handler failed with, which says nothing about the endpoint. */
    final @Nullable Throwable failure;

    private final @Nullable T body;

    private JdkResponse(
            HttpResponse<Flow.Publisher<List<ByteBuffer>>> received,
            JdkCall<T> call,
            @Nullable T body,
            @Nullable Throwable failure) {
        this.received = received;
        this.call = call;
        this.body = body;
        this.failure = failure;
    }

    static <T> JdkResponse<T> headers(HttpResponse<Flow.Publisher<List<ByteBuffer>>> received, JdkCall<T> call) {
        return new JdkResponse<>(received, call, null, null);
    }

    JdkResponse<T> with(@Nullable T value) {
        return new JdkResponse<>(received, call, value, null);
    }

    JdkResponse<T> failed(Throwable thrown) {
        return new JdkResponse<>(received, call, null, thrown);
    }

    @Override
    public int statusCode() {
        return received.statusCode();
    }

    @Override
    public HttpRequest request() {
        return received.request();
    }

    @Override
    public Optional<HttpResponse<T>> previousResponse() {
        return received.previousResponse().map(previous -> new JdkResponse<>(previous, call, null, null));
    }

    @Override
    public HttpHeaders headers() {
        return received.headers();
    }

    @Override
    @SuppressWarnings("NullAway") // a body handler may give null, and the JDK's interface does not say so
    public T body() {
        return body;
    }

    @Override
    public Optional<SSLSession> sslSession() {
        return received.sslSession();
    }

    @Override
    public URI uri() {
        return received.uri();
    }

    @Override
    public HttpClient.Version version() {
        return received.version();
    }

    @Override
    public String toString() {
        return "(" + request().method() + " " + uri() + ") " + statusCode();
    }
}
