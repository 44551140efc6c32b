package dev.levee.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CapturedLog;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateDecision;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.http.ClientAddresses;
import dev.levee.ratelimit.http.ForwardingHeader;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.PartitionKey;
import dev.levee.ratelimit.http.QuotaPolicy;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a filter does on each server: real ones, on a port of the loopback interface. */
abstract class ServerContract {
    static final TokenBucketLimit LIMIT = Limit.perSecond(2).burst(3);

    final ManualTime time = new ManualTime();
    final AtomicInteger served = new AtomicInteger();
    private final HttpClient client = HttpClient.newHttpClient();

    /** Serves every path; it counts in {@link #served}, and answers {@code served}. */
    abstract <K> URI serve(
            KeyedRateLimiter<K> limiter,
            Function<UnaryOperator<String>, ? extends K> keyOfHeaders,
            Consumer<RequestLimitConfig.Builder> configure)
            throws Exception;

    abstract URI serve(KeyedRateLimiter<AddressKey> limiter, ClientAddresses addresses) throws Exception;

    @AfterEach
    abstract void stop() throws Exception;

    final <K> KeyedRateLimiter<K> limiter() {
        return KeyedRateLimiter.of("secret-name", LIMIT, time.environment());
    }

    final URI serveByUser(Consumer<RequestLimitConfig.Builder> configure) throws Exception {
        KeyedRateLimiter<String> limiter = limiter();
        return serve(limiter, headers -> headers.apply("User"), configure);
    }

