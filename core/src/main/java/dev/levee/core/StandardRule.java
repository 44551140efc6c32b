package dev.levee.core;

import dev.levee.core.internal.Require;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** The rule of {@link OutcomeRule#standard()}. See ADR 7. */
enum StandardRule implements OutcomeRule {
    INSTANCE;

    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        if (error == null) {
            return Verdict.SUCCESS;
        }
        Judged known = judged(error);
        if (known != null) {
            return Require.nonNull("verdict", known.verdict());
        }
        if (Causes.anyCarried(error, StandardRule::isNotSent)) {
            return Verdict.NOT_SENT;
        }
        return isCutShort(error) ? judgeCutShort() : Verdict.FAILURE;
    }

    @Override
    public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        Judged known = error == null ? null : judged(error);
        return known == null ? OutcomeRule.super.retryAfterNanos(result, error) : known.retryAfterNanos();
    }

    private static @Nullable Judged judged(Throwable error) {
        return error instanceof Judged known ? known : (Judged) Causes.carried(error, Judged.class::isInstance);
    }

    private static boolean isNotSent(Throwable error) {
        return error instanceof ConnectException
                || error instanceof NoRouteToHostException
                || error instanceof UnknownHostException
                || error instanceof UnresolvedAddressException
                || Causes.isA(error, "java.net.http.HttpConnectTimeoutException");
    }

    /**
     * Whether an error says that the call was ended from outside, by a cancel, or by an interrupt of the thread that
     * worked for it: whatever wraps that.
     */
    static boolean isCutShort(Throwable error) {
        return Causes.anyCarried(error, CancellationException.class::isInstance)
                || Causes.any(error, StandardRule::isInterrupt);
    }

    private static boolean isInterrupt(Throwable error) {
        return error instanceof InterruptedException
                || error instanceof ClosedByInterruptException
                || error instanceof FileLockInterruptionException
                || isInterruptOfIo(error);
    }

    /**
     * Whether input or output says by a type of the JDK that its thread was interrupted. Subclasses of
     * {@code InterruptedIOException} are time-outs, and some clients use it for theirs.
     */
    private static boolean isInterruptOfIo(Throwable error) {
        if (error.getClass() == InterruptedIOException.class) {
            String message = error.getMessage();
            return message == null || message.toLowerCase(Locale.ROOT).contains("interrupt");
        }
        return error.getClass() == SocketException.class && "Closed by interrupt".equals(error.getMessage());
    }

    /**
     * Judges a call that was cut short: by a timeout around it, that is evidence; by the caller's own wish, it is not.
     */
    static Verdict judgeCutShort() {
        Deadline deadline = CallContext.current().deadline();
        return deadline != null && deadline.isExpired() ? Verdict.FAILURE : Verdict.IGNORED;
    }

    @Override
    public String toString() {
        return "standard";
    }
}
