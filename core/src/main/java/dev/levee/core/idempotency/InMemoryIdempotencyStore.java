package dev.levee.core.idempotency;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.time.Duration;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps idempotency keys in memory: three hash maps under one lock, one for each state of a key, each in the order in
 * which its keys came to that state, so that the oldest key expires first. Those of unknown outcome are in the order in
 * which they became unknown first as well: a check that could not say gives a key no more time.
 *
 * <pre>{@code
 *              claim                record
 * absent ----------------> owned ------------> recorded ---- kept long enough, or evicted ----> absent
 *   ^                      |  ^  |
 *   |        forget        |  |  | unknown(), or the lease ends
 *   +----------------------+  |  v
 *   |                  claim  +-- unknown ---- kept long enough, or evicted after its own time -> absent
 * }</pre>
 *
 * <p><b>Invariants.</b> A key is in at most one of the maps; {@code unknownByAge} holds those of {@code unknown}. When
 * full the oldest key is evicted of those that are recorded and those whose outcome has been unknown for
 * {@code keepUnknown}; never one in progress or of a younger unknown outcome, for which the next call would run what
 * runs, or what may have been done just now. See ADR 36 and ADR 80.
 */
final class InMemoryIdempotencyStore<T extends @Nullable Object> implements IdempotencyStore<T> {
    private static final Logger LOG = LoggerFactory.getLogger(IdempotencyStore.class);

    private static final Duration KEEP_UNKNOWN = Duration.ofMinutes(10);

    private final String subject;
    private final int maxKeys;
    private final long keepNanos;
    private final long keepUnknownNanos;
    private final Environment environment;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, KeyState<T>> owned = new LinkedHashMap<>();
    private final Map<String, KeyState<T>> unknown = new LinkedHashMap<>();
    private final Map<String, KeyState<T>> recorded = new LinkedHashMap<>();
    private final TreeSet<KeyState<T>> unknownByAge = new TreeSet<>(KeyState.byAge());
    private long evicted;
    private long sequence;

    /** Whether the store is in an episode in which it is nearly full, and has said so. */
    private boolean crowded;

    /** The same for the keys that may not be evicted. */
    private boolean stuck;

    /** Makes the store of an idempotency that was given none: 100 000 keys, each for a day. */
    static <T extends @Nullable Object> InMemoryIdempotencyStore<T> of(String name, Environment environment) {
        return new InMemoryIdempotencyStore<>(
                StoredIdempotency.subject(Require.name(name)) + ", store in memory",
                100_000,
                Duration.ofDays(1),
                KEEP_UNKNOWN,
                environment);
    }

    InMemoryIdempotencyStore(int maxKeys, Duration keep, Environment environment) {
        this("idempotency store in memory", maxKeys, keep, atMost(keep), environment);
    }

    private static Duration atMost(Duration keep) {
        return Require.positive("keep", keep).compareTo(KEEP_UNKNOWN) < 0 ? keep : KEEP_UNKNOWN;
    }

