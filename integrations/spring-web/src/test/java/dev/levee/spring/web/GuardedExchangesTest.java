package dev.levee.spring.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitOpenException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.reactive.function.client.WebClientResponseException;
import org.springframework.web.reactive.function.client.support.WebClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

class GuardedExchangesTest {
    private final List<AutoCloseable> closing = new ArrayList<>();
    private final List<URI> uris = new ArrayList<>();
    private ClientGuard guard;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : closing) {
            one.close();
        }
    }

    private WebNode node(WebNode.Handling handling) {
        WebNode node = new WebNode(handling);
        closing.add(node);
        uris.add(node.uri());
        return node;
    }

    private HeldNode held() {
        HeldNode node = new HeldNode();
        closing.add(node);
        uris.add(node.uri());
        return node;
    }

    private WebClient client(Policy... policies) {
        return WebClient.builder()
                .baseUrl("http://catalog")
                .filter(GuardedExchanges.filter(guard(policies)))
                .build();
    }

    private ClientGuard guard(Policy... policies) {
        LoadBalancer<URI> balancer = LoadBalancer.of(
                "catalog",
                BalancingStrategy.roundRobin(),
                EndpointSource.ofAddresses(uris),
                c -> c.outcomes(ClientGuard.outcomes()));
        guard = ClientGuard.of("catalog", Pipeline.of(policies), balancer, Environment.system());
        closing.add(guard);
        return guard;
    }

    private static Retry retry(int attempts) {
        return Retry.of("catalog", c -> c.maxAttempts(attempts).backoff(Backoff.fixed(Duration.ZERO)));
    }

    private static Mono<String> get(WebClient client, String path) {
        return client.get().uri(path).retrieve().bodyToMono(String.class);
    }

    private int inFlight() {
        return guard.balancer().snapshot().stream()
                .mapToInt(EndpointState::inFlight)
                .sum();
    }

    private static void eventually(String what, BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 2_000 && !condition.getAsBoolean(); i++) {
            Thread.sleep(10);
        }
        assertThat(condition.getAsBoolean()).as(what).isTrue();
    }

    @Test
    void requests_are_balanced_and_failures_are_sent_elsewhere() {
        node(WebNode.status(200, "a"));
        node(WebNode.status(500, "no"));
        node(WebNode.status(200, "b"));
        WebClient client = client(retry(3));
        Set<String> answers = new HashSet<>();
        for (int i = 0; i < 12; i++) {
            answers.add(get(client, "/products/42?q=a%20b").block());
        }
        assertThat(answers).containsExactlyInAnyOrder("a", "b");
        assertThat(inFlight()).isZero();
    }

    @Test
    void a_post_that_may_have_run_is_sent_once_and_its_response_comes_through() {
        WebNode first = node(WebNode.status(500, "boom"));
        WebNode second = node(WebNode.status(500, "boom"));
        WebClient client = client(retry(3));
        assertThatThrownBy(() -> client.post()
                        .uri("/orders")
                        .bodyValue("order")
                        .retrieve()
                        .bodyToMono(String.class)
                        .block())
                .isInstanceOfSatisfying(
                        WebClientResponseException.class,
                        e -> assertThat(e.getResponseBodyAsString()).isEqualTo("boom"));
        assertThat(first.seen.size() + second.seen.size()).isEqualTo(1);
    }

    @Test
    void a_post_that_surely_was_not_sent_is_repeated_elsewhere_with_its_body() {
        WebNode dead = node(WebNode.status(200, "never"));
        WebNode live = node(WebNode.status(200, "done"));
        WebClient client = client(retry(3));
        dead.close();
        for (int i = 0; i < 4; i++) {
            assertThat(client.post()
                            .uri("/orders")
                            .bodyValue("order")
                            .retrieve()
                            .bodyToMono(String.class)
                            .block())
                    .isEqualTo("done");
        }
        assertThat(live.seen)
                .hasSize(4)
                .allSatisfy(seen -> assertThat(seen.body()).isEqualTo("order"));
    }

    @Test
    void nothing_is_sent_before_a_subscription_and_each_one_is_a_call() {
        WebNode node = node(WebNode.status(200, "a"));
        Mono<String> call = get(client(retry(2)), "/p");
        assertThat(node.seen).isEmpty();
        call.block();
        call.block();
        assertThat(node.seen).hasSize(2);
    }

    @Test
    void all_endpoints_gone_is_the_exception_of_the_client() {
        WebNode dead = node(WebNode.status(200, "never"));
        WebClient client = client(retry(2));
        dead.close();
        assertThatThrownBy(() -> get(client, "/p").block()).isInstanceOf(WebClientRequestException.class);
    }

    @Test
    void a_plain_500_opens_a_breaker_and_the_refusal_comes_through() {
        node(WebNode.status(500, "no"));
        WebClient client = client(CircuitBreaker.of("catalog", c -> c.consecutiveFailures(2)));
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> get(client, "/p").block()).isInstanceOf(WebClientResponseException.class);
        }
        assertThatThrownBy(() -> get(client, "/p").block()).isInstanceOf(CircuitOpenException.class);
    }

    @Test
    void cancelling_ends_the_exchange_and_gives_everything_back() throws Exception {
        HeldNode held = held();
        Bulkhead bulkhead = Bulkhead.of("catalog", 1);
        WebClient client = client(bulkhead, retry(2));
        Disposable running = get(client, "/p").subscribe();
        eventually("a connection", () -> held.connections.get() == 1);
        assertThat(inFlight()).isEqualTo(1);
        running.dispose();
        eventually("no connection", held.open::isEmpty);
        assertThat(inFlight()).isZero();
        assertThat(held.connections).as("it was not repeated").hasValue(1);
        Disposable again = get(client, "/p").subscribe(); // the bulkhead has its permit back
        eventually("a connection", () -> held.connections.get() == 2);
        again.dispose();
    }

    @Test
    void connections_return_to_the_start_after_100_trips() throws Exception {
        HeldNode held = held();
        WebClient client = client(Timeout.of("catalog", Duration.ofMillis(50)));
        List<CompletableFuture<String>> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            calls.add(get(client, "/p").toFuture());
        }
        for (CompletableFuture<String> call : calls) {
            assertThatThrownBy(() -> call.get(60, TimeUnit.SECONDS)).hasCauseInstanceOf(TimedOutException.class);
        }
        eventually("no connection", held.open::isEmpty);
        assertThat(inFlight()).isZero();
    }

    @Test
    void responses_that_do_not_count_are_released_so_connections_are_used_again() {
        WebNode bad = node(WebNode.status(500, "x".repeat(100_000)));
        node(WebNode.status(200, "good"));
        reactor.netty.resources.ConnectionProvider one = reactor.netty.resources.ConnectionProvider.create("one", 1);
        WebClient client = WebClient.builder()
                .baseUrl("http://catalog")
                .clientConnector(new org.springframework.http.client.reactive.ReactorClientHttpConnector(
                        reactor.netty.http.client.HttpClient.create(one)))
                .filter(GuardedExchanges.filter(guard(retry(2))))
                .build();
        for (int i = 0; i < 20; i++) { // with one connection for each endpoint a leak would stop the next call
            assertThat(get(client, "/p").block(Duration.ofSeconds(30))).isEqualTo("good");
        }
        assertThat(bad.seen).isNotEmpty();
        one.dispose();
    }

    @Test
    void the_slower_one_of_two_hedged_requests_is_cancelled() throws Exception {
        HeldNode held = held();
        node(WebNode.status(200, "fast"));
        WebClient client = client(Hedge.of("catalog", c -> c.delay(Duration.ofMillis(20))));
        for (int i = 0; i < 4; i++) {
            assertThat(get(client, "/p").block(Duration.ofSeconds(30))).isEqualTo("fast");
        }
        eventually("no connection", held.open::isEmpty);
        eventually("in flight", () -> inFlight() == 0);
    }

    @Test
    void the_deadline_of_the_context_goes_out_and_the_context_reaches_every_attempt() {
        node(WebNode.status(500, "no"));
        WebNode node = node(WebNode.status(200, "a"));
        List<String> users = new ArrayList<>();
        WebClient client = WebClient.builder()
                .baseUrl("http://catalog")
                .filter(GuardedExchanges.filter(guard(retry(2))))
                .filter((request, next) -> Mono.deferContextual(context -> {
                    users.add(context.get("user"));
                    return next.exchange(request);
                }))
                .build();
        CallContext context = CallContext.current()
                .withDeadline(Deadline.after(
                        Duration.ofSeconds(30), Environment.system().clock()));
        for (int i = 0; i < 2; i++) {
            get(client, "/p")
                    .contextWrite(c -> c.put("user", "ada").put(CallContext.class, context))
                    .block();
        }
        assertThat(users).hasSizeGreaterThan(2).containsOnly("ada");
        assertThat(node.seen)
                .allSatisfy(seen -> assertThat(Deadline.ofHeader(
                                        seen.headers().getFirst(Deadline.HEADER),
                                        Environment.system().clock())
                                .remainingNanos())
                        .isBetween(1L, TimeUnit.SECONDS.toNanos(30)));
    }

    @Test
    void requests_for_other_hosts_pass_through() {
        WebNode ours = node(WebNode.status(500, "no"));
        WebClient client = client(retry(3));
        WebNode other = node(WebNode.status(200, "other"));
        assertThat(client.get()
                        .uri(other.uri() + "/x")
                        .retrieve()
                        .bodyToMono(String.class)
                        .block())
                .isEqualTo("other");
        assertThat(ours.seen).isEmpty();
    }

    @Test
    void the_body_of_the_response_streams_on_after_the_call() {
        CountDownLatch read = new CountDownLatch(1);
        node(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('a');
            exchange.getResponseBody().flush();
            try {
                assertThat(read.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            exchange.getResponseBody().write('b');
        });
        StringBuilder text = new StringBuilder();
        client(retry(2))
                .get()
                .uri("/stream")
                .exchangeToFlux(response -> response.bodyToFlux(org.springframework.core.io.buffer.DataBuffer.class))
                .doOnNext(buffer -> {
                    text.append(buffer.toString(java.nio.charset.StandardCharsets.UTF_8));
                    org.springframework.core.io.buffer.DataBufferUtils.release(buffer);
                    read.countDown();
                })
                .blockLast(Duration.ofSeconds(60));
        assertThat(text).hasToString("ab");
    }

    @Test
    void an_exchange_that_ends_without_a_response_is_a_failure() {
        node(WebNode.status(200, "a"));
        AtomicInteger exchanges = new AtomicInteger();
        Mono<ClientResponse> nothing = GuardedExchanges.filter(guard(retry(2)))
                .filter(
                        ClientRequest.create(org.springframework.http.HttpMethod.GET, URI.create("http://catalog/p"))
                                .build(),
                        request -> {
                            exchanges.incrementAndGet();
                            return Mono.empty();
                        });
        assertThatThrownBy(nothing::block).hasMessageContaining("without a response");
        assertThat(exchanges).hasValue(2);
    }

    /** An HTTP interface. */
    interface ReactiveCatalog {
        @GetExchange("/products")
        Mono<String> products();
    }

    @Test
    void an_http_interface_is_guarded_by_its_client() {
        node(WebNode.status(500, "no"));
        node(WebNode.status(200, "yes"));
        ReactiveCatalog catalog = HttpServiceProxyFactory.builderFor(WebClientAdapter.create(client(retry(2))))
                .build()
                .createClient(ReactiveCatalog.class);
        for (int i = 0; i < 4; i++) {
            assertThat(catalog.products().block()).isEqualTo("yes");
        }
    }
}
