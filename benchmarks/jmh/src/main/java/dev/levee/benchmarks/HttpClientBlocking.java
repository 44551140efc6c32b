package dev.levee.benchmarks;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.openjdk.jmh.annotations.Benchmark;
import org.springframework.http.ResponseEntity;

/**
 * {@code http.client.blocking}: a GET on loopback, over a connection that is kept; the p50 of the latencies. Levee
 * balances over one endpoint, with all its defaults; Spring's RestClient sends with the same client to a fixed address,
 * guarded by Resilience4j.
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

    @Benchmark
    public String restclientResilience4j(HttpClients.SpringState state) {
        ResponseEntity<String> response = state.guarded.get();
        return LoopbackServer.checked(response.getStatusCode().value(), String.valueOf(response.getBody()));
    }
}
