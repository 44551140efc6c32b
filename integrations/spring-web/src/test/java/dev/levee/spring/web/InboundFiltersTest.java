package dev.levee.spring.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;
import org.springframework.mock.http.server.reactive.MockServerHttpRequest;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.mock.web.server.MockServerWebExchange;
import reactor.core.publisher.Mono;

class InboundFiltersTest {
    private final ManualTime time = new ManualTime();
    private final MockHttpServletRequest request = new MockHttpServletRequest("GET", "/p");
    private final MockHttpServletResponse response = new MockHttpServletResponse();
    private final AtomicReference<Deadline> deadline = new AtomicReference<>();
    private final AtomicReference<String> logged = new AtomicReference<>();
    private final AtomicBoolean handled = new AtomicBoolean();

    private final FilterChain handler = (asked, answer) -> {
        handled.set(true);
        deadline.set(CallContext.current().deadline());
        logged.set(MDC.get(InboundFilter.CORRELATION));
    };

    private void filter(Consumer<InboundConfig.Builder> configure, FilterChain chain)
            throws ServletException, IOException {
        InboundFilter.of(configure, time.environment()).doFilter(request, response, chain);
    }

    private long left() {
        return deadline.get().remainingNanos();
    }

    private RefusedException limited() {
        RateLimiter limiter = RateLimiter.of("limited", Limit.of(1, Duration.ofMinutes(1)), time.environment());
        limiter.run(() -> {});
        try {
            limiter.run(() -> {});
        } catch (RefusedException refused) {
            return refused;
        }
        throw new AssertionError("it was not refused");
    }

    private RefusedException open() {
        CircuitBreaker breaker = CircuitBreaker.of(
                "open",
                c -> c.consecutiveFailures(1).openJitter(0).openFor(Duration.ofSeconds(30)),
                time.environment());
        breaker.callAsync(() -> CompletableFuture.failedFuture(new IllegalStateException()));
        try {
            breaker.run(() -> {});
        } catch (RefusedException refused) {
            return refused;
        }
        throw new AssertionError("it was not refused");
    }

    @Test
    void no_header_is_trusted_unless_that_is_configured() throws Exception {
        request.addHeader(Deadline.HEADER, "5S");
        request.addHeader("X-Correlation-Id", "abc");
        filter(c -> {}, handler);
        assertThat(deadline).hasValue(null);
        assertThat(logged).hasValue(null);
        assertThat(response.getHeader("X-Correlation-Id")).isNull();
        filter(c -> c.correlation("X-Correlation-Id", false), handler);
        assertThat(logged.get()).isNotNull().isNotEqualTo("abc");
        assertThat(response.getHeader("X-Correlation-Id")).isEqualTo(logged.get());
    }

    @Test
    void a_trusted_deadline_is_that_of_the_call_and_the_smallest_counts() throws Exception {
        request.addHeader(Deadline.HEADER, "9S");
        request.addHeader(Deadline.HEADER, "5S");
        filter(c -> c.trustDeadline(true), handler);
        assertThat(left()).isEqualTo(TimeUnit.SECONDS.toNanos(5));
        assertThat(CallContext.current().deadline()).as("afterwards").isNull();
        filter(c -> c.trustDeadline(true).maxTime(Duration.ofSeconds(2)), handler);
        assertThat(left()).isEqualTo(TimeUnit.SECONDS.toNanos(2));
    }

    @Test
    void a_deadline_that_cannot_be_read_is_ignored() throws Exception {
        for (String text : new String[] {"soon", "-1S", "5", "", "99999999999S", "1S,".repeat(1_000)}) {
            MockHttpServletRequest hostile = new MockHttpServletRequest("GET", "/p");
            hostile.addHeader(Deadline.HEADER, text);
            InboundFilter.of(c -> c.trustDeadline(true), time.environment()).doFilter(hostile, response, handler);
            assertThat(deadline.get()).as(text.length() > 20 ? "long" : text).isNull();
        }
    }

    @Test
    void a_request_whose_deadline_has_passed_is_not_handled() throws Exception {
        request.addHeader(Deadline.HEADER, "0n");
        filter(c -> c.trustDeadline(true), handler);
        assertThat(handled).isFalse();
        assertThat(response.getStatus()).isEqualTo(503);
        assertThat(response.getHeader("Retry-After")).isNull();
    }

    @Test
    void a_trusted_correlation_id_is_taken_if_it_is_well_formed() throws Exception {
        request.addHeader("X-Id", "req-1.a_B");
        MDC.put(InboundFilter.CORRELATION, "outer");
        filter(c -> c.correlation("X-Id", true), handler);
        assertThat(logged).hasValue("req-1.a_B");
        assertThat(response.getHeader("X-Id")).isEqualTo("req-1.a_B");
        assertThat(MDC.get(InboundFilter.CORRELATION)).isEqualTo("outer");
        MDC.remove(InboundFilter.CORRELATION);
        for (String bad : new String[] {"a b", "x".repeat(65), "a\nb", "<script>", ""}) {
            MockHttpServletRequest hostile = new MockHttpServletRequest("GET", "/p");
            hostile.addHeader("X-Id", bad);
            MockHttpServletResponse answer = new MockHttpServletResponse();
            InboundFilter.of(c -> c.correlation("X-Id", true), time.environment())
                    .doFilter(hostile, answer, handler);
            assertThat(answer.getHeader("X-Id")).isNotEqualTo(bad).hasSize(36);
        }
        assertThat(MDC.get(InboundFilter.CORRELATION)).isNull();
    }

