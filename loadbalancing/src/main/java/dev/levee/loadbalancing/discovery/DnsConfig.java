package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Require;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * How an {@link EndpointSource} asks DNS. Immutable.
 *
 * @since 0.1
 */
public final class DnsConfig {
    private static final Duration MAX = Duration.ofDays(365);

    private final Family family;
    private final List<InetSocketAddress> servers;
    private final Duration minTtl;
    private final Duration maxTtl;
    private final Duration timeout;

    private DnsConfig(Builder builder) {
        family = builder.family;
        servers = builder.servers;
        minTtl = builder.minTtl;
        maxTtl = builder.maxTtl;
        timeout = builder.timeout;
        if (minTtl.compareTo(maxTtl) > 0) {
            throw new IllegalArgumentException("minTtl must be at most maxTtl, " + maxTtl + ", but was " + minTtl);
        }
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts from this.
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
        return builder;
    }

    /**
     * Which addresses are asked for.
     *
     * @return as it was set
     */
    public Family family() {
        return family;
    }

    /**
     * The servers that are asked.
     *
     * @return as they were set; none if they are those of the machine
     */
    public List<InetSocketAddress> servers() {
        return servers;
    }

    /**
     * The shortest time from one look-up to the next.
     *
     * @return as it was set
     */
    public Duration minTtl() {
        return minTtl;
    }

    /**
     * The longest time that an answer is used without asking again.
     *
     * @return as it was set
     */
    public Duration maxTtl() {
        return maxTtl;
    }

    /**
     * How long one answer is awaited.
     *
     * @return as it was set
     */
    public Duration timeout() {
        return timeout;
    }

    @Override
    public String toString() {
        return "dns(" + family + ", " + (servers.isEmpty() ? "servers of the machine" : servers) + ", ttl " + minTtl
                + " to " + maxTtl + ", timeout " + timeout + ")";
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
        /** A records, and AAAA records of a host that has no others. A host with both is one endpoint for each A record. */
        PREFER_IPV4,
        /** AAAA records, and A records of a host that has no others. */
        PREFER_IPV6,
        /** A and AAAA records. A host that has both is two endpoints, and gets two shares. */
        BOTH
    }

    /**
     * Sets the parts of a {@link DnsConfig}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Family family = Family.PREFER_IPV4;
        private List<InetSocketAddress> servers = List.of();
        private Duration minTtl = Duration.ofSeconds(1);
        private Duration maxTtl = Duration.ofMinutes(5);
        private Duration timeout = Duration.ofSeconds(2);

        Builder() {}

        /**
         * Sets which addresses are asked for; default {@link Family#PREFER_IPV4}, since many machines have IPv6 addresses that lead
         * nowhere, and a host must not count twice.
         *
         * @param value the family
         * @return this
         */
        public Builder family(Family value) {
            family = Require.nonNull("family", value);
            return this;
        }

        /**
         * Sets the servers to ask, each in turn until one answers. Names are then taken as they are: nothing is appended to short ones.
         * Default: the servers, the search list and the options of {@code /etc/resolv.conf}, read anew at each look-up; where there is no
         * such file, the JDK's resolver, which knows no TTL (30 s is assumed) and no SRV records.
         *
         * @param values addresses that are resolved, mostly with port 53; none for those of the machine
         * @return this
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
         * Sets the shortest time from one look-up to the next, if the TTL is shorter, such as 0; default 1 s.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder minTtl(Duration value) {
            minTtl = ttl("minTtl", value);
            return this;
        }

        /**
         * Sets the longest time that an answer is used, if the TTL is longer; default 5 min, so that somebody's TTL of a day does not keep
         * new endpoints away for a day.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder maxTtl(Duration value) {
            maxTtl = ttl("maxTtl", value);
            return this;
        }

        /**
         * Sets how long the answer of one server is awaited; default 2 s. Each server is asked twice (or as often as the machine's options
         * say), and a look-up takes five times as long at most.
         *
         * @param value more than zero, at most a year
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder timeout(Duration value) {
            timeout = ttl("timeout", value);
            return this;
        }

        private static Duration ttl(String name, Duration value) {
            if (Require.positive(name, value).compareTo(MAX) > 0) {
                throw new IllegalArgumentException(name + " must be at most " + MAX + ", but was " + value);
            }
            return value;
        }

        /**
         * Makes the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if {@code minTtl} is longer than {@code maxTtl}
         */
        public DnsConfig build() {
            return new DnsConfig(this);
        }
    }
}
