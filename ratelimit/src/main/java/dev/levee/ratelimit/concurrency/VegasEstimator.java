package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Nanos;
import java.util.random.RandomGenerator;

/** The state of {@link VegasLimit}. */
final class VegasEstimator implements LimitEstimator {
    private static final int PROBE_MULTIPLIER = 30;

    private final VegasLimit settings;
    private LimitBounds bounds;
    private final RandomGenerator random;
    private double limit;
    private double noLoadNanos;
    private int sinceProbe;
    private double jitter;

    VegasEstimator(VegasLimit settings, LimitBounds bounds, RandomGenerator random) {
        this.settings = settings;
        this.bounds = bounds;
        this.random = random;
        this.limit = bounds.initial();
        this.jitter = nextJitter();
    }

    private double nextJitter() {
        return 0.5 + random.nextDouble() / 2;
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
        return noLoadNanos;
    }

    @Override
    public void update(LimitWindow window) {
        double nanos = window.meanNanos();
        sinceProbe++;
        if (window.samples() > 0 && jitter * PROBE_MULTIPLIER * limit <= sinceProbe) {
            jitter = nextJitter();
            sinceProbe = 0;
            noLoadNanos = nanos;
        } else if (window.samples() > 0 && (noLoadNanos == 0 || nanos < noLoadNanos)) {
            noLoadNanos = nanos;
        } else {
            double next = bounds.within(next(nanos, window));
            limit = (1 - settings.smoothing()) * limit + settings.smoothing() * next;
        }
    }

    private double next(double nanos, LimitWindow window) {
        int logarithm = Math.max(1, (int) Math.log10(limit));
        if (window.drops() > 0) {
            return limit - logarithm;
        }
        if (window.maxInFlight() * 2L < limit) {
            return limit;
        }
        int alpha = settings.alpha() > 0 ? settings.alpha() : 3 * logarithm;
        int beta = settings.beta() > 0 ? settings.beta() : 6 * logarithm;
        int queue = (int) Math.ceil(limit * (1 - noLoadNanos / nanos));
        if (queue <= logarithm) {
            return limit + beta;
        }
        if (queue < alpha) {
            return limit + logarithm;
        }
        return queue > beta ? limit - logarithm : limit;
    }
}
