package dev.levee.redis;

import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * The settings of a {@link RedisQuotaStore} and of a {@link RedisPermitStore}. Immutable. See ADR 149.
 *
 * @since 0.1
 */
public final class RedisLimitConfig {
    private static final int MAX_SHARDS = 1024;
    private static final int MAX_PREFIX_CHARS = 64;

    private final String prefix;
    private final int shards;
    private final boolean startFull;

    private RedisLimitConfig(Builder builder) {
        prefix = builder.prefix;
        shards = builder.shards;
        startFull = builder.startFull;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return the builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns what is left of the defaults after some settings. */
    static RedisLimitConfig of(Consumer<? super Builder> configure) {
        Builder builder = builder();
        Require.nonNull("configure", configure).accept(builder);
        return builder.build();
    }

    /**
     * Returns with what the keys in Redis begin, as set by {@link Builder#prefix}.
     *
     * @return the prefix
     */
    public String prefix() {
        return prefix;
    }

    /**
     * Returns over how many hash slots the keys are spread, as set by {@link Builder#shards}.
     *
     * @return from 1
     */
    public int shards() {
        return shards;
    }

    /**
     * Returns whether limits are full when Redis is used for the first time, as set by {@link Builder#startFull}.
     *
     * @return whether they are
     */
    public boolean startFull() {
        return startFull;
    }

    /**
     * Sets the settings of a store on Redis. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private String prefix = "levee";
        private int shards = 1;
        private boolean startFull;

        Builder() {}

        /**
         * Sets with what all keys begin, after the brace of the hash tag. Stores of one prefix share their limits, so
         * it is the same in all processes, and another one for each application or stage on one server. Default:
         * {@code levee}.
         *
         * @param value from 1 to 64 characters, none of them a blank, a brace or a control character
         * @return this
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it has such a character, or is too long or empty
         */
        public Builder prefix(String value) {
            Require.name(value);
            Require.range("length of prefix", value.length(), 1, MAX_PREFIX_CHARS);
            if (value.chars().anyMatch(it -> it == '{' || it == '}' || Character.isWhitespace(it))) {
                throw new IllegalArgumentException("prefix must have no brace and no blank, but was \"" + value + "\"");
            }
            prefix = value;
            return this;
        }

        /**
         * Sets over how many hash slots of a cluster the keys are spread. Requests of one batch are one command for
         * each of the slots that they need. The same in all processes, for good: with another number each limit has
         * another key, and begins anew. Default: 1, which is right for one server; 16 or more for a cluster.
         *
         * @param value from 1 to 1,024
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder shards(int value) {
            shards = Require.range("shards", value, 1, MAX_SHARDS);
            return this;
        }

        /**
         * Sets whether limits are full when neither Redis nor this process knows anything of the prefix. That looks the
         * same as a server that has lost its data while this process was not there: then each limit may be used up to
         * its capacity once more. A process that has used the prefix before always takes it for a loss. Default: false,
         * so that limits begin with nothing and fill at their rate, once, when the prefix is used for the first time.
         *
         * @param value whether they are full
         * @return this
         */
        public Builder startFull(boolean value) {
            startFull = value;
            return this;
        }

        /**
         * Builds the settings.
         *
         * @return the settings
         */
        public RedisLimitConfig build() {
            return new RedisLimitConfig(this);
        }
    }
}
