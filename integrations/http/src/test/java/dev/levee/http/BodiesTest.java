package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Verdict;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of bodies, those that are sent and those that come back. */
class BodiesTest extends Nodes {
    @TempDir
    Path folder;

    private static HttpRequest put(BodyPublisher body) {
        return HttpRequest.newBuilder(URI.create("http://catalog/")).PUT(body).build();
    }

    private static BodyPublisher foreign(String text) {
        BodyPublisher inner = BodyPublishers.ofString(text);
        return new BodyPublisher() {
            @Override
            public long contentLength() {
                return inner.contentLength();
            }

            @Override
            public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
                inner.subscribe(subscriber);
            }
        };
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    @Nested
    class Sent {
        @Test
        void those_that_the_JDK_can_give_again_are_sent_again() throws Exception {
            TestNode bad = node("bad", TestNode.status(500, "bad"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);
            Path file = Files.writeString(folder.resolve("file"), "file");

            for (BodyPublisher body : List.of(
                    BodyPublishers.ofString("text"),
                    BodyPublishers.ofByteArray(new byte[] {'b'}),
                    BodyPublishers.ofFile(file),
                    BodyPublishers.noBody())) {
                assertThat(send(client, put(body)).body()).isEqualTo("good");
            }
            assertThat(bad.bodies()).containsExactly("text", "b", "file", "");
            assertThat(good.bodies()).containsExactly("text", "b", "file", "");
        }

        @Test
        void those_that_may_be_used_up_are_sent_once() throws Exception {
            TestNode bad = node("bad", TestNode.status(500, "bad"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);
            InputStream once = stream("stream");

            for (BodyPublisher body : List.of(
                    foreign("foreign"),
                    BodyPublishers.ofInputStream(() -> once),
                    BodyPublishers.fromPublisher(BodyPublishers.ofString("adapted")),
                    BodyPublishers.ofByteArrays(List.of(new byte[] {'i'})),
                    BodyPublishers.concat(foreign("con"), BodyPublishers.ofString("cat")))) {
                assertThat(send(client, put(body)).statusCode()).isEqualTo(500);
            }
            assertThat(bad.bodies()).containsExactly("foreign", "stream", "adapted", "i", "concat");
            assertThat(good.count()).isZero();
        }

        @Test
        void unless_the_user_knows_better() throws Exception {
            TestNode bad = node("bad", TestNode.status(500, "bad"));
            TestNode good = node("good");
            HttpClient client =
                    client(firstFirst().andThen(config -> config.alsoReplayable(request -> true)), bad, good);

            assertThat(send(client, put(BodyPublishers.ofInputStream(() -> stream("again"))))
                            .body())
                    .isEqualTo("good");
            assertThat(good.bodies()).containsExactly("again");
        }

        @Test
        void nobody_has_read_them_when_there_was_no_connection() throws Exception {
            TestNode dead = node("dead");
            TestNode good = node("good");
            dead.kill();
            HttpClient client = client(firstFirst(), dead, good);
            InputStream once = stream("stream");

            assertThat(send(client, put(BodyPublishers.ofInputStream(() -> once)))
                            .body())
                    .isEqualTo("good");
            assertThat(good.bodies()).containsExactly("stream");
        }

        @Test
        void one_that_was_read_is_not_sent_again_even_if_the_request_was_not_processed() throws Exception {
            TestNode bad = node("bad", TestNode.status(421, "it was not processed"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, put(foreign("once"))).statusCode()).isEqualTo(421);
            assertThat(bad.bodies()).containsExactly("once");
            assertThat(good.count()).isZero();
        }

        @Test
        void one_that_was_read_is_not_sent_again_whatever_a_rule_says() throws Exception {
            TestNode bad = node("bad", TestNode.closesWithoutBytes());
            TestNode good = node("good");
            HttpClient client = client(
                    firstFirst()
                            .andThen(config ->
                                    config.outcomes(rule -> rule.onError(IOException.class, Verdict.NOT_SENT))),
                    bad,
                    good);

            assertThatThrownBy(() -> send(client, put(foreign("once"))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot be sent a second time");
            assertThat(bad.bodies()).containsExactly("once");
            assertThat(good.count()).isZero();
        }

        @Test
        void a_publisher_that_fails_is_the_callers_failure() throws Exception {
            TestNode node = node("a");
            BalancedHttpClient client = client(firstFirst(), node);
            try (SubmissionPublisher<ByteBuffer> failing = new SubmissionPublisher<>()) {
                var future = client.sendAsync(put(BodyPublishers.fromPublisher(failing)), BodyHandlers.ofString());
                eventually(failing::hasSubscribers);
                failing.closeExceptionally(new IllegalStateException("no more"));

                assertThatThrownBy(future::get).hasStackTraceContaining("no more");
            }
            assertThat(inFlight(client)).isZero();
        }
    }

    @Nested
    class Received {
        @Test
        void a_file_holds_the_answer_and_nothing_of_the_failures_before() throws Exception {
            TestNode bad = node("bad", TestNode.status(503, "a long page that explains what went wrong"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);
            Path file = folder.resolve("answer");

            HttpResponse<Path> response = client.send(get("/"), BodyHandlers.ofFile(file));

            assertThat(response.body()).isEqualTo(file);
            assertThat(file).hasContent("good");
        }

        @Test
        void a_stream_is_handed_over_with_the_headers() throws Exception {
            TestNode node = node("a", TestNode.freezesHalfWay());
            BalancedHttpClient client = client(firstFirst(), node);

            HttpResponse<InputStream> response = client.send(get("/"), BodyHandlers.ofInputStream());
            assertThat(inFlight(client)).isZero();
            try (InputStream body = response.body()) {
                assertThat(body.readNBytes(500)).hasSize(500);
            }
            node.abandoned.acquire(); // closing it closed the connection
        }

        @Test
        void a_stream_that_falls_silent_is_cut_off() throws Exception {
            TestNode node = node("a", TestNode.freezesHalfWay());
            HttpClient client =
                    client(firstFirst().andThen(config -> config.idleTimeout(java.time.Duration.ofMillis(100))), node);

            HttpResponse<InputStream> response = client.send(get("/"), BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                assertThatThrownBy(() -> body.readNBytes(1000))
                        .isInstanceOf(IOException.class)
                        .hasStackTraceContaining("no byte of the body");
            }
            node.abandoned.acquire();
        }

        @Test
        void lines_publishers_and_discarding_work_as_ever() throws Exception {
            TestNode node = node("a", TestNode.status(200, "one\ntwo\n"));
            HttpClient client = client(firstFirst(), node);

            try (Stream<String> lines =
                    client.send(get("/"), BodyHandlers.ofLines()).body()) {
                assertThat(lines).containsExactly("one", "two");
            }
            assertThat(client.send(get("/"), BodyHandlers.discarding()).body()).isNull();
            assertThat(client.send(get("/"), BodyHandlers.replacing("x")).body())
                    .isEqualTo("x");
            var text = BodySubscribers.ofString(StandardCharsets.UTF_8);
            client.send(get("/"), BodyHandlers.ofPublisher()).body().subscribe(text);
            assertThat(text.getBody().toCompletableFuture().get()).isEqualTo("one\ntwo\n");
        }

        @Test
        void failures_that_are_repeated_leave_their_connection_for_the_next_request() throws Exception {
            TestNode bad = node("bad", TestNode.status(503, "busy"));
            TestNode good = node("good");
            BalancedHttpClient client = client(firstFirst().andThen(config -> config.noBreaker()), bad, good);

            for (int i = 0; i < 20; i++) {
                assertThat(client.send(get("/"), BodyHandlers.ofInputStream()).statusCode())
                        .isEqualTo(200);
            }
            assertThat(bad.count()).isEqualTo(20);
            assertThat(bad.connections.get()).isLessThan(20);
        }

        @Test
        void a_failure_with_a_body_that_never_ends_leaves_no_connection_behind() throws Exception {
            TestNode bad = node("bad", (request, node, socket, out) -> {
                out.write(TestNode.head(503, 1_000_000_000));
                out.flush();
                return TestNode.frozen().answer(request, node, socket, out);
            });
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            bad.abandoned.acquire();
        }

        @Test
        void what_the_body_handler_throws_is_no_evidence_and_is_not_repeated() throws Exception {
            TestNode node = node("a");
            AtomicInteger applied = new AtomicInteger();
            BalancedHttpClient client = client(
                    firstFirst().andThen(config -> config.breaker(breaker -> breaker.consecutiveFailures(1))), node);

            assertThatThrownBy(() -> client.send(get("/"), info -> {
                        applied.incrementAndGet();
                        throw new IllegalStateException("mine");
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("mine");
            assertThatThrownBy(() -> client.send(
                            get("/"),
                            info -> BodySubscribers.mapping(BodySubscribers.ofByteArray(), bytes -> {
                                applied.incrementAndGet();
                                throw new IllegalStateException("not what I can read");
                            })))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("not what I can read");
            assertThat(applied).hasValue(2);
            assertThat(node.count()).isEqualTo(2);
            assertThat(send(client, get("/")).body()).isEqualTo("a"); // the breaker is closed
            assertThat(inFlight(client)).isZero();
        }

        @Test
        void a_subscriber_that_throws_ends_the_call() throws Exception {
            TestNode node = node("a");
            BalancedHttpClient client = client(firstFirst(), node);

            assertThatThrownBy(() ->
                            client.send(get("/"), BodyHandlers.fromSubscriber(new Flow.Subscriber<List<ByteBuffer>>() {
                                @Override
                                public void onSubscribe(Flow.Subscription subscription) {
                                    subscription.request(1);
                                }

                                @Override
                                public void onNext(List<ByteBuffer> item) {
                                    throw new IllegalStateException("mine");
                                }

                                @Override
                                public void onError(Throwable throwable) {}

                                @Override
                                public void onComplete() {}
                            })))
                    .hasStackTraceContaining("mine");
            assertThat(node.count()).isEqualTo(1);
            assertThat(inFlight(client)).isZero();
        }

        @Test
        void without_anybody_there_a_failure_is_a_failure() throws Exception {
            TestNode dead = node("dead");
            dead.kill();
            HttpClient client = client(firstFirst(), dead);

            assertThatThrownBy(() -> client.send(get("/"), BodyHandlers.ofInputStream()))
                    .isInstanceOf(ConnectException.class);
        }
    }
}
