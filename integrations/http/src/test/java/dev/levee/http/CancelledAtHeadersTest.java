package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A response that is cancelled at its headers must not keep its connection, whichever of the two comes first. */
class CancelledAtHeadersTest {
    private final Halfway inside = new Halfway();
    private final BalancedHttpClient client = BalancedHttpClient.of(
            inside,
            "catalog",
            EndpointSource.ofAddresses(List.of(URI.create("http://node-1:8080"))),
            config -> config.noRetry());

    /** Comes as far as the headers, when a test says so, and no further. */
    private static final class Halfway extends ForwardingClient implements Flow.Subscription {
        private int cancels;
        private Runnable headers = () -> {};
        private IOException ends = new IOException("reset");
        private int status = 200;
        private boolean atOnce = true;

        Halfway() {
            super(HttpClient.newHttpClient());
        }

        private <T> void answer(BodyHandler<T> handler) {
            BodySubscriber<T> body = handler.apply(new PlainInfo(status));
            body.onSubscribe(this);
        }

        @Override
        public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
            headers = () -> answer(handler);
            if (atOnce) {
                headers.run();
            }
            return new CompletableFuture<>();
        }

        @Override
        public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
            headers = () -> answer(handler);
            if (atOnce) {
                headers.run();
            }
            throw ends;
        }

        @Override
        public void request(long n) {}

        @Override
        public void cancel() {
            cancels++;
        }
    }

    @Test
    void an_asynchronous_call_after_the_headers() {
        CompletableFuture<HttpResponse<String>> running = client.sendAsync(Nodes.get("/"), BodyHandlers.ofString());
        assertThat(inside.cancels).isZero();
        running.cancel(true);
        assertThat(inside.cancels).isEqualTo(1);
    }

    @Test
    void an_asynchronous_call_before_the_headers() {
        inside.atOnce = false;
        client.sendAsync(Nodes.get("/"), BodyHandlers.ofString()).cancel(true);
        assertThat(inside.cancels).isZero();
        inside.headers.run();
        assertThat(inside.cancels).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 500})
    void a_blocking_call_after_the_headers(int status) {
        inside.status = status;
        assertThatThrownBy(() -> client.send(Nodes.get("/"), BodyHandlers.ofString()))
                .hasMessage("reset");
        assertThat(inside.cancels).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 500})
    void a_blocking_call_before_the_headers(int status) {
        inside.status = status;
        inside.atOnce = false;
        assertThatThrownBy(() -> client.send(Nodes.get("/"), BodyHandlers.ofString()))
                .hasMessage("reset");
        inside.headers.run();
        assertThat(inside.cancels).isEqualTo(1);
    }
}
