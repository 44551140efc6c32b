package dev.levee.http.blocking;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.http.Upstream;
import dev.levee.http.UpstreamConfig;
import dev.levee.http.internal.LogicalUris;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The logical hosts of a client that blocks.
 *
 * @param <Q> a request
 * @param <R> a response
 */
public final class BlockingHosts<Q, R> implements Measured, AutoCloseable {
    private final Map<String, BlockingHost<Q, R>> hosts = new LinkedHashMap<>();

    private BlockingHosts() {}

    /**
     * Returns the host of a request.
     *
     * @param scheme its scheme
     * @param authority its authority
     * @return the host, or null if it is none of these
     */
    public @Nullable BlockingHost<Q, R> find(@Nullable String scheme, @Nullable String authority) {
        return LogicalUris.find(hosts, scheme, authority);
    }

    /**
     * Returns the balancer of a host.
     *
     * @param host as it was given to the builder
     * @return the balancer
     * @throws IllegalArgumentException if there is no such host
     */
    public LoadBalancer<URI> balancer(String host) {
        BlockingHost<Q, R> found = hosts.get(LogicalUris.key(host));
        if (found == null) {
            throw new IllegalArgumentException("host must be one of " + hosts.keySet() + ", but was " + host);
        }
        return found.upstream.balancer();
    }

    @Override
    public void measure(Sink sink) {
        hosts.values().forEach(host -> host.upstream.measure(sink));
    }

    @Override
    public void close() {
        hosts.values().forEach(host -> host.upstream.close());
    }

    @Override
    public String toString() {
        return hosts.values().toString();
    }

    /**
     * Collects hosts; not thread-safe.
     *
     * @param <Q> a request
     */
    public static final class Builder<Q> {
        private final Map<String, HostSetting<Q>> settings = new LinkedHashMap<>();
        private Environment environment = Environment.system();

        /** Makes a builder without hosts. */
        public Builder() {}

        /**
         * Adds a host.
         *
         * @param host as in requests
         * @param source where its endpoints are
         * @param configure changes the defaults
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the host is blank, no authority, or was added before
         */
        public void host(
                String host, EndpointSource<URI> source, Consumer<? super UpstreamConfig.Builder<URI, Q>> configure) {
            HostSetting<Q> added =
                    new HostSetting<>(Require.nonNull("source", source), Require.nonNull("configure", configure));
            if (settings.putIfAbsent(LogicalUris.key(host), added) != null) {
                throw new IllegalArgumentException("host must be added once, but was again: " + host);
            }
        }

        /**
         * Sets the environment.
         *
         * @param value for all hosts
         * @throws NullPointerException if {@code value} is null
         */
        public void environment(Environment value) {
            environment = Require.nonNull("environment", value);
        }

        /**
         * Makes the upstream of each host.
         *
         * @param transports gives the transport of a host
         * @param <R> a response
         * @return the hosts
         */
        public <R> BlockingHosts<Q, R> build(BiFunction<String, Environment, BlockingTransport<Q, R>> transports) {
            BlockingHosts<Q, R> made = new BlockingHosts<>();
            settings.forEach(
                    (name, setting) -> made.hosts.put(name, host(name, setting, transports.apply(name, environment))));
            return made;
        }

        private <R> BlockingHost<Q, R> host(String name, HostSetting<Q> setting, BlockingTransport<Q, R> transport) {
            UpstreamConfig.Builder<URI, Q> builder = UpstreamConfig.builder(transport.outcomes());
            UpstreamConfig<URI, Q> config =
                    Require.configured("upstream", name, builder, setting.configure(), UpstreamConfig.Builder::build);
            transport.host = config.host();
            transport.sendSession = config.sendSession();
            return new BlockingHost<>(
                    Upstream.of(name, transport, setting.source(), config, environment), transport, environment);
        }
    }

    private record HostSetting<Q>(
            EndpointSource<URI> source, Consumer<? super UpstreamConfig.Builder<URI, Q>> configure) {}
}