    @Test
    void a_refusal_is_answered_also_when_it_is_the_cause() throws Exception {
        filter(c -> {}, (asked, answer) -> {
            throw new ServletException("Request processing failed", limited());
        });
        assertThat(response.getStatus()).isEqualTo(429);
        assertThat(response.getHeader("Retry-After")).isEqualTo("60");

        MockHttpServletResponse second = new MockHttpServletResponse();
        InboundFilter.of(c -> {}, time.environment()).doFilter(request, second, (asked, answer) -> {
            answer.getWriter().write("half of an answer");
            throw open();
        });
        assertThat(second.getStatus()).isEqualTo(503);
        assertThat(second.getHeader("Retry-After")).isEqualTo("30");
        assertThat(second.getContentAsString()).isEmpty();
    }

    @Test
    void a_refusal_of_an_asynchronous_request_is_answered_however_late_it_is() throws Exception {
        request.addHeader(Deadline.HEADER, "0n"); // has passed since, and the work is done all the same
        request.setDispatcherType(DispatcherType.ASYNC);
        filter(c -> c.trustDeadline(true).session(true).maxTime(Duration.ofSeconds(1)), handler);
        assertThat(handled).isTrue();
        assertThat(response.getStatus()).isEqualTo(200);
        filter(c -> c.trustDeadline(true), (asked, answer) -> {
            throw limited();
        });
        assertThat(response.getStatus()).isEqualTo(429);
        assertThat(response.getHeader("Retry-After")).isEqualTo("60");
    }

    @Test
    void other_failures_and_answers_that_have_begun_are_left_alone() {
        IllegalStateException mine = new IllegalStateException("mine");
        assertThatThrownBy(() -> filter(c -> {}, (asked, answer) -> {
                    throw mine;
                }))
                .isSameAs(mine);
        RefusedException refused = open();
        assertThatThrownBy(() -> filter(c -> {}, (asked, answer) -> {
                    answer.flushBuffer();
                    throw refused;
                }))
                .isSameAs(refused);
        assertThat(response.getStatus()).isEqualTo(200);
    }

    private static void write(String source, long position) {
        CallContext context = CallContext.current();
        assertThat(context.consistency().kind()).isEqualTo(Consistency.Kind.SESSION);
        context.session().advance(source, position);
    }

    @Test
    void a_session_goes_through_a_service() throws Exception {
        request.addHeader(Session.HEADER, "orders=9");
        request.addHeader(Session.HEADER, "users=2");
        AtomicReference<String> taken = new AtomicReference<>();
        filter(c -> c.session(true), (asked, answer) -> {
            taken.set(CallContext.current().session().toHeader());
            write("orders", 16);
            answer.getWriter().write("done");
            write("users", 3);
        });
        assertThat(taken).hasValue("orders=9,users=2");
        assertThat(response.getHeader(Session.HEADER)).isEqualTo("orders=10,users=3");
        assertThat(CallContext.current().session()).as("afterwards").isNull();
    }

    @Test
    void a_response_that_is_sent_before_its_handler_ends_has_the_session_of_that_moment() throws Exception {
        for (FilterChain sending : List.<FilterChain>of(
                (asked, answer) -> answer.flushBuffer(),
                (asked, answer) -> ((HttpServletResponse) answer).sendError(404),
                (asked, answer) -> ((HttpServletResponse) answer).sendError(404, "none"),
                (asked, answer) -> ((HttpServletResponse) answer).sendRedirect("/other"),
                (asked, answer) -> answer.getOutputStream().flush(),
                (asked, answer) -> answer.getWriter().flush())) {
            MockHttpServletResponse answer = new MockHttpServletResponse();
            InboundFilter.of(c -> c.session(true), time.environment()).doFilter(request, answer, (asked, given) -> {
                write("orders", 1);
                sending.doFilter(asked, given);
            });
            assertThat(answer.isCommitted()).isTrue();
            assertThat(answer.getHeader(Session.HEADER)).isEqualTo("orders=1");
        }
    }

    @Test
    void a_request_without_a_session_gets_one_when_it_has_seen_something() throws Exception {
        filter(c -> c.session(true), (asked, answer) -> write("orders", 1));
        assertThat(response.getHeader(Session.HEADER)).isEqualTo("orders=1");
        MockHttpServletResponse second = new MockHttpServletResponse();
        InboundFilter.of(c -> c.session(true), time.environment()).doFilter(request, second, handler);
        assertThat(second.containsHeader(Session.HEADER)).isFalse();
        assertThat(handled).isTrue();
    }

