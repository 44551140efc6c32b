package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A second request to another node while the first one is slow. */
class HedgingTest extends Nodes {
    private static Consumer<UpstreamConfig.Builder<URI, HttpRequest>> hedged() {
        return firstFirst().andThen(config -> config.hedge(hedge -> hedge.delay(Duration.ofMillis(20))));
    }

    private static HttpRequest request(String method) {
        return HttpRequest.newBuilder(URI.create("http://catalog/"))
                .method(method, BodyPublishers.ofString("body"))
                .build();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
    void an_idempotent_request_that_is_late_is_asked_of_another_node_and_given_up_at_the_first(String method)
            throws Exception {
        TestNode slow = node("slow", TestNode.frozen());
        TestNode good = node("good", TestNode.status(200, ""));
        BalancedHttpClient client = client(hedged(), slow, good);

        assertThat(send(client, request(method)).uri().getAuthority())
                .isEqualTo(good.uri().getAuthority());
        slow.abandoned.acquire();
        eventually(() -> inFlight(client) == 0);
        assertThat(slow.count()).isEqualTo(1);
        assertThat(good.count()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH"})
    void others_are_sent_once_however_long_they_take(String method) throws Exception {
        Semaphore released = new Semaphore(0);
        TestNode slow = node("slow", TestNode.after(released, TestNode.status(200, "slow")));
        TestNode good = node("good");
        HttpClient client = client(hedged(), slow, good);

        CompletableFuture<HttpResponse<String>> post = client.sendAsync(request(method), BodyHandlers.ofString());
        slow.came.acquire();
        // A request that is hedged, sent later, has been hedged by now.
        CompletableFuture<HttpResponse<String>> hedged = client.sendAsync(request("GET"), BodyHandlers.ofString());
        assertThat(hedged.get().body()).isEqualTo("good");
        released.release(2);
        assertThat(post.get().body()).isEqualTo("slow");
        assertThat(slow.requests).extracting(TestNode.Received::method).containsOnlyOnce(method);
        assertThat(good.requests).extracting(TestNode.Received::method).doesNotContain(method);
    }

    @Test
    void a_post_with_an_idempotency_key_is_hedged_and_repeated_if_that_is_said() throws Exception {
        TestNode slow = node("slow", TestNode.frozen());
        TestNode bad = node("bad", TestNode.status(500, "bad"));
        TestNode good = node("good");
        HttpClient client = client(
                hedged().andThen(config -> config.alsoIdempotent(request ->
                                request.headers().firstValue("Idempotency-Key").isPresent())
                        .hedge(hedge -> hedge.delay(Duration.ofMillis(20)).maxAttempts(3))),
                slow,
                bad,
                good);

        HttpRequest post = HttpRequest.newBuilder(URI.create("http://catalog/"))
                .header("Idempotency-Key", "k")
                .POST(BodyPublishers.ofString("pay"))
                .build();
        assertThat(send(client, post).body()).isEqualTo("good");
        assertThat(good.requests)
                .allSatisfy(it -> assertThat(it.header("idempotency-key")).isEqualTo("k"));
        slow.abandoned.acquire();
    }

    @Test
    void a_body_that_cannot_be_replayed_is_not_hedged() throws Exception {
        Semaphore released = new Semaphore(0);
        TestNode slow = node("slow", TestNode.after(released, TestNode.status(200, "slow")));
        TestNode good = node("good");
        HttpClient client = client(hedged(), slow, good);
        HttpRequest put = HttpRequest.newBuilder(URI.create("http://catalog/"))
                .PUT(BodyPublishers.fromPublisher(BodyPublishers.ofString("body"), 4))
                .build();

        CompletableFuture<HttpResponse<String>> answer = client.sendAsync(put, BodyHandlers.ofString());
        slow.came.acquire();
        assertThat(send(client, get("/")).body()).isEqualTo("good");
        released.release(2);
        assertThat(answer.get().body()).isEqualTo("slow");
        assertThat(good.bodies()).doesNotContain("body");
    }

    @Test
    void the_race_is_over_at_the_headers_so_a_file_is_written_once(@TempDir Path folder) throws Exception {
        Semaphore first = new Semaphore(0);
        TestNode.Behaviour answer = TestNode.status(200, "answer");
        TestNode slow = node("slow", TestNode.after(first, answer));
        TestNode good = node("good", (request, node, socket, out) -> {
            first.release(); // both answer at the same time
            return answer.answer(request, node, socket, out);
        });
        BalancedHttpClient client = client(hedged(), slow, good);

        for (int i = 0; i < 20; i++) {
            Path file = folder.resolve("file" + i);
            assertThat(client.send(get("/"), BodyHandlers.ofFile(file)).body()).hasContent("answer");
        }
        eventually(() -> inFlight(client) == 0);
    }

    @Test
    void it_may_be_for_some_requests_only() throws Exception {
        Semaphore released = new Semaphore(0);
        TestNode slow = node("slow", TestNode.after(released, TestNode.status(200, "slow")));
        TestNode good = node("good");
        HttpClient client = client(
                firstFirst()
                        .andThen(config -> config.hedge(
                                request -> request.uri().getPath().equals("/quick"),
                                hedge -> hedge.delay(Duration.ofMillis(20)))),
                slow,
                good);

        CompletableFuture<HttpResponse<String>> other = client.sendAsync(get("/other"), BodyHandlers.ofString());
        slow.came.acquire();
        assertThat(send(client, get("/quick")).body()).isEqualTo("good");
        released.release(2);
        assertThat(other.get().body()).isEqualTo("slow");
    }

    @Test
    void a_failure_starts_the_next_at_once() throws Exception {
        TestNode bad = node("bad", TestNode.status(503, "bad"));
        TestNode good = node("good");
        BalancedHttpClient client = client(
                firstFirst().andThen(config -> config.noRetry().hedge(hedge -> hedge.delay(Duration.ofDays(1)))),
                bad,
                good);

        assertThat(send(client, get("/")).body()).isEqualTo("good");
        assertThat(inFlight(client)).isZero();
    }

    @Test
    void the_last_failure_of_a_hedge_has_its_body() throws Exception {
        TestNode bad = node("bad", TestNode.status(503, "bad"));
        TestNode worse = node("worse", TestNode.status(500, "worse"));
        HttpClient client = client(
                firstFirst().andThen(config -> config.noRetry().hedge(hedge -> hedge.delay(Duration.ofDays(1)))),
                bad,
                worse);

        assertThat(send(client, get("/")).body()).isEqualTo("worse");
    }
}
