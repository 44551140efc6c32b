package dev.levee.grpc;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * How an attempt failed, with what is known about it besides its status. Belongs to one call; carries no stack trace,
 * because it is made on a thread of the transport. Policies without a rule of their own take it for what
 * {@link GrpcOutcomes#rule()} says. See ADR 182.
 */
final class GrpcAttemptException extends StatusRuntimeException implements OutcomeRule.Judged {
    private static final long serialVersionUID = 1L;

    private final transient Knowledge knowledge;

    /**
     * What is known about an attempt.
     *
     * @param unsent whether it surely was not sent: a stream was made for it, and its headers never went out
     * @param answered whether the server itself has sent the status
     * @param committed whether headers of a response had arrived before it failed
     */
    record Knowledge(boolean unsent, boolean answered, boolean committed) {
        static final Knowledge NONE = new Knowledge(false, false, false);
    }

    GrpcAttemptException(Status status, @Nullable Metadata trailers, Knowledge knowledge) {
        super(status, trailers);
        this.knowledge = knowledge;
    }

    /** Returns what is known of how an attempt failed: nothing of an exception that is of another origin. */
    static Knowledge knowledgeOf(@Nullable Throwable error) {
        Knowledge known = error instanceof GrpcAttemptException own ? own.knowledge : null;
        return known == null ? Knowledge.NONE : known; // null in a copy that was serialized
    }

    @Override
    public Verdict verdict() {
        return GrpcOutcomes.rule().judge(null, this);
    }

    @Override
    public long retryAfterNanos() {
        return GrpcOutcomes.rule().retryAfterNanos(null, this);
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it has no state to guard
    public Throwable fillInStackTrace() {
        return this;
    }
}
