package dev.levee.cache;

import dev.levee.cache.CachedValue.Freshness;
import dev.levee.cache.CachedValue.Origin;
import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Computes the times of entries when they are made, and says what they mean at a later moment.
 *
 * <p>A hit compares one time: {@code quietUntil} is the earliest moment at which anything could be decided otherwise
 * than to serve the value. For early expiry that is exact and no approximation. The rule refreshes when {@code -ln(u) *
 * beta * delta >= gap}, for a {@code u} in (0, 1] with 53 bits, the gap to the end of the life and the time
 * {@code delta} that the load took. The smallest {@code u} is 2^-53, hence {@code -ln(u) < 37}, and before {@code 37 *
 * beta * delta} from the end no draw can succeed, so none need be made. See Vattani, Chierichetti, Lowenstein, "Optimal
 * Probabilistic Cache Stampede Prevention", PVLDB 8(8), 2015, and ADR 101.
 *
 * <p>Immutable. Calls code of the user (the function of lives, the random generator), so never under a lock.
 */
final class Lives<K, V> {
    /** More than {@code -ln(2^-53)}, which is 36.74. */
    static final double MAX_DRAW = 37.0;

    /** How often the pause between tries that fail is doubled at most. */
    static final int MAX_DOUBLINGS = 4;

    private final String name;
    private final @Nullable BiFunction<? super K, ? super V, Duration> lifeOf;
    private final RandomGenerator random;
    private final double jitter;
    private final double beta;
    private final long lifeNanos;
    private final long refreshNanos;
    private final long whileRevalidateNanos;
    private final long ifErrorNanos;
    private final long absentNanos;
    private final long failureNanos;
    private final long retryNanos;

    Lives(String name, ReadingSettings<K, V> settings, RandomGenerator random) {
        this.name = name;
        this.random = random;
        lifeOf = settings.lifeOf();
        jitter = settings.expiryJitter();
        beta = settings.earlyExpiry();
        lifeNanos = Nanos.of(settings.expireAfter());
        refreshNanos = Nanos.of(settings.refreshAfter());
        whileRevalidateNanos = Nanos.of(settings.staleWhileRevalidate());
        ifErrorNanos = Nanos.of(settings.staleIfError());
        absentNanos = Nanos.of(settings.expireAbsentAfter());
        failureNanos = Nanos.of(settings.expireFailuresAfter());
        retryNanos = Nanos.of(settings.retryAfter());
    }

    /** Returns the entry of a value that a load has brought, or null if the value is not to be kept. */
    @Nullable CacheEntry<V> loaded(K key, V value, long now, long tookNanos, Origin origin) {
        return entry(value, lifeOf(key, value), now, Math.max(0, tookNanos), origin);
    }

    /** Returns the entry of a value that is put, or null if the value is not to be kept. */
    @Nullable CacheEntry<V> put(K key, V value, long now, @Nullable Duration life) {
        return entry(value, life == null ? lifeOf(key, value) : nanos(life), now, 0, Origin.PUT);
    }

    private long lifeOf(K key, V value) {
        if (lifeOf == null) {
            return lifeNanos;
        }
        Duration life = lifeOf.apply(key, value);
        if (life == null) {
            throw new NullPointerException(
                    "cache \"" + name + "\": expireAfter returned null for key " + Text.printable(key));
        }
        return nanos(life);
    }

    private static long nanos(Duration life) {
        return life.isNegative() ? 0 : Nanos.of(life);
    }

    private @Nullable CacheEntry<V> entry(V value, long life, long now, long tookNanos, Origin origin) {
        if (life == 0) {
            return null;
        }
        double part = part();
        long fresh = shortened(life, part);
        long refresh = refreshNanos == 0 ? fresh : Math.min(fresh, shortened(refreshNanos, part));
        long quiet = refresh;
        if (beta > 0 && fresh < Nanos.NEVER) {
            quiet = Math.min(quiet, Math.max(0, fresh - Nanos.multiply(tookNanos, MAX_DRAW * beta)));
        }
        return new CacheEntry<>(
                value, null, origin, now, now + fresh, now + refresh, now + quiet, tookNanos, 0, quiet >= Nanos.NEVER);
    }

    /** Returns the entry that says that the store has no value, or null if that is not to be kept. */
    @Nullable CacheEntry<V> absent(long now, Origin origin) {
        if (absentNanos == 0) {
            return null;
        }
        long until = now + shortened(absentNanos, part());
        return new CacheEntry<>(null, null, origin, now, until, until, until, 0, 0, absentNanos >= Nanos.NEVER);
    }