    InMemoryIdempotencyStore(
            String subject, int maxKeys, Duration keep, Duration keepUnknown, Environment environment) {
        this.subject = subject;
        this.maxKeys = Require.range("maxKeys", maxKeys, 1, Integer.MAX_VALUE);
        this.keepNanos = Nanos.of(Require.positive("keep", keep));
        this.keepUnknownNanos = Nanos.of(Require.positive("keepUnknown", keepUnknown));
        if (keepUnknownNanos > keepNanos) {
            throw new IllegalArgumentException(
                    "keepUnknown must be at most keep " + Nanos.text(keep) + ", but was " + Nanos.text(keepUnknown));
        }
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public Claim<T> claim(String key, String fingerprint, String owner, long leaseNanos) {
        Require.nonNull("key", key);
        Require.nonNull("fingerprint", fingerprint);
        Require.nonNull("owner", owner);
        long now = environment.clock().nanoTime();
        return locked(() -> claim(key, fingerprint, owner, leaseNanos, now));
    }

    private Claim<T> claim(String key, String fingerprint, String owner, long leaseNanos, long now) {
        expire(now);
        KeyState<T> entry = find(key, now);
        if (entry == null) {
            if (!makeRoom(now)) {
                return Claim.of(Status.FULL);
            }
            owned.put(key, new KeyState<>(key, fingerprint, owner, now, leaseNanos));
            return Claim.of(Status.OWNED);
        }
        if (!entry.fingerprint.equals(fingerprint)) {
            return Claim.of(Status.MISMATCH);
        }
        if (recorded.containsKey(key)) {
            return Claim.recorded(entry.result, entry.failure);
        }
        if (owned.containsKey(key)) {
            if (entry.owner.equals(owner)) {
                return Claim.of(entry.checks ? Status.OWNED_UNKNOWN : Status.OWNED);
            }
            return Claim.inProgress(entry.leftNanos(now));
        }
        removeUnknown(key);
        owned.put(key, new KeyState<T>(key, fingerprint, owner, now, leaseNanos).unknownAs(entry));
        return Claim.of(Status.OWNED_UNKNOWN);
    }

    @Override
    public boolean renew(String key, String owner, long leaseNanos) {
        long now = environment.clock().nanoTime();
        return locked(() -> {
            KeyState<T> entry = ownedBy(owner, key, now);
            if (entry == null) {
                return false;
            }
            owned.remove(key);
            removeUnknown(key);
            owned.put(key, new KeyState<>(key, entry.fingerprint, owner, now, leaseNanos));
            return true;
        });
    }

    @Override
    public boolean record(String key, String owner, @Nullable T result, @Nullable Throwable failure) {
        long now = environment.clock().nanoTime();
        return locked(() -> {
            KeyState<T> entry = ownedBy(owner, key, now);
            if (entry == null) {
                KeyState<T> already = recorded.get(key);
                return already != null && already.owner.equals(owner);
            }
            KeyState<T> settled = new KeyState<>(key, entry.fingerprint, owner, now, keepNanos);
            settled.result = result;
            settled.failure = failure;
            owned.remove(key);
            removeUnknown(key);
            recorded.put(key, settled);
            return true;
        });
    }

    @Override
    public boolean forget(String key, String owner) {
        long now = environment.clock().nanoTime();
        return locked(() -> {
            if (ownedBy(owner, key, now) == null) {
                return find(key, now) == null;
            }
            owned.remove(key);
            removeUnknown(key);
            return true;
        });
    }

    @Override
    public boolean unknown(String key, String owner) {
        long now = environment.clock().nanoTime();
        return locked(() -> {
            KeyState<T> entry = ownedBy(owner, key, now);
            if (entry == null) {
                return false;
            }
            owned.remove(key);
            removeUnknown(key);
            putUnknown(entry, now);
            return true;
        });
    }

    /** Returns the state of a key of this owner that has not been taken over: in progress, or unknown; else null. */
    private @Nullable KeyState<T> ownedBy(String owner, String key, long now) {
        KeyState<T> entry = find(key, now);
        return entry == null || recorded.containsKey(key) || !entry.owner.equals(owner) ? null : entry;
    }

    private @Nullable KeyState<T> find(String key, long now) {
        KeyState<T> inProgress = owned.get(key);
        if (inProgress != null && inProgress.leftNanos(now) <= 0) {
            leaseEnded(inProgress);
        }
        for (Map<String, KeyState<T>> settled : List.of(unknown, recorded)) {
            KeyState<T> entry = settled.get(key);
            if (entry != null) {
                if (entry.leftNanos(now) > 0) {
                    return entry;
                }
                settled.remove(key);
                unknownByAge.remove(entry);
            }
        }
        return owned.get(key);
    }

    private void leaseEnded(KeyState<T> entry) {
        owned.remove(entry.key);
        putUnknown(entry, entry.sinceNanos + entry.lastsNanos);
    }

    private void putUnknown(KeyState<T> was, long since) {
        KeyState<T> entry = new KeyState<>(was.key, was.fingerprint, was.owner, since, keepNanos);
        if (was.checks) {
            entry.unknownAs(was);
        } else {
            entry.unknownFrom(since, ++sequence);
        }
        unknown.put(entry.key, entry);
        unknownByAge.add(entry);
    }

    private void removeUnknown(String key) {
        KeyState<T> removed = unknown.remove(key);
        if (removed != null) {
            unknownByAge.remove(removed);
        }
    }

    /**
     * Drops what has expired. Inspects the oldest of each state only: constant work for each key that has ever been
     * held.
     */
    private void expire(long now) {
        for (Iterator<Map.Entry<String, KeyState<T>>> oldest = owned.entrySet().iterator(); oldest.hasNext(); ) {
            Map.Entry<String, KeyState<T>> next = oldest.next();
            if (next.getValue().leftNanos(now) > 0) {
                break;
            }
            KeyState<T> entry = next.getValue();
            oldest.remove();
            leaseEnded(entry);
        }
        expire(unknown, now);
        expire(recorded, now);
    }

    private void expire(Map<String, KeyState<T>> settled, long now) {
        for (Iterator<KeyState<T>> oldest = settled.values().iterator(); oldest.hasNext(); ) {
            KeyState<T> next = oldest.next();
            if (next.leftNanos(now) > 0) {
                break;
            }
            oldest.remove();
            unknownByAge.remove(next);
        }
    }

    private int held() {
        return owned.size() + unknown.size() + recorded.size();
    }

    private boolean makeRoom(long now) {
        if (held() < maxKeys) {
            return true;
        }
        KeyState<T> known =
                recorded.isEmpty() ? null : recorded.values().iterator().next();
        KeyState<T> open = unknownByAge.isEmpty() ? null : unknownByAge.first();
        if (open != null && now - open.unknownSinceNanos < keepUnknownNanos) {
            open = null;
        }
        if (open != null && (known == null || open.unknownSinceNanos - known.sinceNanos <= 0)) {
            removeUnknown(open.key);
        } else if (known != null) {
            recorded.remove(known.key);
        } else {
            return false;
        }
        evicted++;
        return true;
    }

    private <R> R locked(Supplier<R> body) {
        boolean first;
        Crowd crowd;
        R answer;
        lock.lock();
        try {
            long before = evicted;
            answer = body.get();
            first = before == 0 && evicted > 0;
            crowd = crowd();
        } finally {
            lock.unlock();
        }
        if (first) {
            SafeLog.warn(
                    LOG,
                    "{}: more than {} keys within the time for which they are to be kept; the oldest key is evicted",
                    subject,
                    maxKeys);
        }
        if (crowd != null) {
            crowd.warn(subject, maxKeys);
        }
        return answer;
    }

    /** Returns what is to be said when the store, or its part that may not be evicted, begins to be nearly full. */
    private @Nullable Crowd crowd() {
        int keys = held();
        int fixed = keys - recorded.size();
        boolean begins = (!crowded && isNearlyFull(keys)) || (!stuck && isNearlyFull(fixed));
        crowded = isNearlyFull(keys) || (crowded && !isEasy(keys));
        stuck = isNearlyFull(fixed) || (stuck && !isEasy(fixed));
        return begins ? new Crowd(owned.size(), unknown.size(), recorded.size()) : null;
    }

    private boolean isNearlyFull(int keys) {
        return 5L * keys >= 4L * maxKeys;
    }

    /** Whether an episode is over: well below of where it began, or it would begin anew at each key. */
    private boolean isEasy(int keys) {
        return 10L * keys < 7L * maxKeys;
    }

    /** How many keys there are of each state. */
    private record Crowd(int owned, int unknown, int recorded) {
        void warn(String subject, int maxKeys) {
            SafeLog.warn(
                    LOG,
                    "{}: 80 % or more of at most {} keys are held: {} in progress, {} of unknown outcome, {} recorded."
                            + " When it is full the oldest recorded key is evicted, or one whose outcome is unknown for"
                            + " long; while there is none, new keys are refused",
                    subject,
                    maxKeys,
                    owned,
                    unknown,
                    recorded);
        }
    }

    @Override
    public boolean blocks() {
        return false;
    }

    @Override
    public void measure(String policy, Measured.Sink sink) {
        long[] seen = locked(() -> new long[] {owned.size(), unknown.size(), recorded.size(), evicted, held()});
        sink.value(policy, IdempotencyMetrics.IDEMPOTENCY_KEYS_OWNED, (double) seen[0]);
        sink.value(policy, IdempotencyMetrics.IDEMPOTENCY_KEYS_UNKNOWN, (double) seen[1]);
        sink.value(policy, IdempotencyMetrics.IDEMPOTENCY_KEYS_RECORDED, (double) seen[2]);
        sink.value(policy, IdempotencyMetrics.IDEMPOTENCY_KEYS_EVICTIONS, (double) seen[3]);
        sink.value(policy, IdempotencyMetrics.IDEMPOTENCY_KEYS_USED_RATIO, (double) seen[4] / maxKeys);
    }

    @Override
    public String toString() {
        return "idempotency keys in memory, at most " + maxKeys;
    }

    /** What is known of a key. */
    private static final class KeyState<T extends @Nullable Object> {
        final String key;
        final String fingerprint;
        final String owner;
        final long sinceNanos;
        final long lastsNanos;

        /** Whether the outcome is unknown, so that an owner has to check first. */
        boolean checks;

        /** Since when the outcome is unknown, however often it was checked. */
        long unknownSinceNanos;

        /** Tells keys apart whose outcomes became unknown at one time. */
        long number;

        @Nullable T result;

        @Nullable Throwable failure;

        KeyState(String key, String fingerprint, String owner, long sinceNanos, long lastsNanos) {
            this.key = key;
            this.fingerprint = fingerprint;
            this.owner = owner;
            this.sinceNanos = sinceNanos;
            this.lastsNanos = lastsNanos;
        }

        static <T extends @Nullable Object> Comparator<KeyState<T>> byAge() {
            return (a, b) -> a.unknownSinceNanos != b.unknownSinceNanos
                    ? Long.signum(a.unknownSinceNanos - b.unknownSinceNanos)
                    : Long.compare(a.number, b.number);
        }

        KeyState<T> unknownFrom(long since, long numbered) {
            checks = true;
            unknownSinceNanos = since;
            number = numbered;
            return this;
        }

        KeyState<T> unknownAs(KeyState<T> before) {
            return unknownFrom(before.unknownSinceNanos, before.number);
        }

        long leftNanos(long now) {
            return lastsNanos >= Nanos.NEVER ? Nanos.NEVER : lastsNanos - (now - sinceNanos);
        }
    }
}
