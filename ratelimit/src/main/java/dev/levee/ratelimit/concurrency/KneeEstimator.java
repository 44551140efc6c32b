package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Nanos;
import java.util.random.RandomGenerator;

/**
 * The state of {@link KneeLimit}.
 *
 * <p>Two things are learnt. The <em>baseline</em> is how long calls take without a queue; calls that take
 * {@link #HEADROOM} times as long are as many times what the dependency works on at once, and the limit is moved to
 * there. And whether <em>goodput follows the limit</em>: while it does not, the limit does not go up, and the baseline
 * does neither.
 *
 * <p>The baseline is taken from windows in which no more than half the limit was in use. When there have been none for
 * long, the limit goes down by a tenth a window, as long as goodput stays ({@link Descent}): at its end there is no
 * queue, and hardly a call was turned away that would have been served. See ADR 91.
 */
final class KneeEstimator implements LimitEstimator {
    private static final long WINDOW_NANOS = 100_000_000;

    /** How many times the baseline calls take at the limit. */
    private static final double HEADROOM = 2.5;

    private static final double MAX_GROWTH = 0.25;
    private static final double MIN_SHRINKING = 0.7;

    /** By how much a drop lowers the limit at once. */
    private static final double DROP_FACTOR = 0.9;

    /** From this share of drops on the limit does not grow, and goes down by half of the share. */
    private static final double MANY_DROPS = 0.1;

    /** So many windows without one that teaches the baseline, and the limit descends. */
    private static final int MAX_WINDOWS_WITHOUT_BASELINE = 16;

    /** So many windows under load at the beginning, and the limit descends for the first time. */
    private static final int FIRST_WINDOWS = 2;

    private static final double SMOOTHING = 0.3;
    private static final double BASELINE_SMOOTHING = 0.2;

    /** From this slope of goodput over limit on the limit is what holds goodput down. */
    private static final double FOLLOWS = 0.5;

    private LimitBounds bounds;
    private final double maxHealthyNanos;
    private final RandomGenerator random;
    private final WindowedMinimum idleBaseline = new WindowedMinimum(10);
    private final Covariance goodputOfLimit = new Covariance();
    private final Descent descent = new Descent();
    private double limit;
    private double baseline;
    private double recentGoodput;
    private int untilDescent;
    private boolean cut;

    /** Whether the baseline is more than what the first calls took, which may have queued. */
    private boolean isProven;

    /** Whether the limit has jumped at the end of the last window. */
    private boolean settling = true;

    KneeEstimator(KneeLimit settings, LimitBounds bounds, RandomGenerator random) {
        this.bounds = bounds;
        this.maxHealthyNanos = Nanos.of(settings.maxHealthyLatency());
        this.random = random;
        this.limit = bounds.initial();
        untilDescent = FIRST_WINDOWS;
    }

    private void planDescent() {
        untilDescent = (int) (MAX_WINDOWS_WITHOUT_BASELINE * (0.75 + random.nextDouble() / 2));
    }

    @Override
    public long windowNanos() {
        return WINDOW_NANOS;
    }

    @Override
    public boolean timesDrops() {
        return false;
    }

    @Override
    public void bound(LimitBounds next) {
        bounds = next;
        limit = bounds.within(limit);
    }

    @Override
    public double limit() {
        return descent.isUnderWay() ? bounds.within(limit * descent.factor()) : limit;
    }

    @Override
    public double baselineNanos() {
        return baseline;
    }

    @Override
    public void dropped() {
        if (!cut) {
            cut = true;
            limit = bounds.within(limit * DROP_FACTOR);
        }
    }

    @Override
    public void update(LimitWindow window) {
        boolean wasCut = cut;
        cut = false;
        double nanos = window.middleNanos();
        boolean limited = window.refused() || window.maxInFlight() >= (int) limit();
        if (Double.isNaN(nanos)) {
            limitDrops(window);
        } else if (!limited) {
            descent.stop();
            if (window.meanInFlight() <= limit / 2) {
                baseline = Math.min(maxHealthyNanos, idleBaseline.add(nanos));
                isProven = true;
                planDescent();
                limitDrops(window);
            } else if (baseline > 0) {
                move(window, nanos, wasCut, false);
            }
        } else if (descent.isUnderWay()) {
            descend(window, nanos);
        } else if (settling) {
            settling = false; // calls that began under the limit of before
        } else {
            learnUnderLoad(window, nanos);
            move(window, nanos, wasCut, true);
            if (--untilDescent <= 0) {
                planDescent();
                descent.start(recentGoodput);
            }
        }
    }

    private void limitDrops(LimitWindow window) {
        if (window.dropShare() >= MANY_DROPS) {
            limit = bounds.within(limit * Math.max(0.5, 1 - window.dropShare() / 2));
        }
    }

    private void learnUnderLoad(LimitWindow window, double nanos) {
        if (baseline == 0) {
            baseline = Math.min(maxHealthyNanos, nanos);
        } else if (nanos < baseline) {
            baseline += BASELINE_SMOOTHING * (nanos - baseline);
        }
        double goodput = window.goodput();
        recentGoodput = recentGoodput == 0 ? goodput : recentGoodput + SMOOTHING * (goodput - recentGoodput);
        if (goodput > 0) {
            goodputOfLimit.add(Math.log(limit()), Math.log(goodput));
        }
    }

    private void move(LimitWindow window, double nanos, boolean wasCut, boolean mayGrow) {
        double ratio = nanos / baseline;
        if (window.dropShare() >= MANY_DROPS) {
            limitDrops(window);
        } else if (nanos > maxHealthyNanos) {
            limit = bounds.within(limit * Math.max(MIN_SHRINKING, maxHealthyNanos / nanos));
        } else if (ratio > HEADROOM && goodputOfLimit.follows(FOLLOWS)) {
            baseline = Math.min(maxHealthyNanos, nanos);
            goodputOfLimit.clear();
        } else if (ratio > HEADROOM) {
            double shrunk = limit * Math.max(MIN_SHRINKING, HEADROOM / ratio);
            limit = bounds.within((limit + shrunk) / 2);
        } else if (!wasCut && mayGrow && isProven && goodputOfLimit.isPositiveOrUnknown()) {
            double room = (HEADROOM - ratio) / (HEADROOM - 1);
            limit = bounds.within(limit + Math.max(1, limit * MAX_GROWTH * Math.min(1, room)));
        }
    }

    private void descend(LimitWindow window, double nanos) {
        boolean last = limit * descent.factor() <= bounds.min();
        Descent.Answer answer = descent.step(window.goodput(), nanos, last);
        if (answer == Descent.Answer.GO_ON) {
            return;
        }
        double found = Math.min(maxHealthyNanos, descent.nanosAtEnd());
        if (answer == Descent.Answer.GOODPUT_FELL || found < baseline) {
            baseline = found;
            idleBaseline.clear();
        }
        isProven = true;
        limit = Math.min(limit, bounds.within(HEADROOM * limit * descent.factor()));
        descent.stop();
        settling = true;
    }
}
