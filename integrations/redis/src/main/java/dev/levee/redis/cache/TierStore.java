package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.cache.Loader;
import dev.levee.cache.Store;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.policy.Bulkhead;
import dev.levee.redis.cache.HeldValue.Keep;
import dev.levee.redis.cache.TierNode.TierAnswer;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the near cache has behind it: Redis, and the store behind that.
 *
 * <pre>{@code
 * load     Redis has it            that
 *          a lease                 read the store, fill Redis if the lease is still valid
 *          another one has it      look again in a while; after maxWait read the store, and do not fill
 *          the key is written      read the store, and keep the value nowhere
 *          Redis is gone           read the store within the bulkhead, and keep the value for a short time
 *
 * save     mark the key, write the store, take the mark away; with each, everything cached of the key is dropped
 * }</pre>
 *
 * See ADR 150.
 */
final class TierStore<K, V> implements Store<K, HeldValue<V>> {
    private static final Logger LOG = LoggerFactory.getLogger(TwoTierCache.class);

    private static final long FIRST_LOOK_NANOS = 2_000_000;
    private static final long MAX_LOOK_NANOS = 50_000_000;

    private final String name;
    private final RedisTier<K, V> tier;
    private final @Nullable Loader<K, V> loader;

    /** The store, if the cache writes it. */
    private final @Nullable Store<K, V> writes;

    private final Environment environment;
    private final TierServers servers;
    private final TierTotals totals;
    private final TierEnvelope<V> envelope;
    private final Bulkhead bulkhead;
    private final long lagNanos;
    private volatile boolean warned;

    TierStore(
            String name,
            RedisTier<K, V> tier,
            @Nullable Loader<K, V> loader,
            @Nullable Store<K, V> writes,
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
        this.envelope =
                new TierEnvelope<>(tier.values, tier.version, tier.maxValueBytes, tier.compressFrom, tier.versionOf);
        this.lagNanos = Nanos.of(tier.replicaLag);
        this.bulkhead = Bulkhead.of(name + " past Redis", tier.maxLoads, environment);
    }

    Loader<? super K, ? extends V> own() {
        if (loader == null) {
            throw new IllegalStateException("cache \"" + name + "\" has no store to load from: use get(key, loader)");
        }
        return loader;
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
        try {
            if (node.isTrusted()) {
                byte[] there = node.get(bytes);
                HeldValue<V> held =
                        there == null ? null : opened(there, environment.clock().nanoTime(), node::ageNanos);
                if (held != null && node.isAlive(held.label())) {
                    totals.hits.increment();
                    return held;
                }
            }
            return read(key, bytes, node, from, 0, Nanos.NEVER);
        } catch (TierGoneException gone) {
            return pastRedis(key, from, gone);
        }
    }

    /** Loads a value that has seen all changes up to a position. */
    HeldValue<V> loadFrom(K key, Loader<? super K, ? extends V> from, long position) throws Exception {
        byte[] bytes = bytes(key);
        try {
            return read(key, bytes, servers.of(bytes), from, position, Nanos.NEVER);
        } catch (TierGoneException gone) {
            return pastRedis(key, from, gone);
        }
    }

    /** Loads a value that was read from the store within an age. */
    HeldValue<V> loadWithin(K key, Loader<? super K, ? extends V> from, Duration maxAge) throws Exception {
        byte[] bytes = bytes(key);
        try {
            return read(key, bytes, servers.of(bytes), from, 0, Nanos.of(maxAge));
        } catch (TierGoneException gone) {
            return pastRedis(key, from, gone);
        }
    }

    /** Reads the store, whatever is cached; notes for the session of the call how new that is. */
    HeldValue<V> loadStrong(K key, Loader<? super K, ? extends V> from) throws Exception {
        long label = 0;
        if (CallContext.current().session() != null) {
            byte[] bytes = bytes(key);
            TierNode node = servers.of(bytes);
            try {
                label = node.position();
            } catch (TierGoneException gone) {
                SafeLog.debug(LOG, "cache \"{}\": a session does not get a position", name, gone);
            }
        }
        return new HeldValue<>(
                strongly(key, from).value(), label, environment.clock().nanoTime(), false, Keep.NONE);
    }

    private HeldValue<V> read(
            K key, byte[] bytes, TierNode node, Loader<? super K, ? extends V> from, long position, long maxAgeNanos)
            throws Exception {
        byte[] token = ascii(HexFormat.of().toHexDigits(environment.random().nextLong())
                + HexFormat.of().toHexDigits(environment.random().nextLong()));
        long until = environment.clock().nanoTime() + patience();
        long look = FIRST_LOOK_NANOS;
        boolean passBy = false;
        while (true) {
            long asked = environment.clock().nanoTime();
            TierAnswer answer = node.read(bytes, token, passBy);
            switch (answer.kind) {
                case TierScripts.HIT -> {
                    byte[] there = answer.value;
                    HeldValue<V> held = there == null ? null : opened(there, asked, answer::ageNanos);
                    if (held != null && answer.seq >= position && isWithin(held, maxAgeNanos)) {
                        totals.hits.increment();
                        return held;
                    }
                    passBy = true; // of no use: load it anew, or wait for the process that does
                }
                case TierScripts.LEASE -> {
                    return leased(key, bytes, node, token, answer, from);
                }
                case TierScripts.WAIT -> {
                    long left = until - environment.clock().nanoTime();
                    if (left <= 0) {
                        totals.pastRedis.increment();
                        long at = environment.clock().nanoTime();
                        V value = bulkhead.call(() -> loaded(key, from)).value();
                        return new HeldValue<>(value, answer.seq, at, true, Keep.FULL);
                    }
                    totals.waits.increment();
                    passBy = false; // what the other process puts is new
                    environment.scheduler().sleep(Math.min(look, left));
                    look = Math.min(2 * look, MAX_LOOK_NANOS);
                }
                default -> {
                    totals.uncached.increment();
                    if (answer.kind == TierScripts.ODD) {
                        warn("a key of Redis has another type; its value is read from the store", null);
                    }
                    long at = environment.clock().nanoTime();
                    Keep keep = answer.kind == TierScripts.ODD ? Keep.BRIEF : Keep.NONE;
                    return new HeldValue<>(strongly(key, from).value(), answer.seq, at, true, keep);
                }
            }
        }
    }

