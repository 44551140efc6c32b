package dev.levee.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.http.ClientAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ExchangeRateLimitFilterTest extends ServerContract {
    private @Nullable HttpServer server;

    private final HttpHandler handler = exchange -> {
        served.incrementAndGet();
        byte[] body = "served".getBytes(StandardCharsets.US_ASCII);
        try (exchange) {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    };

    @Override
    <K> URI serve(
            KeyedRateLimiter<K> limiter,
            Function<UnaryOperator<String>, ? extends K> keyOfHeaders,
            Consumer<RequestLimitConfig.Builder> configure)
            throws IOException {
        return serve(ExchangeRateLimitFilter.of(
                limiter,
                exchange -> keyOfHeaders.apply(exchange.getRequestHeaders()::getFirst),
                configure,
                time.environment()));
    }

    @Override
    URI serve(KeyedRateLimiter<AddressKey> limiter, ClientAddresses addresses) throws IOException {
        return serve(ExchangeRateLimitFilter.of(limiter, ExchangeRateLimitFilter.clientAddress(addresses)));
    }

    private URI serve(ExchangeRateLimitFilter filter) throws IOException {
        start().setHandler(handler);
        context().getFilters().add(filter);
        return uri();
    }

    private @Nullable HttpContext context;

    private HttpContext start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        context = server.createContext("/");
        server.start();
        return context;
    }

    private HttpContext context() {
        return context;
    }

    private URI uri() {
        return URI.create("http://localhost:" + server.getAddress().getPort() + "/");
    }

    @Override
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    @Test
    void it_can_be_a_handler() throws Exception {
        KeyedRateLimiter<String> limiter = limiter();
        start().setHandler(
                        ExchangeRateLimitFilter.of(limiter, exchange -> "all").before(handler));
        for (int i = 0; i < 3; i++) {
            assertThat(get(uri()).body()).isEqualTo("served");
        }

        assertThat(get(uri()).statusCode()).isEqualTo(429);
    }

    @Test
    void two_filters_tell_two_limits_in_one_list() throws Exception {
        KeyedRateLimiter<String> users = limiter();
        KeyedRateLimiter<String> all = limiter();
        start().setHandler(handler);
        context().getFilters().add(ExchangeRateLimitFilter.of(users, exchange -> "a"));
        context().getFilters().add(ExchangeRateLimitFilter.of(all, exchange -> "all"));

        assertThat(all(get(uri()), "RateLimit")).containsExactly("\"default\";r=2;t=1", "\"default\";r=2;t=1");
    }

    @Test
    void it_says_what_it_is() {
        KeyedRateLimiter<String> limiter = limiter();

        assertThat(ExchangeRateLimitFilter.of(limiter, exchange -> "all").description())
                .isEqualTo("limiter \"secret-name\" on requests [STRUCTURED]");
    }
}
