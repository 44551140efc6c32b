package dev.levee.simulator.concurrency;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import com.netflix.concurrency.limits.limit.WindowedLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.simulator.CallFailed;
import dev.levee.simulator.World;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The limits that are compared, each as it is by default. */
final class Admissions {
    static final String KNEE = "knee (ours)";
    static final String QUEUE = "knee, queue by criticality (ours)";
    static final String SHEDDER = "the same behind a shedder (ours)";
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
            case QUEUE -> shedding(world, false);
            case SHEDDER -> shedding(world, true);
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
        if (classes) {
            config.partition("critical", CRITICAL_SHARE).partition("bulk", 1 - CRITICAL_SHARE);
        }
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("simulated", config.build(), world.environment("limit"));
        Gate critical = classes ? bulkhead.partition("critical") : bulkhead;
        Gate bulk = classes ? bulkhead.partition("bulk") : bulkhead;
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

    /** One that finds the limit, and whose queue goes by criticality; with a shedder outside of it, or without. */
    private static Admission shedding(World world, boolean shedder) {
        Environment environment = world.environment("limit");
        SheddingBulkhead bulkhead =
                SheddingBulkhead.of("simulated", config -> config.adaptive(limit -> {}), environment);
        Pipeline guard = shedder
                ? Pipeline.of(PriorityShedder.of("front", bulkhead, environment), bulkhead)
                : Pipeline.of(bulkhead);
        return new Admission() {
            @Override
            public @Nullable Admitted tryAdmit(boolean critical) {
                throw new IllegalStateException("calls wait here");
            }

            @Override
            public void admit(boolean critical, long leftNanos, Consumer<@Nullable Admitted> then) {
                CallContext.current()
                        .withCriticality(critical ? Criticality.CRITICAL : Criticality.SHEDDABLE)
                        .withDeadline(Deadline.afterNanos(leftNanos, environment.clock()))
                        .run(() -> guard.callAsync(() -> begin(then)).exceptionally(error -> refused(error, then)));
            }

            @Override
            public int limit() {
                return bulkhead.maxConcurrent();
            }
        };
    }

    private static CompletableFuture<Boolean> begin(Consumer<Admission.@Nullable Admitted> then) {
        CompletableFuture<Boolean> call = new CompletableFuture<>();
        then.accept(inTime -> {
            if (inTime) {
                call.complete(true);
            } else {
                call.completeExceptionally(new CallFailed("late"));
            }
        });
        return call;
    }

    private static Boolean refused(Throwable error, Consumer<Admission.@Nullable Admitted> then) {
        if (error instanceof RefusedException) {
            then.accept(null);
        }
        return false;
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
