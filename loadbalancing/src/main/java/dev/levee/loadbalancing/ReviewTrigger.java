package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs reviews on the executor: soon after one is requested, and at the next tick of the {@link Ticker} after one is
 * due.
 */
final class ReviewTrigger {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private final String balancer;
    private final Environment environment;
    private final NanoClock clock;
    private final Runnable review;
    /** Whether a review has been handed to the executor and has not begun. */
    private final AtomicBoolean requested = new AtomicBoolean();

    private volatile long due;
    private volatile boolean closed;

    ReviewTrigger(String balancer, Environment environment, Ticker ticker, Runnable review, long due) {
        this.balancer = balancer;
        this.environment = environment;
        this.clock = environment.clock();
        this.review = review;
        this.due = due;
        ticker.add(this::onTick);
    }

    boolean isClosed() {
        return closed;
    }

    /** Sets when the next review must run if none is requested before. */
    void dueAt(long nanos) {
        due = nanos;
    }

    private void onTick(long now) {
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
    }
}
