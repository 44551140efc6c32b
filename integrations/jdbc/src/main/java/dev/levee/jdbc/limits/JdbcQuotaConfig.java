package dev.levee.jdbc.limits;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link JdbcQuotaStore}. Immutable.
 *
 * @since 0.1
 */
public final class JdbcQuotaConfig {
    private static final int DEFAULT_MAX_CONNECTIONS = 4;
    private static final int MAX_MAX_CONNECTIONS = 1_000;
    private static final Duration MAX_TIME = Duration.ofDays(1);

    final String table;
    final int maxConnections;
    final Duration timeout;
    final Duration replay;
    final Duration expireEvery;
    final @Nullable Executor executor;

    private JdbcQuotaConfig(Builder builder) {
        table = builder.table;
        maxConnections = builder.maxConnections;
        timeout = builder.timeout;
        replay = builder.replay;
        expireEvery = builder.expireEvery;
        executor = builder.executor;
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
     * Sets what a {@link JdbcQuotaConfig} holds.
     *
     * @since 0.1
     */
    public static final class Builder {
        private String table = JdbcQuotaStore.TABLE;
        private int maxConnections = DEFAULT_MAX_CONNECTIONS;
        private Duration timeout = Duration.ofSeconds(5);
        private Duration replay = Duration.ofMinutes(1);
        private Duration expireEvery = Duration.ofMinutes(5);
        private @Nullable Executor executor;

        private Builder() {}

        /**
         * Sets the table. Default: {@link JdbcQuotaStore#TABLE}.
         *
         * @param name a plain name, with its schema and a point in front if need be
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is no plain name
         */
        public Builder table(String name) {
            table = QuotaTable.plain(name);
            return this;
        }

        /**
         * Sets how many connections are used at once at most, and so how many threads of the executor. Default: 4.
         *
         * @param value from 1 to 1,000; no more than the pool has to spare
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder maxConnections(int value) {
            maxConnections = Require.range("maxConnections", value, 1, MAX_MAX_CONNECTIONS);
            return this;
        }

        /**
         * Sets after which time a connection that does not answer is given up, where the driver can do that. Default: 5
         * seconds.
         *
         * @param value from 1 ms to 1 day
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder timeout(Duration value) {
            timeout = Require.positive("timeout", value);
            Require.range("timeout in milliseconds", Nanos.of(value) / 1_000_000, 1, MAX_TIME.toMillis());
            return this;
        }

        /**
         * Sets for how long the last answer to each node is remembered, so that a batch can be sent again. Default: 1
         * minute.
         *
         * @param value from 1 second to 1 day; longer than a statement can be under way
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder replay(Duration value) {
            replay = Require.positive("replay", value);
            Require.range("replay in seconds", value.toSeconds(), 1, MAX_TIME.toSeconds());
            return this;
        }

        /**
         * Sets how often rows are deleted that are as if they were never used. Default: 5 minutes.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} for never, see
         *     {@link JdbcQuotaStore#expire}
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or less
         */
        public Builder expireEvery(Duration value) {
            expireEvery = Require.positive("expireEvery", value);
            return this;
        }

        /**
         * Sets what runs the statements, which block. Default: the executor of the environment.
         *
         * @param value the executor
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder executor(Executor value) {
            executor = Require.nonNull("executor", value);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public JdbcQuotaConfig build() {
            return new JdbcQuotaConfig(this);
        }
    }
}
