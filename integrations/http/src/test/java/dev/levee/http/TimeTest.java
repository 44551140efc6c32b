package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Deadlines, timeouts, cancels and interrupts, which must reach the node. */
class TimeTest extends Nodes {

    private static List<Long> told(TestNode node) {
        return node.requests.stream()
                .map(it -> Deadline.ofHeader(
                                it.header(Deadline.HEADER),
                                new ManualTime().environment().clock())
                        .remainingNanos())
                .toList();
    }

    private static HttpRequest within(Duration timeout) {
        return HttpRequest.newBuilder(URI.create("http://catalog/"))
                .timeout(timeout)
                .build();
    }

    @Nested
    class Deadlines {
        @Test
        void each_attempt_tells_what_is_left() throws Exception {
            TestNode a = node("a", TestNode.status(500, "a"));
            TestNode b = node("b", TestNode.status(500, "b"));
            TestNode c = node("c");
            HttpClient client = client(firstFirst(), a, b, c);

            assertThat(send(client, within(Duration.ofSeconds(10))).body()).isEqualTo("c");
            long first = told(a).get(0);
            long second = told(b).get(0);
            long third = told(c).get(0);
            assertThat(List.of(third, second, first))
                    .isSorted()
                    .allMatch(it -> it < Duration.ofSeconds(10).toNanos());
            assertThat(third).isLessThan(first);
        }

        @Test
        void an_attempt_has_no_longer_than_its_own_time() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst().andThen(config -> config.attemptTimeout(Duration.ofSeconds(3))), a);

