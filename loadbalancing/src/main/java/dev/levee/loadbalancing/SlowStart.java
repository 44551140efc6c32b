package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import java.time.Duration;

/**
 * The part of its weight that an endpoint has some time after it became usable: Envoy's slow start, at least 10 %, else
 * {@code (elapsed / window)^(1 / aggression)}, in twenty steps. Aggression 1 is a line; more gives more at the beginning.
 *
 * @param windowNanos how long it takes; 0 if there is none
 * @param aggression more than 0
 */
record SlowStart(long windowNanos, double aggression) {
    static final SlowStart NONE = new SlowStart(0, 1.0);
    private static final double MIN = 0.1;
    private static final int STEPS = 20;

    static SlowStart of(Duration window, double aggression) {
        return new SlowStart(Nanos.of(window), aggression);
    }

    boolean isOver(long elapsedNanos) {
        return elapsedNanos >= windowNanos;
    }

    /** In (0, 1]; the same throughout a step, so that sets are made anew once for each step and no oftener. */
    double share(long elapsedNanos) {
        if (isOver(elapsedNanos)) {
            return 1.0;
        }
        long begun = Math.max(0L, elapsedNanos) / stepNanos() * stepNanos();
        return shareAt((double) begun / windowNanos);
    }

    /** Of a part of the window, from 0 to 1. */
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
