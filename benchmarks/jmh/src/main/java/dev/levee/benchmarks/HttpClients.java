package dev.levee.benchmarks;

import dev.levee.http.BalancedHttpClient;
import dev.levee.loadbalancing.discovery.EndpointSource;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.retry.Retry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;

/** The subjects of {@link HttpClientBlocking} and {@link HttpClientAsync}, each with a server of its own. */
public final class HttpClients {
    private HttpClients() {}

    /** Balances over one endpoint, with all defaults. */
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LoopbackServer server = LoopbackServer.start();
        final BalancedHttpClient client = BalancedHttpClient.of(
                LoopbackServer.client(), "catalog", EndpointSource.ofAddresses(List.of(server.uri())));
        final HttpRequest request = LoopbackServer.get(URI.create("http://catalog/"));

        @TearDown
        public void stop() throws IOException {
            client.close();
            server.close();
        }
    }

    /** The bare client. */
    @State(Scope.Benchmark)
    public static class JdkState {
        final LoopbackServer server = LoopbackServer.start();
        final HttpClient client = LoopbackServer.client();
        final HttpRequest request = LoopbackServer.get(server.uri().resolve("/"));

        @TearDown
        public void stop() throws IOException {
            server.close();
        }
    }

    /** Spring's client over the bare one, in a breaker and a retry of Resilience4j. */
    @State(Scope.Benchmark)
    public static class SpringState {
        final LoopbackServer server = LoopbackServer.start();
        final Supplier<ResponseEntity<String>> guarded;

        public SpringState() {
            RestClient client = RestClient.builder()
                    .requestFactory(new JdkClientHttpRequestFactory(LoopbackServer.client()))
                    .build();
            URI uri = server.uri().resolve("/");
            guarded = Retry.decorateSupplier(
                    Resilience4j.retry(),
                    CircuitBreaker.decorateSupplier(
                            Resilience4j.breakerCount100(),
                            () -> client.get().uri(uri).retrieve().toEntity(String.class)));
        }

        @TearDown
        public void stop() throws IOException {
            server.close();
        }
    }
}