    /** Whether a value was read from the store within an age. */
    boolean isWithin(HeldValue<V> held, long maxAgeNanos) {
        return maxAgeNanos >= Nanos.NEVER
                || (held.aged() && environment.clock().nanoTime() - held.readAtNanos() <= maxAgeNanos - lagNanos);
    }

    private long patience() {
        Deadline own = CallContext.current().deadline();
        long most = Nanos.of(tier.maxWait);
        return own == null ? most : Math.min(most, own.remainingNanos());
    }

    private HeldValue<V> leased(
            K key, byte[] bytes, TierNode node, byte[] token, TierAnswer answer, Loader<? super K, ? extends V> from)
            throws Exception {
        totals.leases.increment();
        long at = environment.clock().nanoTime();
        boolean given = false;
        try {
            V value = loaded(key, from).value();
            byte[] sealed = envelope.seal(value, answer.seq, answer.serverMillis);
            long life = value == null ? tier.expireAbsentAfter.toMillis() : life(tier.expireAfter);
            if (sealed == null || life == 0) {
                if (sealed == null) {
                    totals.tooLarge.increment();
                }
                return new HeldValue<>(value, answer.seq, at, true, Keep.FULL);
            }
            Keep keep = Keep.BRIEF;
            try {
                given = true;
                keep = node.fill(bytes, token, sealed, life) ? Keep.FULL : Keep.NONE;
                if (keep == Keep.NONE) {
                    totals.refusedFills.increment();
                }
            } catch (TierGoneException gone) {
                SafeLog.debug(LOG, "cache \"{}\": a value was loaded and could not be put into Redis", name, gone);
            }
            return new HeldValue<>(value, answer.seq, at, true, keep);
        } finally {
            if (!given) {
                node.release(bytes, token);
            }
        }
    }

    private long life(Duration whole) {
        long millis = whole.toMillis();
        return Math.max(
                1,
                millis
                        - (long) (millis
                                * tier.expiryJitter
                                * environment.random().nextDouble()));
    }

    /** What the store has, if it has something. */
    private record LoadedValue<V>(@Nullable V value) {}

    /** Reads the store for what is to be cached. */
    private LoadedValue<V> loaded(K key, Loader<? super K, ? extends V> from) throws Exception {
        return tier.replicaLag.isZero() ? strongly(key, from) : new LoadedValue<>(from.load(key));
    }

    private LoadedValue<V> strongly(K key, Loader<? super K, ? extends V> from) throws Exception {
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        return strong.<LoadedValue<V>, Exception>call(() -> new LoadedValue<>(from.load(key)));
    }

    private HeldValue<V> pastRedis(K key, Loader<? super K, ? extends V> from, TierGoneException gone)
            throws Exception {
        if (tier.failing) {
            throw new ConnectException("Redis is gone, and the cache is to fail then: " + gone.getMessage());
        }
        totals.pastRedis.increment();
        long at = environment.clock().nanoTime();
        V value = bulkhead.call(() -> strongly(key, from)).value();
        return new HeldValue<>(value, 0, at, true, Keep.BRIEF);
    }

    /**
     * Reads the bytes of a value; null if they are not one.
     *
     * @param now a reading of the clock
     * @param ageAt returns how long before it a time of the server was; negative if that is not known
     */
    private @Nullable HeldValue<V> opened(byte[] sealed, long now, LongUnaryOperator ageAt) {
        try {
            TierEnvelope.OpenedValue<V> opened = envelope.open(sealed);
            long age = ageAt.applyAsLong(opened.readAtMillis());
            return new HeldValue<>(opened.value(), opened.label(), now - Math.max(0, age), age >= 0, Keep.FULL);
        } catch (RuntimeException unreadable) {
            totals.unreadable.increment();
            warn("a value in Redis cannot be read, and is loaded anew", unreadable);
            return null;
        }
    }

    private void warn(String what, @Nullable Throwable why) {
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
            putInRedis(bytes, value);
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

    private void putInRedis(byte[] bytes, V value) throws Exception {
        byte[] sealed = envelope.seal(value, 0, 0);
        if (sealed == null) {
            throw new IllegalArgumentException(
                    "cache \"" + name + "\": a value must have at most " + tier.maxValueBytes + " bytes");
        }
        List<TierNode> told = servers.toldOf(bytes);
        for (TierNode each : told.subList(1, told.size())) {
            note(each, each.drop(bytes));
        }
        try {
            long position = told.get(0).put(bytes, envelope.version(value), sealed, life(tier.expireAfter));
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
