package dev.levee.dns;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.dns.DnsConfig.Family;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** A source that polls DNS; each subscription has a look-up, and so a memory, of its own. See ADR 57. */
final class DnsSource implements EndpointSource<InetSocketAddress> {
    private static final int MAX_PORT = 65_535;
    private static final byte[] LOOPBACK_4 = {127, 0, 0, 1};
    private static final byte[] LOOPBACK_6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    private final String name;
    private final Supplier<EndpointLookup> lookups;
    private final Environment environment;

    private DnsSource(String name, Supplier<EndpointLookup> lookups, Environment environment) {
        this.name = name;
        this.lookups = lookups;
        this.environment = environment;
    }

    static EndpointSource<InetSocketAddress> addresses(
            String host,
            int port,
            DnsConfig config,
            Environment environment,
            Supplier<NameService> services,
            Function<String, List<InetAddress>> hosts) {
        Require.nonNull("environment", environment);
        Require.range("port", port, 1, MAX_PORT);
        InetAddress literal = DnsNames.literal(Require.nonNull("host", host));
        if (literal != null) {
            return fixed(List.of(literal), port);
        }
        String ascii = DnsNames.ascii(host);
        if (ascii.equals("localhost") || ascii.endsWith(".localhost")) { // RFC 6761: never queried
            return fixed(loopback(config.family()), port);
        }
        return new DnsSource(
                "dns " + host + ":" + port,
                () -> new EndpointLookup(host, port, config, services, hosts, environment.clock()),
                environment);
    }

    static EndpointSource<InetSocketAddress> targets(
            String service, DnsConfig config, Environment environment, Supplier<NameService> services) {
        Require.nonNull("environment", environment);
        DnsNames.ascii(Require.nonNull("service", service));
        return new DnsSource(
                "srv " + service,
                () -> new EndpointLookup(
                        service,
                        EndpointLookup.PORT_OF_RECORD,
                        config,
                        services,
                        host -> List.of(),
                        environment.clock()),
                environment);
    }

    private static EndpointSource<InetSocketAddress> fixed(List<InetAddress> addresses, int port) {
        List<InetSocketAddress> sockets = new ArrayList<>();
        addresses.forEach(address -> sockets.add(new InetSocketAddress(address, port)));
        return EndpointSource.ofAddresses(sockets);
    }

    private static List<InetAddress> loopback(Family family) {
        try {
            InetAddress four = InetAddress.getByAddress(LOOPBACK_4);
            InetAddress six = InetAddress.getByAddress(LOOPBACK_6);
            return switch (family) {
                case IPV4, PREFER_IPV4 -> List.of(four);
                case IPV6, PREFER_IPV6 -> List.of(six);
                case BOTH -> List.of(four, six);
            };
        } catch (UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<InetSocketAddress>>> receiver) {
        return EndpointSource.polling(name, lookups.get(), environment).subscribe(receiver);
    }

    @Override
    public String toString() {
        return name;
    }
}
