package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.policy.Bulkhead;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Many asynchronous requests at once: what bounds the exchanges of the client inside, and what does not. */
class BurstTest {
    private static final int REQUESTS = 100;

    private final AtomicInteger exchanges = new AtomicInteger();
    private final HttpClient inside = new ForwardingClient(HttpClient.newHttpClient()) {
        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
            exchanges.incrementAndGet();
            return new CompletableFuture<>();
        }
    };

    private List<CompletableFuture<HttpResponse<String>>> burst(
            Consumer<UpstreamConfig.Builder<URI, HttpRequest>> configure) {
        BalancedHttpClient client = BalancedHttpClient.of(
                inside,
                "catalog",
                EndpointSource.ofAddresses(List.of(URI.create("http://node-1:8080"), URI.create("http://node-2:8080"))),
                configure);
        return Stream.generate(() -> client.sendAsync(Nodes.get("/"), BodyHandlers.ofString()))
                .limit(REQUESTS)
                .toList();
    }

    @Test
    void nothing_bounds_it_by_default() {
        assertThat(burst(config -> {})).noneMatch(CompletableFuture::isDone);
        assertThat(exchanges).hasValue(REQUESTS);
    }

    @Test
    void a_bulkhead_with_a_queue_bounds_it_for_the_service() {
        Bulkhead bulkhead =
                Bulkhead.of("catalog", config -> config.maxConcurrent(5).queue(REQUESTS, Duration.ofHours(1)));
        assertThat(burst(config -> config.limits(bulkhead))).noneMatch(CompletableFuture::isDone);
        assertThat(exchanges).hasValue(5);
    }

    @Test
    void and_for_each_endpoint() {
        Map<URI, Bulkhead> bulkheads = new ConcurrentHashMap<>();
        burst(config -> config.policyPerEndpoint(address -> bulkheads.computeIfAbsent(
                address,
                it -> Bulkhead.of(it.getHost(), each -> each.maxConcurrent(3).queue(REQUESTS, Duration.ofHours(1))))));
        assertThat(exchanges).hasValue(6);
    }
}
