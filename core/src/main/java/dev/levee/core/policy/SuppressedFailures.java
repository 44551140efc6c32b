package dev.levee.core.policy;

import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The failures of earlier attempts, of which the latest eight are kept, to be suppressed in what is thrown at the end.
 *
 * <p>Only exceptions that belong to one call carry them: those that the library makes for it, and those whose stack
 * trace shows that it made them ({@link #isOfThisCall}). An exception that several callers may get, because it is a
 * constant, or comes from a future or out of a cache, is never touched. See ADR 61.
 *
 * <p>Thread-safe: an immutable array is replaced by another one, because a timer may read what an attempt adds.
 */
final class SuppressedFailures {
    private static final VarHandle EARLIER = Handles.field(MethodHandles.lookup(), "earlier", Throwable[].class);
    private static final int MAX = 8;
    private static final Throwable[] NONE = {};

    /** The packages whose policies hand what they catch to several callers. */
    private static final List<String> SHARING = List.of("dev.levee.core.idempotency.", "dev.levee.cache.");

    /** Written through {@link #EARLIER}, and never changed in place. */
    private volatile Throwable[] earlier = NONE;

    void add(@Nullable Throwable error) {
        if (error == null) {
            return;
        }
        Throwable[] seen;
        Throwable[] next;
        do {
            seen = earlier;
            int dropped = seen.length == MAX ? 1 : 0;
            next = Arrays.copyOfRange(seen, dropped, seen.length + 1);
            next[next.length - 1] = error;
        } while (!EARLIER.compareAndSet(this, seen, next));
    }

    /** Takes back what was added last; only by the thread that has added it. */
    void removeLast() {
        Throwable[] seen = earlier;
        if (seen.length > 0) {
            earlier = Arrays.copyOf(seen, seen.length - 1);
        }
    }

    void addAll(@Nullable SuppressedFailures others) {
        if (others != null) {
            for (Throwable failure : others.earlier) {
                add(failure);
            }
        }
    }

    /**
     * Keeps a failure that is going to be repeated for the call with a timeout that this thread works for, if there is
     * one: its time may be up before the attempt that follows ends.
     */
    static void note(CallState state, @Nullable Throwable error) {
        SuppressedFailures noted = ofTimedCall(state);
        if (noted != null) {
            noted.add(error);
        }
    }

    /** Returns what failures of the call with a timeout that this thread works for are noted in; null without one. */
    static @Nullable SuppressedFailures ofTimedCall(CallState state) {
        if (state.alarm() == null) {
            return null;
        }
        if (state.noted() instanceof SuppressedFailures noted) {
            return noted;
        }
        SuppressedFailures noted = new SuppressedFailures();
        state.noted(noted);
        return noted;
    }

    /**
     * Returns the last failure with the earlier ones suppressed, if it can carry them. A refusal is copied first.
     *
     * @param afterRun whether an earlier attempt may have run, so that a refusal must say so
     */
    Throwable onto(Throwable last, boolean afterRun) {
        if (afterRun && last instanceof CompletionException && last.getCause() instanceof RefusedException refusal) {
            return new CompletionException(onto(refusal, true));
        }
        if (afterRun && last instanceof ExecutionException && last.getCause() instanceof RefusedException refusal) {
            return new ExecutionException(onto(refusal, true));
        }
        if (earlier.length == 0 && !afterRun) {
            return last;
        }
        Throwable carrier = ofOneCaller(last);
        if (afterRun && carrier instanceof RefusedException refusal && !refusal.mayHaveRun()) {
            carrier = refusal.detachedAfterRun();
        }
        suppressAllIn(carrier);
        return carrier;
    }

    /** Returns the failure itself, or a copy if it is a refusal, which many calls may share. */
    static Throwable ofOneCaller(Throwable failure) {
        if (!(failure instanceof RefusedException refused)) {
            return failure;
        }
        return refused.mayHaveRun() ? refused.detachedAfterRun() : refused.detached();
    }

    /**
     * Suppresses a failure in another one if that belongs to this call: a bounded number, because user code may throw
     * the same object for ever.
     */
    static void suppress(Throwable carrier, Throwable failure) {
        if (carrier instanceof RefusedException || isOfThisCall(carrier)) {
            suppressInOwn(carrier, failure);
        }
    }

    /** Suppresses a failure in an exception that the library has made for this call. */
    static void suppressInOwn(Throwable carrier, Throwable failure) {
        Throwable[] suppressed = carrier.getSuppressed();
        for (Throwable known : suppressed) {
            if (known == failure) {
                return;
            }
        }
        if (failure != carrier && suppressed.length < MAX) {
            carrier.addSuppressed(failure);
        }
    }

    void suppressAllIn(Throwable carrier) {
        if (earlier.length > 0 && (carrier instanceof RefusedException || isOfThisCall(carrier))) {
            suppressAllInOwn(carrier);
        }
    }

    /** Suppresses all failures in an exception that the library has made for this call. */
    void suppressAllInOwn(Throwable carrier) {
        for (Throwable failure : earlier) {
            suppressInOwn(carrier, failure);
        }
    }

    /**
     * Whether the stack trace of an exception shows that it was made on this thread within the call of the policy that
     * asks, and not by what shares exceptions: all frames from the policy's method {@code around} down are those of
     * now.
     *
     * <p>Costs two stack traces, after a wait between attempts that took longer. An operation that keeps an exception
     * of one call and throws it in another one that came by the same lines of code is not found out.
     */
    static boolean isOfThisCall(Throwable carrier) {
        try {
            return isMadeInThisCall(carrier.getStackTrace());
        } catch (RuntimeException | Error broken) { // an exception whose own methods throw, or say nothing
            return false;
        }
    }

    private static boolean isMadeInThisCall(StackTraceElement[] made) {
        StackTraceElement[] now = new Throwable().getStackTrace();
        int entry = 0;
        while (entry < now.length && !isEntry(now[entry])) {
            entry++;
        }
        int height = now.length - entry;
        if (height == 0 || made.length <= height) {
            return false;
        }
        for (int i = 1; i < height; i++) {
            if (!made[made.length - i].equals(now[now.length - i])) {
                return false;
            }
        }
        StackTraceElement around = made[made.length - height];
        return around.getClassName().equals(now[entry].getClassName())
                && around.getMethodName().equals(now[entry].getMethodName())
                && Arrays.stream(made).noneMatch(SuppressedFailures::isSharing);
    }

    private static boolean isEntry(StackTraceElement frame) {
        return frame.getMethodName().startsWith("around")
                && frame.getClassName().startsWith(SuppressedFailures.class.getPackageName());
    }

    private static boolean isSharing(StackTraceElement frame) {
        return SHARING.stream().anyMatch(frame.getClassName()::startsWith);
    }

    Throwable[] all() {
        return earlier.clone();
    }
}
