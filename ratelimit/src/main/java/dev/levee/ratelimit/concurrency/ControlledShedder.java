package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Priority;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Bulkhead;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * The implementation of {@link PriorityShedder}: counts of a period, and once a period {@link ShedControl}, which one
 * of the calls runs that come after its end.
 *
 * <p>A period is <em>calm</em> if the queue was seen empty in it and no call that was let in was refused inside. Armed
 * is what has not been calm for as long as the settings say; disarmed, what refuses none and is calm. See ADR 94.
 */
@SuppressWarnings("EnumOrdinal") // their order, from the most critical, is meant
final class ControlledShedder implements PriorityShedder {
    /** After a pause of so many periods what was known is of no use. */
    private static final int MAX_IDLE_PERIODS = 10;

    /** How many periods one may last when calls take long. */
    private static final int MAX_EXTENSION = 4;

    /** The unit in which shares are added up. */
    private static final long MILLION = 1_000_000;

    private static final long LET_IN = 1;

    private final String name;
    private final Bulkhead bulkhead;
    private final Environment environment;
    private final NanoClock clock;
    private final RandomGenerator random;
    private final long periodNanos;
    private final long armAfterNanos;
    private final ShedException[] refusals;
    private final LongAdder refusedSinceStart = new LongAdder();

    // What is counted in a period.
    private final PriorityHistogram histogram = new PriorityHistogram();
    private final LongAdder refused = new LongAdder();
    private final LongAdder done = new LongAdder();
    private final LongAdder refusedInside = new LongAdder();
    private final LongAdder waitingSeen = new LongAdder();
    private final LongAdder usedSeen = new LongAdder();
    private volatile boolean emptySeen = true;

    /** When the period began; written by the thread that ends it. */
    private final PaddedLong periodStart;

    private final AtomicBoolean ending = new AtomicBoolean();

    // Guarded by "ending".
    private final ShedControl control = new ShedControl();
    private long calmNanos;

    /** The rank up to which calls are let in, see {@link PriorityHistogram#threshold}. */
    private volatile double threshold = PriorityHistogram.RANKS;

    private volatile double share;
    private volatile boolean armed;

    ControlledShedder(String name, Bulkhead bulkhead, PriorityShedderConfig config, Environment environment) {
        this.name = Require.name(name);
        this.bulkhead = Require.nonNull("bulkhead", bulkhead);
        this.periodNanos = Require.nonNull("config", config).periodNanos();
        this.armAfterNanos = config.armAfterNanos();
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.random = environment.random();
        long now = clock.nanoTime();
        this.periodStart = new PaddedLong(now);
        this.calmNanos = now;
        this.refusals = ShedException.sharedOf(this, () -> periodNanos);
    }

    @Override
    public int timing() {
        return ENTRY;
    }

    @Override
    public long tryEnter(long nowNanos) {
        if (nowNanos - periodStart.get() >= periodNanos) {
            endPeriod(nowNanos);
        }
        int priority = CallState.current().priority();
        int criticality = Priority.criticality(priority);
        int cohort = Priority.cohort(priority);
        histogram.count(criticality, cohort);
        if (armed) {
            int limit = bulkhead.maxConcurrent();
            usedSeen.add((long) (Math.min(bulkhead.inFlight() / (double) limit, 1) * MILLION));
            waitingSeen.add(bulkhead.waiting());
            if (isRefused(criticality, cohort)) {
                refused.increment();
                refusedSinceStart.increment();
                return REFUSED;
            }
        } else if (!emptySeen && bulkhead.waiting() == 0) {
            emptySeen = true;
        }
        return LET_IN;
    }

    private boolean isRefused(int criticality, int cohort) {
        double limit = threshold;
        if (limit >= PriorityHistogram.RANKS) {
            return false;
        }
        int drawn = cohort < 0 ? random.nextInt(Priority.COHORTS) : cohort;
        double above = PriorityHistogram.rank(criticality, drawn) + 1 - limit;
        return above > 0 && (above >= 1 || random.nextDouble() < above);
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        done.increment();
        if (!emptySeen && bulkhead.waiting() == 0) {
            emptySeen = true;
        }
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        refusedInside.increment();
    }

    /** Ends the period, unless another thread does. */
    private void endPeriod(long nowNanos) {
        if (!ending.compareAndSet(false, true)) {
            return;
        }
        boolean before = armed;
        try {
            long length = nowNanos - periodStart.get();
            if (length >= periodNanos && !isTooEarly(length)) { // or another thread has just done it
                periodStart.set(nowNanos);
                control(nowNanos, length);
            }
        } finally {
            boolean after = armed;
            ending.set(false);
            if (before != after) {
                environment.listener().onStateChange(kind(), name, text(before), text(after));
            }
        }
    }

    /**
     * Whether a longer period is needed, because calls take longer than it: while less calls have ended than there are
     * permits, and those are in use, what was let in before has not told yet.
     */
    private boolean isTooEarly(long length) {
        int limit = bulkhead.maxConcurrent();
        return armed && length / MAX_EXTENSION < periodNanos && done.sum() < limit && bulkhead.inFlight() > limit / 2;
    }

    private static String text(boolean isArmed) {
        return isArmed ? "ARMED" : "DISARMED";
    }

    private void control(long nowNanos, long length) {
        long came = histogram.endPeriod();
        long letIn = came - refused.sumThenReset();
        long ended = done.sumThenReset();
        boolean full = refusedInside.sumThenReset() > 0;
        double waiting = waitingSeen.sumThenReset() / (double) Math.max(came, 1);
        double used = usedSeen.sumThenReset() / (double) Math.max(came, 1) / MILLION;
        boolean calm = emptySeen && !full;
        emptySeen = bulkhead.waiting() == 0;
        if (calm || length / MAX_IDLE_PERIODS >= periodNanos) {
            calmNanos = nowNanos;
        }
        if (length / MAX_IDLE_PERIODS >= periodNanos) {
            disarm();
        } else if (armed) {
            control.update((double) came, (double) letIn, (double) ended, waiting, used);
            if (control.share() == 0 && calm) {
                disarm();
            }
        } else if (nowNanos - calmNanos >= armAfterNanos) {
            armed = true;
            control.update((double) came, (double) letIn, (double) ended, bulkhead.waiting(), 1);
        }
        share = control.share();
        threshold = histogram.threshold(share);
    }

    private void disarm() {
        control.reset();
        armed = false;
    }

    private void endPeriodIfOver() {
        long now = clock.nanoTime();
        if (now - periodStart.get() >= periodNanos) {
            endPeriod(now);
        }
    }

    @Override
    public boolean isArmed() {
        endPeriodIfOver();
        return armed;
    }

    @Override
    public double refusedShare() {
        endPeriodIfOver();
        return share;
    }

    @Override
    public OutcomeRule outcomes() {
        return bulkhead.outcomes();
    }

    @Override
    public RefusedException refusal() {
        return refusals[ShedReason.PRIORITY.ordinal()];
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
        Require.nonNull("sink", sink).value(name, OverloadMetrics.SHEDDER_REFUSED_SHARE, refusedShare());
        sink.value(name, OverloadMetrics.SHEDDER_THRESHOLD, threshold);
        sink.value(name, OverloadMetrics.SHEDDER_REFUSED, (double) refusedSinceStart.sum());
        sink.value(name, OverloadMetrics.SHEDDER_ARMED, armed ? 1 : 0);
    }

    @Override
    public String toString() {
        return "shedder \"" + name + "\" [" + text(armed) + ", refuses " + Math.round(100 * share) + " %, in front of "
                + bulkhead.kind().label() + " \"" + bulkhead.name() + "\"]";
    }
}
