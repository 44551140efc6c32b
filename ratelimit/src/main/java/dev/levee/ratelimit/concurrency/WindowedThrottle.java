package dev.levee.ratelimit.concurrency;

import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Priority;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * The implementation of {@link AdaptiveThrottle}: {@link RollingCounts} for each criticality.
 *
 * <p>Periods are counted from the time at which this was made, and never go back: time that jumps back stands still
 * until it has caught up, so no count expires by it. A call that was let pass counts when its outcome is known: calls
 * in flight are no evidence, however many there are. A stamp is the criticality, and a bit that is set. See ADR 94.
 */
@SuppressWarnings("EnumOrdinal") // their order, from the most critical, is meant
final class WindowedThrottle implements AdaptiveThrottle {
    private static final Criticality[] LEVELS = Criticality.values();
    private static final List<List<String>> TAGS =
            Stream.of(LEVELS).map(each -> List.of(each.toHeader())).toList();
    private static final int LEVEL_SHIFT = 1;

    private final String name;
    private final AdaptiveThrottleConfig config;
    private final Environment environment;
    private final NanoClock clock;
    private final RandomGenerator random;
    private final double multiplier;
    private final long origin;
    private final long periodNanos;

    /** The latest period that was seen, from 0. */
    private final PaddedLong latest = new PaddedLong(0);

    private final RollingCounts[] counts = new RollingCounts[LEVELS.length];
    private final LongAdder refused = new LongAdder();

    /** At the places of the criticalities. */
    private final ShedException[] refusals = new ShedException[LEVELS.length];

    WindowedThrottle(String name, AdaptiveThrottleConfig config, Environment environment) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.random = environment.random();
        this.multiplier = config.multiplier();
        this.periodNanos = Nanos.of(config.window()) / RollingCounts.BUCKETS;
        this.origin = clock.nanoTime();
        for (int level = 0; level < LEVELS.length; level++) {
            int own = level;
            counts[level] = new RollingCounts();
            refusals[level] = ShedException.sharedOf(this, () -> retryAfterNanos(own))[ShedReason.THROTTLED.ordinal()];
        }
    }

    /** Returns the probability of a refusal, by the formula of the source. */
    static double probability(long requests, long accepts, double multiplier) {
        return Math.max(0, (requests - multiplier * accepts) / (requests + 1.0));
    }

    private long periodAt(long nowNanos) {
        long period = (nowNanos - origin) / periodNanos;
        long seen = latest.get();
        while (period > seen) {
            long found = latest.compareAndExchange(seen, period);
            if (found == seen) {
                return period;
            }
            seen = found;
        }
        return seen;
    }

    private double probabilityOf(int level, long period) {
        return probability(counts[level].requests(period), counts[level].accepts(period), multiplier);
    }

    /** When the figures have changed: the sooner, the fewer are refused. */
    private long retryAfterNanos(int level) {
        return (long) (probabilityOf(level, periodAt(clock.nanoTime())) * periodNanos);
    }

    @Override
    public double refusalProbability(Criticality criticality) {
        return probabilityOf(Require.nonNull("criticality", criticality).ordinal(), periodAt(clock.nanoTime()));
    }

    @Override
    public int timing() {
        return ENTRY | EXIT;
    }

    private static int levelOfCall() {
        return Priority.criticality(CallState.current().priority());
    }

    @Override
    public long tryEnter(long nowNanos) {
        int level = levelOfCall();
        long period = periodAt(nowNanos);
        double probability = probabilityOf(level, period);
        if (probability > 0 && random.nextDouble() < probability) {
            counts[level].addRequest(period);
            refused.increment();
            return REFUSED;
        }
        return (long) level << LEVEL_SHIFT | 1;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        RollingCounts own = counts[(int) (stamp >>> LEVEL_SHIFT)];
        long period = periodAt(endNanos);
        if (verdict != Verdict.THROTTLED && verdict != Verdict.NOT_SENT) {
            own.addAccept(period); // first, or for a moment it would look like one that was not accepted
        }
        own.addRequest(period);
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        // It was no request.
    }

    @Override
    public OutcomeRule outcomes() {
        return config.outcomes();
    }

    @Override
    public RefusedException refusal() {
        return refusals[levelOfCall()];
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        for (Criticality each : LEVELS) {
            List<String> tags = TAGS.get(each.ordinal());
            sink.value(name, OverloadMetrics.THROTTLE_REFUSAL_PROBABILITY, tags, refusalProbability(each));
        }
        sink.value(name, OverloadMetrics.THROTTLE_REFUSED, (double) refused.sum());
    }

    @Override
    public String toString() {
        return "shedder \"" + name + "\" [throttles beyond " + multiplier + " requests for each that is accepted in "
                + Nanos.text(config.window()) + "]";
    }
}
