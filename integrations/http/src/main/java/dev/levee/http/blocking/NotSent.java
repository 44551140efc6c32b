package dev.levee.http.blocking;

import java.net.ConnectException;

/**
 * Says of a failure that its request was surely not sent, which its type does not tell: a suppressed exception, so that
 * callers get the object that the client threw, and logs say why it was repeated. A {@code ConnectException}, because
 * core takes suppressed exceptions for earlier attempts, and that one for an attempt that has not run.
 */
final class NotSent extends ConnectException {
    private static final long serialVersionUID = 1L;

    private NotSent() {
        super("the request was not sent");
    }

    static <T extends Throwable> T mark(T failure) {
        failure.addSuppressed(new NotSent());
        return failure;
    }

    static boolean isSaidOf(Throwable failure) {
        for (Throwable suppressed : failure.getSuppressed()) {
            if (suppressed instanceof NotSent) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Throwable fillInStackTrace() {
        return this; // what it is suppressed in has the stack
    }
}