    final HttpResponse<String> get(URI uri, String... headers) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri), headers);
    }

    final HttpResponse<String> send(HttpRequest.Builder request, String... headers)
            throws IOException, InterruptedException {
        return client.send((headers.length == 0 ? request : request.headers(headers)).build(), BodyHandlers.ofString());
    }

    static List<String> all(HttpResponse<?> response, String name) {
        return response.headers().allValues(name);
    }

    @Test
    void a_request_without_a_permit_is_answered_429_until_its_time_has_come() throws Exception {
        URI uri = serveByUser(config -> config.policy(QuotaPolicy.of("per-user", LIMIT)));
        for (int left = 2; left >= 0; left--) {
            HttpResponse<String> response = get(uri, "User", "a");

            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("served");
            assertThat(all(response, "RateLimit-Policy")).containsExactly("\"per-user\";q=3;w=2");
            assertThat(all(response, "RateLimit")).containsExactly("\"per-user\";r=" + left + ";t=1");
            assertThat(all(response, "Retry-After")).isEmpty();
        }

        HttpResponse<String> refusal = get(uri, "User", "a");

        assertThat(refusal.statusCode()).isEqualTo(429);
        assertThat(refusal.body()).isEqualTo("Too Many Requests\n");
        assertThat(all(refusal, "Retry-After")).containsExactly("1");
        assertThat(all(refusal, "RateLimit")).containsExactly("\"per-user\";r=0;t=1");
        assertThat(all(refusal, "RateLimit-Policy")).containsExactly("\"per-user\";q=3;w=2");
        assertThat(all(refusal, "Cache-Control")).containsExactly("no-store");
        assertThat(refusal.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain");
        assertThat(served).hasValue(3);
        assertThat(get(uri, "User", "b").statusCode()).isEqualTo(200);
        time.advance(Duration.ofMillis(500));
        assertThat(get(uri, "User", "a").statusCode()).isEqualTo(200);
        assertThat(get(uri, "User", "a").statusCode()).isEqualTo(429);
    }

    @Test
    void retry_after_is_rounded_up_and_no_earlier_than_the_window() throws Exception {
        Limit slow = Limit.of(1, Duration.ofSeconds(10));
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of("slow", (TokenBucketLimit) slow, time.environment());
        URI uri = serve(limiter, headers -> "all", config -> config.policy(QuotaPolicy.of("slow", slow)));
        assertThat(all(get(uri), "RateLimit")).containsExactly("\"slow\";r=0;t=10");
        time.advance(Duration.ofMillis(1));

        HttpResponse<String> refusal = get(uri);

        assertThat(all(refusal, "Retry-After")).containsExactly("10");
        assertThat(all(refusal, "RateLimit")).containsExactly("\"slow\";r=0;t=10");
        time.advance(Duration.ofMillis(8_999));
        assertThat(all(get(uri), "Retry-After")).containsExactly("1");
    }

    @Test
    void no_name_of_the_limiter_goes_out() throws Exception {
        URI uri = serveByUser(config -> {});
        HttpResponse<String> last = null;
        for (int i = 0; i < 4; i++) {
            last = get(uri, "User", "a");
            assertThat(last.headers().map().toString() + last.body()).doesNotContain("secret");
        }

        assertThat(all(last, "RateLimit")).containsExactly("\"default\";r=0;t=1");
        assertThat(all(last, "RateLimit-Policy")).isEmpty();
    }

    @Test
    void head_has_no_body() throws Exception {
        URI uri = serveByUser(config -> {});
        for (int i = 0; i < 3; i++) {
            get(uri, "User", "a");
        }

        HttpResponse<String> refusal =
                send(HttpRequest.newBuilder(uri).method("HEAD", HttpRequest.BodyPublishers.noBody()), "User", "a");

        assertThat(refusal.statusCode()).isEqualTo(429);
        assertThat(refusal.body()).isEmpty();
        assertThat(all(refusal, "Retry-After")).containsExactly("1");
        assertThat(get(uri, "User", "b").statusCode()).isEqualTo(200);
    }

    @Test
    void a_refused_upload_does_not_disturb_the_next_request() throws Exception {
        URI uri = serveByUser(config -> {});
        for (int i = 0; i < 3; i++) {
            get(uri, "User", "a");
        }
        HttpRequest.Builder upload = HttpRequest.newBuilder(uri)
                .POST(HttpRequest.BodyPublishers.ofString("GET /other HTTP/1.1\r\n\r\n".repeat(500)));

        assertThat(send(upload, "User", "a").statusCode()).isEqualTo(429);
        assertThat(get(uri, "User", "b").body()).isEqualTo("served");
        assertThat(served).hasValue(4);
    }

    @Test
    void older_headers_can_be_chosen() throws Exception {
        URI uri = serveByUser(config -> config.headers(HeaderStyle.X_DELTA).policy(QuotaPolicy.of("a", LIMIT)));
        HttpResponse<String> response = get(uri, "User", "a");

        assertThat(all(response, "X-RateLimit-Limit")).containsExactly("3");
        assertThat(all(response, "X-RateLimit-Remaining")).containsExactly("2");
        assertThat(all(response, "X-RateLimit-Reset")).containsExactly("1");
        assertThat(all(response, "RateLimit")).isEmpty();
    }

    @Test
    void a_time_of_day_can_be_chosen() throws Exception {
        URI uri = serveByUser(config -> config.headers(HeaderStyle.X_EPOCH)
                .wallClock(InstantSource.fixed(Instant.ofEpochSecond(1_000, 1)))
                .policy(QuotaPolicy.of("a", LIMIT)));

        assertThat(all(get(uri, "User", "a"), "X-RateLimit-Reset")).containsExactly("1002");
    }

    @Test
    void admitted_requests_need_not_tell() throws Exception {
        URI uri = serveByUser(config -> config.tellsAdmitted(false));
        for (int i = 0; i < 3; i++) {
            assertThat(all(get(uri, "User", "a"), "RateLimit")).isEmpty();
        }

        assertThat(all(get(uri, "User", "a"), "RateLimit")).hasSize(1);
    }

    @Test
    void a_partition_key_is_told_with_the_policy() throws Exception {
        QuotaPolicy policy = QuotaPolicy.of("a", LIMIT).partitionKey(PartitionKey.of("x"));
        URI uri = serveByUser(config -> config.policy(policy));

        assertThat(all(get(uri, "User", "a"), "RateLimit")).containsExactly("\"a\";r=2;t=1;pk=:eA==:");
    }

    @Test
    void a_clock_that_throws_changes_no_decision() throws Exception {
        URI uri = serveByUser(config -> config.headers(HeaderStyle.X_EPOCH)
                .policy(QuotaPolicy.of("a", LIMIT))
                .wallClock(() -> {
                    throw new IllegalStateException("no clock");
                }));
        try (CapturedLog log = new CapturedLog(RequestLimit.class)) {
            for (int i = 0; i < 3; i++) {
                assertThat(get(uri, "User", "a").statusCode()).isEqualTo(200);
            }
            HttpResponse<String> refusal = get(uri, "User", "a");

            assertThat(refusal.statusCode()).isEqualTo(429);
            assertThat(all(refusal, "Retry-After")).containsExactly("1");
            assertThat(log.lines()).hasSize(1);
        }
    }

    /** A key that is null, and one whose function throws; the request has no header. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void without_a_key_requests_are_refused(boolean isThrown) throws Exception {
        KeyedRateLimiter<String> limiter = limiter();
        URI uri = serve(limiter, headers -> isThrown ? fail() : headers.apply("User"), config -> {});
        try (CapturedLog log = new CapturedLog(RequestLimit.class)) {
            HttpResponse<String> response = get(uri);

            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.body()).isEqualTo("Service Unavailable\n");
            assertThat(response.headers().map().toString()).doesNotContain("secret");
            assertThat(get(uri).statusCode()).isEqualTo(503);
            assertThat(log.lines())
                    .containsExactly("WARN limiter \"secret-name\": could not decide on a request, which was refused; "
                            + "more failures are not logged for a minute");
            time.advance(Duration.ofMinutes(1));
            get(uri);
            assertThat(log.lines()).hasSize(2);
        }
        assertThat(served).hasValue(0);
    }

    @Test
    void without_a_key_requests_are_admitted_if_so_chosen() throws Exception {
        KeyedRateLimiter<String> limiter = limiter();
        URI uri = serve(limiter, headers -> fail(), config -> config.admitsOnFailure(true));

        HttpResponse<String> response = get(uri);

        assertThat(response.body()).isEqualTo("served");
        assertThat(all(response, "RateLimit")).isEmpty();
    }

    /** One that throws, and one that answers with nothing. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_limiter_that_fails_refuses(boolean isThrown) throws Exception {
        KeyedRateLimiter<String> limiter = isThrown ? answering(ServerContract::fail) : answering(() -> null);
        URI uri = serve(limiter, headers -> "a", config -> {});

        assertThat(get(uri).statusCode()).isEqualTo(503);
        assertThat(served).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_limiter_that_fails_admits_if_so_chosen(boolean isThrown) throws Exception {
        KeyedRateLimiter<String> limiter = isThrown ? answering(ServerContract::fail) : answering(() -> null);
        URI uri = serve(limiter, headers -> "a", config -> config.admitsOnFailure(true));

        assertThat(get(uri).statusCode()).isEqualTo(200);
        assertThat(served).hasValue(1);
    }

    @Test
    void a_request_that_can_never_be_admitted_is_not_told_when_to_come_back() throws Exception {
        KeyedRateLimiter<String> limiter = answering(new RateDecision(false, "odd", LIMIT, 3, RateLimiter.NEVER, 0));
        URI uri = serve(limiter, headers -> "a", config -> {});

        HttpResponse<String> refusal = get(uri);

        assertThat(refusal.statusCode()).isEqualTo(429);
        assertThat(all(refusal, "Retry-After")).isEmpty();
        assertThat(all(refusal, "RateLimit")).containsExactly("\"default\";r=0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_client_is_told_the_limit_of_its_key(boolean tellsAdmitted) throws Exception {
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                "plans",
                config -> config.limits(key ->
                        key.equals("gold") ? Limit.perSecond(100).burst(200) : Limit.of(1, Duration.ofMinutes(1))),
                time.environment());
        URI uri = serve(
                limiter,
                headers -> headers.apply("User"),
                config -> config.policyName("plan").tellsAdmitted(tellsAdmitted));
        HttpResponse<String> gold = get(uri, "User", "gold");
        HttpResponse<String> free = get(uri, "User", "free");
        HttpResponse<String> refusal = get(uri, "User", "free");

        if (tellsAdmitted) {
            assertThat(all(gold, "RateLimit-Policy")).containsExactly("\"plan\";q=200;w=2");
            assertThat(all(gold, "RateLimit")).containsExactly("\"plan\";r=199;t=1");
            assertThat(all(free, "RateLimit-Policy")).containsExactly("\"plan\";q=1;w=60");
            assertThat(all(free, "RateLimit")).containsExactly("\"plan\";r=0;t=60");
        } else {
            assertThat(all(gold, "RateLimit-Policy")).isEmpty();
        }
        assertThat(refusal.statusCode()).isEqualTo(429);
        assertThat(all(refusal, "RateLimit-Policy")).containsExactly("\"plan\";q=1;w=60");
        assertThat(all(refusal, "RateLimit")).containsExactly("\"plan\";r=0;t=60");
    }

    @Test
    void a_limit_of_a_key_that_changes_is_told_from_the_next_request_on() throws Exception {
        AtomicInteger burst = new AtomicInteger(5);
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                "plans", config -> config.limits(key -> Limit.perSecond(1).burst(burst.get())), time.environment());
        URI uri = serve(limiter, headers -> "a", config -> config.policyName("plan"));

        assertThat(all(get(uri), "RateLimit-Policy")).containsExactly("\"plan\";q=5;w=5");
        burst.set(3);
        assertThat(all(get(uri), "RateLimit-Policy")).containsExactly("\"plan\";q=3;w=3");
    }

    @Test
    void a_refusal_with_permits_left_says_that_none_can_be_used() throws Exception {
        KeyedRateLimiter<String> limiter =
                answering(new RateDecision(false, "odd", LIMIT, 2, 1_500_000_000, 2_000_000_000));
        URI uri = serve(limiter, headers -> "a", config -> {});

        assertThat(all(get(uri), "RateLimit")).containsExactly("\"default\";r=0;t=2");
    }

    private static KeyedRateLimiter<String> answering(RateDecision decision) {
        return answering(() -> decision);
    }

    /** Returns a limiter that can do nothing but decide, once for each request. */
    @SuppressWarnings("unchecked")
    private static KeyedRateLimiter<String> answering(Supplier<?> decision) {
        return (KeyedRateLimiter<String>) Proxy.newProxyInstance(
                KeyedRateLimiter.class.getClassLoader(),
                new Class<?>[] {KeyedRateLimiter.class},
                (proxy, method, args) -> switch (method.getName()) {
                    case "name" -> "odd";
                    case "decide" -> decision.get();
                    default -> throw new AssertionError(method);
                });
    }

    private static String fail() {
        throw new IllegalStateException("secret");
    }

    @Test
    void a_client_cannot_choose_its_key_by_a_header() throws Exception {
        URI uri = serve(limiter(), ClientAddresses.peer());
        for (int i = 0; i < 3; i++) {
            get(uri, "X-Forwarded-For", "192.0.2." + i, "Forwarded", "for=192.0.2." + i, "X-Real-IP", "192.0.2." + i);
        }

        assertThat(get(uri, "X-Forwarded-For", "192.0.2.9").statusCode()).isEqualTo(429);
    }

    @Test
    void a_header_of_a_peer_that_is_not_trusted_is_not_believed() throws Exception {
        URI uri = serve(limiter(), ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "10.0.0.0/8", "::/128"));
        for (int i = 0; i < 3; i++) {
            get(uri, "X-Forwarded-For", "192.0.2." + i);
        }

        assertThat(get(uri, "X-Forwarded-For", "192.0.2.9").statusCode()).isEqualTo(429);
    }

    @Test
    void behind_a_trusted_proxy_the_address_that_it_appended_counts() throws Exception {
        KeyedRateLimiter<AddressKey> limiter = limiter();
        URI uri = serve(
                limiter, ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "127.0.0.0/8", "::1", "10.0.0.0/8"));
        for (int i = 0; i < 3; i++) {
            get(uri, "X-Forwarded-For", "1.1.1." + i + ", 192.0.2.1", "X-Forwarded-For", "10.0.0.9");
        }

        assertThat(get(uri, "X-Forwarded-For", "192.0.2.1").statusCode()).isEqualTo(429);
        assertThat(get(uri, "X-Forwarded-For", "192.0.2.2").statusCode()).isEqualTo(200);
        assertThat(get(uri, "Forwarded", "for=192.0.2.1").statusCode()).isEqualTo(200);
        assertThat(limiter.availablePermits(AddressKey.parse("192.0.2.2"))).isEqualTo(2);
    }

    @Test
    void forwarded_is_read_if_it_is_chosen() throws Exception {
        URI uri = serve(limiter(), ClientAddresses.behind(ForwardingHeader.FORWARDED, "127.0.0.0/8", "::1"));
        for (int i = 0; i < 3; i++) {
            get(uri, "Forwarded", "for=\", for=\"[2001:db8::1]:" + i + "\";proto=http");
        }

        assertThat(get(uri, "Forwarded", "for=\"[2001:db8::1]\"").statusCode()).isEqualTo(429);
        assertThat(get(uri, "Forwarded", "for=\"[2001:db8::2]\"").statusCode()).isEqualTo(429);
        assertThat(get(uri, "Forwarded", "for=\"[2001:db8:0:1::2]\"").statusCode())
                .isEqualTo(200);
    }

    @Test
    void a_client_has_one_key_for_all_addresses_of_its_ipv6_network() throws Exception {
        URI uri = serve(limiter(), ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "127.0.0.0/8", "::1"));
        for (int i = 0; i < 3; i++) {
            get(uri, "X-Forwarded-For", "2001:db8:1:2:" + i + "::" + i);
        }

        assertThat(get(uri, "X-Forwarded-For", "2001:db8:1:2:ffff:ffff:ffff:ffff")
                        .statusCode())
                .isEqualTo(429);
        assertThat(get(uri, "X-Forwarded-For", "2001:db8:1:3::1").statusCode()).isEqualTo(200);
    }
}
