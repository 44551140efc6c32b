package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link KeyedRateLimiter}: a {@link FingerprintTable} of token buckets, found by the
 * fingerprints that {@link KeyHash} makes of keys.
 *
 * <pre>{@code
 * key -- keyBy --> value -- KeyHash --> 128 bits -- FingerprintTable --> segment, set, slot -- KeyPlan --> admitted
 *  '---- limits -> limit -- KeyPlans -> arithmetic -----------------------------------------'          or refused
 * }</pre>
 *
 * <p>All code of the user runs before the table is asked. See ADR 89 and ADR 90. A call that waits for a key goes by
 * the limit that the last call of this key has had, see ADR 200.
 */
final class KeyedTokenBuckets<K> implements KeyedRateLimiter<K> {
    private static final Logger LOG = LoggerFactory.getLogger(KeyedRateLimiter.class);

    /** Stands where no key has a plan. */
    private static final KeyPlan NO_PLAN = new KeyPlan(Limit.perSecond(1), 0, 0);

    private final String name;
    private final int maxKeys;

    /** Any one if keys have limits of their own. */
    private final KeyPlan shared;

    private final @Nullable Function<? super K, TokenBucketLimit> limits;
    private final @Nullable Function<? super K, ?> keyBy;
    private final KeyPlans plans;
    private final Listener listener;
    private final @Nullable CallTotals totals;
    private final FingerprintTable table;
    private final KeyHash hash;
    private final AtomicBoolean warned = new AtomicBoolean();

    /** Told of each key's: which keys they wait for is not looked up. */
    private final WaitingCalls.Watchers watchers = new WaitingCalls.Watchers();

    /** The keys that calls wait for, where keys have limits of their own. */
    private final ConcurrentHashMap<Fingerprint, WaitedKey> waited = new ConcurrentHashMap<>();

    /** A key, without what it was made of. */
    private record Fingerprint(long low, long high) {}

    /**
     * A key that calls wait for.
     *
     * @param plan of the last call of this key
     * @param calls how many wait
     */
    private record WaitedKey(KeyPlan plan, int calls) {}

    KeyedTokenBuckets(String name, KeyedRateLimiterConfig<? super K> config, Environment environment) {
        this.name = Require.name(name);
        TokenBucketLimit limit = Require.nonNull("config", config).limit();
        plans = new KeyPlans(name, config.maxDebt());
        shared = limit == null ? NO_PLAN : plans.shared(limit);
        limits = config.limits();
        keyBy = config.keyBy();
        maxKeys = config.maxKeys();
        totals = config.totals() ? new CallTotals() : null;
        listener = Require.nonNull("environment", environment).listener();
        table = new FingerprintTable(maxKeys, limit == null, environment.clock(), this::forgave);
        hash = new KeyHash(name, table, environment.random());
    }

    @Override
    public String name() {
        return name;
    }

    private Object value(K key) {
        return keyBy == null
                ? Require.nonNull("key", key)
                : Require.nonNull("keyBy(key)", keyBy.apply(Require.nonNull("key", key)));
    }

    private KeyPlan plan(K key) {
        return limits == null ? shared : plans.of(Require.nonNull("limits(key)", limits.apply(key)));
    }

    @Override
    public long tryAcquireOrWaitNanos(K key) {
        Object value = value(key);
        return take(value, plan(key), 1);
    }

    @Override
    public long tryAcquireOrWaitNanos(K key, long permits) {
        Object value = value(key);
        Require.range("permits", permits, 1, Long.MAX_VALUE);
        return take(value, plan(key), permits);
    }

    @Override
    public RateDecision decide(K key, long permits) {
        Object value = value(key);
        Require.range("permits", permits, 1, Long.MAX_VALUE);
        KeyPlan plan = plan(key);
        long wait = take(value, plan, permits);
        long debt = hash.apply(KeyHash.Use.DEBT, value, plan, 0);
        return new RateDecision(wait == 0, name, plan.limit, plan.available(debt), wait, plan.nanos(debt));
    }

    private long take(Object value, KeyPlan plan, long permits) {
        if (permits > plan.burst()) {
            tell(value, plan);
            refused();
            return NEVER;
        }
        long wait = hash.apply(KeyHash.Use.TAKE, value, plan, permits);
        tell(value, plan);
        if (wait == 0) {
            count(true);
        } else {
            refused();
        }
        return wait;
    }

    @Override
    public void settle(K key, long permits) {
        Object value = value(key);
        Require.range("permits", permits, -Long.MAX_VALUE, Long.MAX_VALUE);
        KeyPlan plan = plan(key);
        hash.apply(KeyHash.Use.SETTLE, value, plan, permits);
        tell(value, plan);
        if (permits < 0) {
            watchers.gaveBack();
        } else if (permits > 0) {
            watchers.planAnew();
        }
    }

    @Override
    public long availablePermits(K key) {
        Object value = value(key);
        KeyPlan plan = plan(key);
        tell(value, plan);
        return plan.available(hash.apply(KeyHash.Use.DEBT, value, plan, 0));
    }

