package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Around;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.testing.ManualTime;
import dev.levee.http.FakeTransport.Request;
import dev.levee.http.FakeTransport.Response;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What comes when its call, or the client, has ended already: nothing is left open, running or interrupted. */
class LateEndsTest {
    private final FakeTransport transport = new FakeTransport();

    @Test
    void a_reply_that_comes_after_its_call_has_ended_is_discarded() {
        Upstream<String, Request, Response> upstream = Upstream.of(
                "catalog",
                transport,
                EndpointSource.ofAddresses(List.of("a")),
                config -> {},
                new ManualTime().environment());
        UpstreamCall<String, Request, Response> call = new UpstreamCall<>(upstream, Request.GET);
        CompletableFuture<Response> answer = call.start();
        transport.last().complete(Response.of(200));
        assertThat(answer).isCompletedWithValue(Response.of(200));

        call.opened(new Reply<>(transport, Response.of(500), new CallFuture<>(), true, false, true));

        assertThat(transport.discarded).containsExactly(Response.of(500));
    }

    @Test
    void a_response_that_its_caller_never_gets_is_freed_though_its_body_was_the_callers() {
        for (int status : new int[] {200, 503}) {
            transport.ends = new ArrayList<>();
            transport.discarded.clear();
            Upstream<String, Request, Response> upstream = Upstream.of(
                    "catalog",
                    transport,
                    EndpointSource.ofAddresses(List.of("a")),
                    config -> config.retry(retry -> retry.maxAttempts(1)),
                    new ManualTime().environment());
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            transport.onBodyEnd = () -> answer.cancel(true);

            transport.last().complete(Response.of(status));

            assertThat(answer).isCancelled();
            assertThat(transport.discarded).containsExactly(Response.of(status));
        }
    }

    @Test
    void a_response_that_its_caller_has_is_the_callers_to_close() {
        transport.ends = new ArrayList<>();
        Upstream<String, Request, Response> upstream = Upstream.of(
                "catalog",
                transport,
                EndpointSource.ofAddresses(List.of("a")),
                config -> {},
                new ManualTime().environment());
        CompletableFuture<Response> answer = upstream.send(Request.GET);
        transport.last().complete(Response.of(200));

        assertThat(answer).isCompletedWithValue(Response.of(200));
        answer.cancel(true);
        assertThat(transport.discarded).isEmpty();
    }

    /** Lets an operation run, and fails all the same. */
    private static final class Unreliable implements Around {
        @Override
        public String name() {
            return "unreliable";
        }

        @Override
        public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation)
                throws X {
            inner.call(operation);
            throw new IllegalStateException("after the call");
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
                Inner inner, Supplier<? extends CompletionStage<T>> operation) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void the_body_of_a_failure_is_discarded_when_a_blocking_call_ends_with_something_else() {
        CannedClient inside = new CannedClient();
        inside.status = 500;
        try (BalancedHttpClient client = BalancedHttpClient.of(
                inside,
                "catalog",
                EndpointSource.ofAddresses(List.of(URI.create("http://a:80"))),
                config -> config.noRetry().policyPerEndpoint(address -> new Unreliable()))) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create("http://catalog/")).build();
            assertThatThrownBy(() -> client.send(request, BodyHandlers.ofString()))
                    .hasMessageContaining("after the call");
        }
        assertThat(inside.bodiesRead).hasValue(1);
    }

    /** One that is shut down at once just after it has counted a call. */
    private static final class ShutMeanwhile extends Shutdown {
        ShutMeanwhile() {
            super(Environment.system());
        }

        @Override
        void begin() throws IOException {
            super.begin();
            shutdownNow();
        }
    }

    @Test
    void a_blocking_call_that_begins_while_the_client_is_shut_down_at_once_is_interrupted() throws Exception {
        Shutdown shutdown = new ShutMeanwhile();
        Shutdown.BlockedThread call = shutdown.beginHere();
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        assertThat(shutdown.isTerminated()).isFalse();
        shutdown.endHere(call);
        assertThat(shutdown.isTerminated()).isTrue();
        assertThat(Thread.interrupted()).as("left on the thread").isFalse();
    }

    @Test
    void a_future_of_a_call_that_begins_while_the_client_is_shut_down_at_once_is_cancelled() throws Exception {
        Shutdown shutdown = new ShutMeanwhile();
        shutdown.begin();
        CompletableFuture<String> call = shutdown.track(new CompletableFuture<>());
        assertThat(call).isCancelled();
        assertThat(shutdown.isTerminated()).isTrue();
    }

    @Test
    void an_interrupt_of_the_client_does_not_stay_with_the_thread_and_one_of_another_does() throws Exception {
        Shutdown shutdown = new Shutdown(Environment.system());
        Shutdown.BlockedThread other = shutdown.beginHere();
        Thread.currentThread().interrupt();
        shutdown.endHere(other);
        assertThat(Thread.interrupted()).as("of another").isTrue();

        Shutdown.BlockedThread call = shutdown.beginHere();
        shutdown.shutdownNow();
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        shutdown.endHere(call);
        assertThat(Thread.interrupted()).as("of the client").isFalse();
    }
}
