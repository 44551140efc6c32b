package dev.levee.dns;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * How a source of {@link DnsEndpoints} queries name servers. Immutable.
 *
 * @since 0.1
 */
public final class DnsConfig {
    private static final Duration MAX_DURATION = Duration.ofDays(365);
    private static final int MAX_ENDPOINTS = 1_000_000;

    private final Family family;
    private final List<InetSocketAddress> servers;
    private final Duration minTtl;
    private final Duration maxTtl;
    private final Duration timeout;
    private final int maxEndpoints;

    private DnsConfig(Builder builder) {
        family = builder.family;
        servers = builder.servers;
        minTtl = builder.minTtl;
        maxTtl = builder.maxTtl;
        timeout = builder.timeout;
        maxEndpoints = builder.maxEndpoints;
        if (minTtl.compareTo(maxTtl) > 0) {
            throw new IllegalArgumentException("minTtl must be at most maxTtl, " + maxTtl + ", but was " + minTtl);
        }
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a builder with the values of this configuration.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.family = family;
        builder.servers = servers;
        builder.minTtl = minTtl;
        builder.maxTtl = maxTtl;
        builder.timeout = timeout;
        builder.maxEndpoints = maxEndpoints;
        return builder;
    }

    /**
     * Returns which addresses of a host are endpoints.
     *
     * @return the family
     */
    public Family family() {
        return family;
    }

    /**
     * Returns the name servers that are queried.
     *
     * @return the servers; empty if they are those of the machine
     */
    public List<InetSocketAddress> servers() {
        return servers;
    }

    /**
     * Returns the shortest time from one look-up to the next.
     *
     * @return the lower bound of the TTL
     */
    public Duration minTtl() {
        return minTtl;
    }

    /**
     * Returns the longest time for which an answer is used without a new query.
     *
     * @return the upper bound of the TTL
     */
    public Duration maxTtl() {
        return maxTtl;
    }

    /**
     * Returns how long the answer of one server is awaited.
     *
     * @return the time
     */
    public Duration timeout() {
        return timeout;
    }

    /**
     * Returns how many endpoints one look-up makes at most.
     *
     * @return the bound
     */
    public int maxEndpoints() {
        return maxEndpoints;
    }

    @Override
    public String toString() {
        return "dns(" + family + ", " + (servers.isEmpty() ? "servers of the machine" : servers) + ", ttl " + minTtl
                + " to " + maxTtl + ", timeout " + timeout + ", at most " + maxEndpoints + " endpoints)";
    }

    /**
     * Which addresses of a host are endpoints.
     *
     * @since 0.1
     */
    public enum Family {
        /** A records only. */
        IPV4,
        /** AAAA records only. */
        IPV6,
        /**
         * A records, and AAAA records of a host that has no A records. A host with both is one endpoint for each A
         * record.
         */
        PREFER_IPV4,
        /** AAAA records, and A records of a host that has no AAAA records. */
        PREFER_IPV6,
        /** A and AAAA records. A host that has both is two endpoints, and gets two shares. */
        BOTH
    }

    /**
     * Sets the parts of a {@link DnsConfig}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Family family = Family.PREFER_IPV4;
        private List<InetSocketAddress> servers = List.of();
        private Duration minTtl = Duration.ofSeconds(1);
        private Duration maxTtl = Duration.ofMinutes(5);
        private Duration timeout = Duration.ofSeconds(2);
        private int maxEndpoints = 4096;

        Builder() {}

        /**
         * Sets which addresses of a host are endpoints. Many machines have IPv6 addresses that lead nowhere, and a host
         * must not count twice. Default: {@link Family#PREFER_IPV4}.
         *
         * @param value the family
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder family(Family value) {
            family = Require.nonNull("family", value);
            return this;
        }

        /**
         * Sets the name servers, queried in this order until one answers. Names are then taken as they are: nothing is
         * appended to short ones. Default: the servers, the search list and the options of {@code /etc/resolv.conf},
         * read anew at each look-up; where there is no such file, those that dnsjava finds on the machine.
         *
         * @param values resolved addresses, mostly with port 53; none for those of the machine
         * @return this
         * @throws NullPointerException if the array or one of the addresses is null
         * @throws IllegalArgumentException if one of them is not resolved
         */
        public Builder servers(InetSocketAddress... values) {
            List<InetSocketAddress> all = List.of(Require.nonNull("servers", values));
            for (InetSocketAddress server : all) {
                if (server.isUnresolved()) {
                    throw new IllegalArgumentException("servers must be resolved, but were " + all);
                }
            }
            servers = all;
            return this;
        }

        /**
         * Sets the shortest time from one look-up to the next, for TTLs that are shorter, such as 0. Default: 1 s.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is outside
         */
        public Builder minTtl(Duration value) {
            minTtl = inRange("minTtl", value);
            return this;
        }

        /**
         * Sets the longest time for which an answer is used, for TTLs that are longer, so that a TTL of a day does not
         * keep new endpoints away for a day. Default: 5 min.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is outside
         */
        public Builder maxTtl(Duration value) {
            maxTtl = inRange("maxTtl", value);
            return this;
        }

        /**
         * Sets how long the answer of one server is awaited. Each server is queried twice, or more often if the options
         * of the machine say so; a look-up takes at most five times this time. Default: 2 s.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is outside
         */
        public Builder timeout(Duration value) {
            timeout = inRange("timeout", value);
            return this;
        }

        /**
         * Sets how many endpoints one look-up makes at most, so that a wrong or hostile answer costs neither the memory
         * nor the time of the balancer: a thousand SRV records whose targets have a thousand addresses each are a
         * million endpoints. Of more the same ones are kept each time, whatever the order of the answer: those of the
         * first priorities, and among them the first by target, port and address. The rest is left out, with one
         * warning for each source. Default: 4096, as many addresses as an answer of 64 KB has room for.
         *
         * @param value from 1 to 1 000 000
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder maxEndpoints(int value) {
            maxEndpoints = Require.range("maxEndpoints", value, 1, MAX_ENDPOINTS);
            return this;
        }

        private static Duration inRange(String name, Duration value) {
            if (Require.positive(name, value).compareTo(MAX_DURATION) > 0) {
                throw new IllegalArgumentException(
                        name + " must be at most " + Nanos.text(MAX_DURATION) + ", but was " + Nanos.text(value));
            }
            return value;
        }

        /**
         * Returns a configuration with these values.
         *
         * @return the configuration
         * @throws IllegalArgumentException if {@code minTtl} is longer than {@code maxTtl}
         */
        public DnsConfig build() {
            return new DnsConfig(this);
        }
    }
}
