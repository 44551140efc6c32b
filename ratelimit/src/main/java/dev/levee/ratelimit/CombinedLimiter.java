package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Several limiters as one: a call takes its permits of each, or of none.
 *
 * <p>All are asked first, which writes nothing; only if each has the permits are they taken, one after the other. If
 * another call takes them away meanwhile, what was taken so far is given back as of the same moment, which restores it
 * exactly, and the call is refused. So no limit ever admits more than it says. See ADR 88.
 */
final class CombinedLimiter extends AbstractLimiter {
    private final SingleLimiter[] parts;

    /** Whether a call has taken some permits and given them back, and others are to be told. */
    private volatile boolean takenInPart;

    private CombinedLimiter(String name, SingleLimiter[] parts, Environment environment) {
        super(name, config(parts), environment);
        this.parts = parts;
    }

    /**
     * A call waits no longer than each of the limiters lets one wait, and no more calls do; they are counted if those
     * of a limiter are.
     */
    private static RateLimiterConfig config(AbstractLimiter[] parts) {
        long maxWaitNanos = NEVER;
        int maxWaiting = Integer.MAX_VALUE;
        for (AbstractLimiter part : parts) {
            maxWaitNanos = Math.min(maxWaitNanos, part.maxWaitNanos);
            maxWaiting = Math.min(maxWaiting, part.maxWaiting);
        }
        return RateLimiterConfig.builder()
                .limit(parts[0].limit())
                .maxWait(Duration.ofNanos(maxWaitNanos))
                .maxWaiting(maxWaiting)
                .totals(Arrays.stream(parts).anyMatch(AbstractLimiter::hasTotals))
                .build();
    }

    static CombinedLimiter of(String name, List<? extends RateLimiter> limiters) {
        Require.name(name);
        SingleLimiter[] parts = Require.naming(Kind.LIMITER.label(), name, () -> parts(limiters));
        return new CombinedLimiter(name, parts, parts[0].environment());
    }

