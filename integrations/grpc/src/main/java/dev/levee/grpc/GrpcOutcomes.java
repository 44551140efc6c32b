package dev.levee.grpc;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.grpc.GrpcAttemptException.Knowledge;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * What a gRPC status means to retries, hedges, breakers and balancers.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>Status</th><th>Verdict</th></tr>
 * <tr><td>OK</td><td>{@code SUCCESS}</td></tr>
 * <tr><td>INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION,
 * OUT_OF_RANGE, ABORTED</td><td>{@code SUCCESS} if it is known that the server said so: it did its work;
 * {@code IGNORED} otherwise</td></tr>
 * <tr><td>CANCELLED</td><td>{@code IGNORED}: the caller's own wish</td></tr>
 * <tr><td>UNIMPLEMENTED</td><td>{@code IGNORED}: no other attempt would fare better</td></tr>
 * <tr><td>RESOURCE_EXHAUSTED</td><td>{@code THROTTLED}</td></tr>
 * <tr><td>UNAVAILABLE with a wait (pushback or RetryInfo)</td><td>{@code THROTTLED}</td></tr>
 * <tr><td>UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN, INTERNAL, DATA_LOSS</td><td>{@code FAILURE}</td></tr>
 * <tr><td>one of the last three rows, and the call surely was not sent</td><td>{@code NOT_SENT}</td></tr>
 * <tr><td>no status</td><td>as {@link OutcomeRule#standard()} has it</td></tr>
 * </table>
 *
 * <p><b>Not sent.</b> No code says so: UNAVAILABLE comes for a connection that was refused and for one that broke while
 * the server worked. It is known only of attempts of a {@link GrpcClientGuard}, whose stream has not put its headers
 * out, and of a status whose cause is a {@link RefusedException} of this process. Exceptions of a bare stub are never
 * {@code NOT_SENT} otherwise.
 *
 * <p><b>Waits.</b> {@code grpc-retry-pushback-ms} first, which means not to repeat the call if it is negative or cannot
 * be read; then {@code RetryInfo} in {@code grpc-status-details-bin}. A call that fails after headers of its response
 * have arrived is not repeated ({@link OutcomeRule#DO_NOT_RETRY}).
 *
 * <p>RESOURCE_EXHAUSTED is also what gRPC says of a message that is too large, and nothing tells the two apart: for
 * such a service add {@code onError(StatusRuntimeException.class, ..., Verdict.IGNORED)}.
 *
 * <p>Sources: "gRPC Retry Design", gRFC A6, 2017; "Status codes and their use in gRPC", grpc/grpc.
 *
 * @since 0.1
 */
public final class GrpcOutcomes {
    private GrpcOutcomes() {}

    /**
     * Returns the rule. Hand it to each policy that judges, which would go by {@link OutcomeRule#standard()} otherwise:
     * that one takes every status for a failure.
     *
     * @return the rule, always the same one; thread-safe
     */
    public static OutcomeRule rule() {
        return StatusRule.INSTANCE;
    }

    /**
     * Judges the end of a stream, for code that sees streams and no exceptions, such as a {@code ClientStreamTracer}.
     *
     * @param status how it ended
     * @param trailers what the server sent with the status; null if it did not
     * @param sent whether its headers went out
     * @return the verdict
     * @throws NullPointerException if {@code status} is null
     */
    public static Verdict ofStream(Status status, @Nullable Metadata trailers, boolean sent) {
        Require.nonNull("status", status);
        return verdict(status, trailers, new Knowledge(!sent, trailers != null, false));
    }

    private static Verdict verdict(Status status, @Nullable Metadata trailers, Knowledge known) {
        return switch (status.getCode()) {
            case OK -> Verdict.SUCCESS;
            case INVALID_ARGUMENT,
                    NOT_FOUND,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    UNAUTHENTICATED,
                    FAILED_PRECONDITION,
                    OUT_OF_RANGE,
                    ABORTED -> known.answered() ? Verdict.SUCCESS : Verdict.IGNORED;
            case CANCELLED, UNIMPLEMENTED -> Verdict.IGNORED;
            case RESOURCE_EXHAUSTED -> isUnsent(status, known) ? Verdict.NOT_SENT : Verdict.THROTTLED;
            case UNAVAILABLE -> {
                if (isUnsent(status, known)) {
                    yield Verdict.NOT_SENT;
                }
                long wait = RetryDetails.waitNanos(trailers);
                yield wait >= 0 && wait != OutcomeRule.DO_NOT_RETRY ? Verdict.THROTTLED : Verdict.FAILURE;
            }
            case DEADLINE_EXCEEDED, UNKNOWN, INTERNAL, DATA_LOSS ->
                isUnsent(status, known) ? Verdict.NOT_SENT : Verdict.FAILURE;
        };
    }

    private static boolean isUnsent(Status status, Knowledge known) {
        return known.unsent() || (status.getCause() instanceof RefusedException refusal && !refusal.mayHaveRun());
    }

    static @Nullable Status statusOf(@Nullable Throwable error) {
        if (error instanceof StatusRuntimeException unchecked) {
            return unchecked.getStatus();
        }
        return error instanceof StatusException checked ? checked.getStatus() : null;
    }

    static @Nullable Metadata trailersOf(@Nullable Throwable error) {
        if (error instanceof StatusRuntimeException unchecked) {
            return unchecked.getTrailers();
        }
        return error instanceof StatusException checked ? checked.getTrailers() : null;
    }

    private enum StatusRule implements OutcomeRule {
        INSTANCE;

        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            Status status = statusOf(error);
            return status == null
                    ? OutcomeRule.standard().judge(result, error)
                    : verdict(status, trailersOf(error), GrpcAttemptException.knowledgeOf(error));
        }

        @Override
        public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
            Status status = statusOf(error);
            if (status == null) {
                return OutcomeRule.standard().retryAfterNanos(result, error);
            }
            if (GrpcAttemptException.knowledgeOf(error).committed()) {
                return DO_NOT_RETRY;
            }
            long wait = RetryDetails.waitNanos(trailersOf(error));
            return wait == RefusedException.UNKNOWN && status.getCause() instanceof RefusedException refusal
                    ? refusal.retryAfterNanos()
                    : wait;
        }

        @Override
        public String toString() {
            return "grpc";
        }
    }
}