    @Test
    void a_refusal_and_a_failure_are_answered_with_the_session() {
        assertThatThrownBy(() -> filter(c -> c.session(true), (asked, answer) -> {
                    write("orders", 1);
                    throw new IllegalStateException("mine");
                }))
                .hasMessage("mine");
        assertThat(response.getHeader(Session.HEADER)).isEqualTo("orders=1");
    }

    @Test
    void a_header_that_is_no_session_is_a_bad_request() throws Exception {
        request.addHeader(Session.HEADER, "orders=nine");
        filter(c -> c.session(true), handler);
        assertThat(response.getStatus()).isEqualTo(400);
        assertThat(handled).isFalse();
        MockServerWebExchange exchange = exchange(Session.HEADER, "=");
        webFilter(c -> c.session(true), exchange, reactive);
        assertThat(exchange.getResponse().getStatusCode().value()).isEqualTo(400);
        assertThat(handled).isFalse();
    }

    @Test
    void sessions_are_not_looked_at_unless_that_is_configured() throws Exception {
        request.addHeader(Session.HEADER, "orders=nine");
        filter(c -> {}, (asked, answer) -> {
            handled.set(true);
            assertThat(CallContext.current().session()).isNull();
            assertThat(CallContext.current().consistency()).isNull();
        });
        assertThat(handled).isTrue();
    }

    @Test
    void bad_settings_are_refused_by_name() {
        assertThatThrownBy(() -> InboundFilter.of(c -> c.correlation("X Id", true)))
                .hasMessageContaining("header must be the name of a header");
        assertThatThrownBy(() -> InboundWebFilter.of(c -> c.maxTime(Duration.ZERO)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxTime");
    }

    // WebFlux

    private MockServerWebExchange exchange(String... headers) {
        MockServerHttpRequest.BaseBuilder<?> builder = MockServerHttpRequest.get("/p");
        for (int i = 0; i < headers.length; i += 2) {
            builder.header(headers[i], headers[i + 1]);
        }
        return MockServerWebExchange.from(builder);
    }

    private void webFilter(
            Consumer<InboundConfig.Builder> configure, MockServerWebExchange exchange, Mono<Void> handler) {
        InboundWebFilter.of(configure, time.environment())
                .filter(exchange, next -> handler)
                .block();
    }

    private final Mono<Void> reactive = Mono.deferContextual(context -> {
        handled.set(true);
        deadline.set(context.get(CallContext.class).deadline());
        logged.set(context.getOrDefault(InboundWebFilter.CORRELATION, null));
        return Mono.empty();
    });

    @Test
    void webflux_gets_deadline_and_id_in_the_context() {
        MockServerWebExchange exchange = exchange(Deadline.HEADER, "5S", "X-Id", "abc");
        webFilter(c -> c.trustDeadline(true).correlation("X-Id", true), exchange, reactive);
        assertThat(left()).isEqualTo(TimeUnit.SECONDS.toNanos(5));
        assertThat(logged).hasValue("abc");
        assertThat(exchange.getResponse().getHeaders().getFirst("X-Id")).isEqualTo("abc");
        assertThat(exchange.<String>getAttribute(InboundWebFilter.CORRELATION)).isEqualTo("abc");

        webFilter(c -> {}, exchange(Deadline.HEADER, "5S", "X-Id", "abc"), reactive);
        assertThat(deadline).hasValue(null);
        assertThat(logged).hasValue(null);
    }

    @Test
    void webflux_answers_with_the_session_of_the_context() {
        MockServerWebExchange exchange = exchange(Session.HEADER, "orders=9");
        Mono<Void> writing = Mono.deferContextual(context -> {
            CallContext call = context.get(CallContext.class);
            assertThat(call.consistency().kind()).isEqualTo(Consistency.Kind.SESSION);
            call.session().advance("orders", 16);
            return exchange.getResponse().setComplete();
        });
        webFilter(c -> c.session(true), exchange, writing);
        assertThat(exchange.getResponse().getHeaders().getFirst(Session.HEADER)).isEqualTo("orders=10");
    }

    @Test
    void webflux_answers_refusals() {
        MockServerWebExchange exchange = exchange();
        webFilter(c -> {}, exchange, Mono.error(new IllegalStateException(limited())));
        assertThat(exchange.getResponse().getStatusCode().value()).isEqualTo(429);
        assertThat(exchange.getResponse().getHeaders().getFirst("Retry-After")).isEqualTo("60");
        MockServerWebExchange second = exchange();
        webFilter(c -> {}, second, Mono.error(open()));
        assertThat(second.getResponse().getStatusCode().value()).isEqualTo(503);
        MockServerWebExchange late = exchange(Deadline.HEADER, "0n");
        webFilter(c -> c.trustDeadline(true), late, reactive);
        assertThat(late.getResponse().getStatusCode().value()).isEqualTo(503);
        assertThat(handled).isFalse();
        assertThatThrownBy(() -> webFilter(c -> {}, exchange(), Mono.error(new IllegalStateException("mine"))))
                .hasMessage("mine");
    }
}
