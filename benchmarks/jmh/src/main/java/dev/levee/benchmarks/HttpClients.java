package dev.levee.benchmarks;

import dev.levee.http.BalancedHttpClient;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.List;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

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
}
