package dev.levee.http.blocking;

import java.io.IOException;

/**
 * Says of a failure that its request may have been sent, although its type says that it was not: a connection refused
 * behind a redirect. Suppressed in it, where core takes it for an attempt that has run, and so for a failure.
 */
final class PerhapsSent extends IOException {
    private static final long serialVersionUID = 1L;

    private PerhapsSent() {
        super("the request was sent before");
    }

    static <T extends Throwable> T mark(T failure) {
        failure.addSuppressed(new PerhapsSent());
        return failure;
    }

    @Override
    public Throwable fillInStackTrace() {
        return this; // what it is suppressed in has the stack
    }
}
