package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.Store;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.policy.Bulkhead;
import dev.levee.redis.cache.HeldValue.Keep;
import dev.levee.redis.cache.TierLoad.LoadFreshness;
import dev.levee.redis.cache.TierNode.TierFill;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the near cache has behind it: Redis, and the store behind that.
 *
 * <p>A load asks Redis by a plain GET, and if that brings nothing is a {@link TierLoad}. A write marks the key, writes
 * the store and takes the mark away; with each, everything cached of the key is dropped. See ADR 150.
 */
class TierStore<K, V> implements Store<K, HeldValue<V>> {
    private static final Logger LOG = LoggerFactory.getLogger(TwoTierCache.class);

    final String name;
    final RedisTier<K, V> tier;
    final Environment environment;
    final TierServers servers;
    final TierTotals totals;

    /** Bounds loads past Redis. */
    final Bulkhead bulkhead;

    /** Null where the near tier serves nothing old. */
    private final @Nullable LivesInRedis<K> lives;

    private final @Nullable Loader<K, V> loader;

    /** The store, if the cache writes it. */
    private final @Nullable Store<K, V> writes;

    private final @Nullable BiFunction<? super K, ? super V, ? extends Collection<String>> tagsOf;
    private final TierEnvelope<V> envelope;
    private final long lagNanos;
    private volatile boolean warned;

    TierStore(
            String name,
            RedisTier<K, V> tier,
            @Nullable Loader<K, V> loader,
            @Nullable Store<K, V> writes,
            CacheConfig<K, V> config,
            Environment environment,
            TierServers servers,
            TierTotals totals) {
        this.name = name;
        this.tier = tier;
        this.loader = loader;
        this.writes = writes;
        this.environment = environment;
        this.servers = servers;
        this.totals = totals;
        this.tagsOf = config.tagsOf();
        this.envelope = new TierEnvelope<>(
                tier.values, tier.version, tagsOf != null, tier.maxValueBytes, tier.compressFrom, tier.versionOf);
        this.lagNanos = Nanos.of(tier.replicaLag);
        this.lives = LivesInRedis.of(tier, config, environment.clock());
        this.bulkhead = Bulkhead.of(name + " past Redis", tier.maxLoads, environment);
    }

    Loader<? super K, ? extends V> own() {
        if (loader == null) {
            throw new IllegalStateException("cache \"" + name + "\" has no store to load from: use get(key, loader)");
        }
        return loader;
    }

    @Nullable Loader<K, V> ownOrNull() {
        return loader;
    }

    /** Throws if the cache is closed; for reads past the near cache, which says so of those that it has. */
    void requireOpen() {
        if (servers.isClosed()) {
            throw new IllegalStateException("cache \"" + name + "\" is closed");
        }
    }

    byte[] bytes(K key) {
        return tier.keys.encode(key);
    }

    K key(byte[] bytes) {
        return tier.keys.decode(bytes);
    }

    TierNode nodeOf(K key) {
        return servers.of(bytes(key));
    }

    @Override
    public HeldValue<V> load(K key) throws Exception {
        return load(key, own());
    }

    /** Loads a value for the near cache. */
    HeldValue<V> load(K key, Loader<? super K, ? extends V> from) throws Exception {
        byte[] bytes = bytes(key);
        TierNode node = servers.of(bytes);
        TierGoneException gone = null;
        try {
            if (tagsOf == null && node.isTrusted()) {
                byte[] there = node.get(bytes);
                HeldValue<V> held =
                        there == null ? null : opened(there, environment.clock().nanoTime(), node::ageNanos);
                if (held != null && node.isAlive(held.label())) {
                    totals.hits.increment();
                    noteLife(key, bytes, held);
                    return held;
                }
            }
        } catch (TierGoneException unreached) {
            debug("a load goes past Redis", unreached);
            gone = unreached;
        }
        return new TierLoad<>(this, StoreRead.one(from), LoadFreshness.ANY).one(key, bytes, node, gone);
    }

    /** Loads a value as fresh as wanted. */
    HeldValue<V> load(K key, Loader<? super K, ? extends V> from, LoadFreshness wanted) throws Exception {
        byte[] bytes = bytes(key);
        return new TierLoad<>(this, StoreRead.one(from), wanted).one(key, bytes, servers.of(bytes), null);
    }

    /** Loads many values as fresh as wanted. */
    Map<K, HeldValue<V>> loadAll(
            Collection<? extends K> keys, BulkLoader<? super K, ? extends V> from, LoadFreshness wanted)
            throws Exception {
        return new TierLoad<>(this, StoreRead.many(from), wanted).many(keys);
    }

