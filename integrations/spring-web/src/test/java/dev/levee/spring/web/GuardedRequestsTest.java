package dev.levee.spring.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitOpenException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.core.SpringVersion;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;

class GuardedRequestsTest {
    private final List<WebNode> nodes = new ArrayList<>();
    private final List<ClientGuard> guards = new ArrayList<>();

    /** Counts responses that were opened and closed. */
    private final AtomicInteger opened = new AtomicInteger();

    private final AtomicInteger closed = new AtomicInteger();

    @AfterEach
    void close() {
        nodes.forEach(WebNode::close);
        guards.forEach(ClientGuard::close);
    }

    private WebNode node(WebNode.Handling handling) {
        WebNode node = new WebNode(handling);
        nodes.add(node);
        return node;
    }

    private EndpointSource<URI> source() {
        return EndpointSource.ofAddresses(nodes.stream().map(WebNode::uri).toList());
    }

    private LoadBalancer<URI> balancer() {
        return ClientGuard.balancer("catalog", source(), BalancingStrategy.roundRobin(), Environment.system());
    }

    private ClientGuard guard(dev.levee.core.Policy... policies) {
        ClientGuard guard = ClientGuard.of("catalog", Pipeline.of(policies), balancer(), Environment.system());
        guards.add(guard);
        return guard;
    }

    private static Retry retry(int attempts) {
        return Retry.of("catalog", c -> c.maxAttempts(attempts).backoff(Backoff.fixed(Duration.ZERO)));
    }

    private RestClient client(ClientGuard guard) {
        return RestClient.builder()
                .baseUrl("http://catalog")
                .requestFactory(GuardedRequests.factory(counting(new JdkClientHttpRequestFactory()), guard))
                .build();
    }

    private ClientHttpRequestFactory counting(ClientHttpRequestFactory factory) {
        return new org.springframework.http.client.InterceptingClientHttpRequestFactory(
                factory, List.of((request, body, execution) -> {
                    ClientHttpResponse response = execution.execute(request, body);
                    opened.incrementAndGet();
                    return new CountedResponse(response, closed);
                }));
    }

    private static class CountedResponse implements ClientHttpResponse {
        private final ClientHttpResponse inner;
        private final AtomicInteger closed;

        CountedResponse(ClientHttpResponse inner, AtomicInteger closed) {
            this.inner = inner;
            this.closed = closed;
        }

        @Override
        public HttpStatusCode getStatusCode() throws IOException {
            return inner.getStatusCode();
        }

        @Override
        public String getStatusText() throws IOException {
            return inner.getStatusText();
        }

        @Override
        public void close() {
            closed.incrementAndGet();
            inner.close();
        }

        @Override
        public InputStream getBody() throws IOException {
            return inner.getBody();
        }

        @Override
        public org.springframework.http.HttpHeaders getHeaders() {
            return inner.getHeaders();
        }
    }

    private static String get(RestClient client, String path) {
        return client.get().uri(path).retrieve().body(String.class);
    }

    @Test
    void runs_on_the_spring_that_is_meant() {
        String wanted = System.getProperty("levee.spring", "7.");
        assertThat(SpringVersion.getVersion()).startsWith(wanted);
    }

