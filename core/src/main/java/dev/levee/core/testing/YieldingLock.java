package dev.levee.core.testing;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Waits without parking. A lock that parks eats the permit of an unpark that was meant for the park which its caller is about to
 * begin. Held for moments only.
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
}
