package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.EOFException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpOutcomesTest {
    private final OutcomeRule rule = HttpOutcomes.of(new FakeTransport());

    private Verdict of(int status, String... header) {
        return rule.judge(
                new FakeTransport.Response(status, header.length == 0 ? Map.of() : Map.of(header[0], header[1])), null);
    }

    @Test
    void what_an_endpoint_answers_is_its_work() {
        List<Integer> special = List.of(408, 421, 425, 429);
        assertThat(IntStream.range(100, 500).filter(status -> !special.contains(status)))
                .allMatch(status -> of(status) == Verdict.SUCCESS);
    }

    @ParameterizedTest
    @CsvSource({
        "408, FAILURE",
        "421, NOT_SENT",
        "425, NOT_SENT",
        "429, THROTTLED",
        "500, FAILURE",
        "501, IGNORED",
        "502, FAILURE",
        "503, FAILURE",
        "504, FAILURE",
        "505, IGNORED",
        "507, FAILURE",
        "511, FAILURE",
        "599, FAILURE"
    })
    void statuses_with_a_meaning_of_their_own(int status, Verdict verdict) {
        assertThat(of(status)).isEqualTo(verdict);
    }

    @Test
    void one_that_says_when_to_come_again_is_throttled() {
        assertThat(of(503, "Retry-After", "1")).isEqualTo(Verdict.THROTTLED);
        assertThat(rule.retryAfterNanos(new FakeTransport.Response(503, Map.of("Retry-After", "7")), null))
                .isEqualTo(TimeUnit.SECONDS.toNanos(7));
        assertThat(rule.retryAfterNanos(new FakeTransport.Response(503, Map.of()), null))
                .isEqualTo(RefusedException.UNKNOWN);
    }

    @Test
    void what_surely_was_not_sent() {
        assertThat(List.of(
                        new ConnectException(),
                        new HttpConnectTimeoutException("t"),
                        new UnknownHostException(),
                        new UnresolvedAddressException(),
                        new SSLHandshakeException("certificate"),
                        new SSLException("Unrecognized SSL message, plaintext connection?"),
                        noHeaders(noHeaders(new SSLException("Unrecognized SSL message, plaintext connection?"))),
                        noHeaders(new SSLHandshakeException("certificate")),
                        new BindException("no port is left")))
                .allMatch(error -> rule.judge(null, error) == Verdict.NOT_SENT);
    }

    /** As the JDK's client says it of a connection that ends while it waits for the headers. */
    private static IOException noHeaders(Throwable cause) {
        return new IOException("HTTP/1.1 header parser received no bytes", cause);
    }

    @Test
    void what_may_have_been_sent() {
        assertThat(List.of(
                        new HttpTimeoutException("t"),
                        new SocketException("Connection reset"),
                        new IOException("HTTP/1.1 header parser received no bytes"),
                        noHeaders(noHeaders(new SocketException("Connection reset"))),
                        noHeaders(new SSLException("closed in the middle")),
                        new IOException("the body's reader", new SSLHandshakeException("of another call")),
                        new IOException("/127.0.0.1:80: GOAWAY received"),
                        new EOFException()))
                .allMatch(error -> rule.judge(null, error) == Verdict.FAILURE);
    }

    @Test
    void what_is_no_evidence() {
        try (LoadBalancer<String> nobody =
                LoadBalancer.of("nobody", BalancingStrategy.roundRobin(), EndpointSource.of(List.of()))) {
            RefusedException refused = null;
            try {
                nobody.pick();
            } catch (RefusedException e) {
                refused = e;
            }
            assertThat(rule.judge(null, new HttpRefusedException(refused))).isEqualTo(Verdict.IGNORED);
        }
        assertThat(rule.judge(null, new IllegalArgumentException("bad header"))).isEqualTo(Verdict.IGNORED);
        assertThat(rule.judge(null, new SecurityException())).isEqualTo(Verdict.IGNORED);
        assertThat(rule.judge(null, new CancellationException())).isEqualTo(Verdict.IGNORED);
    }

    @Test
    void methods_are_idempotent_by_the_standard_and_case_sensitive() {
        assertThat(List.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")).allMatch(HttpOutcomes::isIdempotent);
        assertThat(List.of("POST", "PATCH", "CONNECT", "get", "LOCK")).noneMatch(HttpOutcomes::isIdempotent);
    }

    @Test
    void the_rule_of_the_JDK_looks_at_responses_only() {
        assertThat(HttpOutcomes.rule().judge("text", null)).isEqualTo(Verdict.SUCCESS);
        assertThat(HttpOutcomes.rule().judge(null, null)).isEqualTo(Verdict.SUCCESS);
        assertThat(HttpOutcomes.rule().judge(null, new IOException())).isEqualTo(Verdict.FAILURE);
        assertThat(HttpOutcomes.rule()).hasToString("http");
    }

    @Nested
    class RetryAfterHeader {
        private static final String NOW = "Sun, 06 Nov 1994 08:49:37 GMT";

        @ParameterizedTest
        @CsvSource({
            "0, 0",
            "120, 120",
            "' 7 ', 7",
            "000000000000030, 30",
            "00000000000000000000, 0",
            "'Sun, 06 Nov 1994 08:50:07 GMT', 30",
            "'Sunday, 06-Nov-94 08:50:07 GMT', 30",
            "'Sun Nov  6 08:50:07 1994', 30",
            "'Sun, 06 Nov 1994 10:50:07 +0200', 30",
            "'Sun, 06 Nov 1994 08:49:37 GMT', 0",
            "'Sun, 06 Nov 1994 08:00:00 GMT', 0",
            "'Mon, 07 Nov 1994 08:49:37 GMT', 86400",
        })
        void seconds_or_a_date_in_any_of_the_three_forms(String value, long seconds) {
            assertThat(RetryAfter.nanos(value, NOW)).isEqualTo(TimeUnit.SECONDS.toNanos(seconds));
        }

        @ParameterizedTest
        @CsvSource({"-1", "''", "soon", "1.5", "+3", "0x10", "'Sun, 31 Feb 1994 08:49:37 GMT'", "١٢"})
        void anything_else_says_nothing(String value) {
            assertThat(RetryAfter.nanos(value, NOW)).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void a_date_needs_one_to_be_measured_from() {
            assertThat(RetryAfter.nanos("Sun, 06 Nov 1994 08:50:07 GMT", null)).isEqualTo(RefusedException.UNKNOWN);
            assertThat(RetryAfter.nanos("Sun, 06 Nov 1994 08:50:07 GMT", "now")).isEqualTo(RefusedException.UNKNOWN);
            assertThat(RetryAfter.nanos(null, NOW)).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void so_long_that_it_does_not_fit_is_very_long() {
            assertThat(RetryAfter.nanos("9999999999", null)).isGreaterThan(Long.MAX_VALUE / 4);
            assertThat(RetryAfter.nanos("99999999999999999999999", null)).isGreaterThan(Long.MAX_VALUE / 4);
        }
    }
}
