package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Environment;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What a request costs must not depend on how many endpoints there are. */
class HttpAllocationTest {
    private static final int CALLS = 1_000;
    private static final HttpRequest REQUEST =
            HttpRequest.newBuilder(URI.create("http://catalog/products/42")).build();

    private final CannedClient inside = new CannedClient();

    /** Bytes for each run on this thread; the least of some rounds, since the JVM allocates too. */
    static double bytesEach(Callable<?> task) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 8; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                task.call();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / (double) CALLS);
        }
        return least;
    }

    private static EndpointSource<URI> source(int size) {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(new Endpoint<>("node-" + (10_000 + i), URI.create("http://node-" + (10_000 + i) + ":80"), 1));
        }
        return EndpointSource.of(endpoints);
    }

    private double bytesOfSend(int size) throws Exception {
        try (BalancedHttpClient client = BalancedHttpClient.of(inside, "catalog", source(size))) {
            return bytesEach(() -> client.send(REQUEST, BodyHandlers.ofString()));
        }
    }

    private double bytesOfSendAsync(int size) throws Exception {
        try (BalancedHttpClient client = BalancedHttpClient.of(inside, "catalog", source(size))) {
            return bytesEach(
                    () -> client.sendAsync(REQUEST, BodyHandlers.ofString()).join());
        }
    }

    private static double bytesOfUpstream(int size) throws Exception {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(Endpoint.of("node-" + i, 1));
        }
        CannedTransport transport = new CannedTransport();
        try (Upstream<String, String, String> upstream = Upstream.of(
                "catalog",
                transport,
                EndpointSource.of(endpoints),
                config -> config.hedge(hedge -> {}),
                Environment.system())) {
            return bytesEach(() -> upstream.send("request").join());
        }
    }

    @Test
    void a_blocking_send_allocates_the_same_with_ten_endpoints_and_with_a_thousand() throws Exception {
        double ten = bytesOfSend(10);
        assertThat(bytesOfSend(1_000)).isLessThan(ten + 200);
    }

    @Test
    void an_asynchronous_send_too() throws Exception {
        double ten = bytesOfSendAsync(10);
        assertThat(bytesOfSendAsync(1_000)).isLessThan(ten + 200);
    }

    @Test
    void another_client_with_a_hedge_too() throws Exception {
        double ten = bytesOfUpstream(10);
        assertThat(bytesOfUpstream(1_000)).isLessThan(ten + 200);
    }

    private static final class CannedTransport implements Transport<String, String, String> {
        @Override
        public CompletionStage<String> send(String address, String request) {
            return CompletableFuture.completedStage("answer");
        }

        @Override
        public int status(String response) {
            return 200;
        }

        @Override
        public String header(String response, String name) {
            return null;
        }

        @Override
        public boolean isIdempotent(String request) {
            return true;
        }

        @Override
        public boolean isReplayable(String request) {
            return true;
        }
    }
}
