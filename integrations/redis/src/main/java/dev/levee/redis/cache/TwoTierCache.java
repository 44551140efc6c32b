package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Cache;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.CacheConfig.Strategy;
import dev.levee.cache.CachedValue;
import dev.levee.cache.Loader;
import dev.levee.cache.Store;
import dev.levee.cache.WarmUpReport;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.parts.MappedFuture;
import dev.levee.redis.cache.TierLoad.LoadFreshness;
import dev.levee.redis.cache.TierServers.Shards;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Cache} of two tiers: near the caller, and in Redis or Valkey for all processes, in front of a store.
 *
 * <pre>{@code
 * RedisTier<String, User> tier = RedisTier.builder(client, Codec.strings(), JacksonCodec.of(User.class)).build();
 * TwoTierCache<String, User> users = TwoTierCache.over("users", tier, repository::find);
 * User user = users.get("42");     // from memory, from Redis, or from the repository by one load for all processes
 * users.invalidate("42");          // after a change in the repository: in Redis and in all processes
 * }</pre>
 *
 * <p>What a cache of one process promises holds here for all processes: one load for a key, and what was invalidated
 * does not come back. How fresh a read is can be chosen for each call by the {@link Consistency} of its
 * {@link CallContext}; without a choice, a value of the near cache is served that may have been changed elsewhere some
 * milliseconds ago. {@code docs/caching/two-tiers.md} has the tables of what is promised, and of what happens when
 * Redis is gone. See ADR 150 and ADR 151.
 *
 * <p>What differs from a cache of one process:
 *
 * <ul>
 *   <li>{@link #put}, {@link #remove} and the invalidations wait for Redis, as long as the timeout of the tier. If
 *       Redis is gone they return without it (unless the tier is to fail then): this process has dropped the key, and
 *       the others will when Redis is back; {@link #pendingInvalidations} says how many wait for that. They are lost if
 *       the process ends before.
 *   <li>With write-through and write-around the value that was written is cached nowhere until it is read; with
 *       cache-aside a value that is put is put into Redis, and no store is written.
 *   <li>Conditional changes and a time for one value are refused. Asynchronous loads use a thread each while they wait.
 *   <li>Loads run with {@link Consistency#strong()}, see {@link RedisTier.Builder#replicaLag}.
 * </ul>
 *
 * <p>Thread-safe. A hit in the near cache costs what it costs there and one look at the call, and allocates nothing.
 *
 * @param <K> keys with {@code equals} and {@code hashCode}, immutable
 * @param <V> values, best immutable: all callers of a process get the same object
 * @since 0.1
 */
public final class TwoTierCache<K, V> extends UnconditionalCache<K, V> {
    final Cache<K, HeldValue<V>> near;
    final TierStore<K, V> store;
    final TierTotals totals = new TierTotals();
    private final ManyReads<K, V> many;
    private final TierServers servers;
    private final Environment environment;

    private TwoTierCache(
            String name,
            RedisTier<K, V> tier,
            @Nullable Loader<K, V> loader,
            CacheConfig<K, V> config,
            Environment environment) {
        Require.name(name);
        Require.nonNull("tier", tier);
        this.environment = Require.nonNull("environment", environment);
        Store<K, V> writes =
                loader instanceof Store<K, V> written && config.strategy() != Strategy.CACHE_ASIDE ? written : null;
        if (writes == null && config.strategy() != Strategy.CACHE_ASIDE) {
            throw new IllegalArgumentException(
                    "store must be a Store when strategy is " + config.strategy() + ", but was " + loader);
        }
        this.servers = new TierServers(
                tier.servers,
                (server, client) -> new TierNode(
                        name,
                        server,
                        client,
                        tier,
                        config.tagsOf() != null,
                        environment,
                        totals,
                        new NearDrops<>(this)));
        this.store = loader instanceof BulkLoader<K, V> many
                ? new BulkTierStore<>(name, tier, many, writes, config, environment, servers, totals)
                : new TierStore<>(name, tier, loader, writes, config, environment, servers, totals);
        @SuppressWarnings("NullAway") // that there is no value is held, too
        CacheConfig.Builder<K, HeldValue<V>> held = config.<HeldValue<V>>holding(HeldValue::value)
                .expireAfter((key, each) -> {
                    return each.life(TierReads.life(config, key, each), tier.maxSuspect, isTrusted(key));
                })
                .writeAround();
        if (config.tagsOf() != null) {
            held.tags((key, each) -> each.tags());
        }
        this.near = Cache.over(name, store, held.build(), environment);
        this.many = new ManyReads<>(near, store);
        if (loader instanceof Store<K, V> changing) { // also one that the cache only reads
            changing.whenChanged(key -> {
                near.invalidate(key);
                environment.handOver(() -> invalidate(key));
            });
        }
        servers.start();
    }

    private boolean isTrusted(K key) {
        return store.nodeOf(key).isTrusted();
    }

    /**
     * Makes a cache of two tiers with safe defaults for the near one: 10,000 values, five minutes.
     *
     * @param name for metrics, exceptions, and the names of keys in Redis; the same in all processes
     * @param tier the tier in Redis
     * @param store where values are read from
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static <K, V> TwoTierCache<K, V> over(String name, RedisTier<K, V> tier, Loader<K, V> store) {
        return over(name, tier, store, Environment.system());
    }

    /**
     * Makes a cache of two tiers with safe defaults for the near one: 10,000 values, five minutes.
     *
     * @param name for metrics, exceptions, and the names of keys in Redis; the same in all processes
     * @param tier the tier in Redis
     * @param store where values are read from
     * @param environment the source of time, waiting and randomness
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static <K, V> TwoTierCache<K, V> over(
            String name, RedisTier<K, V> tier, Loader<K, V> store, Environment environment) {
        return over(name, tier, store, config -> {}, environment);
    }

    /**
     * Makes a cache of two tiers.
     *
     * @param name for metrics, exceptions, and the names of keys in Redis; the same in all processes
     * @param tier the tier in Redis
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults of the near cache
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     loads are gathered and the store is no {@link BulkLoader}, or the cache is to write and the store cannot
     */
    public static <K, V> TwoTierCache<K, V> over(
            String name,
            RedisTier<K, V> tier,
            Loader<K, V> store,
            Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return over(name, tier, store, configure, Environment.system());
    }

    /**
     * Makes a cache of two tiers. Connects to the servers, and waits for that as long as their clients say; a server
     * that is not reached is tried again in the background, and until then counts as gone.
     *
     * @param name for metrics, exceptions, and the names of keys in Redis; the same in all processes
     * @param tier the tier in Redis
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults of the near cache
     * @param environment the source of time, waiting and randomness
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     loads are gathered and the store is no {@link BulkLoader}, or the cache is to write and the store cannot
     */
    public static <K, V> TwoTierCache<K, V> over(
            String name,
            RedisTier<K, V> tier,
            Loader<K, V> store,
            Consumer<? super CacheConfig.Builder<K, V>> configure,
            Environment environment) {
        CacheConfig<K, V> config = Require.configured(
                "cache", name, CacheConfig.<K, V>builder(), configure, CacheConfig.Builder<K, V>::build);
        return new TwoTierCache<>(name, tier, Require.nonNull("store", store), config, environment);
    }

    @Override
    public String name() {
        return near.name();
    }

    @Override
    public @Nullable V get(K key) {
        if (CallState.current().reads() == null) {
            HeldValue<V> held = near.get(key);
            return held == null ? null : held.value();
        }
        return TierReads.value(chosen(key, null));
    }

    @Override
    public @Nullable V get(K key, Loader<? super K, ? extends V> loader) {
        Require.nonNull("loader", loader);
        if (CallState.current().reads() == null) {
            HeldValue<V> held = near.get(key, each -> store.load(each, loader));
            return held == null ? null : held.value();
        }
        return TierReads.value(chosen(key, loader));
    }

    /** Reads as fresh as the context of the call says. */
    private @Nullable HeldValue<V> chosen(K key, @Nullable Loader<? super K, ? extends V> given) {
        Require.nonNull("key", key);
        store.requireOpen();
        CallContext context = CallContext.current();
        Consistency choice = context.consistency();
        Session session = context.session();
        Loader<? super K, ? extends V> from = given == null ? store.own() : given;
        TierNode node = store.nodeOf(key);
        HeldValue<V> held = choice == null
                ? nearly(key, from)
                : switch (choice.kind()) {
                    case EVENTUAL -> nearly(key, from);
                    case STRONG -> direct(key, each -> store.loadStrong(each, from));
                    case SESSION -> {
                        if (session == null) {
                            yield direct(key, each -> store.loadStrong(each, from));
                        }
                        long position = session.position(node.source);
                        yield node.hasApplied(position)
                                ? nearly(key, from)
                                : direct(
                                        key,
                                        each -> store.load(
                                                each, from, new LoadFreshness(any -> position, Nanos.NEVER)));
                    }
                    case BOUNDED -> bounded(key, from, choice.maxAge());
                };
        if (held != null) {
            store.note(node, held.label());
        }
        return held;
    }

    private @Nullable HeldValue<V> nearly(K key, Loader<? super K, ? extends V> from) {
        return from == store.ownOrNull() ? near.get(key) : near.get(key, each -> store.load(each, from));
    }

    private @Nullable HeldValue<V> bounded(K key, Loader<? super K, ? extends V> from, Duration maxAge) {
        long nanos = Nanos.of(maxAge);
        HeldValue<V> held = near.getIfPresent(key);
        if (held != null && store.isWithin(held, nanos)) {
            return held;
        }
        if (held != null) {
            near.invalidate(key); // what comes in its place is younger, also for those that do not care
        }
        held = nearly(key, from);
        return held != null && store.isWithin(held, nanos)
                ? held
                : direct(key, each -> store.load(each, from, new LoadFreshness(any -> 0, nanos)));
    }

    /** Loads past the near cache, with the exceptions that it has. */
    private HeldValue<V> direct(K key, Loader<K, HeldValue<V>> load) {
        return TierReads.direct(name(), key, load);
    }

    @Override
    public @Nullable V getIfPresent(K key) {
        HeldValue<V> held = near.getIfPresent(key);
        return held == null ? null : held.value();
    }

    @Override
    public @Nullable CachedValue<V> getEntry(K key) {
        CachedValue<HeldValue<V>> entry = near.getEntry(key);
        if (entry == null) {
            return null;
        }
        HeldValue<V> held = entry.value();
        return new CachedValue<>(
                held == null ? null : held.value(),
                entry.failure(),
                entry.freshness(),
                entry.origin(),
                entry.age(),
                entry.expiresIn());
    }

    @Override
    public boolean refresh(K key) {
        store.own();
        return near.refresh(key);
    }

    @Override
    public Map<K, V> getAll(Iterable<? extends K> keys) {
        return many.getAllByOwn(keys, key -> chosen(key, null));
    }

    @Override
    public Map<K, V> getAll(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader) {
        return many.getAll(keys, Require.nonNull("loader", loader));
    }

    @Override
    public CompletableFuture<@Nullable V> getAsync(K key) {
        return async(key, store.own());
    }

    @Override
    public CompletableFuture<@Nullable V> getAsync(K key, Loader<? super K, ? extends V> loader) {
        return async(key, Require.nonNull("loader", loader));
    }

    private CompletableFuture<@Nullable V> async(K key, Loader<? super K, ? extends V> from) {
        if (CallState.current().reads() == null) {
            CompletableFuture<@Nullable HeldValue<V>> held =
                    from == store.ownOrNull() ? near.getAsync(key) : near.getAsync(key, each -> store.load(each, from));
            return MappedFuture.<@Nullable HeldValue<V>, @Nullable V>of(held, TierReads::value);
        }
        return TierReads.<@Nullable V>supply(environment, () -> TierReads.value(chosen(key, from)));
    }

    @Override
    public CompletableFuture<Map<K, V>> getAllAsync(Iterable<? extends K> keys) {
        store.own();
        List<K> asked = TierReads.copied(name(), keys);
        return TierReads.supply(environment, () -> getAll(asked));
    }

    @Override
    public CompletableFuture<Map<K, V>> getAllAsync(
            Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader) {
        Require.nonNull("loader", loader);
        List<K> asked = TierReads.copied(name(), keys);
        return TierReads.supply(environment, () -> getAll(asked, loader));
    }

    @Override
    public CompletableFuture<WarmUpReport> warmUp(Iterable<? extends K> keys, int maxConcurrent) {
        store.own();
        return near.warmUp(keys, maxConcurrent);
    }

    @Override
    public List<K> hottest(int limit) {
        return near.hottest(limit);
    }

    @Override
    public void put(K key, V value) {
        Require.nonNull("key", key);
        Set<String> tags = store.tags(key, Require.nonNull("value", value));
        near.put(key, new HeldValue<>(value, tags, 0, 0, false, HeldValue.Keep.FULL));
    }

    /**
     * Is not supported: a process that has read the value from Redis would not know that time.
     *
     * @throws UnsupportedOperationException always; {@link RedisTier.Builder#expireAfter} is the time for all
     */
    @Override
    public void put(K key, V value, Duration expireAfter) {
        throw new UnsupportedOperationException(
                "cache \"" + name() + "\": a time for one value is not supported by a cache of two tiers");
    }

    @Override
    public void remove(K key) {
        near.remove(key);
    }

    /**
     * Drops the value of a key, here, in Redis and in all processes; the store is not changed. Waits for Redis. After
     * the return no process fills Redis with a value that was read before, and reads of {@link Consistency#session()}
     * in the session of this call, in any process, get no older value; reads without a choice in other processes get
     * none a message later.
     */
    @Override
    public void invalidate(K key) {
        Require.nonNull("key", key);
        try {
            store.invalidate(key);
        } finally {
            near.invalidate(key);
        }
    }

    /**
     * Drops all values that have a tag, here, in Redis and in all processes, as {@link #invalidate} drops one: by one
     * command, however many there are. Values in Redis have the tags that they were given when they were loaded.
     */
    @Override
    public void invalidateTag(String tag) {
        Require.nonNull("tag", tag);
        try {
            if (store.isTagged()) {
                store.invalidateTag(tag);
            }
        } finally {
            near.invalidateTag(tag); // which says so if there are no tags
        }
    }

    /** Drops all values, here, in Redis and in all processes, as {@link #invalidate} drops one. */
    @Override
    public void invalidateAll() {
        try {
            store.invalidateAll();
        } finally {
            near.invalidateAll();
        }
    }

    /**
     * Returns how many invalidations wait for Redis to be back.
     *
     * @return 0 unless Redis is gone, or was a moment ago
     */
    public int pendingInvalidations() {
        return servers.all().stream().mapToInt(TierNode::pending).sum();
    }

    /**
     * Returns whether the near cache may have missed invalidations: a connection is lost, or not made yet. It then
     * serves nothing that is older than {@link RedisTier.Builder#maxStaleWhenSuspect}.
     *
     * @return true if so, for at least one server
     */
    public boolean isSuspect() {
        return servers.all().stream().anyMatch(each -> !each.isTrusted());
    }

    /**
     * Begins to move keys to another set of servers: connects to those that are new, and tells them of changes from now
     * on. Blocks. See {@link ShardMove} for the steps, and when all processes must have done one.
     *
     * @param servers a client for each server of the new set, by its name
     * @return the move
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the servers are not valid, see {@link RedisTier#builder(Map,
     *     dev.levee.cache.Codec, dev.levee.cache.Codec)}
     * @throws IllegalStateException if keys are being moved already, or a server that gets keys cannot be emptied of
     *     what it may have of them; nothing has changed then
     */
    public ShardMove moveTo(Map<String, RedisClient> servers) {
        Shards next = this.servers.beginMove(RedisTier.checked(servers));
        Shards before = this.servers.routing().read();
        return ShardMove.begun(name(), before, next, this.servers, near::invalidateAll);
    }

    @Override
    public void close() {
        near.close();
        servers.close();
    }

    @Override
    public void measure(Sink sink) {
        near.measure(sink);
        TwoTierMetrics.write(name(), totals, pendingInvalidations(), isSuspect(), sink);
    }

    @Override
    public String toString() {
        return near + " in front of Redis";
    }
}
