package dev.levee.http.server;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.IpAddresses;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.http.ClientAddresses;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A filter of Jakarta Servlet that limits the rate of requests: one that has no permit is answered with 429.
 *
 * <pre>{@code
 * KeyedRateLimiter<AddressKey> perClient = KeyedRateLimiter.of("api", Limit.perSecond(20).burst(100));
 * Filter filter = RateLimitFilter.of(
 *         perClient,
 *         RateLimitFilter.clientAddress(ClientAddresses.behind(ForwardingHeader.FORWARDED, "10.0.0.0/8")),
 *         config -> config.policyName("per-client"));
 * context.addFilter("limit", filter).addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
 * }</pre>
 *
 * <p>Put it before filters that do work, such as authentication, unless the key is the user. Declare it with support of
 * asynchronous requests. It does not block and starts no thread, and calls the limiter on the thread of the request.
 *
 * <p>A request costs one permit, whatever becomes of it: only its first dispatch counts, not those of forwards,
 * includes, errors and asynchronous ones, and each filter counts a request once, also if it is mapped to it twice. What
 * the rest of the chain throws comes out as it is. Headers are written before the rest of the chain runs; a servlet
 * that resets the response takes them away.
 *
 * <p>A refusal has the status 429, a body of one line that says no more than that, {@code Retry-After}, and what
 * {@link RequestLimitConfig} chooses. It must not be cached (RFC 6585, section 4). It does not go through the error
 * pages of the application. If the limiter or the key throws, the answer is 503, unless
 * {@link RequestLimitConfig.Builder#admitsOnFailure} says otherwise.
 *
 * <p>Thread-safe.
 *
 * @since 0.1
 */
public final class RateLimitFilter implements Filter {
    private static final AtomicLong NUMBER = new AtomicLong();

    /** The address of a peer that has none, as on a Unix domain socket. */
    private static final InetAddress NO_ADDRESS = IpAddresses.parse("0.0.0.0").orElseThrow();

    private final RequestLimit<HttpServletRequest> limit;

    /** The attribute of a request that this filter has counted. */
    private final String counted = RateLimitFilter.class.getName() + "." + NUMBER.incrementAndGet();

    private RateLimitFilter(RequestLimit<HttpServletRequest> limit) {
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
    public static <K> RateLimitFilter of(
            KeyedRateLimiter<K> limiter, Function<? super HttpServletRequest, ? extends K> key) {
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
    public static <K> RateLimitFilter of(
            KeyedRateLimiter<K> limiter,
            Function<? super HttpServletRequest, ? extends K> key,
            Environment environment) {
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
    public static <K> RateLimitFilter of(
            KeyedRateLimiter<K> limiter,
            Function<? super HttpServletRequest, ? extends K> key,
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
    public static <K> RateLimitFilter of(
            KeyedRateLimiter<K> limiter,
            Function<? super HttpServletRequest, ? extends K> key,
            Consumer<? super RequestLimitConfig.Builder> configure,
            Environment environment) {
        return new RateLimitFilter(RequestLimit.of(limiter, key, configure, environment));
    }

    /**
     * Returns the function that takes the address of the client as the key: an IPv4 address, or the first 64 bits of an
     * IPv6 address, because a client has all addresses that begin with them. See {@link AddressKey}.
     *
     * <p>A peer without an IP address, as on a Unix domain socket, has the address 0.0.0.0. Do not use it behind a part
     * of the container that puts the address of a header in the place of the peer's (such as a remote-IP valve): then
     * there are two that decide what to believe.
     *
     * @param addresses what to believe
     * @return the function
     * @throws NullPointerException if it is null
     */
    public static Function<HttpServletRequest, AddressKey> clientAddress(ClientAddresses addresses) {
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
    public static Function<HttpServletRequest, AddressKey> clientAddress(
            ClientAddresses addresses, int ipv4Prefix, int ipv6Prefix) {
        AddressKey.of(NO_ADDRESS, ipv4Prefix, ipv6Prefix); // throws if it never works
        return keyed(addresses, address -> AddressKey.of(address, ipv4Prefix, ipv6Prefix));
    }

    private static Function<HttpServletRequest, AddressKey> keyed(
            ClientAddresses addresses, Function<InetAddress, AddressKey> key) {
        Require.nonNull("addresses", addresses);
        return request ->
                key.apply(addresses.clientOf(peer(request.getRemoteAddr()), name -> lines(request.getHeaders(name))));
    }

    private static Collection<String> lines(@Nullable Enumeration<String> lines) {
        return lines == null ? List.of() : Collections.list(lines);
    }

    /** Containers write IPv6 with or without brackets and scope. */
    private static InetAddress peer(@Nullable String text) {
        if (text == null) {
            return NO_ADDRESS;
        }
        boolean isBracketed = text.startsWith("[") && text.endsWith("]");
        String bare = isBracketed ? text.substring(1, text.length() - 1) : text;
        int scope = bare.indexOf('%');
        return IpAddresses.parse(scope < 0 ? bare : bare.substring(0, scope)).orElse(NO_ADDRESS);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (request instanceof HttpServletRequest http
                && response instanceof HttpServletResponse answer
                && request.getDispatcherType() == DispatcherType.REQUEST
                && request.getAttribute(counted) == null) {
            request.setAttribute(counted, true);
            int status = limit.decide(http, new ServletHeaders(answer));
            if (status != RequestLimit.ADMITTED) {
                refuse(http, answer, status);
                return;
            }
        }
        chain.doFilter(request, response);
    }

    private static void refuse(HttpServletRequest request, HttpServletResponse response, int status)
            throws IOException {
        if (response.isCommitted()) {
            return; // something before this filter has answered
        }
        byte[] body = RequestLimit.body(status).getBytes(StandardCharsets.US_ASCII);
        response.setStatus(status);
        response.setHeader("Cache-Control", "no-store");
        response.setContentType("text/plain;charset=us-ascii");
        response.setContentLength(body.length);
        if (!request.getMethod().equals("HEAD")) {
            response.getOutputStream().write(body);
        }
    }

    /**
     * Returns what it limits by.
     *
     * @return the name of the limiter and the form of the headers
     */
    @Override
    public String toString() {
        return limit.toString();
    }

    private record ServletHeaders(HttpServletResponse response) implements RequestLimit.ResponseHeaders {
        @Override
        public void set(String name, String value) {
            response.setHeader(name, value);
        }

        @Override
        public void add(String name, String value) {
            response.addHeader(name, value);
        }
    }
}
