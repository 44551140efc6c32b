package dev.levee.spring.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Deadline;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.cloud.loadbalancer.support.LoadBalancerClientFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;

/** A real Spring Cloud Gateway in front of servers on loopback. */
class GatewayTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static CloudNode a;
    private static CloudNode b;
    private static CloudNode c;
    private static CloudNode beta;
    private static CloudNode mortal;
    private static CloudNode immortal;
    private static CloudNode broken;
    private static CloudNode frozen;
    private static CloudNode slow;
    private static CloudNode left;
    private static ConfigurableApplicationContext gateway;
    private static String base;

    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {
        @Bean
        BalancingStrategy strategy() {
            return BalancingStrategy.roundRobin();
        }

        @Bean
        CircuitBreaker broken() {
            return CircuitBreaker.of("broken", s -> s.consecutiveFailures(3).openFor(Duration.ofHours(1)));
        }

        @Bean
        CircuitBreaker forever() {
            return CircuitBreaker.of("forever", s -> s.consecutiveFailures(1).openFor(Deadline.FOREVER));
        }

        @Bean
        CircuitBreaker refused() {
            return CircuitBreaker.of("refused", s -> s.consecutiveFailures(2).openFor(Duration.ofHours(1)));
        }

        @Bean
        RateLimiter limited() {
            return RateLimiter.of("limited", Limit.of(2, Duration.ofHours(1)));
        }

        @Bean
        Policy impatient() {
            return Timeout.of("impatient", Duration.ofMillis(100));
        }

        @Bean
        Policy repeating() {
            return Pipeline.of(Retry.of("repeating"));
        }
    }

    @BeforeAll
    static void start() {
        a = new CloudNode(CloudNode.status(200, "a"));
        b = new CloudNode(CloudNode.status(200, "b"));
        c = new CloudNode(CloudNode.status(200, "c"));
        beta = new CloudNode(CloudNode.status(200, "beta"));
        mortal = new CloudNode(CloudNode.status(200, "mortal"));
        immortal = new CloudNode(CloudNode.status(200, "immortal"));
        broken = new CloudNode(CloudNode.status(500, "broken", "X-Why: because"));
        frozen = new CloudNode(CloudNode.frozen());
        left = new CloudNode(CloudNode.frozen());
        slow = new CloudNode((line, out) -> {
            pause();
            return CloudNode.status(200, "slow").answer(line, out);
        });
        List<String> properties = new ArrayList<>(List.of(
                "server.port=0",
                "server.address=127.0.0.1",
                "spring.main.banner-mode=off",
                "logging.level.root=WARN",
                "logging.level.reactor.netty=ERROR",
                "logging.level.org.springframework.boot.webflux=OFF",
                "spring.cloud.loadbalancer.cache.enabled=false"));
        service(properties, "catalog", a, b, c);
        service(properties, "beta", beta);
        service(properties, "pair", mortal, immortal);
        service(properties, "cold", frozen);
        service(properties, "left", left);
        route(properties, 0, "beta", "lb://beta", "Path=/catalog/**", "Header=X-Version,beta");
        route(properties, 1, "catalog", "lb://catalog", "Path=/catalog/**");
        route(properties, 2, "broken", broken.uri().toString(), "Path=/broken/**", "CircuitBreaker=broken");
        route(properties, 3, "limited", a.uri().toString(), "Path=/limited/**", "CircuitBreaker=limited");
        route(properties, 4, "impatient", "lb://cold", "Path=/impatient/**", "CircuitBreaker=impatient");
        route(properties, 5, "slow", slow.uri().toString(), "Path=/slow/**", "CircuitBreaker=slowroute");
        route(properties, 6, "repeating", broken.uri().toString(), "Path=/repeating/**", "CircuitBreaker=repeating");
        route(properties, 7, "pair", "lb://pair", "Path=/pair/**", "Retry=2");
        route(properties, 8, "nothing", "lb://nothing", "Path=/nothing/**");
        route(properties, 9, "left", "lb://left", "Path=/left/**");
        route(properties, 10, "forever", broken.uri().toString(), "Path=/forever/**", "CircuitBreaker=forever");
        route(properties, 11, "instead", c.uri().toString(), "Path=/instead/**");
        routeWithFallback(properties, 12, broken.uri().toString(), "Path=/refused/**", "refused");
        routeWithFallback(properties, 13, frozen.uri().toString(), "Path=/late/**", "impatient");
        routeWithFallback(properties, 14, broken.uri().toString(), "Path=/status/**", "status");
        properties.add("spring.cloud.gateway.server.webflux.routes[14].filters[0].args.statusCodes=500");
        gateway = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.REACTIVE)
                .properties(properties.toArray(String[]::new))
                .run();
        base = "http://127.0.0.1:" + gateway.getEnvironment().getProperty("local.server.port");
    }

    private static void service(List<String> properties, String name, CloudNode... nodes) {
        for (int i = 0; i < nodes.length; i++) {
            properties.add(
                    "spring.cloud.discovery.client.simple.instances." + name + "[" + i + "].uri=" + nodes[i].uri());
        }
    }

    private static void route(List<String> properties, int index, String id, String uri, String... parts) {
        String route = "spring.cloud.gateway.server.webflux.routes[" + index + "].";
        properties.add(route + "id=" + id);
        properties.add(route + "uri=" + uri);
        int predicates = 0;
        int filters = 0;
        for (String part : parts) {
            properties.add(
                    part.startsWith("Path") || part.startsWith("Header")
                            ? route + "predicates[" + predicates++ + "]=" + part
                            : route + "filters[" + filters++ + "]=" + part);
        }
    }

    private static void routeWithFallback(
            List<String> properties, int index, String uri, String predicate, String policy) {
        route(properties, index, policy + "-with-fallback", uri, predicate);
        String filter = "spring.cloud.gateway.server.webflux.routes[" + index + "].filters[0].";
        properties.add(filter + "name=CircuitBreaker");
        properties.add(filter + "args.name=" + policy);
        properties.add(filter + "args.fallbackUri=forward:/instead");
    }

    private static void pause() {
        try {
            Thread.sleep(1_200); // longer than the limit that other implementations have without being told
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterAll
    static void stop() {
        if (gateway != null) {
            gateway.close();
        }
        for (CloudNode node : List.of(a, b, c, beta, mortal, immortal, broken, frozen, slow, left)) {
            node.close();
        }
    }

    private static HttpRequest request(String path, String... headers) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(base + path));
        return headers.length == 0 ? builder.build() : builder.headers(headers).build();
    }

    private static HttpResponse<String> get(String path, String... headers) throws Exception {
        return CLIENT.send(request(path, headers), BodyHandlers.ofString());
    }

    private static InstanceBalancer balancer(String service) {
        return (InstanceBalancer) gateway.getBean(LoadBalancerClientFactory.class)
                .getInstance(service, ReactorServiceInstanceLoadBalancer.class);
    }

    private static boolean isIdle(String service) {
        return balancer(service).balancer().snapshot().stream()
                        .mapToLong(EndpointState::inFlight)
                        .sum()
                == 0;
    }

    private static void eventually(String what, BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 2_000 && !condition.getAsBoolean(); i++) {
            Thread.sleep(10);
        }
        assertThat(condition.getAsBoolean()).as(what).isTrue();
    }

    @Test
    void routes_by_path_and_header_and_balances_over_three_servers() throws Exception {
        Set<String> answers = new HashSet<>();
        for (int i = 0; i < 9; i++) {
            HttpResponse<String> response = get("/catalog/" + i);
            assertThat(response.statusCode()).isEqualTo(200);
            answers.add(response.body());
        }
        assertThat(answers).containsExactlyInAnyOrder("a", "b", "c");
        assertThat(get("/catalog/x", "X-Version", "beta").body()).isEqualTo("beta");
        eventually("in flight", () -> isIdle("catalog"));
        assertThat(balancer("catalog").toString()).contains("catalog");
    }

    @Test
    void a_server_that_was_killed_is_left_out_and_no_request_fails() throws Exception {
        for (int i = 0; i < 4; i++) {
            assertThat(get("/pair/" + i).statusCode()).isEqualTo(200);
        }
        mortal.close();
        for (int i = 0; i < 100; i++) {
            HttpResponse<String> response = get("/pair/" + i);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("immortal");
        }
        eventually("in flight", () -> isIdle("pair"));
    }

    @Test
    void a_breaker_counts_plain_500s_which_come_through_and_then_refuses_with_503() throws Exception {
        int before = broken.requests.size();
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> response = get("/broken/x");
            assertThat(response.statusCode()).isEqualTo(500);
            assertThat(response.body()).isEqualTo("broken");
            assertThat(response.headers().firstValue("X-Why")).contains("because");
        }
        long sent = broken.requests.stream()
                .filter(line -> line.contains("/broken/"))
                .count();
        HttpResponse<String> refused = get("/broken/x");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(Long.parseLong(refused.headers().firstValue("Retry-After").orElseThrow()))
                .isPositive();
        assertThat(broken.requests.stream().filter(line -> line.contains("/broken/")))
                .hasSize((int) sent);
        assertThat(broken.requests).hasSizeGreaterThan(before);
    }

    @Test
    void a_fallback_uri_answers_refusals_timeouts_and_the_statuses_that_the_route_names() throws Exception {
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> asItIs = get("/refused/1");
            assertThat(asItIs.statusCode()).isEqualTo(500);
            assertThat(asItIs.body()).isEqualTo("broken");
        }
        for (String path : List.of("/refused/2", "/late/1", "/status/1", "/status/2")) {
            HttpResponse<String> instead = get(path);
            assertThat(instead.statusCode()).as(path).isEqualTo(200);
            assertThat(instead.body()).as(path).isEqualTo("c");
        }
    }

    @Test
    void a_breaker_that_stays_open_answers_503_without_a_time() throws Exception {
        assertThat(get("/forever/x").statusCode()).isEqualTo(500);
        HttpResponse<String> refused = get("/forever/x");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isEmpty();
    }

    @Test
    void a_limited_route_answers_429_with_retry_after() throws Exception {
        assertThat(get("/limited/1").statusCode()).isEqualTo(200);
        assertThat(get("/limited/2").statusCode()).isEqualTo(200);
        HttpResponse<String> refused = get("/limited/3");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(Long.parseLong(refused.headers().firstValue("Retry-After").orElseThrow()))
                .isBetween(1L, 3_600L);
    }

    @Test
    void a_route_without_a_time_limit_is_not_cut_after_a_second() throws Exception {
        HttpResponse<String> response = get("/slow/1");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("slow");
    }

    @Test
    void the_time_limit_of_a_policy_answers_504_and_connections_return_to_the_start_after_100_trips() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            calls.add(CLIENT.sendAsync(request("/impatient/" + i), BodyHandlers.ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> call : calls) {
            // once the breaker of the one server has opened there is none left
            assertThat(call.get().statusCode()).isIn(504, 503);
        }
        assertThat(calls.get(0).get().statusCode()).isEqualTo(504);
        eventually("connections to the frozen server", frozen.open::isEmpty);
        eventually("in flight", () -> isIdle("cold"));
    }

    @Test
    void what_a_retry_in_the_policy_would_repeat_is_sent_once() throws Exception {
        HttpRequest post = HttpRequest.newBuilder(URI.create(base + "/repeating/orders"))
                .POST(HttpRequest.BodyPublishers.ofString("order"))
                .build();
        assertThat(CLIENT.send(post, BodyHandlers.ofString()).statusCode()).isEqualTo(500);
        assertThat(get("/repeating/reads").statusCode()).isEqualTo(500);
        assertThat(broken.requests.stream().filter(line -> line.contains("/repeating/orders")))
                .hasSize(1);
        assertThat(broken.requests.stream().filter(line -> line.contains("/repeating/reads")))
                .hasSize(1);
    }

    @Test
    void a_service_without_instances_answers_503() throws Exception {
        assertThat(get("/nothing/1").statusCode()).isEqualTo(503);
    }

    @Test
    void a_client_that_goes_away_gives_its_place_back() throws Exception {
        CompletableFuture<HttpResponse<String>> call = CLIENT.sendAsync(request("/left/away"), BodyHandlers.ofString());
        eventually("the request", () -> left.requests.stream().anyMatch(line -> line.contains("/left/away")));
        call.cancel(true);
        eventually("in flight", () -> isIdle("left"));
        eventually("connections", left.open::isEmpty);
    }
}
