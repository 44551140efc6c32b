package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.policy.RetryBudget;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Everything at once: nodes that do what nodes do, callers that lose interest. At the end nothing is left. */
class ChaosTest extends Nodes {
    private static final int CALLERS = 8;
    private static final int CALLS = 60;

    private static TestNode.Behaviour random(long seed, String name) {
        Random random = new Random(seed);
        List<TestNode.Behaviour> ways = List.of(
                TestNode.status(200, name),
                TestNode.status(200, name.repeat(100_000)),
                TestNode.status(200, name),
                TestNode.status(503, "busy", "Retry-After: 1"),
                TestNode.status(500, "x".repeat(200_000)),
                TestNode.closesWithoutBytes(),
                TestNode.resetsHalfWay(),
                TestNode.frozen(),
                TestNode.freezesHalfWay());
        return (request, node, socket, out) -> {
            int way;
            synchronized (random) {
                way = random.nextInt(ways.size());
            }
            return ways.get(way).answer(request, node, socket, out);
        };
    }

    @Test
    void nothing_is_in_flight_no_connection_is_held_and_no_thread_waits() throws Exception {
        List<TestNode> nodes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            nodes.add(node("n" + i, random(i, "n" + i)));
        }
        nodes.add(node("good"));
        TestNode dead = node("dead");
        dead.kill();
        nodes.add(dead);
        BalancedHttpClient client = client(
                config -> config.attemptTimeout(Duration.ofMillis(60))
                        .idleTimeout(Duration.ofMillis(60))
                        .noBreaker()
                        .retry(retry -> retry.maxAttempts(4).budget(RetryBudget.unlimited()))
                        .hedge(hedge -> hedge.delay(Duration.ofMillis(15)).budget(RetryBudget.unlimited())),
                nodes.toArray(TestNode[]::new));

        AtomicInteger answers = new AtomicInteger();
        AtomicInteger posts = new AtomicInteger();
        CountDownLatch ended = new CountDownLatch(CALLERS);
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        for (int i = 0; i < CALLERS; i++) {
            Random random = new Random(i);
            callers.execute(() -> {
                for (int call = 0; call < CALLS; call++) {
                    answers.addAndGet(oneCall(client, random, posts) ? 1 : 0);
                }
                ended.countDown();
            });
        }
        ended.await();
        callers.shutdown();

        eventually(() -> inFlight(client) == 0);
        // What is held now are connections that can be used again, and a node whose client has gone has noticed.
        eventually(() -> nodes.stream().mapToInt(TestNode::waiting).sum() == 0);
        assertThat(answers.get()).isGreaterThan(CALLERS * CALLS / 4);
        long sent = nodes.stream()
                .flatMap(node -> node.requests.stream())
                .filter(request -> request.method().equals("POST"))
                .count();
        assertThat(sent).isLessThanOrEqualTo(posts.get());
    }

    private static boolean oneCall(HttpClient client, Random random, AtomicInteger posts) {
        try {
            switch (random.nextInt(5)) {
                case 0 -> {
                    posts.incrementAndGet();
                    return send(client, post("/", "once")).statusCode() == 200;
                }
                case 1 -> {
                    HttpResponse<InputStream> response = client.send(get("/"), BodyHandlers.ofInputStream());
                    try (InputStream body = response.body()) {
                        return body.read() >= 0;
                    }
                }
                case 2 -> {
                    CompletableFuture<HttpResponse<String>> future =
                            client.sendAsync(get("/"), BodyHandlers.ofString());
                    oneCall(client, new Random(1), posts); // by now it has come some way
                    return !future.cancel(true);
                }
                case 3 -> {
                    HttpRequest hurried = HttpRequest.newBuilder(get("/"), (name, value) -> true)
                            .timeout(Duration.ofMillis(1 + random.nextInt(40)))
                            .build();
                    return send(client, hurried).statusCode() == 200;
                }
                default -> {
                    return send(client, get("/")).statusCode() == 200;
                }
            }
        } catch (IOException e) {
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
