package dev.levee.http;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.SSLSession;

/** Answers at once, on the thread of the caller, and counts nothing but that. */
final class CannedClient extends ForwardingClient {
    private static final byte[] BODY = "answer".getBytes(StandardCharsets.UTF_8);

    /** Gets each request. */
    volatile Consumer<HttpRequest> onRequest = request -> {};

    /** The status of all answers. */
    volatile int status = 200;

    /** How many bodies were read to their end. */
    final AtomicInteger bodiesRead = new AtomicInteger();

    CannedClient() {
        super(HttpClient.newHttpClient());
    }

    private record Info(int statusCode, HttpHeaders headers) implements ResponseInfo {
        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }

    private static final HttpHeaders NO_HEADERS = HttpHeaders.of(Map.of(), (name, value) -> true);

    private record Answer<T>(HttpRequest request, int statusCode, T body) implements HttpResponse<T> {
        @Override
        public Optional<HttpResponse<T>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public HttpHeaders headers() {
            return NO_HEADERS;
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return Optional.empty();
        }

        @Override
        public URI uri() {
            return request.uri();
        }

        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }

    /** Gives the body when it is asked for. */
    private final class Connection implements Flow.Subscription {
        private final BodySubscriber<?> reader;
        private boolean given;

        Connection(BodySubscriber<?> reader) {
            this.reader = reader;
        }

        @Override
        public void request(long n) {
            if (!given) {
                given = true;
                reader.onNext(List.of(ByteBuffer.wrap(BODY)));
                reader.onComplete();
                bodiesRead.incrementAndGet();
            }
        }

        @Override
        public void cancel() {
            given = true;
        }
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        onRequest.accept(request);
        BodySubscriber<T> body = handler.apply(new Info(status, NO_HEADERS));
        body.onSubscribe(new Connection(body));
        return new Answer<>(
                request, status, body.getBody().toCompletableFuture().join());
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        onRequest.accept(request);
        BodySubscriber<T> body = handler.apply(new Info(status, NO_HEADERS));
        body.onSubscribe(new Connection(body));
        return body.getBody().toCompletableFuture().thenApply(value -> new Answer<>(request, status, value));
    }
}
