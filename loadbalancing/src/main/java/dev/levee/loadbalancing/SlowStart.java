package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import java.time.Duration;

/**
 * The part of its weight that an endpoint has some time after it became usable: Envoy's slow start.
 *
 * <p>At least 10 %, otherwise {@code (elapsed / window)^(1 / aggression)}, in twenty steps. Aggression 1 is a straight
 * line; a larger one gives more at the beginning. See ADR 46.
 *
 * @see <a href="https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start">
 *     Envoy: Slow start mode</a>
 * @param windowNanos how long it takes; 0 for no slow start
 * @param aggression more than 0
 */
record SlowStart(long windowNanos, double aggression) {
    private static final double MIN = 0.1;
    private static final int STEPS = 20;

    static SlowStart of(Duration window, double aggression) {
        return new SlowStart(Nanos.of(window), aggression);
    }

    boolean isOver(long elapsedNanos) {
        return elapsedNanos >= windowNanos;
    }

    /** Returns a share in (0, 1]: the same throughout a step, so that a new set is made once for each step only. */
    double share(long elapsedNanos) {
        if (isOver(elapsedNanos)) {
            return 1.0;
        }
        long begun = Math.max(0L, elapsedNanos) / stepNanos() * stepNanos();
        return shareAt((double) begun / windowNanos);
    }

    /** Returns the share after a part of the window, from 0 to 1. */
    double shareAt(double part) {
        return Math.max(MIN, Math.pow(part, 1.0 / aggression));
    }

    long nanosToNextStep(long elapsedNanos) {
        long elapsed = Math.max(0L, elapsedNanos);
        return Math.min(stepNanos() - elapsed % stepNanos(), Math.max(0L, windowNanos - elapsed));
    }

    private long stepNanos() {
        return Math.max(1L, windowNanos / STEPS);
    }
}
