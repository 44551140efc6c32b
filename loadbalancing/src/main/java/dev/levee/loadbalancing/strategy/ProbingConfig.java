package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings of {@link BalancingStrategy#probing(ProbingConfig)}. Immutable.
 *
 * @since 0.1
 */
public final class ProbingConfig {
    private final @Nullable Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe;
    private final @Nullable Function<Object, @Nullable ServerLoad> responses;
    private final double probesPerCall;
    private final int poolSize;
    private final double hotQuantile;
    private final Duration maxAge;
    private final Duration timeout;

    private ProbingConfig(Builder builder) {
        probe = builder.probe;
        responses = builder.responses;
        probesPerCall = builder.probesPerCall;
        poolSize = builder.poolSize;
        hotQuantile = builder.hotQuantile;
        maxAge = builder.maxAge;
        timeout = builder.timeout;
    }

    /**
     * Starts from the defaults, with which servers are not probed and responses are not read.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    static ProbingConfig of(Consumer<? super Builder> configure) {
        Builder builder = builder();
        Require.nonNull("configure", configure).accept(builder);
        return builder.build();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.probe = probe;
        builder.responses = responses;
        builder.probesPerCall = probesPerCall;
        builder.poolSize = poolSize;
        builder.hotQuantile = hotQuantile;
        builder.maxAge = maxAge;
        builder.timeout = timeout;
        return builder;
    }

    /**
     * Returns the function that probes a server.
     *
     * @return the function; null if servers are not probed
     */
    public @Nullable Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe() {
        return probe;
    }

    /**
     * Returns the function that reads the load from an ordinary response.
     *
     * @return the function; null if responses are not read
     */
    public @Nullable Function<Object, @Nullable ServerLoad> responses() {
        return responses;
    }

    /**
     * Returns how many load probes are sent for each call.
     *
     * @return from 0.01 to 16
     */
    public double probesPerCall() {
        return probesPerCall;
    }

    /**
     * Returns how many answers are kept.
     *
     * @return from 2 to 64
     */
    public int poolSize() {
        return poolSize;
    }

    /**
     * Returns the share of recent answers above which an endpoint is hot.
     *
     * @return from 0 to 1
     */
    public double hotQuantile() {
        return hotQuantile;
    }

    /**
     * Returns how old an answer may be to be used.
     *
     * @return more than zero
     */
    public Duration maxAge() {
        return maxAge;
    }

    /**
     * Returns how long a load probe may take.
     *
     * @return more than zero
     */
    public Duration timeout() {
        return timeout;
    }

    long maxAgeNanos() {
        return Nanos.of(maxAge);
    }

    long timeoutNanos() {
        return Nanos.of(timeout);
    }

    /** Returns whether servers report nothing, so that the client's own calls alone show their load. */
    boolean watchesOwnCalls() {
        return probe == null && responses == null;
    }

    @Override
    public String toString() {
        return probe != null ? "probing" : responses != null ? "probing by responses" : "probing by own calls";
    }

    /**
     * Sets the parts of a {@link ProbingConfig}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe;
        private @Nullable Function<Object, @Nullable ServerLoad> responses;
        private double probesPerCall = 3.0;
        private int poolSize = 16;
        private double hotQuantile = 0.84;
        private Duration maxAge = Duration.ofSeconds(1);
        private Duration timeout = Duration.ofMillis(100);

        private Builder() {}

        /**
         * Sets how a server is probed for its load. The function starts a request that is as cheap as possible and is
         * answered at once by what a {@link ServerLoadRecorder} reports, on the way that calls take. It runs on the
         * environment's executor, never on the path of a call; if it throws, returns null, answers null or never, there
         * is one answer less and nothing else happens. Default: servers are not probed.
         *
         * @param value gets the endpoint and answers later; thread-safe. At most one load probe per endpoint and
         *     {@link #poolSize} in all are in flight
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder probe(Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> value) {
            probe = Require.nonNull("probe", value);
            return this;
        }

        /**
         * Sets how the load is read from an ordinary response, for example from the header {@link ServerLoad#HEADER};
         * it then counts as the answer to a load probe. Together with {@link #probe} or without. Default: responses are
         * not read.
         *
         * @param value gets what a call returned, never null, and returns the load, or null if there is none; on the
         *     path of the call, so it must be quick. If it throws, that counts as null
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder responses(Function<Object, @Nullable ServerLoad> value) {
            responses = Require.nonNull("responses", value);
            return this;
        }

        /**
         * Sets how many load probes are sent for each call. Fewer are sent when calls come faster than probes are
         * answered. Default: 3.
         *
         * @param value from 0.01 to 16
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder probesPerCall(double value) {
            if (!(value >= 0.01 && value <= 16.0)) {
                throw new IllegalArgumentException("probesPerCall must be from 0.01 to 16, but was " + value);
            }
            probesPerCall = value;
            return this;
        }

        /**
         * Sets how many answers are kept to choose from. Default: 16.
         *
         * @param value from 2 to 64; a pick reads all of them
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder poolSize(int value) {
            poolSize = Require.range("poolSize", value, 2, 64);
            return this;
        }

        /**
         * Sets where hot begins: an endpoint is hot if it has more requests in flight than this share of the last 64
         * answers. 0 makes all hot, so that only requests in flight decide; 1 makes none hot, so that only latency
         * decides. Default: 0.84.
         *
         * @param value from 0 to 1
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder hotQuantile(double value) {
            if (!(value >= 0.0 && value <= 1.0)) {
                throw new IllegalArgumentException("hotQuantile must be from 0 to 1, but was " + value);
            }
            hotQuantile = value;
            return this;
        }

        /**
         * Sets how old an answer may be to be used. Default: 1 s.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder maxAge(Duration value) {
            maxAge = Require.positive("maxAge", value);
            return this;
        }

        /**
         * Sets how long a load probe may take; an answer that comes later is not used. Default: 100 ms.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder timeout(Duration value) {
            timeout = Require.positive("timeout", value);
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         */
        public ProbingConfig build() {
            return new ProbingConfig(this);
        }
    }
}
