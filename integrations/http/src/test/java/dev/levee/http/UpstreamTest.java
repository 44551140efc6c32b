package dev.levee.http;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import dev.levee.http.FakeTransport.Request;
import dev.levee.http.FakeTransport.Response;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** An upstream over a client of another kind, in time that the test moves. */
class UpstreamTest {
    private final ManualTime time = new ManualTime();
    private final FakeTransport transport = new FakeTransport();

    private Upstream<String, Request, Response> upstream(
            Consumer<UpstreamConfig.Builder<String, Request>> configure, String... endpoints) {
        return Upstream.of(
                "catalog",
                transport,
                EndpointSource.ofAddresses(List.of(endpoints)),
                config -> configure.accept(config.strategy(new FirstFirst())
                        .retry(retry -> retry.backoff(Backoff.fixed(Duration.ofMillis(100))))),
                time.environment());
    }

    private static int inFlight(Upstream<?, ?, ?> upstream) {
        return upstream.balancer().snapshot().stream()
                .mapToInt(EndpointState::inFlight)
                .sum();
    }

    @Nested
    class Attempts {
        @Test
        void go_to_another_endpoint_each_until_all_were_tried() {
            var upstream = upstream(
                    config ->
                            config.retry(retry -> retry.maxAttempts(4).backoff(Backoff.fixed(Duration.ofMillis(100)))),
                    "a",
                    "b",
                    "c");
            CompletableFuture<Response> answer = upstream.send(Request.GET);

            for (int i = 0; i < 3; i++) {
                transport.last().complete(Response.of(500));
                time.advance(Duration.ofMillis(100));
            }
            transport.last().complete(Response.of(200));

            assertThat(transport.addresses()).containsExactly("a", "b", "c", "a");
            assertThat(transport.sent).extracting(it -> it.attempt).containsExactly(1, 2, 3, 4);
            assertThat(answer).isCompletedWithValue(Response.of(200));
            assertThat(inFlight(upstream)).isZero();
        }

        @Test
        void of_a_request_that_is_not_idempotent_end_with_the_first_that_may_have_been_sent() {
            var upstream = upstream(config -> {}, "a", "b", "c");
            CompletableFuture<Response> answer = upstream.send(Request.POST);
            transport.last().completeExceptionally(new ConnectException());
            time.advance(Duration.ofMillis(100));
            transport.last().completeExceptionally(new IOException("reset"));
            time.advance(Duration.ofDays(1));

            assertThat(transport.addresses()).containsExactly("a", "b");
            assertThatThrownBy(answer::join).hasRootCauseMessage("reset");
        }

        @Test
        void of_a_body_that_cannot_be_sent_again_too() {
            CompletableFuture<Response> answer =
                    upstream(config -> {}, "a", "b").send(Request.STREAM);
            transport.last().complete(Response.of(503));

            assertThat(answer).isCompletedWithValue(Response.of(503));
            assertThat(transport.addresses()).containsExactly("a");
        }

        @Test
        void are_the_callers_choice() {
            var upstream = upstream(
                    config -> config.alsoIdempotent(request -> true).alsoReplayable(request -> true), "a", "b");
            upstream.send(Request.POST);
            transport.last().complete(Response.of(500));
            time.advance(Duration.ofMillis(100));
            upstream.send(Request.STREAM);
            transport.last().complete(Response.of(500));
            time.advance(Duration.ofMillis(100));
            CallContext.notIdempotent(() -> upstream.send(Request.GET));
            transport.last().complete(Response.of(500));
            time.advance(Duration.ofMillis(100));

            assertThat(transport.addresses()).containsExactly("a", "b", "a", "b", "a");
        }

        @Test
        void are_bounded_by_a_budget() {
            var upstream = upstream(config -> config.noBreaker(), "a", "b");
            for (int i = 0; i < 500; i++) {
                upstream.send(Request.GET);
                for (var sent : List.copyOf(transport.sent)) {
                    sent.complete(Response.of(500));
                }
            }
            for (int i = 0; i < 3; i++) {
                time.advance(Duration.ofMillis(100));
                for (var sent : List.copyOf(transport.sent)) {
                    sent.complete(Response.of(500));
                }
            }
            assertThat(transport.sent).hasSizeBetween(600, 710); // a reserve of 100, and a fifth
            assertThat(inFlight(upstream)).isZero();
        }

        @Test
        void leave_out_an_endpoint_whose_breaker_is_open() {
            var upstream = upstream(config -> config.breaker(breaker -> breaker.consecutiveFailures(2)), "a", "b");
            for (int i = 0; i < 2; i++) {
                upstream.send(Request.GET);
                transport.last().complete(Response.of(500));
                time.advance(Duration.ofMillis(100));
                transport.last().complete(Response.of(200));
            }
            upstream.send(Request.GET);
            transport.last().complete(Response.of(200));

            assertThat(transport.addresses()).containsExactly("a", "b", "a", "b", "b");
        }
    }

