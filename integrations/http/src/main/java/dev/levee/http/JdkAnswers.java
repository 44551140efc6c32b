package dev.levee.http;

import dev.levee.core.CallFuture;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.TimedOutException;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.util.concurrent.CompletableFuture;

/** Responses and exceptions in the form that callers of an {@code HttpClient} expect. */
final class JdkAnswers {
    private JdkAnswers() {}

    @SuppressWarnings("unchecked") // its body comes from the handler that was given with the request
    static <T> HttpResponse<T> bodyOf(HttpResponse<?> response) {
        return (HttpResponse<T>) response;
    }

    static IOException asDeclared(Throwable cause) throws IOException, InterruptedException {
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        if (cause instanceof InterruptedException interrupted) {
            throw interrupted;
        }
        return cause instanceof IOException io ? io : new IOException(cause.getMessage(), cause);
    }

    static Throwable asInTheJdk(Throwable error) {
        if (error instanceof TimedOutException || error instanceof DeadlineExpiredException) {
            HttpTimeoutException timeout = new HttpTimeoutException(error.getMessage());
            timeout.initCause(error);
            return timeout;
        }
        return error instanceof RefusedException refused ? new HttpRefusedException(refused) : error;
    }

    /** The future of an asynchronous call. */
    static final class ResponseFuture<T> extends CallFuture<HttpResponse<T>> {
        CompletableFuture<HttpResponse<T>> follow(CompletableFuture<HttpResponse<?>> call) {
            passCancelTo(call);
            call.whenComplete((response, error) -> {
                if (error != null) {
                    completeExceptionally(asInTheJdk(Outcomes.unwrap(error)));
                } else {
                    answer(response);
                }
            });
            return this;
        }

        private void answer(HttpResponse<?> response) {
            Throwable failure = response instanceof JdkResponse<?> ours ? ours.failure : null;
            if (failure != null) {
                completeExceptionally(failure);
            } else {
                complete(bodyOf(response));
            }
        }
    }
}
