package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes that fail in every way that nodes fail; in each test the bad one is asked first. */
class FailingNodesTest extends Nodes {

    @Nested
    class Killed {
        @ParameterizedTest
        @ValueSource(strings = {"GET", "POST", "PUT"})
        void whatever_the_method_it_goes_elsewhere_since_it_was_not_sent(String method) throws Exception {
            TestNode bad = node("bad");
            TestNode good = node("good");
            bad.kill();
            HttpClient client = client(firstFirst(), bad, good);

            HttpRequest request = HttpRequest.newBuilder(URI.create("http://catalog/"))
                    .method(method, BodyPublishers.ofString("body"))
                    .build();
            assertThat(send(client, request).body()).isEqualTo("good");
            assertThat(good.bodies()).containsExactly("body");
        }

        @Test
        void its_breaker_opens_and_it_is_left_out() throws Exception {
            TestNode bad = node("bad");
            TestNode good = node("good");
            bad.kill();
            Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
            Environment environment = listening(attempts);
            BalancedHttpClient client = BalancedHttpClient.builder(plain)
                    .host(
                            "catalog",
                            source(bad, good),
                            firstFirst().andThen(config -> config.breaker(breaker -> breaker.consecutiveFailures(3))))
                    .environment(environment)
                    .build();

            for (int i = 0; i < 50; i++) {
                assertThat(send(client, get("/")).body()).isEqualTo("good");
            }
            assertThat(attempts).hasSize(3);
        }

        @Test
        void a_node_that_dies_under_load_fails_nobody() throws Exception {
            TestNode a = node("a");
            TestNode b = node("b");
            TestNode c = node("c");
            HttpClient client = client(config -> {}, a, b, c);

            for (int i = 0; i < 150; i++) {
                if (i == 50) {
                    b.kill();
                }
                assertThat(send(client, get("/")).statusCode()).isEqualTo(200);
            }
        }

        @Test
        void when_all_are_dead_the_caller_gets_the_ConnectException() throws Exception {
            TestNode bad = node("bad");
            TestNode worse = node("worse");
            bad.kill();
            worse.kill();
            BalancedHttpClient client = client(firstFirst(), bad, worse);

            assertThatThrownBy(() -> send(client, get("/"))).isInstanceOf(ConnectException.class);
            assertThat(inFlight(client)).isZero();
        }
    }

    @Nested
    class Frozen {
        private static final Duration SHORT = Duration.ofMillis(100);

