package dev.levee.circuitbreaker;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a breaker that say how it recovers: how many probes it admits, what they must show, and the ramp that
 * follows. Immutable. See ADR 18, ADR 67 and, for the ramp, ADR 32.
 */
final class HalfOpenRules {
    /**
     * The shortest lease by default. How long a breaker stays open says nothing about how long a healthy call takes, so
     * a short open time must not make a short lease.
     */
    static final Duration MIN_DEFAULT_LEASE = Duration.ofSeconds(30);

    final int calls;

    /** How many probes must succeed; 0 if the rates decide. */
    final int successes;

    /** Null for the default, which depends on the open time. */
    final @Nullable Duration lease;

    final boolean expiredFail;
    final Duration rampStep;
    final double[] rampShares;

    /** Fails if settings contradict each other. */
    HalfOpenRules(CircuitBreakerConfig.Builder builder) {
        calls = builder.halfOpenCalls;
        successes = builder.halfOpenSuccesses;
        lease = builder.probeLease;
        expiredFail = builder.expiredProbesFail;
        rampStep = builder.rampStep;
        rampShares = builder.rampShares;
        if (successes > calls) {
            throw new IllegalArgumentException(
                    "halfOpenSuccesses must be at most halfOpenCalls " + calls + ", but was " + successes);
        }
    }

    void copyTo(CircuitBreakerConfig.Builder builder) {
        builder.halfOpenCalls = calls;
        builder.halfOpenSuccesses = successes;
        builder.probeLease = lease;
        builder.expiredProbesFail = expiredFail;
        builder.rampStep = rampStep;
        builder.rampShares = rampShares;
    }

    /** Returns how long a probe may take. */
    Duration lease(Duration openFor) {
        if (lease != null) {
            return lease;
        }
        return openFor.compareTo(MIN_DEFAULT_LEASE) < 0 ? MIN_DEFAULT_LEASE : openFor;
    }

    /** Returns how many failed probes open the breaker again. */
    long minFailures(Thresholds limits) {
        return successes > 0 ? calls - successes + 1L : Thresholds.minCount(limits.failureRate, calls);
    }

    /** Returns how many slow probes open the breaker again. */
    long minSlow(Thresholds limits) {
        return Thresholds.minCount(limits.slowRate, calls);
    }

    /** Fails unless shares rise within their range. */
    static void requireRising(double[] shares) {
        double before = 0;
        for (double share : shares) {
            if (Require.ratio("ramp share", share) <= before) {
                throw new IllegalArgumentException("ramp shares must rise, but were " + Arrays.toString(shares));
            }
            before = share;
        }
    }

    @Override
    public String toString() {
        return calls + " probes"
                + (successes == 0 ? "" : ", of which " + successes + " must succeed")
                + (rampShares.length == 0
                        ? ""
                        : ", then " + Arrays.toString(rampShares) + " for " + Nanos.text(rampStep) + " each");
    }
}
