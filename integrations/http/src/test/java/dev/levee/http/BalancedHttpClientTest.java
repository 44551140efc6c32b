package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.loadbalancing.HealthCheck;
import dev.levee.loadbalancing.HealthState;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.CookieManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BalancedHttpClientTest extends Nodes {

    @Test
    void requests_for_a_logical_host_are_spread_over_its_endpoints() throws Exception {
        TestNode a = node("a");
        TestNode b = node("b");
        TestNode c = node("c");
        HttpClient client = client(config -> config.strategy(BalancingStrategy.roundRobin()), a, b, c);

        for (int i = 0; i < 15; i++) {
            assertThat(send(client, get("/products/" + i)).statusCode()).isEqualTo(200);
            assertThat(client.sendAsync(get("/"), BodyHandlers.ofString()).get().statusCode())
                    .isEqualTo(200);
        }
        assertThat(List.of(a.count(), b.count(), c.count())).containsOnly(10);
    }

    @Test
    void path_query_method_headers_and_body_arrive_as_they_were_given() throws Exception {
        TestNode a = node("a");
        HttpClient client = client(config -> {}, a);

        HttpRequest request = HttpRequest.newBuilder(URI.create("http://CATALOG/a%2Fb/c?q=%20x&y#fragment"))
                .header("X-Twice", "one")
                .header("X-Twice", "two")
                .method("PATCH", HttpRequest.BodyPublishers.ofString("bödy"))
                .build();
        HttpResponse<String> response = send(client, request);

        assertThat(response.uri()).isEqualTo(a.uri().resolve("/a%2Fb/c?q=%20x&y"));
        assertThat(response.request().method()).isEqualTo("PATCH");
        assertThat(response.headers().firstValue("content-length")).hasValue("1");
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
        assertThat(response.previousResponse()).isEmpty();
        assertThat(response).hasToString("(PATCH " + a.uri() + "/a%2Fb/c?q=%20x&y) 200");
        TestNode.Received received = a.requests.element();
        assertThat(received.method()).isEqualTo("PATCH");
        assertThat(received.target()).isEqualTo("/a%2Fb/c?q=%20x&y");
        assertThat(received.body()).isEqualTo("bödy");
        assertThat(received.header("x-twice")).isEqualTo("two");
        assertThat(received.header("host")).isEqualTo(a.uri().getAuthority());
    }

    @Test
    void the_path_of_an_endpoint_stands_in_front() throws Exception {
        TestNode a = node("a");
        HttpClient client = BalancedHttpClient.of(
                plain, "catalog", EndpointSource.ofAddresses(List.of(a.uri().resolve("/api/v2/"))));

        send(client, get("/products"));
        send(client, HttpRequest.newBuilder(URI.create("http://catalog")).build());

        assertThat(a.requests).extracting(TestNode.Received::target).containsExactly("/api/v2/products", "/api/v2/");
    }

    @Test
    void requests_for_other_hosts_pass_through() throws Exception {
        TestNode a = node("a");
        TestNode other = node("other");
        HttpClient client = client(config -> {}, a);
        HttpRequest request = HttpRequest.newBuilder(other.uri().resolve("/x")).build();

        assertThat(send(client, request).body()).isEqualTo("other");
        assertThat(client.sendAsync(request, BodyHandlers.ofString()).get().body())
                .isEqualTo("other");
        assertThat(client.sendAsync(request, BodyHandlers.ofString(), null)
                        .get()
                        .body())
                .isEqualTo("other");
        assertThat(a.count()).isZero();
        assertThat(other.requests).allSatisfy(it -> assertThat(it.headers()).doesNotContainKey("levee-deadline"));
    }

    @Test
    void a_host_with_a_port_is_another_host() throws Exception {
        TestNode a = node("a");
        TestNode b = node("b");
        try (BalancedHttpClient client = BalancedHttpClient.builder(plain)
                .host("catalog:81", source(a), config -> {})
                .host("Orders", source(b), config -> {})
                .build()) {
            assertThat(send(
                                    client,
                                    HttpRequest.newBuilder(URI.create("http://catalog:81/"))
                                            .build())
                            .body())
                    .isEqualTo("a");
            assertThat(send(
                                    client,
                                    HttpRequest.newBuilder(URI.create("http://orders/"))
                                            .build())
                            .body())
                    .isEqualTo("b");
            assertThat(client.balancer("ORDERS").snapshot()).hasSize(1);
            assertThatThrownBy(() -> client.balancer("catalog")).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void a_request_that_must_be_encrypted_never_goes_to_an_endpoint_without() throws Exception {
        TestNode a = node("a");
        HttpClient client = client(config -> {}, a);

        assertThatThrownBy(() -> send(
                        client,
                        HttpRequest.newBuilder(URI.create("https://catalog/")).build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("would not be encrypted");
        assertThat(a.count()).isZero();
    }

    @Test
    void a_key_sends_requests_for_the_same_thing_to_the_same_endpoint() throws Exception {
        TestNode a = node("a");
        TestNode b = node("b");
        TestNode c = node("c");
        HttpClient client = client(
                config -> config.strategy(BalancingStrategy.consistentHash())
                        .key(request -> request.headers().firstValue("X-User").orElse(null)),
                a,
                b,
                c);

        for (int user = 0; user < 20; user++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://catalog/" + user))
                    .header("X-User", "user " + user)
                    .build();
            String first = send(client, request).body();
            assertThat(send(client, request).body()).isEqualTo(first);
            assertThat(send(client, request).body()).isEqualTo(first);
        }
        assertThat(List.of(a.count(), b.count(), c.count())).doesNotContain(0);
        assertThat(send(client, get("/nobody")).statusCode()).isEqualTo(200);
    }

    @Test
    void checks_leave_an_endpoint_out_before_a_call_fails_there() throws Exception {
        TestNode ill = node(
                "ill",
                (request, node, socket, out) -> TestNode.status(request.target().equals("/health") ? 503 : 200, "ill")
                        .answer(request, node, socket, out));
        TestNode well = node("well");
        BalancedHttpClient client = client(
                firstFirst()
                        .andThen(config -> config.balancer(
                                balancer -> balancer.health(health -> health.check(HealthCheck.http("/health"))
                                        .checkEvery(Duration.ofMillis(50), 0)
                                        .unhealthyAfter(1)))),
                ill,
                well);

        eventually(() -> client.balancer("catalog").snapshot().get(0).state() == HealthState.UNHEALTHY);
        eventually(() -> answers(client, "well"));
        assertThat(ill.requests).extracting(TestNode.Received::target).contains("/health");
    }

    private static boolean answers(HttpClient client, String name) {
        try {
            return send(client, get("/")).body().equals(name);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_strategy_may_listen_to_what_servers_say_about_their_load() throws Exception {
        TestNode busy = node("busy", TestNode.status(200, "busy", "Levee-Load: 100;90000us"));
        TestNode idle = node("idle", TestNode.status(200, "idle", "Levee-Load: 0;1000us"));
        HttpClient client = client(
                config -> config.strategy(
                        BalancingStrategy.probing(probing -> probing.responses(HttpOutcomes::serverLoad))),
                busy,
                idle);

        for (int i = 0; i < 60; i++) {
            send(client, get("/"));
        }
        assertThat(idle.count()).isGreaterThan(2 * busy.count());
        assertThat(HttpOutcomes.serverLoad("text")).isNull();
        assertThat(HttpOutcomes.serverLoad(send(client, get("/")))).isNotNull();
    }

    @Test
    void limits_stand_around_the_whole_call_and_refuse_as_an_IOException() throws Exception {
        Semaphore released = new Semaphore(0);
        TestNode a = node("a", TestNode.after(released, TestNode.status(200, "a")));
        BalancedHttpClient client =
                client(config -> config.limits(Bulkhead.of("one", bulkhead -> bulkhead.maxConcurrent(1))), a);

        CompletableFuture<HttpResponse<String>> first = client.sendAsync(get("/"), BodyHandlers.ofString());
        a.came.acquire();
        assertThatThrownBy(() -> send(client, get("/")))
                .isInstanceOf(HttpRefusedException.class)
                .hasCauseInstanceOf(BulkheadFullException.class);
        assertThatThrownBy(() ->
                        client.sendAsync(get("/"), BodyHandlers.ofString()).get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(HttpRefusedException.class);
        released.release();
        assertThat(first.get().body()).isEqualTo("a");
        assertThat(a.count()).isEqualTo(1);
    }

    @Test
    void without_endpoints_it_refuses() {
        HttpClient client = client(config -> config.noRetry());

        assertThatThrownBy(() -> send(client, get("/")))
                .isInstanceOf(HttpRefusedException.class)
                .hasMessageContaining("catalog");
    }

    @Test
    void everything_else_is_that_of_the_client_inside() {
        CookieManager cookies = new CookieManager();
        HttpClient inside = HttpClient.newBuilder()
                .cookieHandler(cookies)
                .connectTimeout(Duration.ofSeconds(3))
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        HttpClient client = BalancedHttpClient.of(inside, "catalog", EndpointSource.ofAddresses(List.of()));

        assertThat(client.cookieHandler()).hasValue(cookies);
        assertThat(client.connectTimeout()).hasValue(Duration.ofSeconds(3));
        assertThat(client.followRedirects()).isEqualTo(HttpClient.Redirect.NORMAL);
        assertThat(client.proxy()).isEqualTo(inside.proxy());
        assertThat(client.sslContext()).isSameAs(inside.sslContext());
        assertThat(client.sslParameters().getProtocols())
                .isEqualTo(inside.sslParameters().getProtocols());
        assertThat(client.authenticator()).isEmpty();
        assertThat(client.version()).isEqualTo(inside.version());
        assertThat(client.executor()).isEqualTo(inside.executor());
        assertThat(client.newWebSocketBuilder()).isNotNull();
    }

    @Test
    void redirects_that_are_relative_stay_at_the_endpoint() throws Exception {
        TestNode a = node(
                "a",
                (request, node, socket, out) -> TestNode.status(
                                request.target().equals("/old") ? 302 : 200, request.target(), "Location: /new")
                        .answer(request, node, socket, out));
        HttpClient following = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        HttpResponse<String> response = send(BalancedHttpClient.of(following, "catalog", source(a)), get("/old"));

        assertThat(response.body()).isEqualTo("/new");
        assertThat(response.previousResponse())
                .hasValueSatisfying(it -> assertThat(it.statusCode()).isEqualTo(302));
        assertThat(response.previousResponse().orElseThrow().body()).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "http://catalog, catalog, http://catalog",
        "https://catalog:8443/v1?a=b, catalog:8443, https://catalog:8443/v1?a=b",
        "http://user:s3cret@catalog/, catalog, http://catalog/",
        "catalog/v1, catalog, catalog/v1",
        "user@catalog, catalog, catalog",
    })
    void a_uri_for_a_host_is_refused_with_what_to_write_instead(String given, String right, String shown) {
        assertThatThrownBy(() -> BalancedHttpClient.of(plain, given, source()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith(": write \"" + right + "\" instead of \"" + shown + "\"")
                .hasMessageNotContaining("s3cret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http:///path", "/", "a b"})
    void what_is_no_host_at_all_is_shown(String given) {
        assertThatThrownBy(() -> BalancedHttpClient.of(plain, given, source()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("but was \"" + given + "\"");
    }

    @Test
    void what_is_wrong_is_said_when_it_is_built() {
        assertThatThrownBy(() -> BalancedHttpClient.of(plain, " ", source()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BalancedHttpClient.builder(plain)
                        .host("a", source(), config -> {})
                        .host("A", source(), config -> {}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> client(config -> config.attemptTimeout(Duration.ZERO)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("attemptTimeout");
        assertThatThrownBy(() -> client(config -> config.idleTimeout(Duration.ofSeconds(-1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("idleTimeout");
    }

    @Test
    void a_default_port_that_is_spelled_out_is_balanced_as_without_one() throws Exception {
        HttpClient client = client(firstFirst(), node("a"));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://catalog:80/")).build();
        assertThat(send(client, request).body()).isEqualTo("a");
        assertThat(client.sendAsync(request, BodyHandlers.ofString()).get().body())
                .isEqualTo("a");
    }

    @Test
    void a_request_that_would_leave_the_path_of_its_endpoint_is_not_sent() throws Exception {
        TestNode a = node("a");
        try (BalancedHttpClient client = BalancedHttpClient.of(
                plain, "catalog", EndpointSource.ofAddresses(List.of(URI.create(a.uri() + "/tenant"))))) {
            HttpRequest out = get("/%2e%2E/admin");
            assertThatThrownBy(() -> send(client, out)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(
                            () -> client.sendAsync(out, BodyHandlers.ofString()).get())
                    .hasCauseInstanceOf(IllegalArgumentException.class);
            assertThat(a.count()).isZero();
            send(client, get("/x"));
            assertThat(a.requests.element().target()).isEqualTo("/tenant/x");
        }
    }
}
