package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.DnsConfig.Family;
import dev.levee.loadbalancing.discovery.DnsMessage.DnsRecord;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Puts the parts of a look-up in DNS together. */
final class DnsSource {
    private static final int MAX_PORT = 65_535;
    private static final Polling.Waits WAITS = new Polling.Waits(1_000_000_000L, 30_000_000_000L);
    private static final byte[] LOOPBACK_4 = {127, 0, 0, 1};
    private static final byte[] LOOPBACK_6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    private DnsSource() {}

    static EndpointSource<InetSocketAddress> addresses(
            String host, int port, DnsConfig config, Environment environment) {
        return addresses(host, port, config, environment, ofMachine(config, environment), DnsSettings::hosts);
    }

    static EndpointSource<InetSocketAddress> addresses(
            String host,
            int port,
            DnsConfig config,
            Environment environment,
            Supplier<DnsLookup.Resolver> resolvers,
            Function<String, List<InetAddress>> hosts) {
        Require.nonNull("environment", environment);
        Require.range("port", port, 1, MAX_PORT);
        InetAddress literal = HostPort.literal(Require.nonNull("host", host));
        if (literal != null) {
            return fixed(List.of(literal), port);
        }
        String name = DnsMessage.name(host);
        if (name.equals("localhost") || name.endsWith(".localhost")) { // RFC 6761: never asked for
            return fixed(loopback(config.family()), port);
        }
        return new PollingSource<>(
                "dns " + host + ":" + port,
                () -> new DnsLookup(host, port, config, resolvers, hosts, environment.clock()),
                WAITS,
                environment);
    }

    static EndpointSource<InetSocketAddress> targets(String service, DnsConfig config, Environment environment) {
        return targets(service, config, environment, ofMachine(config, environment));
    }

    static EndpointSource<InetSocketAddress> targets(
            String service, DnsConfig config, Environment environment, Supplier<DnsLookup.Resolver> resolvers) {
        Require.nonNull("environment", environment);
        DnsMessage.name(Require.nonNull("service", service));
        return new PollingSource<>(
                "srv " + service,
                () -> new DnsLookup(
                        service, DnsLookup.OF_RECORDS, config, resolvers, host -> List.of(), environment.clock()),
                WAITS,
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

    private static Supplier<DnsLookup.Resolver> ofMachine(DnsConfig config, Environment environment) {
        Require.nonNull("config", config);
        Require.nonNull("environment", environment);
        RandomGenerator random = new SecureRandom(); // what comes from the environment may be guessed
        return () -> {
            DnsSettings settings =
                    config.servers().isEmpty() ? DnsSettings.ofMachine() : DnsSettings.of(config.servers());
            DnsExchange exchange = settings.servers().isEmpty()
                    ? DnsSource::askJdk
                    : new DnsClient(
                            settings.servers(),
                            settings.rounds(),
                            Nanos.of(config.timeout()),
                            environment.clock(),
                            random);
            return new DnsLookup.Resolver(settings, exchange);
        };
    }

    /** For machines that do not say which servers they ask. */
    private static DnsMessage askJdk(String name, int type, long deadlineNanos) throws IOException {
        if (type == DnsMessage.SRV) {
            throw new IOException("the JDK cannot look up SRV records, and this machine does not say which servers it"
                    + " asks: name them in DnsConfig.servers");
        }
        List<DnsRecord> records = new ArrayList<>();
        for (InetAddress address : InetAddress.getAllByName(name)) {
            if ((type == DnsMessage.A) == address instanceof Inet4Address) {
                records.add(new DnsRecord(name, type, DnsLookup.ASSUMED_SECONDS, address, null, 0, 0, 0));
            }
        }
        return new DnsMessage(DnsMessage.NO_ERROR, true, true, records, List.of());
    }
}
