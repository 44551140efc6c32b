package dev.levee.dns;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/**
 * Sources of endpoints that DNS knows: the addresses of a host, or the targets of a service's SRV records. Each is
 * looked up again when its TTL ends.
 *
 * <pre>{@code
 * LoadBalancer.of("catalog", BalancingStrategy.powerOfTwoChoices(), DnsEndpoints.of("catalog.internal", 8080));
 * }</pre>
 *
 * <p>The first look-up is made by {@code subscribe}, on its thread, so that a balancer has endpoints once it is made;
 * see {@link EndpointSource#inBackground}. It takes at most five times {@link DnsConfig#timeout()}. The others are made
 * on the environment's executor when the TTL is over and up to a tenth later, so that clients do not ask in step. A
 * look-up that fails, or finds no addresses, changes nothing: the known endpoints stay in use, and the next look-up
 * comes after 1 s, 2 s, 4 s and so on, at most 30 s.
 *
 * <p>What the machine resolves is resolved: the name servers, the search list and the options {@code ndots} and
 * {@code attempts} are those of {@code /etc/resolv.conf}, and {@code /etc/hosts} comes first. A literal address is not
 * looked up, and {@code localhost} is the loopback address.
 *
 * <p>A look-up blocks the thread that it runs on, and starts no other. Closing the subscription, or the balancer, ends
 * it; there is nothing else to close.
 *
 * @since 0.1
 */
public final class DnsEndpoints {
    private DnsEndpoints() {}

    /**
     * Returns the addresses of a host, by A and AAAA records.
     *
     * @param host the name; one that ends with a dot is taken as it is, to others the machine's search list applies
     * @param port the port of all endpoints, from 1 to 65535
     * @return the source; each subscription polls for itself. The addresses are resolved and carry no host name
     * @throws NullPointerException if the host is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(String host, int port) {
        return of(host, port, DnsConfig.builder().build());
    }

    /**
     * Returns the addresses of a host; see {@link #of(String, int)}.
     *
     * @param host the name
     * @param port the port of all endpoints, from 1 to 65535
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(String host, int port, Environment environment) {
        return of(host, port, DnsConfig.builder().build(), environment);
    }

    /**
     * Returns the addresses of a host; see {@link #of(String, int)}.
     *
     * @param host the name
     * @param port the port of all endpoints, from 1 to 65535
     * @param configure sets how name servers are queried
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(
            String host, int port, Consumer<? super DnsConfig.Builder> configure) {
        return of(host, port, configured(configure));
    }

    /**
     * Returns the addresses of a host; see {@link #of(String, int)}.
     *
     * @param host the name
     * @param port the port of all endpoints, from 1 to 65535
     * @param configure sets how name servers are queried
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(
            String host, int port, Consumer<? super DnsConfig.Builder> configure, Environment environment) {
        return of(host, port, configured(configure), environment);
    }

    /**
     * Returns the addresses of a host; see {@link #of(String, int)}.
     *
     * @param host the name
     * @param port the port of all endpoints, from 1 to 65535
     * @param config how name servers are queried
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(String host, int port, DnsConfig config) {
        return of(host, port, config, Environment.system());
    }

    /**
     * Returns the addresses of a host; see {@link #of(String, int)}.
     *
     * @param host the name
     * @param port the port of all endpoints, from 1 to 65535
     * @param config how name servers are queried
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is no name for DNS or the port is outside
     */
    public static EndpointSource<InetSocketAddress> of(
            String host, int port, DnsConfig config, Environment environment) {
        return DnsSource.addresses(
                host, port, config, environment, NameService.ofMachine(config, environment), HostsFile::addresses);
    }

    /**
     * Returns the targets of a service's SRV records (RFC 2782).
     *
     * <p>The port is that of the record. Its weight is shared by the addresses of the target; 0 counts as 0.1, since to
     * SRV it means "seldom" and not "drained". Its priority is the endpoint's, or, if one is above
     * {@link dev.levee.loadbalancing.discovery.Endpoint#LAST_PRIORITY}, its rank among those of all records. The label
     * {@code host} names the target. A target without an address is left out.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @return the source; each subscription polls for itself
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(String service) {
        return srv(service, DnsConfig.builder().build());
    }

    /**
     * Returns the targets of a service's SRV records; see {@link #srv(String)}.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(String service, Environment environment) {
        return srv(service, DnsConfig.builder().build(), environment);
    }

    /**
     * Returns the targets of a service's SRV records; see {@link #srv(String)}.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @param configure sets how name servers are queried
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(String service, Consumer<? super DnsConfig.Builder> configure) {
        return srv(service, configured(configure));
    }

    /**
     * Returns the targets of a service's SRV records; see {@link #srv(String)}.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @param configure sets how name servers are queried
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(
            String service, Consumer<? super DnsConfig.Builder> configure, Environment environment) {
        return srv(service, configured(configure), environment);
    }

    /**
     * Returns the targets of a service's SRV records; see {@link #srv(String)}.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @param config how name servers are queried
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(String service, DnsConfig config) {
        return srv(service, config, Environment.system());
    }

    /**
     * Returns the targets of a service's SRV records; see {@link #srv(String)}.
     *
     * @param service the name, such as {@code _http._tcp.catalog.internal}
     * @param config how name servers are queried
     * @param environment where time, threads and randomness come from; its listener is notified when the source becomes
     *     {@code STALE} or {@code EMPTY}, or is {@code FRESH} again
     * @return the source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is no name for DNS
     */
    public static EndpointSource<InetSocketAddress> srv(String service, DnsConfig config, Environment environment) {
        return DnsSource.targets(service, config, environment, NameService.ofMachine(config, environment));
    }

    private static DnsConfig configured(Consumer<? super DnsConfig.Builder> configure) {
        DnsConfig.Builder builder = DnsConfig.builder();
        Require.nonNull("configure", configure).accept(builder);
        return builder.build();
    }
}