            send(client, get("/"));
            send(client, within(Duration.ofDays(1)));
            assertThat(told(a)).allMatch(it -> it <= Duration.ofSeconds(3).toNanos());
        }

        @Test
        void the_deadline_of_the_context_goes_along() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst(), a);
            Deadline deadline = Deadline.after(Duration.ofSeconds(2), NanoClock.system());

            CallContext.current().withDeadline(deadline).call(() -> send(client, get("/")));
            assertThat(told(a)).allMatch(it -> it <= Duration.ofSeconds(2).toNanos());
        }

        @Test
        void one_that_the_caller_wrote_stays() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst(), a);

            send(
                    client,
                    HttpRequest.newBuilder(URI.create("http://catalog/"))
                            .header(Deadline.HEADER, "7S")
                            .build());
            assertThat(a.requests.element().header(Deadline.HEADER)).isEqualTo("7S");
        }

        @Test
        void of_two_the_smaller_is_sent_whatever_the_caller_wrote() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst().andThen(config -> config.attemptTimeout(Duration.ofSeconds(3))), a);
            for (String[] written : new String[][] {{"7S"}, {"7S", "1H"}, {"9S, 8S"}}) {
                send(client, withHeaders(written));
            }
            assertThat(told(a))
                    .hasSize(3)
                    .allMatch(it -> it <= Duration.ofSeconds(3).toNanos());

            send(client, withHeaders("1H", "2S"));
            assertThat(told(a)).last().isEqualTo(Duration.ofSeconds(2).toNanos());
            send(client, withHeaders("what"));
            assertThat(a.requests)
                    .last()
                    .satisfies(it -> assertThat(it.header(Deadline.HEADER)).isEqualTo("what"));
        }

        private HttpRequest withHeaders(String... values) {
            HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create("http://catalog/"));
            for (String value : values) {
                builder.header(Deadline.HEADER, value);
            }
            return builder.build();
        }

        @Test
        void without_any_limit_there_is_nothing_to_tell() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(
                    firstFirst().andThen(config -> config.attemptTimeout(Duration.ofSeconds(Long.MAX_VALUE))), a);

            send(client, get("/"));
            assertThat(a.requests.element().headers()).doesNotContainKey("levee-deadline");
        }

        @Test
        void one_that_has_passed_is_not_sent() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst(), a);
            Deadline passed = Deadline.after(Duration.ZERO, NanoClock.system());

            assertThatThrownBy(() -> CallContext.current().withDeadline(passed).call(() -> send(client, get("/"))))
                    .isInstanceOf(HttpTimeoutException.class);
            assertThat(a.count()).isZero();
        }
    }

    @Nested
    class Timeouts {
        @Test
        void that_of_a_request_is_for_all_attempts_together() throws Exception {
            TestNode a = node("a", TestNode.frozen());
            TestNode b = node("b", TestNode.frozen());
            BalancedHttpClient client = client(
                    firstFirst()
                            .andThen(config -> config.retry(retry -> retry.maxAttempts(100))
                                    .attemptTimeout(Duration.ofMillis(40))),
                    a,
                    b);

            assertThatThrownBy(() -> send(client, within(Duration.ofMillis(200))))
                    .isInstanceOf(HttpTimeoutException.class);
            assertThat(told(a)).allMatch(it -> it <= Duration.ofMillis(40).toNanos());
            eventually(() -> inFlight(client) == 0);
            a.abandoned.acquire();
        }

        @Test
        void it_covers_the_body_for_a_handler_that_collects_it() throws Exception {
            TestNode a = node("a", TestNode.freezesHalfWay());
            BalancedHttpClient client = client(firstFirst(), a);

            assertThatThrownBy(() -> send(client, within(Duration.ofMillis(100))))
                    .isInstanceOf(HttpTimeoutException.class);
            a.abandoned.acquire();
            eventually(() -> inFlight(client) == 0);
        }

        @Test
        void a_timeout_around_the_client_reaches_the_node() throws Exception {
            TestNode a = node("a", TestNode.frozen());
            BalancedHttpClient client = client(firstFirst(), a);
            Timeout timeout = Timeout.of("mine", Duration.ofMillis(100));

            assertThatThrownBy(() -> timeout.callAsync(() -> client.sendAsync(get("/"), BodyHandlers.ofString()))
                            .get())
                    .isInstanceOf(ExecutionException.class);
            a.abandoned.acquire();
            eventually(() -> inFlight(client) == 0);
        }
    }

    @Nested
    class Cancels {
        @Test
        void a_cancel_closes_the_connection() throws Exception {
            TestNode a = node("a", TestNode.frozen());
            BalancedHttpClient client = client(firstFirst(), a);

            CompletableFuture<HttpResponse<String>> future = client.sendAsync(get("/"), BodyHandlers.ofString());
            a.came.acquire();
            assertThat(inFlight(client)).isEqualTo(1);
            assertThat(future.cancel(true)).isTrue();
            a.abandoned.acquire();
            eventually(() -> inFlight(client) == 0);
            assertThatThrownBy(future::get).isInstanceOf(CancellationException.class);
            assertThat(a.count()).isEqualTo(1);
        }

        @Test
        void in_the_middle_of_a_body_too() throws Exception {
            TestNode a = node("a", TestNode.freezesHalfWay());
            BalancedHttpClient client = client(firstFirst(), a);

            CompletableFuture<HttpResponse<String>> future = client.sendAsync(get("/"), BodyHandlers.ofString());
            a.came.acquire();
            future.cancel(true);
            a.abandoned.acquire();
            eventually(() -> inFlight(client) == 0);
            assertThat(a.count()).isEqualTo(1);
        }

        @Test
        void in_a_wait_for_the_next_attempt_there_is_none() throws Exception {
            TestNode a = node("a", TestNode.status(429, "a", "Retry-After: 5"));
            BalancedHttpClient client = client(firstFirst(), a);

            CompletableFuture<HttpResponse<String>> future = client.sendAsync(get("/"), BodyHandlers.ofString());
            a.came.acquire();
            eventually(() -> inFlight(client) == 0);
            future.cancel(true);
            assertThat(future).isCancelled();
            assertThat(a.count()).isEqualTo(1);
        }

        @Test
        void both_of_a_hedge() throws Exception {
            TestNode a = node("a", TestNode.frozen());
            TestNode b = node("b", TestNode.frozen());
            BalancedHttpClient client =
                    client(firstFirst().andThen(config -> config.hedge(hedge -> hedge.delay(Duration.ZERO))), a, b);

            CompletableFuture<HttpResponse<String>> future = client.sendAsync(get("/"), BodyHandlers.ofString());
            a.came.acquire();
            b.came.acquire();
            future.cancel(true);
            a.abandoned.acquire();
            b.abandoned.acquire();
            eventually(() -> inFlight(client) == 0);
        }

        @Test
        void an_interrupt_of_a_blocking_call_is_one() throws Exception {
            TestNode a = node("a", TestNode.frozen());
            BalancedHttpClient client = client(firstFirst(), a);
            AtomicReference<Throwable> thrown = new AtomicReference<>();

            Thread caller = new Thread(() -> {
                try {
                    send(client, get("/"));
                } catch (Throwable e) {
                    thrown.set(e);
                }
            });
            caller.start();
            a.came.acquire();
            caller.interrupt();
            caller.join();
            a.abandoned.acquire();
            assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
            eventually(() -> inFlight(client) == 0);
        }

        @Test
        void a_stream_that_was_handed_over_is_the_callers() throws Exception {
            TestNode a = node("a");
            HttpClient client = client(firstFirst(), a);
            var future = client.sendAsync(get("/"), BodyHandlers.ofInputStream());
            var response = future.get();

            assertThat(future.cancel(true)).isFalse();
            try (var body = response.body()) {
                assertThat(body.readAllBytes()).asString().isEqualTo("a");
            }
        }
    }

    @Test
    void an_IOException_is_the_one_that_the_client_inside_threw() throws Exception {
        TestNode a = node("a", TestNode.closesWithoutBytes());
        HttpClient client = client(firstFirst().andThen(config -> config.noRetry()), a);

        assertThatThrownBy(() -> send(client, get("/"))).isExactlyInstanceOf(IOException.class);
    }
}