    /** Returns the entry that says that a load failed, or null if that is not to be kept. */
    @Nullable CacheEntry<V> failed(Throwable failure, @Nullable CacheEntry<V> before, long now, Origin origin) {
        if (failureNanos == 0) {
            return null;
        }
        int failures = before != null && before.failure != null && !isDead(before, now) ? before.failures : 0;
        long until = now + shortened(doubled(failureNanos, failures), part());
        long never = now - (Nanos.NEVER >> 1);
        return new CacheEntry<>(
                null, failure, origin, now, until, until, never, 0, Math.min(failures, MAX_DOUBLINGS) + 1, false);
    }

    /** Returns the entry with the same value for which another load has failed: the next one begins after a pause. */
    CacheEntry<V> afterFailure(CacheEntry<V> entry, long now) {
        long nextTry = now + shortened(doubled(retryNanos, entry.failures), part());
        return entry.afterFailure(nextTry, earlier(nextTry, staleUntil(entry, maxStaleNanos())));
    }

    private double part() {
        return jitter == 0.0 ? 0.0 : jitter * random.nextDouble();
    }

    private static long shortened(long nanos, double part) {
        return nanos >= Nanos.NEVER ? Nanos.NEVER : nanos - (long) (nanos * part);
    }

    private static long doubled(long nanos, int times) {
        return Nanos.multiply(nanos, 1 << Math.min(times, MAX_DOUBLINGS));
    }

    private static long earlier(long a, long b) {
        return a - b < 0 ? a : b;
    }

    private long maxStaleNanos() {
        return Math.max(whileRevalidateNanos, ifErrorNanos);
    }

    private static long staleUntil(CacheEntry<?> entry, long window) {
        return entry.writtenAt + Nanos.add(entry.freshUntil - entry.writtenAt, window);
    }

    boolean isFresh(CacheEntry<V> entry, long now) {
        return entry.timeless || now - entry.freshUntil < 0;
    }

    /** Whether an entry answers a call, so that nothing has to be loaded first. */
    boolean isServed(CacheEntry<V> entry, long now) {
        if (isFresh(entry, now)) {
            return true;
        }
        if (!entry.hasValue()) {
            return false;
        }
        return now - staleUntil(entry, whileRevalidateNanos) < 0
                || (entry.failures > 0 && now - entry.nextTryAt < 0 && now - staleUntil(entry, ifErrorNanos) < 0);
    }

    /** Whether the value of an entry answers a call whose load has failed or takes too long. */
    boolean mayReplaceFailure(CacheEntry<V> entry, long now) {
        return entry.hasValue() && (entry.timeless || now - staleUntil(entry, maxStaleNanos()) < 0);
    }

    /** Whether the value of an entry that is served should be loaded again; draws if that is a matter of chance. */
    boolean wantsRefresh(CacheEntry<V> entry, long now) {
        if (!entry.hasValue() || entry.timeless || entry.isRefreshing()) {
            return false;
        }
        if (now - entry.nextTryAt >= 0) {
            return true;
        }
        if (beta == 0 || entry.loadNanos == 0 || entry.failures > 0 || now - entry.quietUntil < 0) {
            return false;
        }
        double early = -Math.log(1.0 - random.nextDouble()) * beta * entry.loadNanos;
        return early >= entry.freshUntil - now;
    }

    /** Whether an entry can answer no call any more. A failure is kept twice as long, to count those that follow. */
    boolean isDead(CacheEntry<V> entry, long now) {
        long more = entry.hasValue() ? maxStaleNanos() : entry.failure == null ? 0 : entry.freshUntil - entry.writtenAt;
        return !entry.timeless && now - staleUntil(entry, more) >= 0;
    }

    /** Returns how long an entry is kept. */
    long lifespan(CacheEntry<V> entry) {
        return entry.timeless ? Nanos.NEVER : Nanos.add(entry.freshUntil - entry.writtenAt, maxStaleNanos());
    }

    /** Returns what a caller may know of an entry. */
    CachedValue<V> show(CacheEntry<V> entry, long now) {
        long life = entry.freshUntil - entry.writtenAt;
        return new CachedValue<>(
                entry.value,
                entry.failure,
                freshness(entry, now),
                entry.origin,
                Duration.ofNanos(now - entry.writtenAt),
                life >= Nanos.NEVER ? Deadline.FOREVER : Duration.ofNanos(entry.freshUntil - now));
    }

    private static Freshness freshness(CacheEntry<?> entry, long now) {
        if (entry.timeless || now - entry.freshUntil < 0) {
            return Freshness.FRESH;
        }
        return entry.failures > 0 && entry.failure == null ? Freshness.STALE_AFTER_ERROR : Freshness.STALE;
    }
}