    /** Reads the store, whatever is cached; notes for the session of the call how new that is. */
    HeldValue<V> loadStrong(K key, Loader<? super K, ? extends V> from) throws Exception {
        HeldValue<V> held = loadStrong(List.of(key), StoreRead.one(from)).get(key);
        if (held == null) {
            throw new IllegalStateException("a load has brought nothing at all");
        }
        return held;
    }

    /** Reads the store for many keys, as {@link #loadStrong(Object, Loader)} does for one. */
    Map<K, HeldValue<V>> loadAllStrong(Collection<K> keys, BulkLoader<? super K, ? extends V> from) throws Exception {
        return loadStrong(keys, StoreRead.many(from));
    }

    private Map<K, HeldValue<V>> loadStrong(Collection<K> keys, StoreRead.StoreReader<K, V> reader) throws Exception {
        Map<K, Long> labels = labels(keys);
        long at = environment.clock().nanoTime();
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        StoreRead<K, V> read =
                strong.<StoreRead<K, V>, Exception>call(() -> StoreRead.of(name, labels.keySet(), reader));
        Map<K, HeldValue<V>> values = new LinkedHashMap<>();
        labels.forEach((key, label) -> {
            if (!read.failures().containsKey(key)) {
                values.put(key, new HeldValue<>(read.values().get(key), Set.of(), label, at, false, Keep.NONE));
            }
        });
        if (!read.failures().isEmpty()) {
            throw new PartialLoadException(values, read.failures());
        }
        return values;
    }

    /** Returns for each key the position of its server, if there is a session that notes it; else 0. */
    private Map<K, Long> labels(Collection<K> keys) throws InterruptedException {
        boolean noted = CallContext.current().session() != null;
        Map<TierNode, Long> positions = new HashMap<>();
        Map<K, Long> labels = new LinkedHashMap<>();
        for (K key : keys) {
            TierNode node = nodeOf(key);
            if (noted && !positions.containsKey(node)) {
                long position = 0;
                try {
                    position = node.position();
                } catch (TierGoneException gone) {
                    debug("a session does not get a position", gone);
                }
                positions.put(node, position);
            }
            labels.put(key, positions.getOrDefault(node, 0L));
        }
        return labels;
    }

    /** Whether a value was read from the store within an age. */
    boolean isWithin(HeldValue<V> held, long maxAgeNanos) {
        return maxAgeNanos >= Nanos.NEVER
                || (held.aged() && environment.clock().nanoTime() - held.readAtNanos() <= maxAgeNanos - lagNanos);
    }

    /** Takes in a value that comes near out of Redis, or is put there. */
    void noteLife(K key, byte[] bytes, HeldValue<V> held) {
        if (lives != null) {
            lives.note(key, bytes, held);
        }
    }

    /** Whether a key that is not in Redis any more may have expired there, which says nothing new of its value. */
    boolean mayHaveExpired(K key) {
        return lives != null && lives.mayBeOver(key);
    }

    /** Whether values may have tags. */
    boolean isTagged() {
        return tagsOf != null;
    }

    /** Returns the tags of a value. */
    Set<String> tags(K key, @Nullable V value) {
        if (tagsOf == null || value == null) {
            return Set.of();
        }
        Set<String> tags = new LinkedHashSet<>();
        for (String tag : Require.nonNull("tags of key " + Text.printable(key), tagsOf.apply(key, value))) {
            tags.add(checked(Require.nonNull("tag of key " + Text.printable(key), tag)));
        }
        return tags;
    }

