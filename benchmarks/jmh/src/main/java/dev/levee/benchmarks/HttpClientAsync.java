package dev.levee.benchmarks;

import dev.levee.http.BalancedHttpClient;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code http.client.async}: a GET on loopback by {@code sendAsync} and a wait, over a connection that is kept; the p50
 * of the latencies. Levee balances over one endpoint, with all its defaults.
 *
 * <pre>benchmarks/compare '^http.client.async$'</pre>
 */
public class HttpClientAsync {
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

    @Benchmark
    public String levee(LeveeState state) {
        HttpResponse<String> response =
                state.client.sendAsync(state.request, BodyHandlers.ofString()).join();
        return LoopbackServer.checked(response.statusCode(), response.body());
    }

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

    @Benchmark
    public String jdk(JdkState state) {
        HttpResponse<String> response =
                state.client.sendAsync(state.request, BodyHandlers.ofString()).join();
        return LoopbackServer.checked(response.statusCode(), response.body());
    }
}
