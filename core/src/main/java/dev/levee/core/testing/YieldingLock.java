package dev.levee.core.testing;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A lock that waits without parking. A lock that parks would consume the permit of an unpark that was meant for the
 * park which its caller is about to begin. Held for moments only.
 */
final class YieldingLock extends ReentrantLock {
    private static final long serialVersionUID = 1L;

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // right whatever the scheduler does; yielding only saves time
    public void lock() {
        while (!tryLock()) {
            Thread.yield();
        }
    }

    /** Runs an action under the lock. */
    void run(Runnable action) {
        lock();
        try {
            action.run();
        } finally {
            unlock();
        }
    }

    /** Returns a value that is read under the lock. */
    <T extends @Nullable Object> T get(Supplier<T> value) {
        lock();
        try {
            return value.get();
        } finally {
            unlock();
        }
    }
}
