package dev.levee.core.idempotency;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps idempotency keys in memory: three hash maps under one lock, one for each state of a key, each in the order in
 * which its keys came to that state, so that the oldest key expires first.
 *
 * <pre>{@code
 *              claim                record
 * absent ----------------> owned ------------> recorded ---- kept long enough, or evicted ----> absent
 *   ^                      |  ^  |
 *   |        forget        |  |  | unknown(), or the lease ends
 *   +----------------------+  |  v
 *   |                  claim  +-- unknown ---- kept long enough -------------------------------> absent
 * }</pre>
 *
 * <p><b>Invariants.</b> A key is in at most one of the maps. Only a recorded key is ever evicted: for the others the
 * next call would run what runs, or what may have been done. See ADR 36.
 */
final class InMemoryIdempotencyStore<T extends @Nullable Object> implements IdempotencyStore<T> {
    private static final Logger LOG = LoggerFactory.getLogger(IdempotencyStore.class);

    private final int maxKeys;
    private final long keepNanos;
    private final Environment environment;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, KeyState<T>> owned = new LinkedHashMap<>();
    private final Map<String, KeyState<T>> unknown = new LinkedHashMap<>();
    private final Map<String, KeyState<T>> recorded = new LinkedHashMap<>();
    private long evicted;

    InMemoryIdempotencyStore(int maxKeys, Duration keep, Environment environment) {
        this.maxKeys = Require.range("maxKeys", maxKeys, 1, Integer.MAX_VALUE);
        this.keepNanos = Nanos.of(Require.positive("keep", keep));
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
            if (!makeRoom()) {
                return Claim.of(Status.FULL);
            }
            owned.put(key, new KeyState<>(fingerprint, owner, false, now, leaseNanos));
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
        unknown.remove(key);
        owned.put(key, new KeyState<>(fingerprint, owner, true, now, leaseNanos));
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
            unknown.remove(key);
            owned.put(key, new KeyState<>(entry.fingerprint, owner, false, now, leaseNanos));
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
            KeyState<T> settled = new KeyState<>(entry.fingerprint, owner, false, now, keepNanos);
            settled.result = result;
            settled.failure = failure;
            owned.remove(key);
            unknown.remove(key);
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
            unknown.remove(key);
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
            unknown.remove(key);
            unknown.put(key, new KeyState<>(entry.fingerprint, owner, true, now, keepNanos));
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
            leaseEnded(key, inProgress);
        }
        for (Map<String, KeyState<T>> settled : List.of(unknown, recorded)) {
            KeyState<T> entry = settled.get(key);
            if (entry != null) {
                if (entry.leftNanos(now) > 0) {
                    return entry;
                }
                settled.remove(key);
            }
        }
        return owned.get(key);
    }

    private void leaseEnded(String key, KeyState<T> entry) {
        owned.remove(key);
        unknown.put(
                key,
                new KeyState<>(entry.fingerprint, entry.owner, true, entry.sinceNanos + entry.lastsNanos, keepNanos));
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
            leaseEnded(next.getKey(), entry);
        }
        expire(unknown, now);
        expire(recorded, now);
    }

    private void expire(Map<String, KeyState<T>> settled, long now) {
        for (Iterator<KeyState<T>> oldest = settled.values().iterator(); oldest.hasNext(); ) {
            if (oldest.next().leftNanos(now) > 0) {
                break;
            }
            oldest.remove();
        }
    }

    private boolean makeRoom() {
        if (owned.size() + unknown.size() + recorded.size() < maxKeys) {
            return true;
        }
        Iterator<KeyState<T>> oldest = recorded.values().iterator();
        if (!oldest.hasNext()) {
            return false;
        }
        oldest.next();
        oldest.remove();
        evicted++;
        return true;
    }

    private <R> R locked(Supplier<R> body) {
        boolean first;
        R answer;
        lock.lock();
        try {
            long before = evicted;
            answer = body.get();
            first = before == 0 && evicted > 0;
        } finally {
            lock.unlock();
        }
        if (first) {
            LOG.warn(
                    "idempotency store in memory: more than {} keys within the time for which they are to be kept; the"
                            + " oldest recorded key is evicted",
                    maxKeys);
        }
        return answer;
    }

    @Override
    public boolean blocks() {
        return false;
    }

    @Override
    public void measure(String policy, Measured.Sink sink) {
        long[] seen = locked(() -> new long[] {owned.size(), unknown.size(), recorded.size(), evicted});
        sink.value(policy, "idempotency.keys.owned", (double) seen[0]);
        sink.value(policy, "idempotency.keys.unknown", (double) seen[1]);
        sink.value(policy, "idempotency.keys.recorded", (double) seen[2]);
        sink.value(policy, "idempotency.keys.evictions", (double) seen[3]);
    }

    @Override
    public String toString() {
        return "idempotency keys in memory, at most " + maxKeys;
    }

    /** What is known of a key. */
    private static final class KeyState<T extends @Nullable Object> {
        final String fingerprint;
        final String owner;

        /** Whether the owner has to check first. */
        final boolean checks;

        final long sinceNanos;
        final long lastsNanos;

        @Nullable T result;

        @Nullable Throwable failure;

        KeyState(String fingerprint, String owner, boolean checks, long sinceNanos, long lastsNanos) {
            this.fingerprint = fingerprint;
            this.owner = owner;
            this.checks = checks;
            this.sinceNanos = sinceNanos;
            this.lastsNanos = lastsNanos;
        }

        long leftNanos(long now) {
            return lastsNanos >= Nanos.NEVER ? Nanos.NEVER : lastsNanos - (now - sinceNanos);
        }
    }
}