    private static SingleLimiter[] parts(List<? extends RateLimiter> limiters) {
        SingleLimiter[] parts = List.copyOf(Require.nonNull("limiters", limiters)).stream()
                .flatMap(limiter -> leaves(part(limiter)))
                .toArray(SingleLimiter[]::new);
        if (parts.length == 0) {
            throw new IllegalArgumentException("limiters must be at least 1, but was 0");
        }
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].environment().clock() != parts[0].environment().clock()) {
                throw new IllegalArgumentException(
                        "limiters must have one clock, but " + parts[i] + " has another than " + parts[0]);
            }
            for (int j = 0; j < i; j++) {
                if (parts[i] == parts[j]) {
                    throw new IllegalArgumentException("limiters must differ, but " + parts[i] + " is there twice");
                }
            }
        }
        return parts;
    }

    /** The limiters that a limiter consists of: itself, unless it is a combination. */
    static Stream<AbstractLimiter> leaves(AbstractLimiter limiter) {
        return limiter instanceof CombinedLimiter inner
                ? Arrays.<AbstractLimiter>stream(inner.parts)
                : Stream.of(limiter);
    }

    /** The limiter as one that can be asked without taking. */
    static AbstractLimiter part(RateLimiter limiter) {
        if (limiter instanceof AbstractLimiter part) {
            return part;
        }
        throw new IllegalArgumentException("limiter must be made by RateLimiter.of or allOf, but was " + limiter);
    }

    @Override
    long take(long nowNanos, long permits) {
        return parts.length == 2 || parts.length == 3 ? takeFew(nowNanos, permits) : takeOneByOne(nowNanos, permits);
    }

    /**
     * Takes of two or three. Where these are buckets for which no threads contend, all are read before one is written:
     * an exchange lets no later read begin, so that between two of them nothing should have to be fetched. See ADR 203.
     */
    private long takeFew(long nowNanos, long permits) {
        boolean arePair = parts.length == 2;
        BucketState one = parts[0].calmBucket();
        BucketState two = parts[1].calmBucket();
        BucketState last = arePair ? two : parts[2].calmBucket();
        if (one == null || two == null || last == null) {
            return takeOneByOne(nowNanos, permits);
        }
        long seenOne = one.tat.get();
        long seenTwo = two.tat.get();
        long seenLast = last.tat.get();
        long nextOne = one.next(seenOne, nowNanos, permits);
        long nextTwo = two.next(seenTwo, nowNanos, permits);
        long nextLast = last.next(seenLast, nowNanos, permits);
        if (nextOne == BucketState.SEALED
                || nextTwo == BucketState.SEALED
                || nextLast == BucketState.SEALED
                || !one.tat.compareAndSet(seenOne, nextOne)) {
            return takeOneByOne(nowNanos, permits);
        }
        boolean isTwo = two.tat.compareAndSet(seenTwo, nextTwo);
        if (isTwo && (arePair || last.tat.compareAndSet(seenLast, nextLast))) {
            return 0;
        }
        if (isTwo) {
            parts[1].giveBack(nowNanos, nowNanos, permits);
        }
        parts[0].giveBack(nowNanos, nowNanos, permits);
        long wait = takeOneByOne(nowNanos, permits);
        if (wait != 0) {
            takenInPart = true;
        }
        return wait;
    }

    private long takeOneByOne(long nowNanos, long permits) {
        long wait = 0;
        for (int i = 1; i < parts.length; i++) {
            wait = Math.max(wait, parts[i].peek(nowNanos, permits));
        }
        if (wait != 0) {
            return Math.max(wait, parts[0].peek(nowNanos, permits));
        }
        wait = parts[0].take(nowNanos, permits); // which asks before it writes, as the others were asked
        for (int i = 1; i < parts.length && wait == 0; i++) {
            wait = parts[i].take(nowNanos, permits);
            if (wait != 0) {
                for (int taken = i - 1; taken >= 0; taken--) {
                    parts[taken].giveBack(nowNanos, nowNanos, permits);
                }
                // Else nothing that could be seen was in the way.
                takenInPart = takenInPart || peek(nowNanos, permits) != 0;
            }
        }
        return wait;
    }

    @Override
    long takeUnlocked(long nowNanos, long permits) {
        long wait = take(nowNanos, permits);
        if (wait != 0 && hasTakenInPart()) {
            settled(-permits);
        }
        return wait;
    }

    @Override
    boolean hasTakenInPart() {
        boolean was = takenInPart;
        if (was) {
            takenInPart = false; // what another thread gives back meanwhile it has given back before
        }
        return was;
    }

    @Override
    void watch(WaitQueue other, boolean begins) {
        for (AbstractLimiter part : parts) {
            part.watch(other, begins);
        }
    }

    @Override
    long peek(long nowNanos, long permits) {
        long wait = 0;
        for (AbstractLimiter part : parts) {
            wait = Math.max(wait, part.peek(nowNanos, permits));
        }
        return wait;
    }

    @Override
    boolean isSameSpan(long plannedNanos, long nowNanos) {
        for (AbstractLimiter part : parts) {
            if (!part.isSameSpan(plannedNanos, nowNanos)) {
                return false;
            }
        }
        return true;
    }

    @Override
    void giveBack(long nowNanos, long takenNanos, long permits) {
        for (AbstractLimiter part : parts) {
            part.giveBack(nowNanos, takenNanos, permits);
        }
    }

    @Override
    void refund(long nowNanos, long permits) {
        for (AbstractLimiter part : parts) {
            part.refund(nowNanos, permits);
        }
    }

    @Override
    void charge(long nowNanos, long permits) {
        for (AbstractLimiter part : parts) {
            part.charge(nowNanos, permits);
        }
    }

    @Override
    void settled(long permits) {
        // Each tells its own queue and those of combinations, of which this may be one.
        for (AbstractLimiter part : parts) {
            part.settled(permits);
        }
    }

    @Override
    long available(long nowNanos) {
        long available = Long.MAX_VALUE;
        for (AbstractLimiter part : parts) {
            available = Math.min(available, part.available(nowNanos));
        }
        return available;
    }

    @Override
    long resetNanos(long nowNanos) {
        long reset = 0;
        for (AbstractLimiter part : parts) {
            reset = Math.max(reset, part.resetNanos(nowNanos));
        }
        return reset;
    }

    @Override
    Forecast forecast(long nowNanos) {
        return forecast(part -> part.forecast(nowNanos));
    }

    /** Plans calls in what is planned for each part, maybe also by others. */
    Forecast forecast(Function<AbstractLimiter, Forecast> ofPart) {
        return new CombinedForecast(Arrays.stream(parts).map(ofPart).toArray(Forecast[]::new));
    }

    @Override
    long capacity() {
        long capacity = Long.MAX_VALUE;
        for (AbstractLimiter part : parts) {
            capacity = Math.min(capacity, part.capacity());
        }
        return capacity;
    }

    /** The limiter for which a call would wait longest; if there is no wait, the one with the fewest permits left. */
    AbstractLimiter tightest(long nowNanos, long permits) {
        AbstractLimiter tightest = parts[0];
        long longest = -1;
        long fewest = Long.MAX_VALUE;
        for (AbstractLimiter part : parts) {
            long wait = part.peek(nowNanos, permits);
            long available = part.available(nowNanos);
            if (wait > longest || (wait == longest && available < fewest)) {
                tightest = part;
                longest = wait;
                fewest = available;
            }
        }
        return tightest;
    }

    /** The limit that is the tightest now. */
    @Override
    public Limit limit() {
        return tightestNow().limit();
    }

    private AbstractLimiter tightestNow() {
        return tightest(environment().clock().nanoTime(), 1);
    }

    /** The refusal of the limiter that refuses; behind calls that wait here, with their time. */
    @Override
    public RefusedException refusal() {
        AbstractLimiter tightest = tightestNow();
        return waiting() > 0 ? tightest.refusal(1, Math.max(1, nextPermitNanos())) : tightest.refusal();
    }

    @Override
    RateLimitedException refusal(long permits, long waitNanos) {
        return tightest(environment().clock().nanoTime(), permits).refusal(permits, waitNanos);
    }

    /** The decision in the words of the limiter that refuses, or of the one with the fewest permits left. */
    @Override
    public RateDecision decide(long permits) {
        RateDecision decision = super.decide(permits);
        long now = environment().clock().nanoTime();
        AbstractLimiter tightest = tightest(now, decision.isAdmitted() ? 1 : permits);
        return new RateDecision(
                decision.isAdmitted(),
                tightest.name(),
                tightest.limit(),
                waiting() > 0 ? 0 : tightest.available(now),
                decision.retryAfterNanos(),
                tightest.resetNanos(now));
    }

    @Override
    void replace(long nowNanos, Limit limit, CarriedFill carried) {
        throw new IllegalArgumentException("limiter \"" + name()
                + "\" has the limits of others, which are replaced one by one, and none of its own");
    }

    @Override
    public String toString() {
        return "limiter \"" + name() + "\" "
                + Arrays.stream(parts).map(AbstractLimiter::toString).collect(Collectors.joining(" and ", "(", ")"));
    }

    /** Plans calls in all limits at once: the first moment at which none of them says to wait. */
    @SuppressWarnings("ArrayRecordComponent") // of no use but in this class
    private record CombinedForecast(Forecast[] parts) implements Forecast {
        private static final int MAX_STEPS = 1_000;

        @Override
        public long earliest(long fromNanos, long permits) {
            long wait = 0;
            for (int step = 0; step < MAX_STEPS && wait < RateLimiter.NEVER; step++) {
                long more = 0;
                for (Forecast part : parts) {
                    more = Math.max(more, part.earliest(fromNanos + wait, permits));
                }
                if (more == 0) {
                    return wait;
                }
                wait = Nanos.add(wait, more);
            }
            return RateLimiter.NEVER;
        }

        @Override
        public void take(long atNanos, long permits) {
            for (Forecast part : parts) {
                part.take(atNanos, permits);
            }
        }
    }
}