    @Nested
    class RetryAfters {
        private final Response busy = new Response(503, Map.of("Retry-After", "3"));

        @Test
        void are_not_waited_for_where_another_endpoint_may_answer() {
            var upstream = upstream(config -> {}, "a", "b");
            upstream.send(Request.GET);
            transport.last().complete(busy);
            time.advance(Duration.ofMillis(100));
            assertThat(transport.addresses()).containsExactly("a", "b");
            transport.last().complete(busy);
            time.advance(Duration.ofMillis(2999));
            assertThat(transport.sent).hasSize(2);
            time.advance(Duration.ofMillis(751)); // a quarter more than was told, so that a crowd does not come at once
            assertThat(transport.addresses()).containsExactly("a", "b", "a");
        }

        @Test
        void of_a_429_are() {
            upstream(config -> {}, "a", "b").send(Request.GET);
            transport.last().complete(new Response(429, Map.of("Retry-After", "3")));
            time.advance(Duration.ofMillis(2999));
            assertThat(transport.sent).hasSize(1);
            time.advance(Duration.ofMillis(751));
            assertThat(transport.addresses()).containsExactly("a", "b");
        }

        @Test
        void of_many_calls_do_not_end_in_one_moment() {
            var upstream = upstream(config -> {}, "a");
            for (int call = 0; call < 10; call++) {
                upstream.send(Request.GET);
                transport.last().complete(new Response(429, Map.of("Retry-After", "3")));
            }
            time.advance(Duration.ofMillis(2999));
            int first = transport.sent.size();
            time.advance(Duration.ofMillis(376));
            int half = transport.sent.size();
            time.advance(Duration.ofMillis(376));

            assertThat(first).isEqualTo(10);
            assertThat(half).isBetween(11, 19);
            assertThat(transport.sent).hasSize(20);
        }
    }

    @Nested
    class Bodies {
        Bodies() {
            transport.bodiesComeLater = true;
        }

        @Test
        void belong_to_the_attempt() {
            var upstream = upstream(config -> {}, "a", "b");
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            transport.last().complete(Response.of(200));
            assertThat(answer).isNotDone();
            assertThat(inFlight(upstream)).isEqualTo(1);

            transport.bodies.get(0).completeExceptionally(new IOException("reset"));
            assertThat(inFlight(upstream)).isZero();
            time.advance(Duration.ofMillis(100));
            transport.last().complete(Response.of(200));
            transport.bodies.get(1).complete(Response.of(200));

            assertThat(transport.addresses()).containsExactly("a", "b");
            assertThat(answer).isCompletedWithValue(Response.of(200));
            assertThat(inFlight(upstream)).isZero();
        }

        @Test
        void of_failures_are_discarded_when_the_next_attempt_starts_and_received_when_there_is_none() {
            var upstream = upstream(
                    config ->
                            config.retry(retry -> retry.maxAttempts(2).backoff(Backoff.fixed(Duration.ofMillis(100)))),
                    "a",
                    "b");
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            transport.last().complete(Response.of(500));
            assertThat(transport.discarded).isEmpty();
            assertThat(inFlight(upstream)).isZero();
            time.advance(Duration.ofMillis(100));
            assertThat(transport.discarded).containsExactly(Response.of(500));

            transport.last().complete(Response.of(502));
            assertThat(transport.bodies).hasSize(1);
            assertThat(answer).isNotDone();
            transport.bodies.get(0).complete(Response.of(502));
            assertThat(answer).isCompletedWithValue(Response.of(502));
            assertThat(transport.discarded).containsExactly(Response.of(500));
        }

        @Test
        void are_cancelled_with_the_call() {
            var upstream = upstream(config -> {}, "a", "b");
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            transport.last().complete(Response.of(200));
            answer.cancel(true);

            assertThat(transport.bodies.get(0)).isCompletedExceptionally();
            assertThat(inFlight(upstream)).isZero();
        }

        @Test
        void that_come_after_the_end_are_discarded() {
            var upstream = upstream(config -> {}, "a", "b");
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            FakeTransport.Sent sent = transport.last();
            sent.onCancel(reason -> {}); // a client that does not heed it
            answer.cancel(true);
            assertThat(inFlight(upstream)).isEqualTo(1);
            sent.complete(Response.of(200));

            assertThat(transport.discarded).containsExactly(Response.of(200));
            assertThat(transport.bodies).isEmpty();
            assertThat(inFlight(upstream)).isZero();
        }
    }

    @Nested
    class Hedges {
        private Upstream<String, Request, Response> hedged() {
            return upstream(config -> config.hedge(hedge -> hedge.delay(Duration.ofMillis(10))), "a", "b");
        }

