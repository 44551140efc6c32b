package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

/** A body between the headers and its end, while the call around it is cut short. */
class AttemptBodyTest {
    private static final long IDLE_NANOS = 10_000_000_000L;
    private static final HttpRequest REQUEST =
            HttpRequest.newBuilder(URI.create("http://catalog/")).build();

    private final ManualTime time = new ManualTime();
    private final List<String> upstream = new ArrayList<>();

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

        BodySubscriber<Object> body = attempt.apply(new PlainInfo(200));
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

        attempt.apply(new PlainInfo(500)).onSubscribe(new Connection());
        time.runReady();

        assertThat(upstream).contains("cancel");
    }

    @Test
    void silence_ends_the_call_whatever_its_reader_does() {
        AttemptBody<String> attempt = bodyOf(info -> new Deaf());
        BodySubscriber<Object> body = attempt.apply(new PlainInfo(200));
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
        BodySubscriber<Object> body = attempt.apply(new PlainInfo(200));
        body.onSubscribe(new Connection());
        body.onComplete();

        assertThat(body.getBody().toCompletableFuture()).isDone();
    }
}
