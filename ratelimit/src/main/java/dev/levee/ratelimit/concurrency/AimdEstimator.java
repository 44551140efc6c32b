package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Nanos;

/** The state of {@link AimdLimit}. */
final class AimdEstimator implements LimitEstimator {
    private final AimdLimit settings;
    private LimitBounds bounds;
    private final double timeoutNanos;
    private int limit;

    AimdEstimator(AimdLimit settings, LimitBounds bounds) {
        this.settings = settings;
        this.bounds = bounds;
        this.timeoutNanos = Nanos.of(settings.timeout());
        this.limit = bounds.initial();
    }

    @Override
    public long windowNanos() {
        return Nanos.of(settings.window());
    }

    @Override
    public void bound(LimitBounds next) {
        bounds = next;
        limit = (int) bounds.within(limit);
    }

    @Override
    public double limit() {
        return limit;
    }

    @Override
    public void update(LimitWindow window) {
        if (window.drops() > 0 || window.meanNanos() > timeoutNanos) {
            limit = (int) bounds.within((int) (limit * settings.backoff()));
        } else if (window.maxInFlight() * 2L >= limit) {
            limit = (int) bounds.within(limit + 1.0);
        }
    }
}
