package dev.levee.core.idempotency;

import dev.levee.core.internal.Unchecked;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The one call of this process that asks the store for a key, and the calls of this process that wait for it. It always
 * ends, and wakes all that wait.
 */
final class PendingCall<T extends @Nullable Object> {
    private final Set<Runnable> waiters = ConcurrentHashMap.newKeySet();
    private volatile @Nullable PendingEnd<T> ending;

    /** What ends the work when no other call waits for it, because its own caller has left; null before that. */
    private volatile @Nullable Runnable abandon;

    /** How it will end; of the call itself. */
    private PendingEnd<T> prepared = PendingEnd.unusable();

    /**
     * Adds a waiter.
     *
     * @param wake run once or twice when the call has ended, on the thread that ended it; must not throw
     */
    void addWaiter(Runnable wake) {
        waiters.add(wake);
        if (ending != null) {
            wake.run();
        }
    }

    void removeWaiter(Runnable wake) {
        waiters.remove(wake);
        Runnable action = abandon;
        if (action != null && waiters.isEmpty()) {
            action.run();
        }
    }

    /**
     * Runs an action as soon as no other call waits: now, or when the last one leaves. A call that joins meanwhile may
     * be too late to keep the work.
     *
     * @param action may be run more than once; must not throw
     */
    void whenAbandoned(Runnable action) {
        abandon = action; // first, so that this thread or the one of the last waiter sees both
        if (waiters.isEmpty()) {
            action.run();
        }
    }

    /** Returns how it has ended; null as long as it has not. */
    @Nullable PendingEnd<T> ending() {
        return ending;
    }

    /** Sets how it will end, and returns that; unless this is called it ends with nothing that others can use. */
    PendingEnd<T> prepare(PendingEnd<T> how) {
        prepared = how;
        return how;
    }

    void end() {
        ending = prepared;
        waiters.forEach(Runnable::run);
    }

    int waiting() {
        return waiters.size();
    }

    /**
     * How a call ended: with what is recorded, or with nothing that others can use.
     *
     * @param known whether result and failure are what is recorded
     */
    record PendingEnd<T extends @Nullable Object>(
            boolean known, @Nullable T result, @Nullable Throwable failure) {
        static <T extends @Nullable Object> PendingEnd<T> of(@Nullable T result, @Nullable Throwable failure) {
            return new PendingEnd<>(true, result, failure);
        }

        /** Returns an ending after which each waiter has to ask the store itself. */
        static <T extends @Nullable Object> PendingEnd<T> unusable() {
            return new PendingEnd<>(false, null, null);
        }

        <X extends Throwable> T get() throws X {
            if (failure != null) {
                throw Unchecked.<X>asDeclared(failure);
            }
            return Unchecked.<T>nullable(result);
        }
    }
}
