package dev.levee.http.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.http.ClientAddresses;
import dev.levee.ratelimit.http.ForwardingHeader;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.eclipse.jetty.ee10.servlet.ErrorPageErrorHandler;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On a real Jetty, with its filter mapped to every kind of dispatch, and mapped twice. */
class RateLimitFilterTest extends ServerContract {
    private @Nullable Server server;

    @Override
    <K> URI serve(
            KeyedRateLimiter<K> limiter,
            Function<UnaryOperator<String>, ? extends K> keyOfHeaders,
            Consumer<RequestLimitConfig.Builder> configure)
            throws Exception {
        return serve(RateLimitFilter.of(
                limiter, request -> keyOfHeaders.apply(request::getHeader), configure, time.environment()));
    }

    @Override
    URI serve(KeyedRateLimiter<AddressKey> limiter, ClientAddresses addresses) throws Exception {
        return serve(RateLimitFilter.of(limiter, RateLimitFilter.clientAddress(addresses)));
    }

    private URI serve(RateLimitFilter... filters) throws Exception {
        ServletContextHandler context = new ServletContextHandler("/");
        for (RateLimitFilter filter : filters) {
            FilterHolder holder = new FilterHolder(filter);
            holder.setAsyncSupported(true);
            context.addFilter(holder, "/*", EnumSet.allOf(DispatcherType.class));
            context.addFilter(holder, "/a*", EnumSet.of(DispatcherType.REQUEST));
            context.addFilter(holder, "/", EnumSet.of(DispatcherType.REQUEST));
        }
        ServletHolder servlet = new ServletHolder(new Paths());
        servlet.setAsyncSupported(true);
        context.addServlet(servlet, "/");
        ErrorPageErrorHandler errors = new ErrorPageErrorHandler();
        errors.addErrorPage(418, "/error-page");
        errors.addErrorPage(429, "/error-page");
        errors.addErrorPage(500, "/error-page");
        context.setErrorHandler(errors);

        server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("localhost");
        server.addConnector(connector);
        server.setHandler(context);
        server.start();
        return URI.create("http://localhost:" + connector.getLocalPort() + "/");
    }

    @Override
    void stop() throws Exception {
        if (server != null) {
            server.stop();
        }
    }

    /** What becomes of a request depends on its path. */
    private final class Paths extends HttpServlet {
        private static final long serialVersionUID = 1L;

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response)
                throws ServletException, IOException {
            switch (request.getServletPath() + request.getDispatcherType()) {
                case "/forwardREQUEST" ->
                    request.getRequestDispatcher("/target").forward(request, response);
                case "/includeREQUEST" ->
                    request.getRequestDispatcher("/target").include(request, response);
                case "/asyncREQUEST" -> {
                    AsyncContext async = request.startAsync();
                    async.start(async::dispatch);
                }
                case "/errorREQUEST" -> response.sendError(418);
                case "/throwsREQUEST" -> throw new ServletException("planned");
                default -> {
                    served.incrementAndGet();
                    response.getOutputStream().print("served");
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"forward, 200", "include, 200", "async, 200", "error, 418", "throws, 500", "a, 200", "'', 200"})
    void a_request_costs_one_permit_whatever_becomes_of_it(String path, int status) throws Exception {
        URI uri = serveByUser(config -> {}).resolve(path);
        for (int left = 2; left >= 0; left--) {
            var response = get(uri, "User", "a");

            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(response.body()).isEqualTo("served");
            assertThat(all(response, "RateLimit").toString()).contains("r=" + left);
        }

        var refusal = get(uri, "User", "a");

        assertThat(refusal.statusCode()).isEqualTo(429);
        assertThat(refusal.body()).isEqualTo("Too Many Requests\n");
        assertThat(served).hasValue(3);
    }

    @Test
    void two_filters_count_for_themselves_and_tell_two_limits_in_one_list() throws Exception {
        KeyedRateLimiter<String> users = limiter();
        KeyedRateLimiter<String> all = limiter();
        URI uri = serve(RateLimitFilter.of(users, request -> "a"), RateLimitFilter.of(all, request -> "all"));

        assertThat(all(get(uri), "RateLimit")).containsExactly("\"default\";r=2;t=1", "\"default\";r=2;t=1");
    }

    @Test
    void what_the_chain_throws_comes_out_as_the_same_object() {
        KeyedRateLimiter<String> limiter = limiter();
        RateLimitFilter filter = RateLimitFilter.of(limiter, request -> "all");
        for (Throwable planned : new Throwable[] {
            new IOException("a"), new ServletException("b"), new IllegalStateException("c"), new AssertionError("d")
        }) {
            refill();
            FilterChain chain = (request, response) -> sneak(planned);

            Throwable thrown = null;
            try {
                filter.doFilter(
                        fake(HttpServletRequest.class, Map.of("getDispatcherType", DispatcherType.REQUEST)),
                        fake(HttpServletResponse.class, Map.of()),
                        chain);
            } catch (Throwable e) {
                thrown = e;
            }
            assertThat(thrown).isSameAs(planned);
        }
    }

    private void refill() {
        time.advance(Duration.ofSeconds(10));
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable throwable) throws E {
        throw (E) throwable;
    }

    /** Containers differ in how they write a peer. */
    @ParameterizedTest
    @ValueSource(strings = {"::1", "[::1]", "0:0:0:0:0:0:0:1", "::1%lo", "[::1%1]"})
    void a_peer_is_read_in_every_form(String peer) {
        HttpServletRequest request = fake(HttpServletRequest.class, Map.of("getRemoteAddr", peer));

        assertThat(RateLimitFilter.clientAddress(ClientAddresses.peer()).apply(request))
                .isEqualTo(AddressKey.parse("::1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "unix:/run/app.sock", "localhost", "[", "%", "[]"})
    void a_peer_without_an_address_is_the_unspecified_one(String peer) {
        HttpServletRequest request = fake(HttpServletRequest.class, Map.of("getRemoteAddr", peer));
        ClientAddresses behind = ClientAddresses.behind(ForwardingHeader.FORWARDED, "127.0.0.1");

        assertThat(RateLimitFilter.clientAddress(behind).apply(request)).isEqualTo(AddressKey.parse("0.0.0.0"));
    }

    @Test
    void clients_can_be_grouped_by_other_prefixes() {
        HttpServletRequest request = fake(HttpServletRequest.class, Map.of("getRemoteAddr", "2001:db8:1:2ff::1"));

        assertThat(RateLimitFilter.clientAddress(ClientAddresses.peer(), 24, 56).apply(request))
                .hasToString("2001:db8:1:200::/56");
        for (int[] prefixes : new int[][] {{0, 64}, {33, 64}, {32, 0}, {32, 129}}) {
            assertThatThrownBy(() -> RateLimitFilter.clientAddress(ClientAddresses.peer(), prefixes[0], prefixes[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Prefix must be");
            assertThatThrownBy(() ->
                            ExchangeRateLimitFilter.clientAddress(ClientAddresses.peer(), prefixes[0], prefixes[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Prefix must be");
        }
    }

    @Test
    void a_container_that_hides_peer_and_headers_has_an_answer() {
        HttpServletRequest request = fake(HttpServletRequest.class, Map.of());
        ClientAddresses behind = ClientAddresses.behind(ForwardingHeader.FORWARDED, "0.0.0.0");

        assertThat(RateLimitFilter.clientAddress(behind).apply(request)).isEqualTo(AddressKey.parse("0.0.0.0"));
    }

    private static <T> T fake(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
            Object answer = answers.get(method.getName());
            return answer != null || method.getReturnType() != boolean.class ? answer : (Object) false;
        }));
    }
}