    private static String checked(String tag) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(tag)) {
            throw new IllegalArgumentException("a tag must be text that UTF-8 has, but was " + Text.printable(tag));
        }
        return tag;
    }

    /** Returns what is put into Redis for a value that was loaded; null if it is not kept there. */
    @Nullable TierFill filling(byte[] key, @Nullable V value, Set<String> tags, TierAnswer lease) {
        long life = value == null ? tier.expireAbsentAfter.toMillis() : tier.lifeMillis(key);
        byte[] sealed = envelope.seal(value, tags, lease.seq, lease.serverMillis);
        if (sealed == null) {
            totals.tooLarge.increment();
        }
        return sealed == null || life == 0 ? null : new TierFill(key, sealed, life);
    }

    void debug(String what, TierGoneException gone) {
        SafeLog.debug(LOG, "cache \"{}\": " + what, name, gone);
    }

    /**
     * Reads the bytes of a value; null if they are not one.
     *
     * @param now a reading of the clock
     * @param ageAt returns how long before it a time of the server was; negative if that is not known
     */
    @Nullable HeldValue<V> opened(byte[] sealed, long now, LongUnaryOperator ageAt) {
        try {
            TierEnvelope.OpenedValue<V> opened = envelope.open(sealed);
            long age = ageAt.applyAsLong(opened.readAtMillis());
            return new HeldValue<>(
                    opened.value(), opened.tags(), opened.label(), now - Math.max(0, age), age >= 0, Keep.FULL);
        } catch (RuntimeException unreadable) {
            totals.unreadable.increment();
            warn("a value in Redis cannot be read, and is loaded anew", unreadable);
            return null;
        }
    }

    void warn(String what, @Nullable Throwable why) {
        if (!warned) {
            warned = true;
            SafeLog.warn(LOG, "cache \"{}\": " + what + "; this is not logged again", name, why);
        }
    }

    @Override
    public void save(K key, HeldValue<V> held) throws Exception {
        V value = held.value();
        if (value == null) {
            throw new NullPointerException("value must not be null");
        }
        byte[] bytes = bytes(key);
        Store<K, V> store = writes;
        if (store == null) {
            putInRedis(bytes, value, held.tags());
        } else {
            write(bytes, envelope.version(value), () -> store.save(key, value));
        }
    }

    @Override
    public void delete(K key) throws Exception {
        Store<K, V> store = writes;
        if (store == null) {
            invalidate(key);
        } else {
            write(bytes(key), new byte[0], () -> store.delete(key));
        }
    }

    private void putInRedis(byte[] bytes, V value, Set<String> tags) throws Exception {
        byte[] sealed = envelope.seal(value, tags, 0, 0);
        if (sealed == null) {
            throw new IllegalArgumentException(
                    "cache \"" + name + "\": a value must have at most " + tier.maxValueBytes + " bytes");
        }
        List<TierNode> told = servers.toldOf(bytes);
        for (TierNode each : told.subList(1, told.size())) {
            note(each, each.drop(bytes));
        }
        try {
            long position = told.get(0).put(bytes, envelope.version(value), sealed, tier.lifeMillis(bytes));
            if (position > 0) { // otherwise there is a newer one
                note(told.get(0), position);
            }
        } catch (TierGoneException gone) {
            note(told.get(0), told.get(0).drop(bytes));
            if (tier.failing) {
                throw new ConnectException("Redis is gone, and nothing is to be put then: " + gone.getMessage());
            }
        }
    }

    /** Writes the store. */
    @FunctionalInterface
    private interface Write {
        void run() throws Exception;
    }

    private void write(byte[] bytes, byte[] version, Write write) throws Exception {
        byte[] token = ascii(HexFormat.of().toHexDigits(environment.random().nextLong()));
        List<TierNode> told = servers.toldOf(bytes);
        try {
            for (TierNode each : told) {
                begin(each, bytes, token);
            }
            write.run();
        } finally {
            endAll(told, bytes, token, version);
        }
    }

    private void begin(TierNode node, byte[] bytes, byte[] token) throws ConnectException, InterruptedException {
        try {
            node.begin(bytes, token);
        } catch (TierGoneException gone) {
            if (tier.failing) {
                throw new ConnectException("Redis is gone, and nothing is to be written then: " + gone.getMessage());
            }
        }
    }

    private void endAll(List<TierNode> told, byte[] bytes, byte[] token, byte[] version) {
        tellAll(told, each -> each.end(bytes, token, version));
    }

    /** Drops a key in Redis and in other processes. */
    void invalidate(K key) {
        byte[] bytes = bytes(key);
        tellAll(servers.toldOf(bytes), each -> each.drop(bytes));
    }

    /** Drops all keys in Redis and in other processes. */
    void invalidateAll() {
        tellAll(servers.all(), TierNode::clear);
    }

    /** Drops all keys that have a tag, in Redis and in other processes. */
    void invalidateTag(String tag) {
        byte[] bytes = checked(tag).getBytes(StandardCharsets.UTF_8);
        tellAll(servers.all(), each -> each.dropTag(bytes));
    }

    /** What a server is told; returns the position. */
    @FunctionalInterface
    private interface Telling {
        long tell(TierNode node) throws InterruptedException;
    }

    /**
     * Tells servers of a change. An interrupt must not keep them from hearing of it, and is not taken from the caller.
     */
    private void tellAll(Collection<TierNode> told, Telling change) {
        boolean interrupted = Thread.interrupted();
        Throwable broken = null;
        try {
            for (TierNode each : told) {
                long position = 0;
                try {
                    position = change.tell(each);
                } catch (InterruptedException again) {
                    interrupted = true;
                } catch (Throwable thrown) { // no stack, or no memory: the others are told all the same
                    broken = thrown;
                }
                note(each, position);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (broken != null) {
            throw Unchecked.<RuntimeException>asDeclared(broken);
        }
    }

    /** Notes a position for the session of the call; 0 if it was read or written past Redis, so that none is known. */
    void note(TierNode node, long position) {
        Session session = CallContext.current().session();
        if (session != null) {
            session.advance(node.source, position > 0 ? position : node.promise());
        }
    }
}
