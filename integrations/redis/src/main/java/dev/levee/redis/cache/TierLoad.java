package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.cache.PartialLoadException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.parts.CallerFailures;
import dev.levee.redis.cache.HeldValue.Keep;
import dev.levee.redis.cache.TierNode.TierFill;
import io.lettuce.core.KeyValue;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A load of keys, one or many, by one call of a reader.
 *
 * <pre>{@code
 * Redis has it            that
 * a lease                 read the store, fill Redis if the lease is still valid
 * another one has it      look again in a while; after maxWait read the store, and do not fill
 * the key is written      read the store, and keep the value nowhere
 * Redis is gone           read the store within the bulkhead, and keep the value for a short time
 * }</pre>
 *
 * <p>Redis is asked for many keys by one command, and the store for all that it has to be asked for. What has a lease
 * is loaded before anything is waited for: two loads that each have a key of the other one do not wait for each other.
 */
final class TierLoad<K, V> {
    /** How many keys are in one command; a script does nothing else meanwhile. */
    private static final int KEYS_AT_ONCE = 64;

    /** How many bytes of values are in one command, if it has more than one. */
    private static final int BYTES_AT_ONCE = 1024 * 1024;

    private static final long FIRST_LOOK_NANOS = 2_000_000;
    private static final long MAX_LOOK_NANOS = 50_000_000;

    private final TierStore<K, V> store;
    private final StoreRead.StoreReader<K, V> reader;
    private final LoadFreshness wanted;
    private final byte[] token;
    private final Map<K, HeldValue<V>> values = new LinkedHashMap<>();
    private final Map<K, Throwable> failures = new LinkedHashMap<>();

    /** Why a server was not reached. */
    private @Nullable TierGoneException gone;

    /**
     * How fresh a value must be.
     *
     * @param position the changes of a server that it must have seen
     * @param maxAgeNanos how long ago it was read from the store at most
     */
    record LoadFreshness(ToLongFunction<TierNode> position, long maxAgeNanos) {
        static final LoadFreshness ANY = new LoadFreshness(node -> 0, Nanos.NEVER);
    }

