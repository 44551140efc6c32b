package dev.levee.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CharsetEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.Test;

/** A body between the headers and its end, while the call around it is cut short. */
class AttemptBodyTest {
    private static final long IDLE_NANOS = 10_000_000_000L;
    private static final HttpRequest REQUEST =
            HttpRequest.newBuilder(URI.create("http://catalog/")).build();

    private final ManualTime time = new ManualTime();
    private final List<String> upstream = new ArrayList<>();

    private record Info(int statusCode) implements ResponseInfo {
        @Override
        public HttpHeaders headers() {
            return HttpHeaders.of(Map.of(), (name, value) -> true);
        }

        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }

    private final class Connection implements Flow.Subscription {
        @Override
        public void request(long n) {
            upstream.add("request");
        }

        @Override
        public void cancel() {
            upstream.add("cancel");
        }
    }

    /** A reader that does nothing at all. */
    private static final class Deaf implements BodySubscriber<String> {
        @Override
        public CompletionStage<String> getBody() {
            return new CompletableFuture<>();
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(1);
        }

        @Override
        public void onNext(List<ByteBuffer> item) {}

        @Override
        public void onError(Throwable thrown) {}

        @Override
        public void onComplete() {}
    }

    private <T> AttemptBody<T> bodyOf(BodyHandler<T> handler) {
        return new AttemptBody<>(
                new JdkCall<>(REQUEST, handler, null, true),
                response -> response.statusCode() >= 500,
                IDLE_NANOS,
                time.environment());
    }

    @Test
    void a_response_whose_headers_come_after_the_attempt_was_dropped_is_ended_at_once() {
        AttemptBody<String> attempt = bodyOf(BodyHandlers.ofString());
        InterruptedException interrupt = new InterruptedException();
        attempt.drop(interrupt);

        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        time.runReady();

        assertThat(upstream).containsExactly("cancel");
        assertThat(body.getBody().toCompletableFuture())
                .isCompletedExceptionally()
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isSameAs(interrupt);
    }

    @Test
    void a_failure_whose_headers_come_after_the_attempt_was_dropped_is_ended_at_once() {
        AttemptBody<String> attempt = bodyOf(BodyHandlers.ofString());
        attempt.drop(new InterruptedException());

        attempt.apply(new Info(500)).onSubscribe(new Connection());
        time.runReady();

        assertThat(upstream).contains("cancel");
    }

    @Test
    void silence_ends_the_call_whatever_its_reader_does() {
        AttemptBody<String> attempt = bodyOf(info -> new Deaf());
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        time.advance(Duration.ofNanos(IDLE_NANOS));

        assertThat(upstream).endsWith("cancel");
        assertThat(body.getBody().toCompletableFuture())
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void a_reader_that_throws_at_the_end_of_the_body_ends_the_call() {
        AttemptBody<String> attempt = bodyOf(info -> BodySubscribers.fromSubscriber(
                new Flow.Subscriber<List<ByteBuffer>>() {
                    @Override
                    public void onSubscribe(Flow.Subscription subscription) {
                        subscription.request(1);
                    }

                    @Override
                    public void onNext(List<ByteBuffer> item) {}

                    @Override
                    public void onError(Throwable thrown) {}

                    @Override
                    public void onComplete() {
                        throw new IllegalStateException("mine");
                    }
                },
                ignored -> "text"));
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        body.onComplete();

        assertThat(body.getBody().toCompletableFuture()).isDone();
    }

    @Test
    void text_is_there_when_its_body_ends() {
        AttemptBody<String> attempt = bodyOf(BodyHandlers.ofString());
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        body.onNext(List.of(ByteBuffer.wrap("te".getBytes(UTF_8)), ByteBuffer.wrap("xt".getBytes(UTF_8))));
        assertThat(body.getBody().toCompletableFuture()).isNotDone();
        body.onComplete();

        assertThat(body.getBody().toCompletableFuture()).isCompletedWithValue("text");
    }

    @Test
    void silence_ends_a_body_of_text() {
        AttemptBody<String> attempt = bodyOf(BodyHandlers.ofString());
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        time.advance(Duration.ofNanos(2 * IDLE_NANOS));

        assertThat(upstream).endsWith("cancel");
        assertThat(body.getBody().toCompletableFuture())
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void text_that_breaks_off_fails_with_what_broke_it() {
        AttemptBody<String> attempt = bodyOf(BodyHandlers.ofString());
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        IOException reset = new IOException("reset");
        body.onError(reset);

        assertThat(body.getBody().toCompletableFuture())
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isSameAs(reset);
    }

    @Test
    void a_reader_of_text_that_throws_fails_the_call_and_not_the_exchange() {
        // its finisher runs at the end, in the JDK's own class
        AttemptBody<String> attempt = bodyOf(info -> BodySubscribers.ofString(new BrokenCharset()));
        BodySubscriber<Object> body = attempt.apply(new Info(200));
        body.onSubscribe(new Connection());
        body.onNext(List.of(ByteBuffer.wrap(new byte[] {1})));
        body.onComplete();

        assertThat(body.getBody().toCompletableFuture()).isCompletedWithValue(null);
        HttpResponse<?> received = new Received(new Info(200));
        assertThat(attempt.response(received).failure).hasMessage("broken");
    }

    private static final class BrokenCharset extends Charset {
        BrokenCharset() {
            super("x-broken", new String[0]);
        }

        @Override
        public boolean contains(Charset other) {
            return false;
        }

        @Override
        public CharsetDecoder newDecoder() {
            throw new IllegalStateException("broken");
        }

        @Override
        public CharsetEncoder newEncoder() {
            throw new IllegalStateException("broken");
        }
    }

    private record Received(ResponseInfo info) implements HttpResponse<Object> {
        @Override
        public int statusCode() {
            return info.statusCode();
        }

        @Override
        public HttpRequest request() {
            return REQUEST;
        }

        @Override
        public Optional<HttpResponse<Object>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public HttpHeaders headers() {
            return info.headers();
        }

        @Override
        public Object body() {
            return "";
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return Optional.empty();
        }

        @Override
        public URI uri() {
            return REQUEST.uri();
        }

        @Override
        public HttpClient.Version version() {
            return info.version();
        }
    }
}