    @Test
    void requests_are_balanced_over_the_endpoints_with_path_and_query() {
        node(WebNode.status(200, "a"));
        node(WebNode.status(200, "b"));
        node(WebNode.status(200, "c"));
        RestClient client = client(guard(retry(3)));
        Set<String> answers = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            answers.add(get(client, "/products/42?q=a%20b"));
        }
        assertThat(answers).containsExactlyInAnyOrder("a", "b", "c");
        assertThat(nodes)
                .allSatisfy(node -> assertThat(node.seen)
                        .hasSize(2)
                        .allSatisfy(seen -> assertThat(seen.uri()).startsWith("/products/42?q=a")));
    }

    @Test
    void a_get_that_fails_by_its_status_is_sent_to_another_endpoint() {
        WebNode bad = node(WebNode.status(500, "broken"));
        node(WebNode.status(200, "fine"));
        RestClient client = client(guard(retry(2)));
        for (int i = 0; i < 10; i++) {
            assertThat(get(client, "/p")).isEqualTo("fine");
        }
        assertThat(bad.seen).isNotEmpty();
        assertThat(closed).as("every response").hasValue(opened.get());
    }

    @Test
    void three_attempts_go_to_three_endpoints() {
        for (int i = 0; i < 3; i++) {
            node(WebNode.status(503, "no"));
        }
        RestClient client = client(guard(retry(3)));
        assertThatThrownBy(() -> get(client, "/p")).isInstanceOf(HttpServerErrorException.ServiceUnavailable.class);
        assertThat(nodes).allSatisfy(node -> assertThat(node.seen).hasSize(1));
        assertThat(closed).hasValue(3);
    }

    @Test
    void a_post_that_may_have_run_is_not_repeated_and_its_response_comes_through() {
        WebNode first = node(WebNode.status(500, "boom", "X-Why", "because"));
        WebNode second = node(WebNode.status(500, "boom", "X-Why", "because"));
        RestClient client = client(guard(retry(3)));
        String answer = client.post().uri("/orders").body("{}").exchange((request, response) -> {
            assertThat(response.getStatusCode().value()).isEqualTo(500);
            assertThat(response.getHeaders().getFirst("X-Why")).isEqualTo("because");
            return new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8);
        });
        assertThat(answer).isEqualTo("boom");
        assertThat(first.seen.size() + second.seen.size()).isEqualTo(1);
    }

    @Test
    void a_post_that_surely_was_not_sent_is_repeated_elsewhere_with_its_body() {
        WebNode dead = node(WebNode.status(200, "never"));
        WebNode live = node(WebNode.status(200, "done"));
        RestClient client = client(guard(retry(3)));
        dead.close();
        for (int i = 0; i < 4; i++) {
            String answer =
                    client.post().uri("/orders").body("order").retrieve().body(String.class);
            assertThat(answer).isEqualTo("done");
        }
        assertThat(live.seen)
                .hasSize(4)
                .allSatisfy(seen -> assertThat(seen.body()).isEqualTo("order"));
    }

    @Test
    void a_post_answered_with_too_early_was_not_processed_and_is_repeated_by_a_retry_with_our_rule() {
        node(WebNode.status(425, "early"));
        node(WebNode.status(200, "done"));
        RestClient client = client(guard(
                Retry.of("catalog", c -> c.backoff(Backoff.fixed(Duration.ZERO)).outcomes(ClientGuard.outcomes()))));
        for (int i = 0; i < 2; i++) {
            assertThat(client.post().uri("/orders").body("x").retrieve().body(String.class))
                    .isEqualTo("done");
        }
    }

    @Test
    void the_caller_gets_a_throttling_answer_when_there_is_no_other_endpoint() {
        WebNode only = node(WebNode.status(503, "later", "Retry-After", "3600"));
        RestClient client = client(guard(
                Retry.of("catalog", c -> c.backoff(Backoff.fixed(Duration.ZERO)).outcomes(ClientGuard.outcomes()))));
        assertThatThrownBy(() -> get(client, "/p"))
                .isInstanceOfSatisfying(
                        HttpServerErrorException.class,
                        e -> assertThat(e.getResponseHeaders().getFirst("Retry-After"))
                                .isEqualTo("3600"));
        assertThat(only.seen).as("an hour is longer than a retry waits").hasSize(1);
    }

    @Test
    void not_found_is_an_answer_and_no_failure() {
        WebNode only = node(WebNode.status(404, "none"));
        CircuitBreaker breaker = CircuitBreaker.of("catalog", c -> c.consecutiveFailures(1));
        RestClient client = client(guard(retry(3), breaker));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> get(client, "/p"))
                    .isInstanceOf(org.springframework.web.client.HttpClientErrorException.NotFound.class);
        }
        assertThat(only.seen).hasSize(3);
    }

    @Test
    void a_plain_500_opens_a_breaker_of_the_pipeline_and_the_refusal_comes_through() {
        node(WebNode.status(500, "no"));
        CircuitBreaker breaker = CircuitBreaker.of("catalog", c -> c.consecutiveFailures(2));
        RestClient client = client(guard(breaker));
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> get(client, "/p")).isInstanceOf(HttpServerErrorException.class);
        }
        assertThatThrownBy(() -> get(client, "/p")).isInstanceOf(CircuitOpenException.class);
        assertThat(closed).hasValue(opened.get());
    }

    @Test
    void the_balancer_sees_plain_failures_and_leaves_the_endpoint_out() {
        WebNode bad = node(WebNode.status(500, "no"));
        node(WebNode.status(200, "yes"));
        RestClient client = client(guard(retry(3)));
        for (int i = 0; i < 200; i++) {
            assertThat(get(client, "/p")).isEqualTo("yes");
        }
        assertThat(bad.seen.size()).as("the breaker of the endpoint has opened").isLessThan(100);
    }

    @Test
    void the_deadline_goes_out_with_each_attempt_unless_the_request_has_less() {
        WebNode node = node(WebNode.status(200, "yes"));
        RestClient client = client(guard(retry(2), Timeout.of("catalog", Duration.ofSeconds(30))));
        get(client, "/p");
        String sent = node.seen.get(0).headers().getFirst(Deadline.HEADER);
        long left = Deadline.ofHeader(sent, Environment.system().clock()).remainingNanos();
        assertThat(left).isBetween(1L, TimeUnit.SECONDS.toNanos(30));
        client.get().uri("/p").header(Deadline.HEADER, "5m").retrieve().toBodilessEntity();
        assertThat(node.seen.get(1).headers().get(Deadline.HEADER)).containsExactly("5m");
        client.get().uri("/p").header(Deadline.HEADER, "9H").retrieve().toBodilessEntity();
        client.get().uri("/p").header(Deadline.HEADER, "nonsense").retrieve().toBodilessEntity();
        assertThat(node.seen.subList(2, 4))
                .allSatisfy(seen -> assertThat(seen.headers().get(Deadline.HEADER))
                        .hasSize(1)
                        .doesNotContain("9H", "nonsense"));
    }

    @Test
    void without_a_deadline_no_header_goes_out() {
        WebNode node = node(WebNode.status(200, "yes"));
        get(client(guard(retry(2))), "/p");
        assertThat(node.seen.get(0).headers().containsKey(Deadline.HEADER)).isFalse();
    }

    @Test
    void a_call_whose_deadline_has_passed_is_not_sent() {
        WebNode node = node(WebNode.status(200, "yes"));
        RestClient client = client(guard(retry(2)));
        Deadline past = Deadline.after(Duration.ZERO, Environment.system().clock());
        Operation<String, RuntimeException> call = () -> get(client, "/p");
        assertThatThrownBy(() -> CallContext.current().withDeadline(past).call(call))
                .isInstanceOf(dev.levee.core.DeadlineExpiredException.class);
        assertThat(node.seen).isEmpty();
    }

    @Test
    void requests_for_other_hosts_pass_through_also_those_that_only_look_alike() {
        WebNode node = node(WebNode.status(500, "no"));
        WebNode other = node(WebNode.status(200, "other"));
        ClientGuard guard = guard(retry(3));
        RestClient client = client(guard);
        assertThat(get(client, other.uri() + "/x")).isEqualTo("other");
        assertThat(node.seen).isEmpty();
        for (String uri : List.of("http://catalog:81/", "http://user@catalog/", "http://catalog.evil/", "/catalog")) {
            assertThat(guard.isFor(URI.create(uri))).as(uri).isFalse();
        }
        assertThat(guard.isFor(URI.create("HTTP://Catalog/p"))).isTrue();
    }

    @Test
    void a_request_for_https_never_goes_to_an_endpoint_without_it() {
        WebNode node = node(WebNode.status(200, "yes"));
        RestClient client = client(guard(retry(3)));
        assertThatThrownBy(() -> get(client, "https://catalog/p"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("encrypted");
        assertThat(node.seen).isEmpty();
    }

    @Test
    void interceptors_of_the_client_stand_around_the_call_and_run_once() {
        node(WebNode.status(500, "no"));
        WebNode good = node(WebNode.status(200, "yes"));
        AtomicInteger runs = new AtomicInteger();
        RestClient client = client(guard(retry(2)))
                .mutate()
                .requestInterceptor((request, body, execution) -> {
                    runs.incrementAndGet();
                    request.getHeaders().add("X-Token", "t");
                    return execution.execute(request, body);
                })
                .build();
        for (int i = 0; i < 4; i++) {
            assertThat(get(client, "/p")).isEqualTo("yes");
        }
        assertThat(runs).hasValue(4);
        assertThat(good.seen)
                .allSatisfy(seen -> assertThat(seen.headers().get("X-Token")).containsExactly("t"));
    }

    @Test
    void a_rest_template_is_guarded_by_factory_and_by_interceptor() {
        node(WebNode.status(500, "no"));
        node(WebNode.status(200, "yes"));
        ClientGuard guard = guard(retry(2));
        RestTemplate byFactory = new RestTemplate(GuardedRequests.factory(new SimpleClientHttpRequestFactory(), guard));
        RestTemplate byInterceptor = new RestTemplate(new SimpleClientHttpRequestFactory());
        byInterceptor.getInterceptors().add(GuardedRequests.interceptor(guard));
        for (int i = 0; i < 4; i++) {
            assertThat(byFactory.getForObject("http://catalog/p", String.class)).isEqualTo("yes");
            assertThat(byInterceptor.getForObject("http://catalog/p", String.class))
                    .isEqualTo("yes");
        }
    }

    /** An HTTP interface. */
    interface Catalog {
        @GetExchange("/products")
        String products();
    }

    @Test
    void an_http_interface_is_guarded_by_its_client() {
        node(WebNode.status(500, "no"));
        node(WebNode.status(200, "yes"));
        Catalog catalog = HttpServiceProxyFactory.builderFor(RestClientAdapter.create(client(guard(retry(2)))))
                .build()
                .createClient(Catalog.class);
        for (int i = 0; i < 4; i++) {
            assertThat(catalog.products()).isEqualTo("yes");
        }
    }

    @Test
    void the_body_of_the_response_streams_on_after_the_call() {
        CountDownLatch read = new CountDownLatch(1);
        node(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('a');
            exchange.getResponseBody().flush();
            await(read); // only a client that reads before the end of the body gets further
            exchange.getResponseBody().write('b');
        });
        RestClient client = client(guard(retry(2), Timeout.of("catalog", Duration.ofSeconds(30))));
        String text = client.get().uri("/stream").exchange((request, response) -> {
            int first = response.getBody().read();
            read.countDown();
            return (char) first + new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8);
        });
        assertThat(text).isEqualTo("ab");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_pipeline_that_answers_with_something_else_is_told_so() {
        node(WebNode.status(500, "no"));
        RestClient client = client(guard(Fallback.of("catalog", error -> "default")));
        assertThatThrownBy(() -> get(client, "/p"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("client \"catalog\": its pipeline answered with a java.lang.String");
        assertThat(closed).hasValue(opened.get());
    }

    @Test
    void all_endpoints_gone_is_the_failure_of_the_client() {
        WebNode dead = node(WebNode.status(200, "never"));
        RestClient client = client(guard(retry(2)));
        dead.close();
        assertThatThrownBy(() -> get(client, "/p")).isInstanceOf(ResourceAccessException.class);
    }

    @Test
    void hosts_that_are_none_are_refused_by_name() {
        for (String host : List.of("http://catalog", "catalog/path", "user@catalog", "ca talog", "catalog?x", "")) {
            assertThatThrownBy(() -> ClientGuard.of(host, EndpointSource.ofAddresses(List.of())))
                    .as(host)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void the_guard_with_defaults_retries_elsewhere_and_reports_figures() {
        node(WebNode.status(500, "no"));
        node(WebNode.status(200, "yes"));
        ClientGuard guard = ClientGuard.of("catalog", source());
        guards.add(guard);
        RestClient client = client(guard);
        for (int i = 0; i < 4; i++) {
            assertThat(get(client, "/p")).isEqualTo("yes");
        }
        Set<String> names = new HashSet<>();
        guard.measure((policy, metric, value) -> names.add(metric));
        assertThat(names).contains("balancer.endpoints");
        assertThat(guard.toString()).startsWith("client \"catalog\": ");
    }

    @Test
    void a_response_without_a_readable_status_is_closed() {
        node(WebNode.status(200, "yes"));
        ClientHttpRequestInterceptor unreadable = new ClientHttpRequestInterceptor() {
            @Override
            public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
                    throws IOException {
                ClientHttpResponse response = execution.execute(request, body);
                opened.incrementAndGet();
                return new CountedResponse(response, closed) {
                    @Override
                    public HttpStatusCode getStatusCode() throws IOException {
                        throw new IOException("no status");
                    }
                };
            }
        };
        ClientHttpRequestFactory factory = new org.springframework.http.client.InterceptingClientHttpRequestFactory(
                new JdkClientHttpRequestFactory(), List.of(unreadable));
        assertThatThrownBy(() -> GuardedRequests.factory(factory, guard(retry(2)))
                        .createRequest(URI.create("http://catalog/p"), HttpMethod.GET)
                        .execute())
                .hasMessage("no status");
        assertThat(opened).hasValue(2);
        assertThat(closed).hasValue(2);
    }
}
