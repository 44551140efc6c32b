package dev.levee.benchmarks;

import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code http.client.async}: a GET on loopback by {@code sendAsync} and a wait, over a connection that is kept; the p50
 * of the latencies. Levee balances over one endpoint, with all its defaults.
 *
 * <pre>benchmarks/compare '^http.client.async$'</pre>
 */
public class HttpClientAsync {
    @Benchmark
    public String levee(HttpClients.LeveeState state) {
        HttpResponse<String> response =
                state.client.sendAsync(state.request, BodyHandlers.ofString()).join();
        return LoopbackServer.checked(response.statusCode(), response.body());
    }

    @Benchmark
    public String jdk(HttpClients.JdkState state) {
        HttpResponse<String> response =
                state.client.sendAsync(state.request, BodyHandlers.ofString()).join();
        return LoopbackServer.checked(response.statusCode(), response.body());
    }
}
