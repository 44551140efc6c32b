package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.RateDecision;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A limiter of keys that several processes share: a {@link SharedQuota} for each key that was used lately.
 *
 * <p>When there is one more than there is room for, a hand goes round the keys: one that was used since it came by last
 * gets another round, one that was not is forgotten, unless a call or a request of it is under way. Its leases lapse
 * then, so nothing is admitted twice; the store knows all that was used, except in an outage: the number of keys is
 * bounded then too, and what was used of one that had to be forgotten is not charged.
 */
final class SharedKeyedLimiter implements KeyedRateLimiter<String> {
    private static final int MAX_STEPS = 64;

    private final SharedScope scope;
    private final ConcurrentHashMap<String, SharedQuota> quotas = new ConcurrentHashMap<>();
    private final LongAdder added = new LongAdder();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Iterator<SharedQuota> hand;

    SharedKeyedLimiter(SharedScope scope) {
        this.scope = scope;
    }

    private SharedQuota quota(String key) {
        StackRoom.require();
        SharedQuota known = quotas.get(Require.nonNull("key", key));
        if (known != null) {
            if (!known.isFresh) {
                known.isFresh = true;
            }
            return known;
        }
        SharedQuota made = new SharedQuota(scope, key);
        SharedQuota before = quotas.putIfAbsent(key, made);
        if (before != null) {
            return before;
        }
        added.increment();
        if (quotas.mappingCount() > scope.config.maxKeys()) {
            makeRoom(made);
        }
        return made;
    }

    /** Forgets a key or two. Where only keys are found that are in use, there may be some more for a while. */
    private void makeRoom(SharedQuota kept) {
        if (!lock.tryLock()) {
            return;
        }
        try {
            SharedQuota forgettable = null;
            Iterator<SharedQuota> at = hand;
            int steps = 0;
            int rounds = 0;
            while (quotas.mappingCount() > scope.config.maxKeys() && steps++ < MAX_STEPS) {
                if (at == null || !at.hasNext()) {
                    if (rounds++ > 1) {
                        break;
                    }
                    at = quotas.values().iterator();
                }
                SharedQuota next = at.next();
                if (next == kept) {
                    continue;
                }
                if (next.isFresh && rounds <= 1) {
                    next.isFresh = false;
                } else if (next.isIdle(false)) {
                    quotas.remove(next.key, next);
                } else if (forgettable == null && next.isIdle(true)) {
                    forgettable = next;
                }
            }
            hand = at;
            if (forgettable != null && quotas.mappingCount() > scope.config.maxKeys()) {
                quotas.remove(forgettable.key, forgettable); // in an outage the number of keys has its bound as well
                scope.link.forget(forgettable);
            }
        } finally {
            lock.unlock();
        }
    }

    private static long requirePermits(long permits) {
        return Require.range("permits", permits, 1, Long.MAX_VALUE);
    }

    private long take(SharedQuota quota, long permits) {
        long wait = SharedCalls.decide(quota, permits);
        if (wait == 0) {
            scope.count(true);
        } else {
            scope.refused();
        }
        return wait;
    }

    @Override
    public String name() {
        return scope.name;
    }

    @Override
    public long tryAcquireOrWaitNanos(String key) {
        return take(quota(key), 1);
    }

    @Override
    public long tryAcquireOrWaitNanos(String key, long permits) {
        requirePermits(permits);
        return take(quota(key), permits);
    }

    @Override
    public RateDecision decide(String key, long permits) {
        requirePermits(permits);
        SharedQuota quota = quota(key);
        return SharedCalls.decision(quota, permits, take(quota, permits));
    }

    @Override
    public void settle(String key, long permits) {
        StackRoom.require();
        Require.range("permits", permits, -Long.MAX_VALUE, Long.MAX_VALUE);
        quota(key).settle(permits);
    }

    @Override
    public long availablePermits(String key) {
        SharedQuota known = quotas.get(Require.nonNull("key", key));
        return known == null ? scope.plan().terms.limit().capacity() : known.available();
    }

    @Override
    public int size() {
        return quotas.size();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(scope.name, LimiterMetrics.LIMITER_KEYS, size());
        sink.value(scope.name, LimiterMetrics.LIMITER_KEYS_ADDED, (double) added.sum());
        double held = 0;
        for (SharedQuota quota : quotas.values()) {
            held += quota.held();
        }
        scope.measure(sink, held);
    }

    @Override
    public String toString() {
        SharedPlan plan = scope.plan();
        return "limiter \"" + scope.name + "\" [" + plan.limit + " for each key, shared, " + plan.mode + "; " + size()
                + " of " + scope.config.maxKeys() + " keys]";
    }
}
