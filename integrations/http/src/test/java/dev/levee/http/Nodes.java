package dev.levee.http;

import dev.levee.core.policy.Backoff;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;

/** What tests with real servers share: nodes, of which the first is used first unless a test says otherwise. */
abstract class Nodes {
    final HttpClient plain =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<TestNode> nodes = new ArrayList<>();
    private final List<BalancedHttpClient> clients = new ArrayList<>();

    @AfterEach
    void stop() {
        clients.forEach(BalancedHttpClient::close);
        nodes.forEach(TestNode::close);
    }

    TestNode node(String name) throws IOException {
        return node(name, TestNode.status(200, name));
    }

    TestNode node(String name, TestNode.Behaviour behaviour) throws IOException {
        TestNode node = new TestNode(name, behaviour);
        nodes.add(node);
        return node;
    }

    /** Of a host called catalog. */
    BalancedHttpClient client(
            Consumer<? super UpstreamConfig.Builder<URI, HttpRequest>> configure, TestNode... inOrder) {
        BalancedHttpClient client = BalancedHttpClient.of(plain, "catalog", source(inOrder), configure);
        clients.add(client);
        return client;
    }

    static EndpointSource<URI> source(TestNode... inOrder) {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (TestNode node : inOrder) {
            endpoints.add(new Endpoint<>(endpoints.size() + "-" + node, node.uri(), 1));
        }
        return EndpointSource.of(endpoints);
    }

    /** The first endpoint that may be used, in the order of the ids. */
    static Consumer<UpstreamConfig.Builder<URI, HttpRequest>> firstFirst() {
        return config -> config.strategy(new FirstFirst()).retry(retry -> retry.backoff(Backoff.fixed(Duration.ZERO)));
    }

    static HttpRequest get(String path) {
        return HttpRequest.newBuilder(URI.create("http://catalog" + path)).build();
    }

    static HttpRequest post(String path, String body) {
        return HttpRequest.newBuilder(URI.create("http://catalog" + path))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    static HttpResponse<String> send(HttpClient client, HttpRequest request) throws Exception {
        return client.send(request, BodyHandlers.ofString());
    }

    static int inFlight(BalancedHttpClient client) {
        return client.balancer("catalog").snapshot().stream()
                .mapToInt(EndpointState::inFlight)
                .sum();
    }

    /** Waits for what must come about sooner or later. */
    static void eventually(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("it did not come about in 30 seconds");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }
}