        @Test
        void after_the_time_of_an_attempt_it_goes_elsewhere_and_the_connection_is_closed() throws Exception {
            TestNode bad = node("bad", TestNode.frozen());
            TestNode good = node("good");
            BalancedHttpClient client = client(firstFirst().andThen(config -> config.attemptTimeout(SHORT)), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            bad.abandoned.acquire();
            assertThat(bad.count()).isEqualTo(1);
            assertThat(inFlight(client)).isZero();
        }

        @Test
        void a_post_may_have_taken_effect_so_it_is_sent_once() throws Exception {
            TestNode bad = node("bad", TestNode.frozen());
            TestNode good = node("good");
            HttpClient client = client(firstFirst().andThen(config -> config.attemptTimeout(SHORT)), bad, good);

            assertThatThrownBy(() -> send(client, post("/", "pay"))).isInstanceOf(HttpTimeoutException.class);
            assertThat(bad.bodies()).containsExactly("pay");
            assertThat(good.count()).isZero();
        }

        @Test
        void in_the_middle_of_a_body_too() throws Exception {
            TestNode bad = node("bad", TestNode.freezesHalfWay());
            TestNode good = node("good");
            BalancedHttpClient client = client(firstFirst().andThen(config -> config.idleTimeout(SHORT)), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            bad.abandoned.acquire();
            assertThat(inFlight(client)).isZero();
        }
    }

    @Nested
    class BrokenConnections {
        @Test
        void a_body_that_breaks_off_is_asked_of_another_node() throws Exception {
            TestNode bad = node("bad", TestNode.resetsHalfWay());
            TestNode good = node("good");
            BalancedHttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            assertThat(bad.count()).isEqualTo(1);
            assertThat(inFlight(client)).isZero();
        }

        @Test
        void but_not_that_of_a_post() throws Exception {
            TestNode bad = node("bad", TestNode.resetsHalfWay());
            TestNode good = node("good");
            BalancedHttpClient client = client(firstFirst(), bad, good);

            assertThatThrownBy(() -> send(client, post("/", "pay"))).isInstanceOf(IOException.class);
            assertThat(bad.count()).isEqualTo(1);
            assertThat(good.count()).isZero();
            assertThat(inFlight(client)).isZero();
        }

        @Test
        void a_connection_that_closes_without_a_byte_is_a_failure() throws Exception {
            TestNode bad = node("bad", TestNode.closesWithoutBytes());
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            assertThatThrownBy(() -> send(client, post("/", "pay"))).isInstanceOf(IOException.class);
            assertThat(bad.bodies()).containsOnlyOnce("pay");
            assertThat(good.bodies()).doesNotContain("pay");
        }

        @Test
        void a_node_that_breaks_every_body_opens_its_breaker() throws Exception {
            TestNode bad = node("bad", TestNode.resetsHalfWay());
            TestNode good = node("good");
            HttpClient client = client(
                    firstFirst().andThen(config -> config.breaker(breaker -> breaker.consecutiveFailures(3))),
                    bad,
                    good);

            for (int i = 0; i < 20; i++) {
                assertThat(send(client, get("/")).body()).isEqualTo("good");
            }
            assertThat(bad.count()).isEqualTo(3);
        }
    }

    @Nested
    class Statuses {
        @ParameterizedTest
        @ValueSource(ints = {408, 500, 502, 503, 504})
        void a_failure_of_a_get_is_asked_of_another_node_and_that_of_a_post_is_handed_on(int status) throws Exception {
            TestNode bad = node("bad", TestNode.status(status, "bad"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            assertThat(send(client, post("/", "pay")).statusCode()).isEqualTo(status);
            assertThat(bad.count()).isEqualTo(2);
            assertThat(good.bodies()).doesNotContain("pay");
        }

        @ParameterizedTest
        @ValueSource(ints = {421, 425})
        void what_was_not_processed_goes_elsewhere_whatever_the_method(int status) throws Exception {
            TestNode bad = node("bad", TestNode.status(status, "bad"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, post("/", "pay")).body()).isEqualTo("good");
        }

        @ParameterizedTest
        @ValueSource(ints = {204, 304, 400, 404, 409, 410, 422, 501, 505})
        void all_others_are_answers(int status) throws Exception {
            TestNode other = node("other", TestNode.status(status, ""));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), other, good);

            assertThat(send(client, get("/")).statusCode()).isEqualTo(status);
            assertThat(good.count()).isZero();
        }

        @Test
        void the_last_failure_is_handed_on_with_its_body() throws Exception {
            TestNode bad = node("bad", TestNode.status(503, "bad"));
            TestNode worse = node("worse", TestNode.status(500, "worse"));
            HttpClient client =
                    client(firstFirst().andThen(config -> config.retry(retry -> retry.maxAttempts(2))), bad, worse);

            assertThat(send(client, get("/")).body()).isEqualTo("worse");
        }
    }

    @Nested
    class RetryAfterHeaders {
        @Test
        void that_of_a_503_does_not_hold_up_a_call_that_can_go_elsewhere() throws Exception {
            TestNode bad = node("bad", TestNode.status(503, "bad", "Retry-After: 3600"));
            TestNode good = node("good");
            Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
            HttpClient client = client(attempts, bad, good);

            assertThat(send(client, get("/")).body()).isEqualTo("good");
            assertThat(attempts).containsExactly(0);
        }

        @Test
        void without_another_node_it_is_waited_for() throws Exception {
            TestNode bad = node("bad", (request, node, socket, out) -> {
                TestNode.Behaviour behaviour = node.count() == 1
                        ? TestNode.status(503, "bad", "Retry-After: 1")
                        : TestNode.status(200, "well again");
                return behaviour.answer(request, node, socket, out);
            });
            Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
            HttpClient client = client(attempts, bad);

            assertThat(send(client, get("/")).body()).isEqualTo("well again");
            assertThat(attempts).hasSize(1).allMatch(millis -> millis >= 1000);
        }

        @Test
        void one_that_is_too_long_ends_the_call_at_once() throws Exception {
            TestNode bad = node("bad", TestNode.status(503, "bad", "Retry-After: 60"));
            HttpClient client = client(firstFirst(), bad);

            assertThat(send(client, get("/")).statusCode()).isEqualTo(503);
            assertThat(bad.count()).isEqualTo(1);
        }

        @Test
        void that_of_a_429_is_for_the_client_whatever_the_node() throws Exception {
            TestNode bad = node("bad", TestNode.status(429, "bad", "Retry-After: 60"));
            TestNode good = node("good");
            HttpClient client = client(firstFirst(), bad, good);

            assertThat(send(client, get("/")).statusCode()).isEqualTo(429);
            assertThat(good.count()).isZero();
        }

        private HttpClient client(Queue<Integer> attempts, TestNode... nodes) {
            return BalancedHttpClient.builder(plain)
                    .host("catalog", source(nodes), firstFirst())
                    .environment(listening(attempts))
                    .build();
        }

        private HttpClient client(
                java.util.function.Consumer<UpstreamConfig.Builder<URI, HttpRequest>> configure, TestNode... nodes) {
            return FailingNodesTest.this.client(configure, nodes);
        }
    }

    /** Collects the waits before attempts, in milliseconds. */
    private static Environment listening(Queue<Integer> attempts) {
        return Environment.builder()
                .listener(new Listener() {
                    @Override
                    public void onAttempt(Policy.Kind kind, String name, int attempt, long delayNanos) {
                        attempts.add((int) (delayNanos / 1_000_000));
                    }
                })
                .build();
    }
}
