package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
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
 * <p>All code of the user runs before the table is asked. See ADR 89 and ADR 90.
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
            refused();
            return NEVER;
        }
        long wait = hash.apply(KeyHash.Use.TAKE, value, plan, permits);
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
        hash.apply(KeyHash.Use.SETTLE, value, plan(key), permits);
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
        return plan.available(hash.apply(KeyHash.Use.DEBT, value, plan, 0));
    }

    /** Returns the bucket of a key. Runs all code of the user that it needs. */
    Bucket bucket(K key) {
        return new Bucket(this, value(key), plan(key));
    }

    /** The bucket of a key, for calls that wait: runs no code of users, but for {@link #counted}. */
    record Bucket(KeyedTokenBuckets<?> limiter, Object value, KeyPlan plan) {
        String name() {
            return limiter.name;
        }

        long burst() {
            return plan.burst();
        }

        WaitingCalls.Watchers watchers() {
            return limiter.watchers;
        }

        private long debt() {
            return limiter.hash.apply(KeyHash.Use.DEBT, value, plan, 0);
        }

        long peek(long permits) {
            return plan.waitNanos(debt(), permits);
        }

        long take(long permits) {
            return limiter.hash.apply(KeyHash.Use.TAKE, value, plan, permits);
        }

        /** Gives back what is surely still owed of permits that were taken some time ago. */
        void giveBack(long permits, long elapsedNanos) {
            limiter.hash.apply(KeyHash.Use.CREDIT, value, plan, plan.credit(permits, elapsedNanos));
        }

        Forecast forecast(long nowNanos) {
            return plan.forecast(debt(), nowNanos);
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
                    name(), AbstractLimiter.message(name(), plan.limit, permits, waitNanos), () -> waitNanos, false);
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
