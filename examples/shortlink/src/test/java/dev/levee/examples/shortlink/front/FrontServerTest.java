package dev.levee.examples.shortlink.front;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.WebServer;
import dev.levee.examples.shortlink.Without;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The front before two nodes that do as the test says. */
class FrontServerTest {
    private final HttpClient http = HttpClient.newHttpClient();
    private final Queue<String> deadlines = new ConcurrentLinkedQueue<>();
    private final Queue<String> keys = new ConcurrentLinkedQueue<>();
    private final CountDownLatch twoAsked = new CountDownLatch(2);
    private final Queue<WebServer> servers = new ConcurrentLinkedQueue<>();

    @AfterEach
    void stop() {
        servers.forEach(WebServer::close);
    }

    @Test
    void what_is_left_of_the_time_goes_along() throws Exception {
        URI front = front(Without.HEDGE, 503);
        http.send(HttpRequest.newBuilder(front.resolve("/AAAAAAAA")).build(), BodyHandlers.ofString());

        assertThat(deadlines)
                .isNotEmpty()
                .allSatisfy(left -> assertThat(
                                Deadline.ofHeader(left, NanoClock.system()).remainingNanos())
                        .isBetween(0L, Duration.ofMillis(120).toNanos()));
    }

    @Test
    void without_timeouts_there_is_nothing_to_say() throws Exception {
        URI front = front(Without.TIMEOUT, 302);
        http.send(HttpRequest.newBuilder(front.resolve("/AAAAAAAA")).build(), BodyHandlers.ofString());

        assertThat(deadlines).containsOnly("");
    }

    @Test
    void a_redirect_that_is_late_is_asked_of_the_other_node_too() throws Exception {
        URI front = front(Without.TIMEOUT, 0);
        HttpResponse<String> answer =
                http.send(HttpRequest.newBuilder(front.resolve("/AAAAAAAA")).build(), BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(302);
        assertThat(twoAsked.getCount()).isZero();
    }

    @Test
    void a_link_is_asked_of_the_node_that_has_it_and_others_of_others() throws Exception {
        URI front = front(Without.TIMEOUT, 302);
        Set<String> askedFirst = new HashSet<>();
        for (int link = 0; link < 20; link++) {
            Set<String> asked = new HashSet<>();
            for (int i = 0; i < 2; i++) {
                HttpRequest get = HttpRequest.newBuilder(front.resolve("/AAAAAA" + (10 + link)))
                        .build();
                asked.add(http.send(get, BodyHandlers.ofString())
                        .headers()
                        .firstValue("X-Node")
                        .orElse("none"));
            }
            assertThat(asked).hasSize(1);
            askedFirst.addAll(asked);
        }

        assertThat(askedFirst).containsExactlyInAnyOrder("first", "second");
    }

    @Test
    void a_post_keeps_its_key_when_it_is_tried_again() throws Exception {
        URI front = front(Without.TIMEOUT, 503);
        HttpRequest post = HttpRequest.newBuilder(front.resolve("/shorten"))
                .header(Reply.IDEMPOTENCY_KEY, "key")
                .POST(BodyPublishers.ofString("http://example.com"))
                .build();
        HttpResponse<String> answer = http.send(post, BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(keys).containsExactly("key", "key", "key");
    }

    @Test
    void what_a_client_asks_too_much_reaches_no_node() throws Exception {
        URI front = front(Without.TIMEOUT, 302);
        int refused = 0;
        for (int i = 0; i < 200 && refused == 0; i++) {
            HttpRequest post = HttpRequest.newBuilder(front.resolve("/shorten"))
                    .header("X-Forwarded-For", "10.9.9.9, 10.0.0.1") // the left one is not what the proxy saw
                    .POST(BodyPublishers.ofString("x".repeat(3_000)))
                    .build();
            refused += http.send(post, BodyHandlers.ofString()).statusCode() == 429 ? 1 : 0;
        }
        HttpRequest other = HttpRequest.newBuilder(front.resolve("/AAAAAAAA"))
                .header("X-Forwarded-For", "10.9.9.9")
                .build();

        assertThat(refused).isOne();
        assertThat(keys).isEmpty();
        assertThat(http.send(other, BodyHandlers.ofString()).statusCode()).isEqualTo(302);
    }

    @Test
    void a_tenant_whose_name_is_too_long_is_refused_unless_there_are_no_limits() throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder().header(FrontServer.TENANT, "t".repeat(65));

        assertThat(status(request, front(Without.TIMEOUT, 302))).isEqualTo(400);
        assertThat(status(request, front(Without.RATELIMIT, 302))).isEqualTo(302);
    }

    private int status(HttpRequest.Builder request, URI front) throws Exception {
        return http.send(request.uri(front.resolve("/AAAAAAAA")).build(), BodyHandlers.ofString())
                .statusCode();
    }

    /** Nodes that give one status; or, if that is 0, none before both of them have been asked. */
    private URI front(Without without, int status) throws UsageException {
        List<URI> nodes = List.of(node("first", status), node("second", status));
        WebServer front = FrontServer.start(0, nodes, without, Environment.system());
        servers.add(front);
        return uri(front);
    }

    private URI node(String name, int status) throws UsageException {
        WebServer node = WebServer.start(
                0,
                2,
                exchange -> {
                    deadlines.add(
                            String.join("", exchange.getRequestHeaders().getOrDefault(Deadline.HEADER, List.of())));
                    keys.add(String.join(
                            "", exchange.getRequestHeaders().getOrDefault(Reply.IDEMPOTENCY_KEY, List.of())));
                    twoAsked.countDown();
                    if (status == 0) {
                        await();
                    }
                    Reply.of(status == 0 ? 302 : status, "from a test")
                            .with("X-Node", name)
                            .send(exchange);
                },
                () -> {});
        servers.add(node);
        return uri(node);
    }

    private void await() {
        try {
            assertThat(twoAsked.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static URI uri(WebServer server) {
        return URI.create("http://127.0.0.1:" + server.port());
    }
}