        @Test
        void go_elsewhere_and_the_headers_decide() {
            transport.bodiesComeLater = true;
            var upstream = hedged();
            CompletableFuture<Response> answer = upstream.send(Request.GET);
            time.advance(Duration.ofMillis(10));
            time.runReady();
            assertThat(transport.addresses()).containsExactly("a", "b");
            assertThat(inFlight(upstream)).isEqualTo(2);

            transport.sent.get(1).complete(Response.of(200));
            assertThat(transport.sent.get(0).cancelled).isNotNull();
            assertThat(inFlight(upstream)).isEqualTo(1);
            transport.bodies.get(0).complete(Response.of(200));
            assertThat(answer).isCompletedWithValue(Response.of(200));
            assertThat(inFlight(upstream)).isZero();
            assertThat(transport.bodies).hasSize(1);
        }

        @Test
        void of_requests_that_are_not_idempotent_do_not_start() {
            var upstream = hedged();
            upstream.send(Request.POST);
            upstream.send(Request.STREAM);
            time.advance(Duration.ofDays(1));
            assertThat(transport.addresses()).containsExactly("a", "a");
        }

        @Test
        void discard_what_comes_second() {
            var upstream = hedged();
            upstream.send(Request.GET);
            time.advance(Duration.ofMillis(10));
            time.runReady();
            FakeTransport.Sent first = transport.sent.get(0);
            first.onCancel(reason -> {});
            transport.sent.get(1).complete(Response.of(204));
            first.complete(Response.of(200));

            assertThat(transport.discarded).containsExactly(Response.of(200));
            assertThat(inFlight(upstream)).isZero();
        }
    }

    @Nested
    class Time {
        @Test
        void of_an_attempt_is_the_smaller_of_its_own_and_what_is_left() {
            var upstream = upstream(config -> config.attemptTimeout(Duration.ofSeconds(2)), "a", "b");
            Deadline deadline =
                    Deadline.after(Duration.ofSeconds(3), time.environment().clock());
            CallContext.current().withDeadline(deadline).call(() -> upstream.send(Request.GET));
            assertThat(transport.last().deadline.remainingNanos()).isEqualTo(SECONDS.toNanos(2));
            time.advance(Duration.ofMillis(1900));
            transport.last().complete(Response.of(500));
            time.advance(Duration.ofMillis(100));
            assertThat(transport.sent).hasSize(2);
            assertThat(transport.last().deadline.remainingNanos()).isEqualTo(SECONDS.toNanos(1));
        }

        @Test
        void that_is_up_ends_the_call_and_the_exchange() {
            var upstream = upstream(config -> {}, "a", "b");
            Deadline deadline =
                    Deadline.after(Duration.ofSeconds(3), time.environment().clock());
            CompletableFuture<Response> answer =
                    CallContext.current().withDeadline(deadline).call(() -> upstream.send(Request.GET));
            time.advance(Duration.ofSeconds(3).plusMillis(2));

            assertThat(answer).isCompletedExceptionally();
            assertThat(transport.last().cancelled).isNotNull();
            assertThat(inFlight(upstream)).isZero();
        }
    }

    @Test
    void a_policy_per_endpoint_stands_around_each_exchange_until_its_body_has_ended() {
        transport.bodiesComeLater = true;
        Map<String, dev.levee.core.policy.Bulkhead> bulkheads = new HashMap<>();
        var upstream = upstream(
                config -> config.noRetry()
                        .policyPerEndpoint(address -> bulkheads.computeIfAbsent(
                                address,
                                name -> dev.levee.core.policy.Bulkhead.of(
                                        name, bulkhead -> bulkhead.maxConcurrent(1), time.environment()))),
                "a",
                "b");
        CompletableFuture<Response> first = upstream.send(Request.GET);
        transport.last().complete(Response.of(200));
        assertThat(bulkheads.get("a").inFlight()).isEqualTo(1);
        assertThat(upstream.send(Request.GET)).isCompletedExceptionally();
        transport.bodies.get(0).complete(Response.of(200));
        assertThat(first).isCompleted();
        assertThat(bulkheads.get("a").inFlight()).isZero();
    }

    @Test
    void what_user_code_throws_fails_the_future() {
        assertThatThrownBy(() -> upstream(
                                config -> config.key(request -> {
                                    throw new IllegalStateException("key");
                                }),
                                "a")
                        .send(Request.GET)
                        .join())
                .hasRootCauseMessage("key");
    }

    @Test
    void it_says_what_it_is_made_of_and_how_it_does() {
        var upstream = upstream(config -> config.hedge(hedge -> {}), "a", "b");
        assertThat(upstream.toString())
                .startsWith("timeout(retry(hedge(catalog(")
                .endsWith("[exchange])))");
        Map<String, Double> figures = new HashMap<>();
        upstream.measure((name, figure, value) -> figures.put(figure, value));
        assertThat(figures)
                .containsKeys(
                        "balancer.endpoints",
                        "breaker.state",
                        "retry.repeated",
                        "hedge.fired",
                        "timeout.timed.out",
                        "endpoint.in.flight");
        upstream.close();
    }
}
