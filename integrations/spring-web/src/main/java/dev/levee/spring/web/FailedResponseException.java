package dev.levee.spring.web;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Text;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A response whose status is a failure, on its way through a pipeline.
 *
 * <p>Policies count and repeat exceptions, so a response with status 500 is one for them; the caller of the client gets
 * the response as it came. This exception is seen by fallbacks, by outcome rules of the pipeline, and by the caller
 * only if the response was closed in favour of another attempt that gave no answer at all. It has no stack trace.
 *
 * @since 0.1
 */
public final class FailedResponseException extends IOException {
    private static final long serialVersionUID = 1L;

    /** The status. */
    private final int status;

    /** The response; null in a copy that was serialized. */
    private final transient @Nullable HttpAnswer<?> answer;

    FailedResponseException(String client, HttpAnswer<?> answer) {
        super("client \"" + Text.printable(client) + "\": status " + answer.status + " from "
                + Text.printable(Addresses.withoutSecrets(answer.uri.toString())));
        this.status = answer.status;
        this.answer = answer;
    }

    /**
     * Returns the status of the response.
     *
     * @return such as 503
     */
    public int status() {
        return status;
    }

    @Nullable HttpAnswer<?> answer() {
        return answer;
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // there is nothing to fill in
    public Throwable fillInStackTrace() {
        return this;
    }
}
