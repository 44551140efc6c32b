package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Peak EWMA with two random choices: picks the endpoint where the call is expected to finish first. See ADR 40.
 *
 * <p>This is the blueprint, which has no clock; each balancer gets a {@link LeastTimeOfBalancer} of its own. A picker
 * that the blueprint makes reads the machine's clock, and a tracker that it makes shows in snapshots what the last call
 * left behind.
 */
final class LeastTimeStrategy implements BalancingStrategy {
    private static final Duration MIN_DECAY = Duration.ofMillis(1);
    private static final Duration MAX_DECAY = Duration.ofHours(1);

    private final long decayNanos;

    LeastTimeStrategy(Duration decay) {
        decayNanos = Nanos.of(Require.nonNull("decay", decay));
        if (decay.compareTo(MIN_DECAY) < 0 || decay.compareTo(MAX_DECAY) > 0) {
            throw new IllegalArgumentException("decay must be from " + Nanos.text(MIN_DECAY) + " to "
                    + Nanos.text(MAX_DECAY) + ", but was " + Nanos.text(decay));
        }
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new LeastTimeOfBalancer(this, environment.clock());
    }

    @Override
    public LoadTracker newTracker(Endpoint<?> endpoint) {
        return tracker(null);
    }

    PeakEwma tracker(@Nullable NanoClock clock) {
        return new PeakEwma(decayNanos, clock);
    }

    /** Returns the tracker of each candidate; a new one for each that has none, or that of another strategy. */
    PeakEwma[] trackers(Candidates candidates, @Nullable NanoClock clock) {
        PeakEwma[] trackers = new PeakEwma[candidates.size()];
        for (int i = 0; i < trackers.length; i++) {
            trackers[i] = candidates.tracker(i) instanceof PeakEwma known ? known : tracker(clock);
        }
        return trackers;
    }

    @Override
    public Picker over(Candidates candidates) {
        return new LeastTimePicker(
                candidates, trackers(candidates, null), Environment.system().clock());
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "least time";
    }
}
