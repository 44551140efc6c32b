package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Nanos;

/** The state of {@link Gradient2Limit}. */
final class Gradient2Estimator implements LimitEstimator {
    /** So many first samples are averaged evenly. */
    private static final int WARM_UP = 10;

    private static final double MAX_LONG_OVER_SHORT = 2;
    private static final double FORGET = 0.95;

    private final Gradient2Limit settings;
    private LimitBounds bounds;
    private double limit;
    private double longNanos;
    private double sum;
    private int count;

    Gradient2Estimator(Gradient2Limit settings, LimitBounds bounds) {
        this.settings = settings;
        this.bounds = bounds;
        this.limit = bounds.initial();
    }

    @Override
    public long windowNanos() {
        return Nanos.of(settings.window());
    }

    @Override
    public void bound(LimitBounds next) {
        bounds = next;
        limit = bounds.within(limit);
    }

    @Override
    public double limit() {
        return limit;
    }

    @Override
    public double baselineNanos() {
        return longNanos;
    }

    @Override
    public void update(LimitWindow window) {
        if (window.samples() == 0) {
            return; // of drops that were not timed it learns nothing
        }
        double shortNanos = window.meanNanos();
        double average = average(shortNanos);
        longNanos = average > MAX_LONG_OVER_SHORT * shortNanos ? average * FORGET : average;
        if (window.maxInFlight() < limit / 2) {
            return;
        }
        double gradient = Math.max(0.5, Math.min(1, settings.tolerance() * average / shortNanos));
        double next = limit * gradient + settings.queueSize();
        limit = bounds.within(limit * (1 - settings.smoothing()) + next * settings.smoothing());
    }

    private double average(double nanos) {
        if (count < WARM_UP) {
            count++;
            sum += nanos;
            return sum / count;
        }
        double factor = 2.0 / (settings.longWindow() + 1);
        return longNanos * (1 - factor) + nanos * factor;
    }
}
