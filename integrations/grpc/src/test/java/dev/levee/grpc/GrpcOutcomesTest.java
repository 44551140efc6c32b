package dev.levee.grpc;

import static dev.levee.core.Verdict.FAILURE;
import static dev.levee.core.Verdict.IGNORED;
import static dev.levee.core.Verdict.NOT_SENT;
import static dev.levee.core.Verdict.SUCCESS;
import static dev.levee.core.Verdict.THROTTLED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.EnumSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class GrpcOutcomesTest {
    private static final OutcomeRule RULE = GrpcOutcomes.rule();
    private static final EnumSet<Status.Code> ANSWERS = EnumSet.of(
            Status.Code.INVALID_ARGUMENT,
            Status.Code.NOT_FOUND,
            Status.Code.ALREADY_EXISTS,
            Status.Code.PERMISSION_DENIED,
            Status.Code.UNAUTHENTICATED,
            Status.Code.FAILED_PRECONDITION,
            Status.Code.OUT_OF_RANGE,
            Status.Code.ABORTED);

    private static Verdict bare(Status.Code code) {
        return switch (code) {
            case OK -> SUCCESS;
            case RESOURCE_EXHAUSTED -> THROTTLED;
            case UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN, INTERNAL, DATA_LOSS -> FAILURE;
            default -> IGNORED;
        };
    }

    @Test
    void each_code_of_a_bare_stub_has_its_verdict_and_none_is_not_sent() {
        for (Status.Code code : Status.Code.values()) {
            assertThat(RULE.judge(null, code.toStatus().asRuntimeException()))
                    .as("%s", code)
                    .isEqualTo(bare(code));
            assertThat(RULE.judge(null, code.toStatus().asException()))
                    .as("%s", code)
                    .isEqualTo(bare(code));
        }
        assertThat(RULE.judge("answer", null)).isEqualTo(SUCCESS);
        assertThat(RULE.judge(null, new CancellationException())).isEqualTo(IGNORED);
        assertThat(RULE.judge(null, new IllegalStateException())).isEqualTo(FAILURE);
    }

    @Test
    void a_stream_tells_whether_it_was_sent_and_answered() {
        for (Status.Code code : Status.Code.values()) {
            Verdict unsent = GrpcOutcomes.ofStream(code.toStatus(), null, false);
            Verdict sent = GrpcOutcomes.ofStream(code.toStatus(), null, true);
            Verdict answered = GrpcOutcomes.ofStream(code.toStatus(), new Metadata(), true);
            assertThat(sent).as("%s", code).isEqualTo(bare(code));
            assertThat(unsent).as("%s", code).isEqualTo(bare(code).isFailure() ? NOT_SENT : bare(code));
            assertThat(answered).as("%s", code).isEqualTo(ANSWERS.contains(code) ? SUCCESS : bare(code));
        }
    }

    @Test
    void a_wait_makes_UNAVAILABLE_throttled_and_the_pushback_goes_before_RetryInfo() {
        Metadata trailers = new Metadata();
        trailers.put(RetryDetails.DETAILS, RetryDetails.statusBytes(14, "m", 5_000_000_000L));
        var thrown = Status.UNAVAILABLE.asRuntimeException(trailers);
        assertThat(RULE.judge(null, thrown)).isEqualTo(THROTTLED);
        assertThat(RULE.retryAfterNanos(null, thrown)).isEqualTo(5_000_000_000L);
        trailers.put(RetryDetails.PUSHBACK, "7");
        assertThat(RULE.retryAfterNanos(null, thrown)).isEqualTo(7_000_000L);
        trailers.put(RetryDetails.PUSHBACK, "-7");
        assertThat(RULE.retryAfterNanos(null, thrown)).isEqualTo(OutcomeRule.DO_NOT_RETRY);
        assertThat(RULE.judge(null, thrown)).isEqualTo(FAILURE);
        assertThat(RULE.retryAfterNanos(null, Status.UNAVAILABLE.asRuntimeException()))
                .isEqualTo(RefusedException.UNKNOWN);
    }

    @Test
    void details_that_are_garbage_are_no_wait() {
        Metadata trailers = new Metadata();
        trailers.put(RetryDetails.DETAILS, new byte[] {26, 127, 1, 2});
        assertThat(RULE.retryAfterNanos(null, Status.UNAVAILABLE.asRuntimeException(trailers)))
                .isEqualTo(RefusedException.UNKNOWN);
    }

    @Test
    void a_refusal_of_this_process_was_not_sent_unless_an_attempt_before_may_have_run() {
        RefusedException refusal = Bulkhead.of("b", 1).refusal();
        assertThat(RULE.judge(null, Status.UNAVAILABLE.withCause(refusal).asRuntimeException()))
                .isEqualTo(NOT_SENT);
        assertThat(RULE.judge(
                        null,
                        Status.UNAVAILABLE.withCause(refusal.detachedAfterRun()).asRuntimeException()))
                .isEqualTo(FAILURE);
        assertThat(Outcomes.judge(RULE, null, refusal)).isEqualTo(IGNORED);
    }

    @Test
    void futures_wrap_and_it_does_not_matter() {
        var thrown = Status.RESOURCE_EXHAUSTED.asRuntimeException();
        assertThat(Outcomes.judge(RULE, null, new CompletionException(thrown))).isEqualTo(THROTTLED);
        assertThat(Outcomes.judge(RULE, null, new ExecutionException(thrown))).isEqualTo(THROTTLED);
    }
}
