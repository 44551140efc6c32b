package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How {@link BalancingStrategy#probing} asks and chooses. Immutable.
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
     * Starts from the defaults, which neither probe nor read responses.
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
        builder.probe = probe;
        builder.responses = responses;
        builder.probesPerCall = probesPerCall;
        builder.poolSize = poolSize;
        builder.hotQuantile = hotQuantile;
        builder.maxAge = maxAge;
        builder.timeout = timeout;
        return builder;
    }

    @Nullable Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe() {
        return probe;
    }

    @Nullable Function<Object, @Nullable ServerLoad> responses() {
        return responses;
    }

    double probesPerCall() {
        return probesPerCall;
    }

    int poolSize() {
        return poolSize;
    }

    double hotQuantile() {
        return hotQuantile;
    }

    long maxAgeNanos() {
        return Nanos.of(maxAge);
    }

    long timeoutNanos() {
        return Nanos.of(timeout);
    }

    /** Whether nobody asks servers or reads what they say, so that only the client's own calls tell anything. */
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
         * Asks servers how busy they are. The function starts a request that is as cheap as possible and is answered at once by what
         * a {@link ServerLoadRecorder} says, on the way that calls take. It runs on the environment's executor, never on the path of a call; if it
         * throws, returns null, answers null or never, there is one answer less and that is all. Default: nobody asks.
         *
         * @param value gets the endpoint and answers later; thread-safe. At most one probe per endpoint and {@link #poolSize} in all are
         *     under way
         * @return this
         */
        public Builder probe(Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> value) {
            probe = Require.nonNull("probe", value);
            return this;
        }

        /**
         * Takes what ordinary responses say for answers to probes, for example the header {@link ServerLoad#HEADER}. Together with
         * {@link #probe} or without. Default: responses are not read.
         *
         * @param value gets what a call returned, never null, and gives the load, or null if it says none; on the path of the call,
         *     so it must be quick. What it throws counts as null
         * @return this
         */
        public Builder responses(Function<Object, @Nullable ServerLoad> value) {
            responses = Require.nonNull("responses", value);
            return this;
        }

        /**
         * How many probes are sent for each call. Fewer are sent when calls come faster than probes are answered. Default: 3.
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
         * How many answers are kept to choose from. Default: 16.
         *
         * @param value from 2 to 64; a pick looks at all of them
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder poolSize(int value) {
            poolSize = Require.range("poolSize", value, 2, 64);
            return this;
        }

        /**
         * Where hot begins: an endpoint is hot if it has more requests in flight than this share of the last 64 answers. 0 makes all
         * hot, so that only requests in flight decide; 1 makes none hot, so that only latency decides. Default: 0.84.
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
         * How old an answer may be to be used. Default: 1 second.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxAge(Duration value) {
            maxAge = Require.positive("maxAge", value);
            return this;
        }

        /**
         * How long a probe is waited for; one that comes later is not used. Default: 100 ms.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder timeout(Duration value) {
            timeout = Require.positive("timeout", value);
            return this;
        }

        /**
         * Makes the configuration.
         *
         * @return the configuration
         */
        public ProbingConfig build() {
            return new ProbingConfig(this);
        }
    }
}
