package dev.levee.simulator.concurrency;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import com.netflix.concurrency.limits.limit.WindowedLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.simulator.World;
import org.jspecify.annotations.Nullable;

/** The limits that are compared, each as it is by default. */
final class Admissions {
    static final String KNEE = "knee (ours)";
    static final String AIMD = "AIMD, Netflix";
    static final String VEGAS = "Vegas, Netflix";
    static final String GRADIENT2 = "Gradient2, Netflix";
    static final String GRADIENT2_WINDOWED = "Gradient2 in windows, Netflix";
    static final String ORACLE = "best fixed limit";

    private static final double CRITICAL_SHARE = 0.5;

    private Admissions() {}

    /** Makes the one of that name. */
    static Admission of(String name, World world, boolean classes) {
        return switch (name) {
            case KNEE -> knee(world, classes);
            case AIMD -> netflix(world, AIMDLimit.newBuilder().build());
            case VEGAS -> netflix(world, VegasLimit.newDefault());
            case GRADIENT2 -> netflix(world, Gradient2Limit.newDefault());
            case GRADIENT2_WINDOWED -> netflix(world, WindowedLimit.newBuilder().build(Gradient2Limit.newDefault()));
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** With a share that is guaranteed to critical calls, if there are two classes. */
    private static Admission knee(World world, boolean classes) {
        AdaptiveBulkheadConfig.Builder config = AdaptiveBulkheadConfig.builder();
        if (classes && !Boolean.getBoolean("np")) {
            config.partition("critical", CRITICAL_SHARE).partition("bulk", 1 - CRITICAL_SHARE);
        }
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("simulated", config.build(), world.environment("limit"));
        Gate critical = classes && !Boolean.getBoolean("np") ? bulkhead.partition("critical") : bulkhead;
        Gate bulk = classes && !Boolean.getBoolean("np") ? bulkhead.partition("bulk") : bulkhead;
        return new Admission() {
            @Override
            public @Nullable Admitted tryAdmit(boolean isCritical) {
                Gate gate = isCritical ? critical : bulk;
                long stamp = gate.tryEnter(0);
                return stamp == Gate.REFUSED
                        ? null
                        : inTime -> gate.exit(
                                stamp, 0, 0, inTime ? Verdict.SUCCESS : Verdict.FAILURE, RefusedException.UNKNOWN);
            }

            @Override
            public int limit() {
                return bulkhead.limit();
            }
        };
    }

    /** In a time that does not wrap, which is not what is compared here. */
    private static Admission netflix(World world, Limit limit) {
        Limiter<@Nullable Object> limiter = SimpleLimiter.newBuilder()
                .limit(limit)
                .nanoClock(() -> world.time().now())
                .build();
        return new Admission() {
            @Override
            public @Nullable Admitted tryAdmit(boolean critical) {
                Limiter.@Nullable Listener listener = limiter.acquire(null).orElse(null);
                return listener == null
                        ? null
                        : inTime -> {
                            if (inTime) {
                                listener.onSuccess();
                            } else {
                                listener.onDropped();
                            }
                        };
            }

            @Override
            public int limit() {
                return limit.getLimit();
            }
        };
    }

    /** A limit that stays. */
    static Admission fixed(int limit) {
        int[] inFlight = new int[1];
        return new Admission() {
            @Override
            public @Nullable Admitted tryAdmit(boolean critical) {
                if (inFlight[0] >= limit) {
                    return null;
                }
                inFlight[0]++;
                return inTime -> inFlight[0]--;
            }

            @Override
            public int limit() {
                return limit;
            }
        };
    }
}
