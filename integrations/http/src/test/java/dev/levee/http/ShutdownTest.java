package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Backoff;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShutdownTest extends Nodes {
    /** Its own, since a client that is shut down takes the one inside along. */
    private BalancedHttpClient client(TestNode... nodes) {
        return BalancedHttpClient.of(
                HttpClient.newHttpClient(),
                "catalog",
                source(nodes),
                config -> config.strategy(new FirstFirst())
                        .retry(retry -> retry.backoff(Backoff.fixed(Duration.ofMillis(200)))));
    }

    @Test
    void a_call_that_runs_ends_and_a_later_one_is_refused() throws Exception {
        Semaphore released = new Semaphore(0);
        TestNode a = node("a", TestNode.after(released, TestNode.status(200, "a")));
        BalancedHttpClient client = client(a);
        CompletableFuture<HttpResponse<String>> running = client.sendAsync(get("/"), BodyHandlers.ofString());
        a.came.acquire();

        client.shutdown();

        assertThat(client.isTerminated()).isFalse();
        assertThat(client.awaitTermination(Duration.ZERO)).isFalse();
        assertThatThrownBy(() -> client.send(get("/"), BodyHandlers.ofString()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("shut down");
        assertThat(client.sendAsync(get("/"), BodyHandlers.ofString()))
                .failsWithin(Duration.ofSeconds(5))
                .withThrowableThat()
                .withRootCauseInstanceOf(IOException.class);
        released.release();
        assertThat(running.get().body()).isEqualTo("a");
        assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
        assertThat(client.isTerminated()).isTrue();
    }

    @Test
    void a_client_that_is_not_shut_down_is_not_terminated_however_many_calls_have_ended() throws Exception {
        BalancedHttpClient client = client(node("a"));

        client.send(get("/"), BodyHandlers.ofString());
        client.sendAsync(get("/"), BodyHandlers.ofString()).get();

        assertThat(client.isTerminated()).isFalse();
        assertThat(client.awaitTermination(Duration.ZERO)).isFalse();
        client.shutdown();
        assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
    }

    @Test
    void close_waits_for_a_call_between_two_attempts() throws Exception {
        BalancedHttpClient client = client(node("bad", TestNode.status(500, "broken")), node("good"));
        CompletableFuture<HttpResponse<String>> running = client.sendAsync(get("/"), BodyHandlers.ofString());

        client.close();

        assertThat(running).isDone();
        assertThat(running.get().body()).isEqualTo("good");
    }

    @Test
    void shutdownNow_cancels_what_runs() throws Exception {
        Semaphore never = new Semaphore(0);
        TestNode a = node("a", TestNode.after(never, TestNode.status(200, "a")));
        BalancedHttpClient client = client(a);
        CompletableFuture<HttpResponse<String>> running = client.sendAsync(get("/"), BodyHandlers.ofString());
        a.came.acquire();

        client.shutdownNow();

        // By the client itself: the one inside has no such method before JDK 21.
        assertThat(running).isCancelled();
        assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
        assertThat(running).isCompletedExceptionally();
        never.release();
    }

    /** On a JDK that adds a method to {@code HttpClient}, this names it. */
    @Test
    void no_method_of_HttpClient_falls_through_to_the_default_of_the_abstract_class() {
        for (Method method : HttpClient.class.getMethods()) {
            if (method.getDeclaringClass() == HttpClient.class && !Modifier.isStatic(method.getModifiers())) {
                assertThat(BalancedHttpClient.class)
                        .as(method.toString())
                        .satisfies(type -> assertThat(type.getMethod(method.getName(), method.getParameterTypes())
                                        .getDeclaringClass())
                                .isEqualTo(BalancedHttpClient.class));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://catalog", "catalog/", "user:secret@catalog", "catalog?x", "cata log"})
    void a_host_is_no_URI(String host) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BalancedHttpClient.of(plain, host, EndpointSource.ofAddresses(List.of())))
                .withMessageContaining("such as catalog or catalog:8080")
                .withMessageNotContaining("secret");
    }
}
