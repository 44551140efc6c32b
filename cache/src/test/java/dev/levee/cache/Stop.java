package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A place at which the first thread that passes stops until it is let go; those after it pass. */
final class Stop {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private boolean taken;

    void pass() throws InterruptedException {
        synchronized (this) {
            if (taken) {
                return;
            }
            taken = true;
        }
        reached.countDown();
        released.await();
    }

    void awaitReached() throws InterruptedException {
        assertThat(reached.await(10, TimeUnit.SECONDS)).as("reached").isTrue();
    }

    void release() {
        released.countDown();
    }
}
