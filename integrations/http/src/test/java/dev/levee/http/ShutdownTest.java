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
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShutdownTest extends Nodes {
    private BalancedHttpClient client(TestNode... nodes) {
        return BalancedHttpClient.of(
                plain,
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
        assertThat(client.awaitTermination(Duration.ofSeconds(-10_000_000_000L)))
                .isFalse();
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

    @Test
    void shutdownNow_interrupts_a_blocking_send_and_no_interrupt_stays_with_its_thread() throws Exception {
        TestNode a = node("a", TestNode.frozen());
        BalancedHttpClient client = client(a);
        CompletableFuture<Boolean> interruptedAfterwards = new CompletableFuture<>();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                client.send(get("/"), BodyHandlers.ofString());
            } catch (Throwable e) {
                thrown.set(e);
            }
            interruptedAfterwards.complete(Thread.currentThread().isInterrupted());
        });
        caller.start();
        a.came.acquire();

        client.shutdownNow();

        assertThat(interruptedAfterwards.get()).isFalse();
        assertThat(thrown.get()).isInstanceOf(IOException.class).hasMessage("the client has been shut down");
        a.abandoned.acquire();
        assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
    }

    @Test
    void shutdownNow_ends_calls_for_other_hosts_too() throws Exception {
        TestNode a = node("a", TestNode.frozen());
        BalancedHttpClient client = client(node("b"));
        CompletableFuture<HttpResponse<String>> running =
                client.sendAsync(HttpRequest.newBuilder(a.uri()).build(), BodyHandlers.ofString());
        a.came.acquire();

        client.shutdownNow();

        a.abandoned.acquire();
        assertThat(running).failsWithin(Duration.ofSeconds(30)); // with what the client inside says to a cancel
        assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
    }

    @Test
    void the_client_that_was_handed_in_is_never_ended() throws Exception {
        EndsRecorder inside = new EndsRecorder(plain);
        TestNode a = node("a");
        List<Consumer<BalancedHttpClient>> ends = List.of(
                BalancedHttpClient::shutdown, BalancedHttpClient::shutdownNow, BalancedHttpClient::close, client -> {
                    client.shutdown();
                    client.close();
                });
        for (Consumer<BalancedHttpClient> end : ends) {
            BalancedHttpClient client = BalancedHttpClient.of(inside, "catalog", source(a));
            assertThat(client.send(get("/"), BodyHandlers.ofString()).body()).isEqualTo("a");
            end.accept(client);
            assertThat(client.awaitTermination(Duration.ofMinutes(1))).isTrue();
            assertThat(client.isTerminated()).isTrue();
            client.close();
        }

        assertThat(inside.ends).isEmpty();
        assertThat(plain.send(HttpRequest.newBuilder(a.uri()).build(), BodyHandlers.ofString())
                        .body())
                .isEqualTo("a");
    }

    /** From JDK 21 on these methods override those of {@code HttpClient}. */
    private static final class EndsRecorder extends ForwardingClient implements AutoCloseable {
        final List<String> ends = new CopyOnWriteArrayList<>();

        EndsRecorder(HttpClient client) {
            super(client);
        }

        @SuppressWarnings({"unused", "EffectivelyPrivate"}) // overrides on later JDKs
        public void shutdown() {
            ends.add("shutdown");
        }

        @SuppressWarnings({"unused", "EffectivelyPrivate"}) // overrides on later JDKs
        public void shutdownNow() {
            ends.add("shutdownNow");
        }

        @SuppressWarnings({"unused", "EffectivelyPrivate"}) // overrides on later JDKs
        public boolean awaitTermination(Duration duration) {
            ends.add("awaitTermination");
            return true;
        }

        @Override
        public void close() {
            ends.add("close");
        }
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

    @Test
    void nor_does_one_of_HttpResponse() throws Exception {
        BalancedHttpClient client = client(node("a"));
        for (HttpResponse<String> response : List.of(
                client.send(get("/"), BodyHandlers.ofString()),
                client.sendAsync(get("/"), BodyHandlers.ofString()).get())) {
            for (Method method : HttpResponse.class.getMethods()) {
                assertThat(response.getClass()
                                .getMethod(method.getName(), method.getParameterTypes())
                                .getDeclaringClass())
                        .as(method.toString())
                        .isNotEqualTo(HttpResponse.class);
                if (method.getName().equals("connectionLabel")) { // from JDK 25 on
                    assertThat((Optional<?>) method.invoke(response)).isPresent();
                }
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
