package dev.levee.http;

import java.lang.reflect.Method;
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
    private static final @Nullable Method CONNECTION_LABEL = connectionLabelOfTheJdk();

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

    /**
     * Which connection it came by. Overrides a method that {@code HttpResponse} has from JDK 25 on, whose default knows
     * none.
     *
     * @return what the response of the client inside says; empty before JDK 25
     */
    @SuppressWarnings({"unchecked", "EffectivelyPrivate"})
    public Optional<String> connectionLabel() {
        if (CONNECTION_LABEL == null) {
            return Optional.empty();
        }
        try {
            return (Optional<String>) CONNECTION_LABEL.invoke(received);
        } catch (ReflectiveOperationException impossible) { // it is public, and throws nothing that is checked
            throw new IllegalStateException(impossible);
        }
    }

    private static @Nullable Method connectionLabelOfTheJdk() {
        try {
            return HttpResponse.class.getMethod("connectionLabel");
        } catch (NoSuchMethodException before25) {
            return null;
        }
    }

    @Override
    public String toString() {
        return "(" + request().method() + " " + uri() + ") " + statusCode();
    }
}