    TierLoad(TierStore<K, V> store, StoreRead.StoreReader<K, V> reader, LoadFreshness wanted) {
        this.store = store;
        this.reader = reader;
        this.wanted = wanted;
        var random = store.environment.random();
        token = ascii(
                HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextLong()));
    }

    /** A key that is asked for, and what is known of it. */
    private static final class Asked<K> {
        final K key;
        final byte[] bytes;
        final TierNode node;

        /** Whether what Redis has is of no use. */
        boolean passBy;

        /** The last answer; null if the server is gone. */
        @Nullable TierAnswer answer;

        /** Whether the lease may have to be given back. */
        boolean leased;

        Asked(K key, byte[] bytes, TierNode node) {
            this.key = key;
            this.bytes = bytes;
            this.node = node;
        }

        int kind() {
            return answer == null ? -1 : answer.kind;
        }

        /** The number of changes before the store is read; 0 if it is not known. */
        long label() {
            return answer == null ? 0 : answer.seq;
        }

        boolean isToBeRead() {
            return kind() == TierScripts.LEASE || kind() == TierScripts.UNCACHED || kind() == TierScripts.ODD;
        }

        /** Whether a replica may be read: the key has not changed lately. */
        boolean mayLag(RedisTier<?, ?> tier) {
            return leased && answer != null && !answer.settling && !tier.replicaLag.isZero();
        }
    }

    /** How the store is read. */
    private enum LoadWay {
        /** Its primary. */
        STRONG,
        /** As the caller has chosen: replicas may be read. */
        AS_CALLED,
        /** Its primary, within the bulkhead, because Redis is gone. */
        PAST_GONE,
        /** Its primary, within the bulkhead, because another process has taken too long. */
        PAST_WAITED
    }

    /** Loads one key, of which it is known already whether its server is gone. */
    HeldValue<V> one(K key, byte[] bytes, TierNode node, @Nullable TierGoneException unreached) throws Exception {
        Asked<K> asked = new Asked<>(key, bytes, node);
        if (unreached != null) {
            gone = unreached;
            readStore(List.of(asked), LoadWay.PAST_GONE);
        } else {
            loadAll(List.of(asked));
        }
        Throwable failure = failures.get(key);
        if (failure != null) {
            throw asItIs(failure);
        }
        HeldValue<V> held = values.get(key);
        if (held == null) {
            throw new IllegalStateException("a load has brought nothing at all");
        }
        return held;
    }

    private static Exception asItIs(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return (Exception) failure;
    }

    /** Loads keys; throws a {@link PartialLoadException} if some have failed. */
    Map<K, HeldValue<V>> many(Collection<? extends K> keys) throws Exception {
        List<Asked<K>> open = new ArrayList<>();
        for (K key : keys) {
            byte[] bytes = store.bytes(key);
            open.add(new Asked<>(key, bytes, store.servers.of(bytes)));
        }
        if (wanted.equals(LoadFreshness.ANY) && !store.isTagged()) {
            inParts(open, (node, some) -> {
                if (node.isTrusted()) {
                    getAll(node, some);
                }
            });
        }
        loadAll(withoutValue(open));
        if (failures.isEmpty()) {
            return values;
        }
        List<Throwable> kinds = failures.values().stream().distinct().toList();
        throw values.isEmpty() && kinds.size() == 1 ? asItIs(kinds.get(0)) : new PartialLoadException(values, failures);
    }

    private List<Asked<K>> withoutValue(List<Asked<K>> asked) {
        return asked.stream().filter(each -> !values.containsKey(each.key)).toList();
    }

    private void getAll(TierNode node, List<Asked<K>> some) throws TierGoneException, InterruptedException {
        List<KeyValue<byte[], byte[]>> there =
                node.getAll(some.stream().map(each -> each.bytes).toList());
        long now = store.environment.clock().nanoTime();
        for (int i = 0; i < some.size(); i++) {
            byte[] sealed = there.get(i).getValueOrElse(null);
            HeldValue<V> held = sealed == null ? null : store.opened(sealed, now, node::ageNanos);
            if (held != null && node.isAlive(held.label())) {
                hit(some.get(i), held);
            }
        }
    }

    private void hit(Asked<K> asked, HeldValue<V> held) {
        store.totals.hits.increment();
        store.noteLife(asked.key, asked.bytes, held);
        values.put(asked.key, held);
    }

    private void loadAll(List<Asked<K>> asked) throws Exception {
        try {
            List<Asked<K>> open = asked;
            long until = store.environment.clock().nanoTime() + patience();
            long look = FIRST_LOOK_NANOS;
            while (!open.isEmpty()) {
                ask(open);
                open = withoutValue(open);
                readStore(which(open, each -> each.isToBeRead() && !each.mayLag(store.tier)), LoadWay.STRONG);
                readStore(which(open, each -> each.mayLag(store.tier)), LoadWay.AS_CALLED);
                readStore(which(open, each -> each.answer == null), LoadWay.PAST_GONE);
                open = which(open, each -> each.kind() == TierScripts.WAIT);
                long left = until - store.environment.clock().nanoTime();
                if (left <= 0) {
                    readStore(open, LoadWay.PAST_WAITED);
                    return;
                }
                if (!open.isEmpty()) {
                    store.totals.waits.add(open.size());
                    open.forEach(each -> each.passBy = false); // what the other process puts is new
                    store.environment.scheduler().sleep(Math.min(look, left));
                    look = Math.min(2 * look, MAX_LOOK_NANOS);
                }
            }
        } finally {
            asked.forEach(this::release);
        }
    }

    private void release(Asked<K> asked) {
        if (asked.leased) {
            asked.leased = false;
            asked.node.release(asked.bytes, token);
        }
    }

    private long patience() {
        Deadline own = CallContext.current().deadline();
        long most = Nanos.of(store.tier.maxWait);
        return own == null ? most : Math.min(most, own.remainingNanos());
    }

    private static <K> List<Asked<K>> which(List<Asked<K>> asked, Predicate<Asked<K>> condition) {
        return asked.stream().filter(condition).toList();
    }

    /** What is done with some keys of a server. */
    @FunctionalInterface
    private interface Part<K> {
        void run(TierNode node, List<Asked<K>> some) throws TierGoneException, InterruptedException;
    }

    /** Does something with keys, not too many at a time; those whose server is gone have no answer then. */
    private void inParts(List<Asked<K>> asked, Part<K> work) throws InterruptedException {
        Map<TierNode, List<Asked<K>>> byNode = new LinkedHashMap<>();
        asked.forEach(each ->
                byNode.computeIfAbsent(each.node, node -> new ArrayList<>()).add(each));
        for (Map.Entry<TierNode, List<Asked<K>>> each : byNode.entrySet()) {
            List<Asked<K>> all = each.getValue();
            try {
                for (int at = 0; at < all.size(); at += KEYS_AT_ONCE) {
                    work.run(each.getKey(), all.subList(at, Math.min(all.size(), at + KEYS_AT_ONCE)));
                }
            } catch (TierGoneException unreached) {
                store.debug("a load goes past Redis", unreached);
                gone = unreached;
            }
        }
    }

    /** Asks Redis for keys, twice for those of which it has a value that is of no use. */
    private void ask(List<Asked<K>> open) throws InterruptedException {
        List<Asked<K>> next = open;
        while (!next.isEmpty()) {
            next.forEach(each -> each.answer = null);
            List<Asked<K>> again = new ArrayList<>();
            inParts(next, (node, some) -> read(node, some, again));
            next = again;
        }
    }

    private void read(TierNode node, List<Asked<K>> some, List<Asked<K>> again)
            throws TierGoneException, InterruptedException {
        long asked = store.environment.clock().nanoTime();
        boolean[] passBy = new boolean[some.size()];
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < passBy.length; i++) {
            passBy[i] = some.get(i).passBy;
            keys.add(some.get(i).bytes);
        }
        List<TierAnswer> answers = node.read(keys, token, passBy);
        for (int i = 0; i < passBy.length; i++) {
            Asked<K> each = some.get(i);
            TierAnswer answer = answers.get(i);
            each.answer = answer;
            each.leased = answer.kind == TierScripts.LEASE;
            byte[] sealed = answer.value;
            if (sealed != null) {
                HeldValue<V> held = store.opened(sealed, asked, answer::ageNanos);
                if (held != null
                        && answer.seq >= wanted.position().applyAsLong(node)
                        && store.isWithin(held, wanted.maxAgeNanos())) {
                    hit(each, held);
                } else {
                    each.passBy = true; // load it anew, or wait for the process that does
                    again.add(each);
                }
            }
        }
    }

    /** Reads the store for keys, and puts into Redis what has a lease. */
    private void readStore(List<Asked<K>> asked, LoadWay way) throws Exception {
        if (asked.isEmpty()) {
            return;
        }
        asked.forEach(each -> count(each, way));
        Map<K, Asked<K>> byKey = new LinkedHashMap<>();
        asked.forEach(each -> byKey.put(each.key, each));
        try {
            long at = store.environment.clock().nanoTime();
            Map<K, V> read = read(byKey.keySet(), way);
            byKey.keySet().removeAll(failures.keySet());
            which(asked, each -> failures.containsKey(each.key)).forEach(this::release);
            keep(byKey.values(), read, at, way);
        } catch (Exception failure) {
            if (CallerFailures.isOfCaller(failure)) {
                throw failure;
            }
            byKey.keySet().forEach(key -> failures.put(key, failure));
        } finally { // what has not been filled: others need not wait until all keys of this call are there
            asked.forEach(this::release);
        }
    }

    private void count(Asked<K> asked, LoadWay way) {
        if (way == LoadWay.PAST_GONE || way == LoadWay.PAST_WAITED) {
            store.totals.pastRedis.add(way == LoadWay.PAST_GONE && store.tier.failing ? 0 : 1);
        } else if (asked.leased) {
            store.totals.leases.increment();
        } else {
            store.totals.uncached.increment();
            if (asked.kind() == TierScripts.ODD) {
                store.warn("a key of Redis has another type; its value is read from the store", null);
            }
        }
    }

    private Map<K, V> read(Set<K> keys, LoadWay way) throws Exception {
        if (way == LoadWay.AS_CALLED) {
            return brought(keys);
        }
        if (way == LoadWay.PAST_GONE && store.tier.failing) {
            throw new ConnectException(
                    "Redis is gone, and the cache is to fail then" + (gone == null ? "" : ": " + gone.getMessage()));
        }
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        return way == LoadWay.STRONG
                ? strong.<Map<K, V>, Exception>call(() -> brought(keys))
                : store.bulkhead.call(() -> strong.<Map<K, V>, Exception>call(() -> brought(keys)));
    }

    private Map<K, V> brought(Set<K> keys) throws Exception {
        StoreRead<K, V> read = StoreRead.of(store.name, keys, reader);
        failures.putAll(read.failures());
        return read.values();
    }

    /** Keeps what was read, in Redis where there is a lease. */
    private void keep(Collection<Asked<K>> asked, Map<K, V> read, long at, LoadWay way) throws InterruptedException {
        Map<TierNode, Map<Asked<K>, TierFill>> fills = new LinkedHashMap<>();
        for (Asked<K> each : asked) {
            V value = read.get(each.key);
            try {
                Set<String> tags = store.tags(each.key, value);
                Keep keep = way == LoadWay.PAST_GONE || each.kind() == TierScripts.ODD
                        ? Keep.BRIEF
                        : each.kind() == TierScripts.UNCACHED ? Keep.NONE : Keep.FULL;
                HeldValue<V> held = new HeldValue<>(value, tags, each.label(), at, true, keep);
                store.noteLife(each.key, each.bytes, held);
                values.put(each.key, held);
                TierAnswer lease = each.leased ? each.answer : null;
                TierFill fill = lease == null ? null : store.filling(each.bytes, value, tags, lease);
                if (fill != null) {
                    fills.computeIfAbsent(each.node, node -> new LinkedHashMap<>())
                            .put(each, fill);
                }
            } catch (RuntimeException broken) { // the codec, or a function of the settings
                values.remove(each.key);
                failures.put(each.key, broken);
            }
        }
        for (Map.Entry<TierNode, Map<Asked<K>, TierFill>> each : fills.entrySet()) {
            fill(each.getKey(), new ArrayDeque<>(each.getValue().entrySet()));
        }
    }

    private void fill(TierNode node, Deque<Map.Entry<Asked<K>, TierFill>> fills) throws InterruptedException {
        boolean lost = false;
        while (!fills.isEmpty()) {
            List<Asked<K>> some = new ArrayList<>();
            List<TierFill> bytes = new ArrayList<>();
            int size = 0;
            do {
                Map.Entry<Asked<K>, TierFill> next = fills.remove();
                some.add(next.getKey());
                bytes.add(next.getValue());
                size += next.getValue().size();
            } while (some.size() < KEYS_AT_ONCE
                    && !fills.isEmpty()
                    && size + fills.element().getValue().size() <= BYTES_AT_ONCE);
            List<Boolean> done = null;
            some.forEach(each -> each.leased = false);
            try {
                done = lost ? null : node.fill(token, bytes);
            } catch (TierGoneException unreached) {
                lost = true;
                store.debug("values were loaded and could not be put into Redis", unreached);
            }
            for (int i = 0; i < some.size(); i++) {
                settle(some.get(i).key, done == null ? Keep.BRIEF : done.get(i) ? Keep.FULL : Keep.NONE);
            }
        }
    }

    private void settle(K key, Keep keep) {
        if (keep == Keep.NONE) {
            store.totals.refusedFills.increment();
        }
        values.computeIfPresent(key, (same, held) -> held.kept(keep));
    }
}
