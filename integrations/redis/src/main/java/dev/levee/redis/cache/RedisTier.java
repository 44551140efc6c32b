package dev.levee.redis.cache;

import dev.levee.cache.Codec;
import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Describes the tier of a {@link TwoTierCache} that is in Redis or Valkey: which servers, how keys and values become
 * bytes, how long they stay, and what to do when Redis is gone.
 *
 * <pre>{@code
 * RedisClient client = RedisClient.create("redis://localhost:6379");
 * RedisTier<String, User> tier = RedisTier.builder(client, Codec.strings(), JacksonCodec.of(User.class))
 *         .expireAfter(ofMinutes(30)).build();
 * TwoTierCache<String, User> users = TwoTierCache.over("users", tier, repository::find);
 * }</pre>
 *
 * <p>The client stays the caller's: close it after the cache. It must speak RESP3 (Lettuce does by default) for changes
 * by programs that do not use this library to be noticed. The servers are plain ones, each with its replicas behind a
 * Sentinel if that is what the URI of the client says; Redis Cluster is not supported. Immutable and thread-safe.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class RedisTier<K, V> {
    /** The most servers of one tier. */
    public static final int MAX_SERVERS = 16;

    /** The name of the only server of a tier that is not sharded. */
    static final String ONLY = "redis";

    final Map<String, RedisClient> servers;
    final Codec<K> keys;
    final Codec<V> values;
    final String prefix;
    final int version;
    final Duration expireAfter;
    final double expiryJitter;
    final Duration expireAbsentAfter;
    final int maxValueBytes;
    final int compressFrom;
    final Duration leaseLife;
    final Duration maxWait;
    final Duration timeout;
    final Duration heartbeat;
    final Duration maxSuspect;
    final Duration retryAfter;
    final Duration replicaLag;
    final int maxLoads;
    final int maxPending;
    final boolean failing;
    final boolean tracking;
    final @Nullable ToLongFunction<? super V> versionOf;

    private RedisTier(Builder<K, V> builder) {
        servers = builder.servers;
        keys = builder.keys;
        values = builder.values;
        prefix = builder.prefix;
        version = builder.version;
        expireAfter = builder.expireAfter;
        expiryJitter = builder.expiryJitter;
        expireAbsentAfter = builder.expireAbsentAfter;
        maxValueBytes = builder.maxValueBytes;
        compressFrom = builder.compressFrom;
        leaseLife = builder.leaseLife;
        maxWait = builder.maxWait;
        timeout = builder.timeout;
        heartbeat = builder.heartbeat;
        maxSuspect = builder.maxSuspect;
        retryAfter = builder.retryAfter;
        replicaLag = builder.replicaLag;
        maxLoads = builder.maxLoads;
        maxPending = builder.maxPending;
        failing = builder.failing;
        tracking = builder.tracking;
        versionOf = builder.versionOf;
    }

    /** Returns how long a value is in Redis. The key says how much shorter than others, so each process knows it. */
    long lifeMillis(byte[] key) {
        CRC32C sum = new CRC32C();
        sum.update(key);
        double part = sum.getValue() * 0x1.0p-32;
        long millis = expireAfter.toMillis();
        return Math.max(1, millis - (long) (millis * expiryJitter * part));
    }

    /**
     * Returns a builder for a tier on one server.
     *
     * @param client knows the address of the server
     * @param keys makes bytes of keys: equal keys have equal bytes, and others have others
     * @param values makes bytes of values
     * @param <K> the keys
     * @param <V> the values
     * @return a builder; not thread-safe
     * @throws NullPointerException if an argument is null
     */
    public static <K, V> Builder<K, V> builder(RedisClient client, Codec<K> keys, Codec<V> values) {
        return builder(Map.of(ONLY, Require.nonNull("client", client)), keys, values);
    }

    /**
     * Returns a builder for a tier on several plain servers, which knows by a
     * {@link dev.levee.loadbalancing.hash.ShardMap} over their names which of them has a key. For where there is no
     * Redis Cluster. All processes must give the same names; {@link TwoTierCache#moveTo} changes the set.
     *
     * @param servers a client for each server, by a name that stays when its address changes
     * @param keys makes bytes of keys: equal keys have equal bytes, and others have others
     * @param values makes bytes of values
     * @param <K> the keys
     * @param <V> the values
     * @return a builder; not thread-safe
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there are no servers, more than {@link #MAX_SERVERS}, or a name is blank or
     *     has a control character
     */
    public static <K, V> Builder<K, V> builder(Map<String, RedisClient> servers, Codec<K> keys, Codec<V> values) {
        return new Builder<>(checked(servers), Require.nonNull("keys", keys), Require.nonNull("values", values));
    }

    static Map<String, RedisClient> checked(Map<String, RedisClient> servers) {
        Map<String, RedisClient> sorted = new TreeMap<>();
        Require.nonNull("servers", servers).forEach((name, client) -> {
            sorted.put(Require.name(name), Require.nonNull("client of server " + name, client));
        });
        Require.range("number of servers", sorted.size(), 1, MAX_SERVERS);
        return sorted;
    }

    /**
     * Sets what differs from the defaults of a {@link RedisTier}.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> {
        private static final int MAX_VALUE_BYTES = 512 * 1024 * 1024;

        private final Map<String, RedisClient> servers;
        private final Codec<K> keys;
        private final Codec<V> values;
        private String prefix = "levee";
        private int version = 1;
        private Duration expireAfter = Duration.ofMinutes(10);
        private double expiryJitter = 0.1;
        private Duration expireAbsentAfter = Duration.ZERO;
        private int maxValueBytes = 1024 * 1024;
        private int compressFrom;
        private Duration leaseLife = Duration.ofSeconds(10);
        private Duration maxWait = Duration.ofSeconds(2);
        private Duration timeout = Duration.ofMillis(250);
        private Duration heartbeat = Duration.ofSeconds(1);
        private Duration maxSuspect = Duration.ofSeconds(1);
        private Duration retryAfter = Duration.ofSeconds(1);
        private Duration replicaLag = Duration.ZERO;
        private int maxLoads = 64;
        private int maxPending = 10_000;
        private boolean failing;
        private boolean tracking = true;
        private @Nullable ToLongFunction<? super V> versionOf;

        private Builder(Map<String, RedisClient> servers, Codec<K> keys, Codec<V> values) {
            this.servers = servers;
            this.keys = keys;
            this.values = values;
        }

        /**
         * Begins the names of all keys in Redis. Default: {@code levee}. A key is named
         * {@code prefix:{cache}:version:v:key}.
         *
         * @param value not blank, without control characters
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is blank or has a control character
         */
        public Builder<K, V> prefix(String value) {
            prefix = Require.name(value);
            return this;
        }

        /**
         * Sets the version of the type of the values. Default: 1. It is a part of the names of the keys, so that during
         * a rolling deployment processes with an old and a new version have caches of their own. An invalidation by one
         * of them is not seen by the other: change the version where the bytes change, and not otherwise.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<K, V> version(int value) {
            version = Require.range("version", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How long a value stays in Redis. Default: 10 minutes.
         *
         * @param value from 1 ms; with {@link Deadline#FOREVER} until it is invalidated or evicted
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is less than 1 ms
         */
        public Builder<K, V> expireAfter(Duration value) {
            expireAfter = millis("expireAfter", value);
            return this;
        }

        /**
         * Shortens the time of each value in Redis by at most this share, by how much follows from its key. Default:
         * 0.1.
         *
         * @param value from 0 to less than 1
         * @return this
         * @throws IllegalArgumentException if it is outside or not a number
         */
        public Builder<K, V> expiryJitter(double value) {
            if (!(value >= 0.0 && value < 1.0)) {
                throw new IllegalArgumentException("expiryJitter must be from 0 to less than 1, but was " + value);
            }
            expiryJitter = value;
            return this;
        }

        /**
         * How long Redis remembers that the store has no value for a key. Default: zero, not at all.
         *
         * @param value zero, or from 1 ms
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative, or more than zero and less than 1 ms
         */
        public Builder<K, V> expireAbsentAfter(Duration value) {
            expireAbsentAfter = zeroOrMillis("expireAbsentAfter", value);
            return this;
        }

        /**
         * How many bytes a value may have at most, before compression. Default: 1 MiB. A larger one that was loaded is
         * kept in the near cache alone; to put one is an {@link IllegalArgumentException}.
         *
         * @param value from 1 to 512 MiB
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder<K, V> maxValueBytes(int value) {
            maxValueBytes = Require.range("maxValueBytes", value, 1, MAX_VALUE_BYTES);
            return this;
        }

        /**
         * Compresses values from this size on, by DEFLATE at its fastest level. Default: 0, never. All versions of this
         * library read both.
         *
         * @param value in bytes; 0 for never
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<K, V> compressFrom(int value) {
            compressFrom = Require.range("compressFrom", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How long one load may take until another process may load the same key. Default: 10 seconds. A value that
         * comes later is given to those that wait for it in its process, and not kept. A write has the same time
         * between its beginning and its end, during which nothing is cached for its key.
         *
         * @param value from 1 ms; more than the time limit of the store
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is less than 1 ms
         */
        public Builder<K, V> leaseLife(Duration value) {
            leaseLife = millis("leaseLife", value);
            return this;
        }

        /**
         * How long a process waits for a value that another one loads, before it reads the store itself. Default: 2
         * seconds. Zero: not at all.
         *
         * @param value zero or more
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<K, V> maxWait(Duration value) {
            maxWait = Require.notNegative("maxWait", value);
            return this;
        }

        /**
         * How long to wait for an answer of Redis. Default: 250 ms. Three failures in a row, or a lost connection, and
         * Redis is not asked for {@code retryAfter}.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<K, V> timeout(Duration value) {
            timeout = Require.positive("timeout", value);
            return this;
        }

        /**
         * How often it is checked that all invalidations have come. Default: 1 second. If the answer to one check has
         * not come when the next one is due, the near cache is suspect.
         *
         * @param value from 1 ms
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is less than 1 ms
         */
        public Builder<K, V> heartbeat(Duration value) {
            heartbeat = millis("heartbeat", value);
            return this;
        }

        /**
         * How long a value of the near cache is served when invalidations may be missed: the connection is lost, or the
         * check has no answer. Default: 1 second. Longer spares the store during an outage of Redis.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<K, V> maxStaleWhenSuspect(Duration value) {
            maxSuspect = Require.positive("maxStaleWhenSuspect", value);
            return this;
        }

        /**
         * How long Redis is left alone after it has failed, until one call tries it again. Default: 1 second.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<K, V> retryAfter(Duration value) {
            retryAfter = Require.positive("retryAfter", value);
            return this;
        }

        /**
         * How far behind the replicas may be that the loader reads. Default: zero: loads for the cache run with
         * {@link dev.levee.core.consistency.Consistency#strong()}, so that a loader which honours it reads the primary.
         * With more than zero loads run with the choice of their caller, and for this time after each change of a key
         * its value is read with {@code strong()} and not cached.
         *
         * @param value zero, or from 1 ms
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative, or more than zero and less than 1 ms
         */
        public Builder<K, V> replicaLag(Duration value) {
            replicaLag = zeroOrMillis("replicaLag", value);
            return this;
        }

        /**
         * How many loads at a time go past Redis when it is gone, or when a wait for another process was too long.
         * Default: 64. Others are refused, by a {@link dev.levee.core.RefusedException}.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> maxLoadsPastRedis(int value) {
            maxLoads = Require.range("maxLoadsPastRedis", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How many invalidations are remembered while Redis is gone. Default: 10,000. If there are more, all keys are
         * invalidated when it is back.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<K, V> maxPendingInvalidations(int value) {
            maxPending = Require.range("maxPendingInvalidations", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Reads and writes the store when Redis is gone, within {@code maxLoadsPastRedis}. This is the default.
         *
         * @return this
         */
        public Builder<K, V> storeWhenGone() {
            failing = false;
            return this;
        }

        /**
         * Fails reads that the near cache cannot answer, and all writes, when Redis is gone: for a store that cannot
         * bear them, or where other processes must not read old values. Writes fail before the store is touched.
         *
         * @return this
         */
        public Builder<K, V> failWhenGone() {
            failing = true;
            return this;
        }

        /**
         * Whether changes of keys in Redis by programs that do not use this library are noticed, by client tracking.
         * Default: true. Redis then remembers which process has read which key since it was changed last, up to its
         * {@code tracking-table-max-keys}, and tells it of the next change; also when the key expires there. Where the
         * near cache serves old values that is not taken for a change, and neither is one in the last part of a life
         * that is as long as the value took to load.
         *
         * @param value false if all that write use this library
         * @return this
         */
        public Builder<K, V> tracking(boolean value) {
            tracking = value;
            return this;
        }

        /**
         * Sets what says how new a value is: the version of its row, or a log sequence number. Default: none. With it a
         * value never replaces a newer one in Redis, whatever order they come in, and a load that a lagging replica has
         * answered after a newer value was put or written is not kept. That is remembered for a minute.
         *
         * @param value grows with each change of a key; thread-safe
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> versionOf(ToLongFunction<? super V> value) {
            versionOf = Require.nonNull("versionOf", value);
            return this;
        }

        /**
         * Makes the description.
         *
         * @return the tier
         */
        public RedisTier<K, V> build() {
            return new RedisTier<>(this);
        }

        private static Duration millis(String name, Duration value) {
            Require.nonNull(name, value);
            if (value.compareTo(Duration.ofMillis(1)) < 0) {
                throw new IllegalArgumentException(name + " must be at least 1 ms, but was " + value);
            }
            return Duration.ofNanos(Nanos.of(value)); // no more than can be counted in milliseconds
        }

        private static Duration zeroOrMillis(String name, Duration value) {
            return Require.notNegative(name, value).isZero() ? value : millis(name, value);
        }
    }
}
