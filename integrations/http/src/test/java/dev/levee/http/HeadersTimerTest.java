package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.internal.CallState;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.KeepingScheduler;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The time of a blocking attempt, which is a timer of the environment. */
@Timeout(60)
class HeadersTimerTest {
    private static final Duration ATTEMPT = Duration.ofSeconds(3);
    private static final HttpRequest GET =
            HttpRequest.newBuilder(URI.create("http://catalog/")).build();
    private static final HttpRequest POST = HttpRequest.newBuilder(URI.create("http://catalog/"))
            .POST(BodyPublishers.ofString("payment"))
            .build();

    private final ManualTime time = new ManualTime();
    private Environment environment = time.environment();
    private final CannedClient inside = new CannedClient();
    private final List<HttpRequest> attempts = new ArrayList<>();

    private BalancedHttpClient client(HttpClient inner) {
        return BalancedHttpClient.builder(inner)
                .host(
                        "catalog",
                        EndpointSource.ofAddresses(List.of(URI.create("http://one"), URI.create("http://two"))),
                        config -> config.attemptTimeout(ATTEMPT)
                                .retry(retry -> retry.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO))))
                .environment(environment)
                .build();
    }

    /** Sends on a thread of the test; the first attempt does what is given, the next one is answered. */
    private CompletableFuture<HttpResponse<String>> send(HttpRequest request, First first) {
        HttpClient inner = new ForwardingClient(inside) {
            @Override
            public <T> HttpResponse<T> send(HttpRequest attempt, BodyHandler<T> handler)
                    throws IOException, InterruptedException {
                attempts.add(attempt);
                if (attempts.size() == 1) {
                    first.send(attempt, handler);
                }
                return inside.send(attempt, handler);
            }
        };
        CompletableFuture<HttpResponse<String>> answer = new CompletableFuture<>();
        BalancedHttpClient client = client(inner);
        time.start(() -> {
            try {
                HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                answer.complete(response);
            } catch (Throwable thrown) {
                answer.completeExceptionally(thrown);
            }
        });
        return answer;
    }

    private interface First {
        void send(HttpRequest attempt, BodyHandler<?> handler) throws IOException, InterruptedException;
    }

    private void sleep() throws InterruptedException {
        environment.scheduler().sleep(Duration.ofDays(1).toNanos());
    }

    private static Throwable failure(CompletableFuture<?> answer) {
        try {
            throw new AssertionError("no failure, but " + answer.get());
        } catch (InterruptedException interrupt) {
            throw new AssertionError(interrupt);
        } catch (ExecutionException failed) {
            return failed.getCause();
        }
    }

    @Test
    void the_client_inside_has_no_time_to_watch() throws Exception {
        assertThat(send(GET, (attempt, handler) -> {}).get().statusCode()).isEqualTo(200);
        assertThat(attempts)
                .singleElement()
                .satisfies(it -> assertThat(it.timeout()).isEmpty());
    }

    @Test
    void an_attempt_without_headers_ends_and_the_next_one_begins() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = send(GET, (attempt, handler) -> sleep());
        time.awaitSleepers(1);
        time.advance(ATTEMPT.minusNanos(1));
        assertThat(attempts).hasSize(1);
        time.advance(Duration.ofNanos(1));

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(attempts).hasSize(2);
    }

    @Test
    void headers_end_the_time() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = send(GET, (attempt, handler) -> {
            handler.apply(new PlainInfo(200));
            environment.scheduler().sleep(ATTEMPT.multipliedBy(3).toNanos());
        });
        time.awaitSleepers(1);
        time.advance(ATTEMPT.multipliedBy(3));

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(attempts).hasSize(1);
    }

    @Test
    void a_payment_that_was_not_begun_is_sent_elsewhere() throws Exception {
        CompletableFuture<HttpResponse<String>> answer = send(POST, (attempt, handler) -> sleep());
        time.awaitSleepers(1);
        time.advance(ATTEMPT);

        assertThat(answer.get().statusCode()).isEqualTo(200);
        assertThat(attempts).hasSize(2);
    }

    @Test
    void a_payment_that_was_begun_is_not_repeated() {
        CompletableFuture<HttpResponse<String>> answer = send(POST, (attempt, handler) -> {
            attempt.bodyPublisher().orElseThrow().subscribe(new NoReader());
            sleep();
        });
        time.awaitSleepers(1);
        time.advance(ATTEMPT);

        assertThat(failure(answer))
                .isInstanceOf(HttpTimeoutException.class)
                .isNotInstanceOf(HttpConnectTimeoutException.class);
        assertThat(attempts).hasSize(1);
    }

    @Test
    void a_post_that_expects_to_be_told_to_continue_may_have_been_seen() {
        HttpRequest request = HttpRequest.newBuilder(POST.uri())
                .expectContinue(true)
                .POST(BodyPublishers.ofString("payment"))
                .build();
        CompletableFuture<HttpResponse<String>> answer = send(request, (attempt, handler) -> sleep());
        time.awaitSleepers(1);
        time.advance(ATTEMPT);

        assertThat(failure(answer)).isNotInstanceOf(HttpConnectTimeoutException.class);
        assertThat(attempts).hasSize(1);
    }

    @Test
    void an_interrupt_from_outside_stays_one() {
        CompletableFuture<HttpResponse<String>> answer = send(GET, (attempt, handler) -> {
            Thread.currentThread().interrupt();
            sleep();
        });

        assertThat(failure(answer)).isInstanceOf(InterruptedException.class);
        assertThat(attempts).hasSize(1);
    }

    @Test
    void nothing_of_the_attempt_stays_with_the_thread() throws Exception {
        inside.onRequest = request -> assertThat(CallState.current().alarm()).isNotNull();
        try (BalancedHttpClient client = client(inside)) {
            client.send(GET, BodyHandlers.ofString());
            int timers = time.pendingTimers();
            assertThat(CallState.current().alarm()).isNull();
            inside.onRequest = request -> {
                throw new StackOverflowError("planted");
            };
            assertThatThrownBy(() -> client.send(GET, BodyHandlers.ofString())).isInstanceOf(StackOverflowError.class);
            assertThat(CallState.current().alarm()).isNull();
            assertThat(time.pendingTimers()).isEqualTo(timers);
        }
    }

    @Test
    void a_body_whose_length_throws_when_the_time_is_up_changes_nothing() {
        AtomicReference<BodySubscriber<?>> late = new AtomicReference<>();
        UnknownLength body = new UnknownLength();
        HttpRequest request = HttpRequest.newBuilder(POST.uri()).POST(body).build();
        CompletableFuture<HttpResponse<String>> answer = send(request, (attempt, handler) -> {
            body.isBroken = true;
            try {
                sleep();
            } finally {
                late.set(handler.apply(new PlainInfo(200)));
            }
        });
        time.awaitSleepers(1);
        time.advance(ATTEMPT);

        assertThat(failure(answer)).isExactlyInstanceOf(HttpTimeoutException.class);
        assertThat(attempts).hasSize(1);
        assertThat(late.get().getBody()).isCompletedExceptionally();
    }

    /** A body that does not know its length any more. */
    private static final class UnknownLength implements BodyPublisher {
        private volatile boolean isBroken;

        @Override
        public long contentLength() {
            if (isBroken) {
                throw new IllegalStateException("planted");
            }
            return 1;
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {}
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_scheduler_that_throws_fails_no_request_and_interrupts_nothing_later(boolean keeps) throws Exception {
        KeepingScheduler broken = new KeepingScheduler(environment.scheduler());
        environment = environment.toBuilder().scheduler(broken).build();
        BalancedHttpClient client = client(inside);
        assertThat(client.send(GET, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
        if (keeps) {
            broken.runKept();
        }
        assertThat(Thread.interrupted()).isFalse();

        assertThat(client.awaitTermination(Duration.ZERO)).isFalse();
        client.close();
        assertThat(client.awaitTermination(Duration.ofDays(1))).isTrue();
    }

    /** Subscribes to a body and asks for nothing. */
    private static final class NoReader implements Flow.Subscriber<ByteBuffer> {
        @Override
        public void onSubscribe(Flow.Subscription subscription) {}

        @Override
        public void onNext(ByteBuffer item) {}

        @Override
        public void onError(Throwable thrown) {}

        @Override
        public void onComplete() {}
    }
}
