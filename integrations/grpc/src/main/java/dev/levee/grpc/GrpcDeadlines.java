package dev.levee.grpc;

import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import io.grpc.CallOptions;
import io.grpc.Context;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Carries deadlines between gRPC and this library as the time that is left, since each has a clock of its own. See ADR
 * 133.
 */
final class GrpcDeadlines {
    private GrpcDeadlines() {}

    /** Returns the earlier of the deadlines of a call and of its context; null if there is none. */
    static @Nullable Deadline of(CallOptions options, Context context, NanoClock clock) {
        long left = Math.min(left(options.getDeadline()), left(context.getDeadline()));
        return left == Long.MAX_VALUE ? null : Deadline.afterNanos(left, clock);
    }

    /** Returns options whose deadline is not after a deadline of ours. */
    static CallOptions narrow(CallOptions options, @Nullable Deadline deadline) {
        if (deadline == null) {
            return options;
        }
        long left = deadline.remainingNanos();
        return left >= Nanos.NEVER || left(options.getDeadline()) <= left
                ? options
                : options.withDeadlineAfter(left, TimeUnit.NANOSECONDS);
    }

    private static long left(io.grpc.@Nullable Deadline deadline) {
        return deadline == null ? Long.MAX_VALUE : deadline.timeRemaining(TimeUnit.NANOSECONDS);
    }
}
