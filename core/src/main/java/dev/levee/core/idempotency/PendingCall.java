package dev.levee.core.idempotency;

import dev.levee.core.internal.Unchecked;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** One call of this process that leads for its key, and those who wait for it. It always lands, and wakes everybody. */
final class PendingCall<T extends @Nullable Object> {
    private final Set<Runnable> waiters = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Ending<T> ending;
    private Ending<T> next = Ending.askAgain(); // of the leader

    /**
     * Takes part.
     *
     * @param wake run once or twice when it has landed, on the thread of whoever lands; must not throw
     */
    void join(Runnable wake) {
        waiters.add(wake);
        if (ending != null) {
            wake.run();
        }
    }

    void leave(Runnable wake) {
        waiters.remove(wake);
    }

    @Nullable Ending<T> ending() {
        return ending;
    }

    /** Says how it will land; until then it is with nothing. */
    Ending<T> landsWith(Ending<T> how) {
        next = how;
        return how;
    }

    void land() {
        ending = next;
        waiters.forEach(Runnable::run);
    }

    int waiting() {
        return waiters.size();
    }

    /** How a leader ended: with what it has recorded, or with nothing that others can use. */
    record Ending<T extends @Nullable Object>(
            boolean known, @Nullable T result, @Nullable Throwable failure) {
        static <T extends @Nullable Object> Ending<T> of(@Nullable T result, @Nullable Throwable failure) {
            return new Ending<>(true, result, failure);
        }

        /** Those who wait ask the store themselves. */
        static <T extends @Nullable Object> Ending<T> askAgain() {
            return new Ending<>(false, null, null);
        }

        <X extends Throwable> T get() throws X {
            if (failure != null) {
                throw Unchecked.<X>asDeclared(failure);
            }
            return Unchecked.<T>nullable(result);
        }
    }
}
