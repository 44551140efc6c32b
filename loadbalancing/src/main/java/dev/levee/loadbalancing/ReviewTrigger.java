package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler.Timer;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs reviews on the executor: soon after one is requested, and when one is due. The one timer of a balancer that
 * watches health; it detects pauses of the process as well, see {@link PauseDetector}.
 */
final class ReviewTrigger {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private final String balancer;
    private final Environment environment;
    private final NanoClock clock;
    private final Runnable review;
    private final PauseDetector pauses;
    /** Whether a review has been handed to the executor and has not begun. */
    private final AtomicBoolean requested = new AtomicBoolean();

    private volatile long due;
    private volatile boolean closed;
    private volatile @Nullable Timer timer;

    ReviewTrigger(String balancer, Environment environment, Runnable review, long nowNanos, long due) {
        this.balancer = balancer;
        this.environment = environment;
        this.clock = environment.clock();
        this.review = review;
        this.pauses = new PauseDetector(nowNanos);
        this.due = due;
    }

    PauseDetector pauses() {
        return pauses;
    }

    boolean isClosed() {
        return closed;
    }

    /** Sets when the next review must run if none is requested before. */
    void dueAt(long nanos) {
        due = nanos;
    }

    void startTimer() {
        if (closed) {
            return;
        }
        Timer next = environment.scheduler().schedule(this::onTimer, PauseDetector.PERIOD_NANOS);
        timer = next;
        if (closed) {
            next.cancel();
        }
    }

    private void onTimer() {
        long now = clock.nanoTime();
        pauses.onTimer(now);
        startTimer();
        if (now - due >= 0) {
            request();
        }
    }

    /** Requests a review; requests that come before it begins are one. Any thread may call this. */
    void request() {
        if (closed || !requested.compareAndSet(false, true)) {
            return;
        }
        try {
            environment.executor().execute(this::run);
        } catch (RejectedExecutionException full) {
            requested.set(false); // the timer will request it again
            due = clock.nanoTime();
        }
    }

    private void run() {
        requested.set(false);
        try {
            review.run();
        } catch (RuntimeException thrown) { // by a strategy of a user: the set stays as it was
            LOG.warn("balancer \"{}\": the endpoints could not be selected anew", balancer, thrown);
        }
    }

    void close() {
        closed = true;
        Timer waiting = timer;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
