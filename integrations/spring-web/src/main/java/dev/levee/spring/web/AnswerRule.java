package dev.levee.spring.web;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.Transport;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The rule of {@link HttpOutcomes} for answers, also those that travel through a pipeline as an exception. */
enum AnswerRule implements OutcomeRule {
    INSTANCE;

    private static final OutcomeRule HTTP = HttpOutcomes.of(AnswerHeaders.INSTANCE);
    private static final int UNAVAILABLE = 503;

    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        if (error instanceof FailedResponseException failed && failed.answer() != null) {
            Verdict verdict = HTTP.judge(failed.answer(), null);
            // That one endpoint wants to be left alone does not keep a call from asking another one.
            return verdict == Verdict.THROTTLED && mayAskOthers(failed) ? Verdict.FAILURE : verdict;
        }
        return HTTP.judge(result instanceof HttpAnswer<?> ? result : null, error);
    }

    @Override
    public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        if (error instanceof FailedResponseException failed && failed.answer() != null) {
            return mayAskOthers(failed) ? RefusedException.UNKNOWN : HTTP.retryAfterNanos(failed.answer(), null);
        }
        return HTTP.retryAfterNanos(result instanceof HttpAnswer<?> ? result : null, error);
    }

    private static boolean mayAskOthers(FailedResponseException failed) {
        HttpAnswer<?> answer = failed.answer();
        return answer != null && answer.leavesOthers && answer.status == UNAVAILABLE;
    }

    @Override
    public String toString() {
        return "http";
    }

    /** Reads status and headers; it sends nothing. */
    private enum AnswerHeaders implements Transport<Object, Object, HttpAnswer<?>> {
        INSTANCE;

        @Override
        public CompletionStage<HttpAnswer<?>> send(Object address, Object request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int status(HttpAnswer<?> answer) {
            return answer.status;
        }

        @Override
        public @Nullable String header(HttpAnswer<?> answer, String name) {
            return "Date".equals(name) ? answer.date : answer.retryAfter;
        }

        @Override
        public boolean isIdempotent(Object request) {
            return false;
        }

        @Override
        public boolean isReplayable(Object request) {
            return false;
        }
    }
}
