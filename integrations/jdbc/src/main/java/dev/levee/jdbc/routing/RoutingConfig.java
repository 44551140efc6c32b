package dev.levee.jdbc.routing;

import dev.levee.core.consistency.Consistency;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;

/**
 * The settings of a {@link RoutingDataSource}, apart from its nodes. Immutable.
 *
 * @since 0.1
 */
public final class RoutingConfig {
    private final Builder settings;

    private RoutingConfig(Builder builder) {
        settings = new Builder(builder);
    }

    /**
     * Starts from the defaults, which are those of the builder's methods.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(settings);
    }

    /** {@return what picks a replica for each read} */
    public BalancingStrategy strategy() {
        return settings.strategy;
    }

    /** {@return what finds out the role and the position of a node} */
    public ReplicationProbe probe() {
        return settings.probe;
    }

    /** {@return the time from one probe of a node to the next, more than zero} */
    public Duration probeEvery() {
        return settings.probeEvery;
    }

    /** {@return how long a probe may take, more than zero} */
    public Duration probeTimeout() {
        return settings.probeTimeout;
    }

    /** {@return how far a replica may be behind and still be read, more than zero} */
    public Duration maxLag() {
        return settings.maxLag;
    }

    /** {@return how long a read waits for a replica that has reached its session, zero or more} */
    public Duration sessionWait() {
        return settings.sessionWait;
    }

    /** {@return what reads get whose call has made no choice} */
    public Consistency consistency() {
        return settings.consistency;
    }

    /** {@return how long the share of a replica grows that has come back, zero or more} */
    public Duration slowStart() {
        return settings.slowStart;
    }

    /** {@return whether the data sources of the nodes are closed with this one} */
    public boolean closesNodes() {
        return settings.closesNodes;
    }

    /**
     * Sets the parts of a {@link RoutingConfig}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private BalancingStrategy strategy = BalancingStrategy.powerOfTwoChoices();
        private ReplicationProbe probe = ReplicationProbe.postgres();
        private Duration probeEvery = Duration.ofSeconds(1);
        private Duration probeTimeout = Duration.ofSeconds(1);
        private Duration maxLag = Duration.ofSeconds(10);
        private Duration sessionWait = Duration.ofMillis(100);
        private Consistency consistency = Consistency.eventual();
        private Duration slowStart = Duration.ofSeconds(10);
        private boolean closesNodes;

        Builder() {}

        private Builder(Builder from) {
            strategy = from.strategy;
            probe = from.probe;
            probeEvery = from.probeEvery;
            probeTimeout = from.probeTimeout;
            maxLag = from.maxLag;
            sessionWait = from.sessionWait;
            consistency = from.consistency;
            slowStart = from.slowStart;
            closesNodes = from.closesNodes;
        }

        /**
         * Sets what picks a replica for each read. A call lasts as long as its connection is held. Default: the less
         * busy of two at random.
         *
         * @param value the strategy
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder strategy(BalancingStrategy value) {
            strategy = Require.nonNull("strategy", value);
            return this;
        }

        /**
         * Sets what finds out the role and the position of a node. Default: {@link ReplicationProbe#postgres()}.
         *
         * @param value the probe
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder probe(ReplicationProbe value) {
            probe = Require.nonNull("probe", value);
            return this;
        }

        /**
         * Sets the time from one probe of a node to the next; up to a tenth is added at random. A replica is known to
         * be as fresh as the last probes say, so {@link Consistency#bounded} with an age of less than two of these
         * mostly reads from the primary. Default: 1 s.
         *
         * @param value the interval
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder probeEvery(Duration value) {
            probeEvery = Require.positive("probeEvery", value);
            return this;
        }

        /**
         * Sets how long a probe may take, taking a connection from the pool included. Two in a row that take longer put
         * a node out of use; one that fails does at once. Default: 1 s.
         *
         * @param value the timeout
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder probeTimeout(Duration value) {
            probeTimeout = Require.positive("probeTimeout", value);
            return this;
        }

        /**
         * Sets how far a replica may be behind and still be read, by any call. While no primary answers it is how far
         * it is behind the replica that has come furthest. Default: 10 s.
         *
         * @param value the lag
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder maxLag(Duration value) {
            maxLag = Require.positive("maxLag", value);
            return this;
        }

        /**
         * Sets how long a read of {@link Consistency#session()} waits for a replica that has reached the session, and
         * no longer than the deadline of its call, before it goes to the primary. Default: 100 ms.
         *
         * @param value the wait; zero for none
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder sessionWait(Duration value) {
            sessionWait = Require.notNegative("sessionWait", value);
            return this;
        }

        /**
         * Sets what reads get whose call has made no choice. Default: {@link Consistency#eventual()}, from a replica
         * within {@link #maxLag}.
         *
         * @param value the choice
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder consistency(Consistency value) {
            consistency = Require.nonNull("consistency", value);
            return this;
        }

        /**
         * Sets how long the share of a replica grows that was dead or behind and is read again. Default: 10 s.
         *
         * @param value how long; zero for its whole share at once
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder slowStart(Duration value) {
            slowStart = Require.notNegative("slowStart", value);
            return this;
        }

        /**
         * Sets whether the data sources of the nodes that are {@link AutoCloseable} are closed with this one. Default:
         * no.
         *
         * @param value whether to close them
         * @return this
         */
        public Builder closesNodes(boolean value) {
            closesNodes = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public RoutingConfig build() {
            return new RoutingConfig(this);
        }
    }
}
