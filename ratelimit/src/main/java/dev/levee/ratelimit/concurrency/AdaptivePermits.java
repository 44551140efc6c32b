package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;

/**
 * What the permits of a bulkhead tell, whichever counts them: a place for each, how long they are held, and the limit
 * that is learnt from it.
 *
 * <p>The lower 58 bits of the stamp of a call; the others are for the bulkhead:
 *
 * <pre>{@code
 * bit   58      55 54         17 16      0
 *      +----------+-------------+----------+
 *      |  timed   | generation  |  place   |
 *      +----------+-------------+----------+
 *
 * timed              0 if the call is not learnt from; else it stands for 2^(timed - 1) calls
 * generation, place  see PermitSlots; what is left of them after a first exit makes a second one do nothing
 * }</pre>
 *
 * <p>A call ends in three steps: {@link #since}, then {@link #free}, which says whether the permit was given back
 * before, and after the permit has been given back {@link #learn}. See ADR 91 and ADR 92.
 */
final class AdaptivePermits {
    /** The first bit that a bulkhead may use. */
    static final int FREE_BIT = 59;

    private static final int TIMED_BIT = 55;
    private static final int NIBBLE = 15;

    /** A failure that takes so many times the baseline is one by overload. */
    private static final double SLOW = 2;

    /** One refusal in so many looks for permits that are held too long. */
    private static final int REFUSALS_PER_LOOK = 256;

    private final NanoClock clock;
    private final RandomGenerator random;
    private final PermitSlots slots;
    private final LimitLearner learner;
    private final HeldPermits held;

    /** Takes the limit that was learnt, in one thread at a time; runs no code of users. */
    private final IntConsumer apply;

    private volatile AdaptiveBulkheadConfig config;

    /** A reading of the clock of lately, for the age of permits of calls that are not timed. */
    private final AtomicLong recentNanos = new AtomicLong();

    /** About how many calls were refused; several threads may write one number. */
    private int refusals;

    AdaptivePermits(String name, AdaptiveBulkheadConfig config, Environment environment, IntConsumer apply) {
        this.config = config;
        this.clock = environment.clock();
        this.random = environment.random();
        this.apply = apply;
        this.learner = new LimitLearner(LimitEstimators.start(config.limit(), config.bounds(), random));
        this.slots = new PermitSlots(config.maxLimit());
        long now = clock.nanoTime();
        this.held = new HeldPermits(name, slots, config.heldTooLongNanos(), now);
        this.recentNanos.set(now);
    }

    AdaptiveBulkheadConfig config() {
        return config;
    }

    OutcomeRule outcomes() {
        return config.outcomes();
    }

    /**
     * Replaces the settings. What was learnt stays, unless the algorithm is another one; the limit goes on from where
     * it is, within the new bounds.
     *
     * @param whileStill runs while nothing is learnt, before the limit is applied
     */
    void reconfigure(AdaptiveBulkheadConfig next, Runnable whileStill) {
        if (next.outcomes() != config.outcomes()) {
            throw new IllegalArgumentException(
                    "outcomes must stay " + config.outcomes() + ", but was " + next.outcomes());
        }
        learner.begin();
        try {
            slots.grow(next.maxLimit());
            LimitEstimator estimator = learner.estimator();
            if (next.limit().equals(config.limit())) {
                estimator.bound(next.bounds());
            } else {
                int limit = (int) next.bounds().within(estimator.limit());
                LimitBounds bounds = new LimitBounds(next.minLimit(), next.maxLimit(), limit);
                learner.follow(LimitEstimators.start(next.limit(), bounds, random));
            }
            config = next;
            held.tooLong(next.heldTooLongNanos());
            whileStill.run();
            apply.accept((int) learner.estimator().limit());
        } finally {
            learner.end();
        }
    }

