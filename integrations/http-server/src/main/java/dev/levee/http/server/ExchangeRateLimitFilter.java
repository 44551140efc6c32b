package dev.levee.http.server;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.http.ClientAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A filter of the JDK's HTTP server that limits the rate of requests: one that has no permit is answered with 429.
 *
 * <pre>{@code
 * KeyedRateLimiter<AddressKey> perClient = KeyedRateLimiter.of("api", Limit.perSecond(20).burst(100));
 * ExchangeRateLimitFilter filter = ExchangeRateLimitFilter.of(
 *         perClient, ExchangeRateLimitFilter.clientAddress(ClientAddresses.peer()));
 * server.createContext("/", handler).getFilters().add(filter);
 * server.createContext("/other", filter.before(handler));     // the same as a handler
 * }</pre>
 *
 * <p>A request costs one permit for each filter that it passes, whatever becomes of it. What the rest of the chain
 * throws comes out as it is. It does not block, and calls the limiter on the thread of the exchange.
 *
 * <p>A refusal has the status 429, a body of one line that says no more than that, {@code Retry-After}, and what
 * {@link RequestLimitConfig} chooses; the exchange is closed, and the body of the request is not read beyond what the
 * server itself drains. It must not be cached (RFC 6585, section 4). If the limiter or the key throws, the answer is
 * 503, unless {@link RequestLimitConfig.Builder#admitsOnFailure} says otherwise.
 *
 * <p>Thread-safe.
 *
 * @since 0.1
 */
public final class ExchangeRateLimitFilter extends Filter {
    private final RequestLimit<HttpExchange> limit;

    private ExchangeRateLimitFilter(RequestLimit<HttpExchange> limit) {
        this.limit = limit;
    }

    /**
     * Makes a filter with the defaults, in the machine's time.
     *
     * @param limiter decides on each request
     * @param key which limit of it a request belongs to, see {@link #clientAddress}; must not block
     * @param <K> a key
     * @return the filter
     * @throws NullPointerException if an argument is null
     */
    public static <K> ExchangeRateLimitFilter of(
            KeyedRateLimiter<K> limiter, Function<? super HttpExchange, ? extends K> key) {
        return of(limiter, key, Environment.system());
    }

    /**
     * Makes a filter with the defaults.
     *
     * @param limiter decides on each request
     * @param key which limit of it a request belongs to, see {@link #clientAddress}; must not block
     * @param environment the source of time for what is logged at most once a minute
     * @param <K> a key
     * @return the filter
     * @throws NullPointerException if an argument is null
     */
    public static <K> ExchangeRateLimitFilter of(
            KeyedRateLimiter<K> limiter, Function<? super HttpExchange, ? extends K> key, Environment environment) {
        return of(limiter, key, config -> {}, environment);
    }

    /**
     * Makes a filter in the machine's time.
     *
     * @param limiter decides on each request
     * @param key which limit of it a request belongs to, see {@link #clientAddress}; must not block
     * @param configure sets what differs from the defaults
     * @param <K> a key
     * @return the filter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the settings do not go together
     */
    public static <K> ExchangeRateLimitFilter of(
            KeyedRateLimiter<K> limiter,
            Function<? super HttpExchange, ? extends K> key,
            Consumer<? super RequestLimitConfig.Builder> configure) {
        return of(limiter, key, configure, Environment.system());
    }

    /**
     * Makes a filter.
     *
     * @param limiter decides on each request
     * @param key which limit of it a request belongs to, see {@link #clientAddress}; must not block
     * @param configure sets what differs from the defaults
     * @param environment the source of time for what is logged at most once a minute
     * @param <K> a key
     * @return the filter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the settings do not go together
     */
    public static <K> ExchangeRateLimitFilter of(
            KeyedRateLimiter<K> limiter,
            Function<? super HttpExchange, ? extends K> key,
            Consumer<? super RequestLimitConfig.Builder> configure,
            Environment environment) {
        return new ExchangeRateLimitFilter(RequestLimit.of(limiter, key, configure, environment));
    }

    /**
     * Returns the function that takes the address of the client as the key: an IPv4 address, or the first 64 bits of an
     * IPv6 address, because a client has all addresses that begin with them. See {@link AddressKey}.
     *
     * @param addresses what to believe
     * @return the function
     * @throws NullPointerException if it is null
     */
    public static Function<HttpExchange, AddressKey> clientAddress(ClientAddresses addresses) {
        return keyed(addresses, AddressKey::of);
    }

    /**
     * Returns the same with other prefixes, such as 32 and 56.
     *
     * @param addresses what to believe
     * @param ipv4Prefix how many bits of an IPv4 address all of a client's addresses share, from 1 to 32
     * @param ipv6Prefix how many bits of an IPv6 address all of a client's addresses share, from 1 to 128
     * @return the function
     * @throws NullPointerException if {@code addresses} is null
     * @throws IllegalArgumentException if a prefix is out of its range
     */
    public static Function<HttpExchange, AddressKey> clientAddress(
            ClientAddresses addresses, int ipv4Prefix, int ipv6Prefix) {
        AddressKey.parse("0.0.0.0", ipv4Prefix, ipv6Prefix); // throws if it never works
        return keyed(addresses, address -> AddressKey.of(address, ipv4Prefix, ipv6Prefix));
    }

    private static Function<HttpExchange, AddressKey> keyed(
            ClientAddresses addresses, Function<InetAddress, AddressKey> key) {
        Require.nonNull("addresses", addresses);
        return exchange -> key.apply(
                addresses.clientOf(exchange.getRemoteAddress().getAddress(), exchange.getRequestHeaders()::get));
    }

    /**
     * Returns a handler that limits the requests of another one.
     *
     * @param handler handles what was admitted
     * @return the handler
     * @throws NullPointerException if it is null
     */
    public HttpHandler before(HttpHandler handler) {
        Require.nonNull("handler", handler);
        return exchange -> {
            if (admits(exchange)) {
                handler.handle(exchange);
            }
        };
    }

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
        if (admits(exchange)) {
            chain.doFilter(exchange);
        }
    }

    private boolean admits(HttpExchange exchange) throws IOException {
        int status = limit.decide(exchange, new ExchangeHeaders(exchange.getResponseHeaders()));
        if (status == RequestLimit.ADMITTED) {
            return true;
        }
        try (exchange) {
            byte[] body = RequestLimit.body(status).getBytes(StandardCharsets.US_ASCII);
            Headers headers = exchange.getResponseHeaders();
            headers.set("Cache-Control", "no-store");
            headers.set("Content-Type", "text/plain;charset=us-ascii");
            if (exchange.getRequestMethod().equals("HEAD")) {
                headers.set("Content-Length", Integer.toString(body.length));
                exchange.sendResponseHeaders(status, -1);
            } else {
                exchange.sendResponseHeaders(status, body.length);
                exchange.getResponseBody().write(body);
            }
        }
        return false;
    }

    @Override
    public String description() {
        return limit.toString();
    }

    private record ExchangeHeaders(Headers headers) implements RequestLimit.ResponseHeaders {
        @Override
        public void set(String name, String value) {
            headers.set(name, value);
        }

        @Override
        public void add(String name, String value) {
            headers.add(name, value);
        }
    }
}
