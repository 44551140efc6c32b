package dev.levee.benchmarks;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code http.client.blocking}: a GET on loopback, over a connection that is kept; the p50 of the latencies. Levee
 * balances over one endpoint, with all its defaults.
 *
 * <pre>benchmarks/compare '^http.client.blocking$'</pre>
 */
public class HttpClientBlocking {
    @Benchmark
    public String levee(HttpClients.LeveeState state) throws IOException, InterruptedException {
        HttpResponse<String> response = state.client.send(state.request, BodyHandlers.ofString());
        return LoopbackServer.checked(response.statusCode(), response.body());
    }

    @Benchmark
    public String jdk(HttpClients.JdkState state) throws IOException, InterruptedException {
        HttpResponse<String> response = state.client.send(state.request, BodyHandlers.ofString());
        return LoopbackServer.checked(response.statusCode(), response.body());
    }
}