    /** Notes a permit that was taken; reads the clock if the call is to be learnt from. */
    long begin() {
        long place = slots.take(recentNanos.getOpaque()); // opaque: a time that is a little old in any mode
        int shift = learner.shift();
        if ((PermitSlots.uses(place) & (1L << shift) - 1) != 0) {
            return place;
        }
        try {
            long now = clock.nanoTime();
            recentNanos.setOpaque(now);
            slots.setSince(place, now);
            return place | ((shift + 1L) << TIMED_BIT);
        } catch (Throwable noTime) { // the permit is taken, and must come back
            return place;
        }
    }

    /** Notes a permit that was taken at a time. Runs no code of users. */
    long begin(long nowNanos) {
        long place = slots.take(nowNanos);
        int shift = learner.shift();
        boolean isTimed = (PermitSlots.uses(place) & (1L << shift) - 1) == 0;
        return isTimed ? place | ((shift + 1L) << TIMED_BIT) : place;
    }

    /** When a permit was taken, or somewhat earlier if its call is not timed; of no meaning if it was given back. */
    long since(long stamp) {
        return slots.since(stamp);
    }

    /** Frees the place of a permit. Returns false if it was given back before. */
    boolean free(long stamp) {
        return slots.free(stamp);
    }

    /**
     * Learns from a call whose permit has been given back.
     *
     * @param inFlight how many calls were in flight until it ended, with it
     */
    void learn(long stamp, long since, int inFlight, Verdict verdict) {
        int timed = (int) (stamp >>> TIMED_BIT) & NIBBLE;
        if (verdict == Verdict.IGNORED || (timed == 0 && verdict == Verdict.SUCCESS)) {
            return;
        }
        try {
            long now = clock.nanoTime();
            long rtt = now - since;
            if (rtt < 0) {
                return; // the clock went back
            }
            boolean drop = verdict != Verdict.SUCCESS && isDrop(verdict, rtt);
            if (verdict != Verdict.SUCCESS && !drop) {
                return; // a failure that came quickly
            }
            if (!learner.tryBegin()) {
                if (drop) {
                    learner.missDrop();
                }
                return;
            }
            try {
                LimitEstimator estimator = learner.estimator();
                boolean worth = !drop || estimator.timesDrops() || verdict == Verdict.FAILURE;
                int weight = timed == 0 || !worth ? 0 : 1 << (timed - 1);
                if (learner.learn(now, rtt, inFlight, verdict == Verdict.SUCCESS, drop, weight)) {
                    apply.accept((int) estimator.limit());
                }
            } finally {
                learner.end();
            }
            held.lookSometimes(now);
        } catch (Throwable thrown) {
            // Of the clock. The permit has come back; nothing is learnt from this call.
        }
    }

    private boolean isDrop(Verdict verdict, long rtt) {
        return verdict != Verdict.FAILURE || rtt >= SLOW * learner.baselineNanos();
    }

    /** Notes that the limit is reached: a call has found no permit. */
    void noteLimited() {
        learner.noteRefusal();
    }

    /** Notes that a call was refused. May write to the log. */
    void noteRefusal() {
        learner.noteRefusal();
        if (++refusals % REFUSALS_PER_LOOK == 0) {
            try {
                held.lookSometimes(clock.nanoTime());
            } catch (Throwable noTime) {
                // as above
            }
        }
    }

    int heldTooLong() {
        return held.count(clock.nanoTime());
    }

    void measure(String name, Measured.Sink sink) {
        long now = clock.nanoTime();
        held.lookSometimes(now);
        Require.nonNull("sink", sink).value(name, OverloadMetrics.BULKHEAD_BASELINE, learner.baselineNanos());
        sink.value(name, OverloadMetrics.BULKHEAD_DROPS, (double) learner.drops());
        sink.value(name, OverloadMetrics.BULKHEAD_HELD_LONG, held.count(now));
        sink.value(name, OverloadMetrics.BULKHEAD_HELD_LONGEST, (double) held.longestNanos(now));
    }
}
