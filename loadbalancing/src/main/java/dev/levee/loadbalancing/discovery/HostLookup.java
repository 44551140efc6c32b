package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Resolves a host with the JDK's resolver. See ADR 57. */
final class HostLookup implements Callable<Collection<Endpoint<InetSocketAddress>>> {
    static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(30);

    /** How many addresses of one host are endpoints at most; of more the first ones by their text are. */
    static final int MAX_ENDPOINTS = 4096;

    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    private static final WarnedSubjects CUT = new WarnedSubjects();
    private static final int MAX_PORT = 65_535;

    /** Finds all addresses of a host, the preferred family first. */
    @FunctionalInterface
    interface HostResolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private final String host;
    private final int port;
    private final HostResolver resolver;

    private HostLookup(String host, int port, HostResolver resolver) {
        this.host = host;
        this.port = port;
        this.resolver = resolver;
    }

    static EndpointSource<InetSocketAddress> source(
            String host, int port, Duration interval, Environment environment, HostResolver resolver) {
        Require.nonNull("environment", environment);
        Require.positive("interval", interval);
        Require.range("port", port, 1, MAX_PORT);
        if (Require.nonNull("host", host).isBlank()) {
            throw new IllegalArgumentException("host must not be blank, but was \"" + Text.printable(host) + "\"");
        }
        InetAddress literal = HostPort.literal(host);
        if (literal != null) {
            return EndpointSource.ofAddresses(List.of(new InetSocketAddress(literal, port)));
        }
        return PollingSource.function(
                "dns " + host + ":" + port, new HostLookup(host, port, resolver), interval, environment);
    }

    /**
     * Returns the addresses of the family that the resolver names first, so that a host with both families does not
     * count twice.
     */
    @Override
    public Collection<Endpoint<InetSocketAddress>> call() throws UnknownHostException {
        InetAddress[] found = resolver.resolve(host);
        Set<Endpoint<InetSocketAddress>> endpoints = new LinkedHashSet<>();
        for (InetAddress address : found) {
            if (address instanceof Inet6Address == found[0] instanceof Inet6Address) {
                endpoints.add(Endpoint.of(new InetSocketAddress(withoutName(address), port)));
            }
        }
        if (endpoints.size() <= MAX_ENDPOINTS) {
            return endpoints;
        }
        if (CUT.add(host + ":" + port)) {
            SafeLog.warn(
                    LOG,
                    "Endpoints from dns {}:{}: DNS has more than {}, the rest is left out",
                    host,
                    port,
                    MAX_ENDPOINTS);
        }
        return endpoints.stream()
                .sorted(Comparator.comparing(Endpoint::id))
                .limit(MAX_ENDPOINTS)
                .toList();
    }

    /** An endpoint is known by the text of its address, and that would be the host name for all of them. */
    private static InetAddress withoutName(InetAddress address) throws UnknownHostException {
        byte[] bytes = address.getAddress();
        return address instanceof Inet6Address six && six.getScopeId() != 0
                ? Inet6Address.getByAddress(null, bytes, six.getScopeId())
                : InetAddress.getByAddress(bytes);
    }
}
