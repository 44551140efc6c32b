package dev.levee.spring.cloud;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.Transport;
import java.lang.reflect.Method;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.loadbalancer.ResponseData;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;

/**
 * What the outcome of a balanced request means: {@link HttpOutcomes} for what Spring Cloud reports.
 *
 * @since 0.1
 */
public final class CloudOutcomes {
    private static final @Nullable ServletAnswers SERVLETS = ServletAnswers.find();

    private CloudOutcomes() {}

    /**
     * Returns the rule.
     *
     * @return the rule, always the same one
     */
    public static OutcomeRule rule() {
        return Rule.INSTANCE;
    }

    /** Returns whether a status is evidence against the service. */
    static boolean isFailure(HttpStatusCode status, @Nullable String retryAfter) {
        return Rule.HTTP.judge(new CloudAnswer(status.value(), retryAfter, null), null) == Verdict.FAILURE;
    }

    private record CloudAnswer(
            int status,
            @Nullable String retryAfter,
            @Nullable String date) {}

    private enum Rule implements OutcomeRule {
        INSTANCE;

        private static final OutcomeRule HTTP = HttpOutcomes.of(CloudHeaders.INSTANCE);

        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            return HTTP.judge(answer(result), carried(error));
        }

        @Override
        public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
            return HTTP.retryAfterNanos(answer(result), carried(error));
        }

        /** WebClient wraps what its connector throws. */
        private static @Nullable Throwable carried(@Nullable Throwable error) {
            return error != null
                            && error.getCause() != null
                            && error.getClass().getSimpleName().equals("WebClientRequestException")
                    ? error.getCause()
                    : error;
        }

        private static @Nullable CloudAnswer answer(@Nullable Object result) {
            if (!(result instanceof ResponseData data)) {
                return SERVLETS == null || result == null ? null : SERVLETS.answer(result);
            }
            return answer(data.getHttpStatus(), data.getHeaders());
        }

        private static @Nullable CloudAnswer answer(@Nullable HttpStatusCode status, @Nullable HttpHeaders headers) {
            return status == null
                    ? null
                    : new CloudAnswer(
                            status.value(),
                            headers == null ? null : headers.getFirst(HttpHeaders.RETRY_AFTER),
                            headers == null ? null : headers.getFirst(HttpHeaders.DATE));
        }

        @Override
        public String toString() {
            return "http";
        }
    }

    /** What the gateway on servlets passes as its answer, a type of Spring MVC, which need not be there. */
    private record ServletAnswers(Class<?> type, Method status, Method headers) {
        static @Nullable ServletAnswers find() {
            try {
                Class<?> type = Class.forName(
                        "org.springframework.web.servlet.function.ServerResponse",
                        false,
                        CloudOutcomes.class.getClassLoader());
                return new ServletAnswers(type, type.getMethod("statusCode"), type.getMethod("headers"));
            } catch (ReflectiveOperationException | LinkageError absent) {
                return null;
            }
        }

        @Nullable CloudAnswer answer(Object result) {
            if (!type.isInstance(result)) {
                return null;
            }
            try {
                return Rule.answer((HttpStatusCode) status.invoke(result), (HttpHeaders) headers.invoke(result));
            } catch (ReflectiveOperationException unreadable) {
                return null;
            }
        }
    }

    /** Reads status and headers; it sends nothing. */
    private enum CloudHeaders implements Transport<Object, Object, CloudAnswer> {
        INSTANCE;

        @Override
        public CompletionStage<CloudAnswer> send(Object address, Object request) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int status(CloudAnswer answer) {
            return answer.status();
        }

        @Override
        public @Nullable String header(CloudAnswer answer, String name) {
            return "Date".equals(name) ? answer.date() : answer.retryAfter();
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
