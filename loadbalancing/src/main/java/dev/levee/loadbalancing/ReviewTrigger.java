package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.HandOver;
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
    private final Ticker ticker;
    private final Runnable review;
    private final HandOver handOver;
    /** Whether a review has been handed to the executor and has not begun. */
    private final AtomicBoolean requested = new AtomicBoolean();

    private volatile long due;
    private volatile boolean closed;

    ReviewTrigger(String balancer, Environment environment, Ticker ticker, Runnable review, long due) {
        this.balancer = balancer;
        this.environment = environment;
        this.clock = environment.clock();
        this.ticker = ticker;
        this.review = review;
        this.due = due;
        this.handOver = new HandOver(LOG, "balancer \"" + balancer + "\", health reviews");
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
        if (handOver.execute(environment, this::run, this::requestAgain) != null) {
            requestAgain();
        }
    }

    private void requestAgain() {
        requested.set(false);
        due = clock.nanoTime(); // the timer will request it again
        ticker.start(); // if it could not be set before
    }

    private void run() {
        requested.set(false);
        try {
            review.run();
        } catch (Throwable thrown) { // by a strategy of a user: the set stays as it was
            SafeLog.warn(LOG, "balancer \"{}\": the endpoints could not be selected anew", balancer, thrown);
        }
    }

    void close() {
        closed = true;
    }
}
