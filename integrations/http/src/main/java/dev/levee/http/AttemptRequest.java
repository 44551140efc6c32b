package dev.levee.http;

import dev.levee.core.Deadline;
import dev.levee.core.consistency.Session;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * What is sent to one endpoint: the caller's request at the address of the endpoint, with the time that is left. A
 * builder of the JDK would copy and check everything that the request has, which the client does once more.
 */
final class AttemptRequest extends HttpRequest {
    private final JdkCall<?> call;
    private final URI uri;
    private final @Nullable Duration timeout;
    private final HttpHeaders headers;
    private final @Nullable BodyPublisher body;
    private final boolean named;

    /**
     * Makes a request.
     *
     * @param host the value of its Host header, or null for that of the address
     * @param timeout how long the client may take, or null if it need not watch the time
     * @param deadline written to the deadline header, or null for what the caller's request says there
     * @param session written to the session header, or null for what the caller's request says there
     */
    AttemptRequest(
            JdkCall<?> call,
            URI uri,
            @Nullable String host,
            @Nullable Duration timeout,
            @Nullable Deadline deadline,
            @Nullable Session session) {
        this.call = call;
        this.uri = uri;
        this.timeout = timeout;
        this.named = host != null;
        this.headers = headers(call.headers(), host, deadline, session);
        this.body = call.oneShot == null
                ? call.bodyPublisher().map(StartedBody::new).orElse(null)
                : call.oneShot;
    }

    private static HttpHeaders headers(
            HttpHeaders given, @Nullable String host, @Nullable Deadline deadline, @Nullable Session session) {
        if (host == null && deadline == null && session == null) {
            return given;
        }
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.putAll(given.map());
        if (host != null) {
            headers.put("Host", List.of(host));
        }
        if (deadline != null) {
            headers.put(Deadline.HEADER, List.of(deadline.toHeader()));
        }
        if (session != null) {
            headers.put(Session.HEADER, List.of(session.toHeader()));
        }
        return HttpHeaders.of(headers, (name, value) -> true);
    }

    /** The exception of an attempt whose headers have not come in time; tells whether it was surely not sent. */
    HttpTimeoutException timedOut() {
        return body != null && !expectContinue() && !isBegun(body) && hasContent(body)
                ? new HttpConnectTimeoutException("timed out before the request was sent")
                : new HttpTimeoutException("request timed out");
    }

    private static boolean hasContent(BodyPublisher body) {
        try {
            return body.contentLength() != 0;
        } catch (Throwable userCode) { // the attempt has timed out all the same
            return false;
        }
    }

    private static boolean isBegun(BodyPublisher body) {
        return body instanceof OneShotBody once ? once.begun() : ((StartedBody) body).begun;
    }

    @Override
    public Optional<BodyPublisher> bodyPublisher() {
        return Optional.ofNullable(body);
    }

    @Override
    public String method() {
        return call.method();
    }

    @Override
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    @Override
    public boolean expectContinue() {
        return call.expectContinue();
    }

    @Override
    public URI uri() {
        return uri;
    }

    /** HTTP/1.1 with a name: over HTTP/2 the JDK writes the address beside it, and servers refuse the two together. */
    @Override
    public Optional<HttpClient.Version> version() {
        return named ? Optional.of(HttpClient.Version.HTTP_1_1) : call.version();
    }

    @Override
    public HttpHeaders headers() {
        return headers;
    }

    @Override
    public String toString() {
        return uri + " " + method();
    }

    /** Knows whether it was subscribed to, which the client does once it has a connection. */
    private static final class StartedBody implements BodyPublisher {
        private final BodyPublisher publisher;
        private volatile boolean begun;

        StartedBody(BodyPublisher publisher) {
            this.publisher = publisher;
        }

        @Override
        public long contentLength() {
            return publisher.contentLength();
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
            begun = true;
            publisher.subscribe(subscriber);
        }
    }
}