    /** Returns the bucket of a key. Runs all code of the user that it needs. */
    Bucket bucket(K key) {
        Object value = value(key);
        KeyPlan plan = plan(key);
        tell(value, plan);
        return new Bucket(this, fingerprint(value), plan);
    }

    private Fingerprint fingerprint(Object value) {
        return new Fingerprint(
                hash.apply(KeyHash.Use.LOW, value, shared, 0), hash.apply(KeyHash.Use.HIGH, value, shared, 0));
    }

    /** Tells calls that wait for a key of its limit, if that is another one than before. Not under a lock. */
    private void tell(Object value, KeyPlan plan) {
        if (limits == null || waited.isEmpty()) {
            return;
        }
        Fingerprint key = fingerprint(value);
        WaitedKey before = waited.get(key);
        if (before == null || before.plan.isSameAs(plan)) {
            return;
        }
        waited.computeIfPresent(key, (same, now) -> new WaitedKey(plan, now.calls));
        table.adopt(key.low, key.high, plan);
        watchers.planAnew();
    }

    private void watch(Bucket bucket, WaitQueue queue, boolean begins) {
        watchers.watch(queue, begins);
        if (limits == null) {
            return;
        }
        if (begins) {
            waited.merge(
                    bucket.key,
                    new WaitedKey(bucket.first, 1),
                    (before, one) -> new WaitedKey(before.plan, before.calls + 1));
        } else {
            waited.computeIfPresent(
                    bucket.key, (key, now) -> now.calls == 1 ? null : new WaitedKey(now.plan, now.calls - 1));
        }
    }

    /**
     * The bucket of a key, for calls that wait: runs no code of users, but for {@link #counted}.
     *
     * @param limiter its limiter
     * @param key its key
     * @param first its limit when the call came
     */
    record Bucket(KeyedTokenBuckets<?> limiter, Fingerprint key, KeyPlan first) {
        /** Returns its limit now: that of the last call of this key, while one waits for it. */
        private KeyPlan plan() {
            WaitedKey now = limiter.waited.get(key);
            return now == null ? first : now.plan;
        }

        boolean isOfTheSame(Bucket other) {
            return limiter == other.limiter && key.equals(other.key);
        }

        /** Returns what two buckets of one key have in common: not the limit with which a call came. */
        Object planned() {
            return List.of(limiter, key);
        }

        String name() {
            return limiter.name;
        }

        long burst() {
            return plan().burst();
        }

        void watch(WaitQueue queue, boolean begins) {
            limiter.watch(this, queue, begins);
        }

        void gaveBack() {
            limiter.watchers.gaveBack();
        }

        private long debt(KeyPlan plan) {
            return limiter.table.debt(key.low, key.high, plan);
        }

        /** Returns 0 if permits are there, else the wait, and takes nothing. */
        long peek(long permits) {
            KeyPlan plan = plan();
            return permits > plan.burst() ? NEVER : plan.waitNanos(debt(plan), permits);
        }

        /** Takes permits, or returns the wait. */
        long take(long permits) {
            KeyPlan plan = plan();
            return permits > plan.burst()
                    ? NEVER
                    : Math.min(NEVER, limiter.table.take(key.low, key.high, plan, permits));
        }

        /** Gives back what is surely still owed of permits that were taken some time ago. */
        void giveBack(long permits, long elapsedNanos) {
            KeyPlan plan = limiter.table.plan(key.low, key.high, plan());
            limiter.table.credit(key.low, key.high, plan, plan.credit(permits, elapsedNanos, first));
        }

        Forecast forecast(long nowNanos) {
            KeyPlan plan = plan();
            return plan.forecast(debt(plan), nowNanos);
        }

        void counted(boolean isAdmitted) {
            if (isAdmitted) {
                limiter.count(true);
            } else {
                limiter.refused();
            }
        }

        RateLimitedException refusal(long permits, long waitNanos) {
            return new RateLimitedException(
                    name(), AbstractLimiter.message(name(), plan().limit, permits, waitNanos), () -> waitNanos, false);
        }
    }

    private void count(boolean admitted) {
        if (totals != null) {
            totals.count(admitted);
        }
    }

    private void refused() {
        count(false);
        if (listener != Listener.NONE) {
            listener.onRefused(Policy.Kind.LIMITER, name);
        }
    }

    private void forgave() {
        if (!warned.get() && warned.compareAndSet(false, true)) {
            SafeLog.warn(
                    LOG,
                    "limiter \"{}\" has room for {} keys, finds none that is not in debt to drop it for a new one, and"
                            + " begins to forgive the smallest debts",
                    name,
                    maxKeys);
        }
    }

    @Override
    public int size() {
        return table.keys(shared);
    }

    /** Returns how many bytes the table takes. */
    long bytes() {
        return table.bytes();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, LimiterMetrics.LIMITER_KEYS, size());
        sink.value(name, LimiterMetrics.LIMITER_KEYS_ADDED, (double) table.added());
        sink.value(name, LimiterMetrics.LIMITER_KEYS_FORGIVEN, (double) table.forgiven());
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" [" + (limits == null ? shared.limit : "a limit for each key") + "; "
                + table.occupied() + " of " + maxKeys + " keys]";
    }
}
