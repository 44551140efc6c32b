package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.function.Function;

/**
 * Finds out whether an endpoint works, by asking it.
 *
 * <p>A lambda is enough: {@code (client, timeout) -> client.ping()}. A check runs on the executor of the balancer's environment and may
 * block. It should end by the timeout: one that has not is taken as failed and is interrupted, but holds its place among those that
 * may run at once, and the place of its endpoint, until it ends. Must be thread-safe.
 *
 * <p>Check what calls need, no more: a check that also asks the database takes every server out when the database is slow.
 *
 * @param <A> the type of the address
 * @since 0.1
 */
@FunctionalInterface
public interface HealthCheck<A> {
    /**
     * Asks.
     *
     * @param address whom
     * @param timeout how long it may take
     * @return whether the endpoint works
     * @throws Exception if it does not; the message is shown in the snapshot
     */
    boolean passes(A address, Duration timeout) throws Exception;

    /**
     * Connects and closes the connection. It shows that a port is open, not that anybody serves it: a frozen process accepts still.
     *
     * @return the check; a host name is looked up each time
     */
    static HealthCheck<InetSocketAddress> tcp() {
        return SocketCheck::connects;
    }

    /**
     * Asks for a page by HTTP/1.1 over a new connection; a status from 200 to 299 passes, redirects do not. Reads the head of the answer
     * only. The whole of it, connecting and TLS included, must be done by the timeout.
     *
     * @param path what is asked for, such as {@code "/health"}, with a query if there is one; begins with a slash
     * @return the check, for addresses {@code http://host:port} and {@code https://host:port}, of which the path is ignored; over TLS it
     *     trusts what the JVM trusts, and verifies the name of the host
     * @throws IllegalArgumentException if the path does not begin with a slash, or has blanks or control characters in it
     */
    static HealthCheck<URI> http(String path) {
        Require.nonNull("path", path);
        if (!path.startsWith("/") || path.chars().anyMatch(c -> c <= ' ' || c >= 127)) {
            throw new IllegalArgumentException(
                    "path must begin with / and be printable ASCII without blanks, but was \"" + path + "\"");
        }
        return (address, timeout) -> SocketCheck.answers(address, path, timeout);
    }

    /**
     * This check for addresses of another type: {@code HealthCheck.tcp().of(Node::socket)}.
     *
     * @param function gives what this check needs
     * @param <B> the type of the other addresses
     * @return the check
     */
    default <B> HealthCheck<B> of(Function<? super B, ? extends A> function) {
        Require.nonNull("function", function);
        return (address, timeout) -> passes(function.apply(address), timeout);
    }
}
