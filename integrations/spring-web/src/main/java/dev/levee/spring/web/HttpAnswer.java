package dev.levee.spring.web;

import dev.levee.core.internal.SafeLog;
import java.net.URI;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The response of an attempt at its headers. Its body is given away once or closed once. */
final class HttpAnswer<R> {
    private static final Logger LOG = LoggerFactory.getLogger(ClientGuard.class);

    final R response;
    final URI uri;
    final int status;
    final @Nullable String retryAfter;
    final @Nullable String date;
    /** Whether the call has not been sent to every endpoint yet. */
    final boolean leavesOthers;

    /** Whether policies have been told that it is a failure. */
    volatile boolean failed;

    private final Consumer<? super R> closer;
    private final AtomicBoolean taken = new AtomicBoolean();

    HttpAnswer(
            R response,
            URI uri,
            int status,
            @Nullable String retryAfter,
            @Nullable String date,
            boolean leavesOthers,
            Consumer<? super R> closer) {
        this.response = response;
        this.uri = uri;
        this.status = status;
        this.retryAfter = retryAfter;
        this.date = date;
        this.leavesOthers = leavesOthers;
        this.closer = closer;
    }

    /** Takes the response for the caller; false if it was closed or taken before. */
    boolean take() {
        return taken.compareAndSet(false, true);
    }

    /** Closes the response, unless the caller has it. */
    void close() {
        if (take()) {
            try {
                closer.accept(response);
            } catch (Exception failure) {
                SafeLog.warn(LOG, "An unused response could not be closed", failure);
            }
        }
    }
}
