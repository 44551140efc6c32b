package dev.levee.circuitbreaker;

import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.OneAtATime;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Publishes each change of state once, in the order in which they happened, to the log and to the listener.
 *
 * <p>The epochs of a breaker are a chain, which is all the queue that is needed. One thread at a time walks it and
 * publishes, for as long as changes were made meanwhile; the threads that made these do not wait. So a listener that
 * blocks holds up one thread and no state, and one that changes the state is notified of that when it has returned. See
 * ADR 18.
 */
final class StateChangePublisher {
    private static final Logger LOG = LoggerFactory.getLogger(CircuitBreaker.class);

    private final String subject;
    private final String name;
    private final Listener listener;
    private final Supplier<Epoch> newest;
    private final OneAtATime publishing = new OneAtATime(this::publishNew);

    /** The last epoch that was published; only {@link #publishing} reads and writes it. */
    private Epoch last;

    /** @param newest gives the epoch that is current; not called before {@link #publish} */
    StateChangePublisher(String name, Listener listener, Epoch first, Supplier<Epoch> newest) {
        this.subject = BreakerText.subject(name);
        this.name = name;
        this.listener = listener;
        this.last = first;
        this.newest = newest;
    }

    /** Publishes what has changed, on this thread or on the one that is publishing already. */
    void publish() {
        publishing.run();
    }

    private void publishNew() {
        Epoch end = newest.get();
        linkForward(end);
        Epoch epoch = last;
        while (epoch != end) {
            Epoch next = epoch.next;
            if (next == null) {
                return; // cannot happen: linked above
            }
            epoch.next = null;
            next.previous = null;
            last = next;
            publish(epoch, next);
            epoch = next;
        }
    }

    /** Links the epochs after the last one in their order, up to a newest one. */
    private void linkForward(Epoch end) {
        Epoch epoch = end;
        while (epoch != last) {
            Epoch previous = epoch.previous;
            if (previous == null) {
                return; // cannot happen: every epoch after the last published one is linked backward
            }
            previous.next = epoch;
            epoch = previous;
        }
    }

    private void publish(Epoch from, Epoch to) {
        if (from.state == to.state) {
            return; // a reset of a closed breaker, or another configuration
        }
        shielded(() -> log(from, to));
        if (listener != Listener.NONE) {
            shielded(() -> listener.onStateChange(Policy.Kind.BREAKER, name, from.state.name(), to.state.name()));
        }
    }

    /** Runs a step, and drops what it throws: an appender that throws concerns neither the caller nor the listener. */
    private static void shielded(Runnable step) {
        try {
            step.run();
        } catch (Throwable thrown) {
            // There is nowhere left to report it.
        }
    }

    /** Whether it opens and calls had been admitted before; not if probes found that nothing has changed. */
    private static boolean isNews(Epoch from, Epoch to) {
        boolean reopens = from.state == CircuitBreaker.State.HALF_OPEN && to.reopenings > 0;
        return to.state == CircuitBreaker.State.OPEN && !reopens;
    }

    private void log(Epoch from, Epoch to) {
        Level level = isNews(from, to) ? Level.WARN : Level.INFO;
        if (LOG.isEnabledForLevel(level)) {
            Counts evidence = to.change.evidence();
            LOG.atLevel(level)
                    .log(
                            "{} {} -> {}: {} (failure rate {}, slow-call rate {}, calls {})",
                            subject,
                            from.state,
                            to.state,
                            to.change.reason(),
                            Counts.percent(evidence.failureRate()),
                            Counts.percent(evidence.slowRate()),
                            evidence.calls());
        }
    }
}
