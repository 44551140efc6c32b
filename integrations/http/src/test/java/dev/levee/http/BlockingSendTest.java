package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Backoff;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** The blocking form stays on the thread of the caller, unless it may hedge. */
class BlockingSendTest extends Nodes {
    private static final Backoff NO_DELAY = Backoff.fixed(Duration.ZERO);

    private final RecordingClient inside = new RecordingClient(plain);

    @Test
    void every_attempt_is_a_send_on_the_thread_of_the_caller() throws Exception {
        try (BalancedHttpClient client = BalancedHttpClient.of(
                inside,
                "catalog",
                source(node("bad", TestNode.status(500, "broken")), node("good")),
                config -> config.strategy(new FirstFirst()).retry(retry -> retry.backoff(NO_DELAY)))) {
            HttpResponse<String> response = client.send(get("/"), BodyHandlers.ofString());

            assertThat(response.body()).isEqualTo("good");
            assertThat(inside.senders).hasSize(2).containsOnly(Thread.currentThread());
            assertThat(inside.asynchronous).isEmpty();
        }
    }

    @Test
    void the_body_of_a_failure_that_is_final_is_received_once() throws Exception {
        try (BalancedHttpClient client = BalancedHttpClient.of(
                inside,
                "catalog",
                source(node("bad", TestNode.status(500, "broken"))),
                config -> config.retry(retry -> retry.maxAttempts(2).backoff(NO_DELAY)))) {
            HttpResponse<String> response = client.send(get("/"), BodyHandlers.ofString());

            assertThat(response.statusCode()).isEqualTo(500);
            assertThat(response.body()).isEqualTo("broken");
            assertThat(client.balancer("catalog").snapshot()).allMatch(it -> it.inFlight() == 0);
        }
    }

    @Test
    void an_endpoint_that_speaks_no_TLS_is_passed_over_whatever_the_method() throws Exception {
        try (ServerSocket plainText = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread server = new Thread(() -> answerInPlainText(plainText), "plain text");
            server.setDaemon(true);
            server.start();
            URI wrong = URI.create("https://127.0.0.1:" + plainText.getLocalPort());
            EndpointSource<URI> source = EndpointSource.of(List.of(
                    new Endpoint<>("0", wrong, 1),
                    new Endpoint<>("1", node("good").uri(), 1)));
            try (BalancedHttpClient client = BalancedHttpClient.of(plain, "catalog", source, firstFirst())) {
                assertThat(send(client, post("/", "pay")).body()).isEqualTo("good");
                assertThat(client.sendAsync(post("/", "pay"), BodyHandlers.ofString())
                                .get()
                                .body())
                        .isEqualTo("good");
            }
        }
    }

    private static void answerInPlainText(ServerSocket server) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                socket.getInputStream().read(new byte[1_000]);
                socket.getOutputStream().write(TestNode.head(400, 0));
            } catch (IOException gone) {
                // the client, or the test is over
            }
        }
    }

    @Test
    void a_request_that_may_be_hedged_is_sent_asynchronously() throws Exception {
        try (BalancedHttpClient client = BalancedHttpClient.of(
                inside,
                "catalog",
                source(node("a"), node("b")),
                config -> config.hedge(request -> request.method().equals("GET"), hedge -> {}))) {
            assertThat(client.send(get("/"), BodyHandlers.ofString()).statusCode())
                    .isEqualTo(200);
            assertThat(inside.senders).isEmpty();

            HttpRequest post = HttpRequest.newBuilder(get("/").uri())
                    .POST(BodyPublishers.noBody())
                    .build();
            assertThat(client.send(post, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
            assertThat(inside.senders).containsExactly(Thread.currentThread());
        }
    }

    @Test
    void a_failure_keeps_the_class_that_outcome_rules_know() throws Exception {
        inside.failure = new IOException("wrapped", new java.net.BindException("no port left"));
        try (BalancedHttpClient client = BalancedHttpClient.of(
                inside, "catalog", source(node("a")), config -> config.noRetry().noBreaker())) {
            assertThatThrownBy(() -> client.send(get("/"), BodyHandlers.ofString()))
                    .isInstanceOf(java.net.BindException.class)
                    .hasMessage("no port left");
        }
    }

    /** Records how it is used. */
    private static final class RecordingClient extends ForwardingClient {
        final List<Thread> senders = new CopyOnWriteArrayList<>();
        final List<HttpRequest> asynchronous = new CopyOnWriteArrayList<>();
        volatile IOException failure;

        RecordingClient(HttpClient client) {
            super(client);
        }

        @Override
        public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
                throws IOException, InterruptedException {
            senders.add(Thread.currentThread());
            if (failure != null) {
                throw failure;
            }
            return client.send(request, handler);
        }

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
            asynchronous.add(request);
            return client.sendAsync(request, handler);
        }

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(
                HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> pushes) {
            asynchronous.add(request);
            return client.sendAsync(request, handler, pushes);
        }
    }
}
