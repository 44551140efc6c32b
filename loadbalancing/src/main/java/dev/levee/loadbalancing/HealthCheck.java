package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/**
 * Checks whether an endpoint works, by a request to it.
 *
 * <p>A lambda is enough: {@code (client, timeout) -> client.ping()}. A check runs on the executor of the balancer's
 * environment and may block. It should end by the timeout: one that has not is taken as failed and is interrupted, but
 * keeps its permit, of those that bound how many checks run at the same time, until it ends; until then the endpoint is
 * not checked again. Must be thread-safe.
 *
 * <p>Check what calls need, no more: a check that also asks the database takes every server out when the database is
 * slow.
 *
 * @param <A> the type of the address
 * @since 0.1
 */
@FunctionalInterface
public interface HealthCheck<A> {
    /**
     * Checks an endpoint.
     *
     * @param address its address
     * @param timeout how long the check may take
     * @return whether the endpoint works
     * @throws Exception if it does not; the message is shown in the snapshot
     */
    boolean passes(A address, Duration timeout) throws Exception;

    /**
     * Returns a check that connects and closes the connection. It shows that a port is open, not that requests are
     * served: a frozen process still accepts.
     *
     * @return the check; a host name is resolved each time
     */
    static HealthCheck<InetSocketAddress> tcp() {
        return SocketCheck::connects;
    }

    /**
     * Returns a check that requests a page by HTTP/1.1 over a new connection. A status from 200 to 299 passes,
     * redirects do not. It reads the head of the response only. Everything, connecting and TLS included, must be done
     * by the timeout.
     *
     * @param path what is requested, such as {@code "/health"}, with a query if there is one; begins with a slash
     * @return the check, for addresses {@code http://host:port} and {@code https://host:port}, of which the path is
     *     ignored; over TLS it trusts what the JVM trusts, and verifies the name of the host
     * @throws IllegalArgumentException if the path does not begin with a slash, or has blanks or control characters in
     *     it
     * @throws NullPointerException if the path is null
     */
    static HealthCheck<URI> http(String path) {
        requirePath(path);
        return (address, timeout) -> SocketCheck.answers(address, path, null, null, timeout);
    }

    /**
     * Returns a check as {@link #http(String)} for endpoints that are known by their numbers, such as those that DNS
     * finds, and for a private authority: the certificate and the {@code Host} header are those of the service's name.
     *
     * @param path what is requested, as in {@link #http(String)}
     * @param name the name of the service, without a port, such as {@code "catalog.internal"}
     * @param trust what is trusted: the context that the client has too
     * @return the check
     * @throws IllegalArgumentException if the path is as in {@link #http(String)}, or the name is blank or has other
     *     characters than a host name
     * @throws NullPointerException if one of them is null
     */
    static HealthCheck<URI> http(String path, String name, SSLContext trust) {
        requirePath(path);
        Require.nonNull("trust", trust);
        if (!Require.nonNull("name", name).matches("[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException("name must be that of a host, but was \"" + Text.printable(name) + "\"");
        }
        return (address, timeout) -> SocketCheck.answers(address, path, name, trust, timeout);
    }

    private static void requirePath(String path) {
        Require.nonNull("path", path);
        if (!path.startsWith("/") || path.chars().anyMatch(c -> c <= ' ' || c >= 127)) {
            throw new IllegalArgumentException(
                    "path must begin with / and be printable ASCII without blanks, but was \"" + Text.printable(path)
                            + "\"");
        }
    }

    /**
     * Returns this check for addresses of another type: {@code HealthCheck.tcp().of(Node::socket)}.
     *
     * @param function returns the address that this check needs
     * @param <B> the type of the other addresses
     * @return the check
     * @throws NullPointerException if the function is null
     */
    default <B> HealthCheck<B> of(Function<? super B, ? extends A> function) {
        Require.nonNull("function", function);
        return (address, timeout) -> passes(function.apply(address), timeout);
    }
}
