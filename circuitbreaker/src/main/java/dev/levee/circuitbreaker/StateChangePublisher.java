package dev.levee.circuitbreaker;

import dev.levee.core.Listener;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of each change of state once, in the order in which they happened.
 *
 * <p>The epochs of a breaker are a chain, which is all the queue that is needed. Whoever finds nobody at work walks it and tells, and
 * goes on as long as others have asked meanwhile; these do not wait. So a listener that blocks holds up one thread and no state, and
 * one that changes the state is told of it when it returns.
 */
final class StateChangePublisher {
    private static final Logger LOG = LoggerFactory.getLogger(CircuitBreaker.class);

    private final String name;
    private final Listener listener;
    private final AtomicInteger requests = new AtomicInteger();
    private Epoch last; // of those that are announced; belongs to who is at work

    StateChangePublisher(String name, Listener listener, Epoch first) {
        this.name = name;
        this.listener = listener;
        this.last = first;
    }

    /** What can be asked for the newest epoch. */
    interface Head {
        Epoch epoch();
    }

    void announce(Head head) {
        if (requests.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            tellUpTo(head.epoch());
            seen = requests.addAndGet(-seen);
        } while (seen != 0);
    }

    private void tellUpTo(Epoch newest) {
        Epoch epoch = newest;
        while (epoch != last) {
            Epoch previous = epoch.previous;
            if (previous == null) {
                return; // cannot be: every epoch after the last one that was announced is linked
            }
            previous.next = epoch;
            epoch = previous;
        }
        while (epoch != newest) {
            Epoch next = epoch.next;
            if (next == null) {
                return; // cannot be: linked above
            }
            epoch.next = null;
            next.previous = null;
            last = next;
            tell(epoch, next);
            epoch = next;
        }
    }

    private void tell(Epoch from, Epoch to) {
        if (from.state == to.state) {
            return; // a reset of what was closed
        }
        shielded(() -> log(from, to));
        if (listener != Listener.NONE) {
            shielded(() -> listener.onStateChange(name, from.state.name(), to.state.name()));
        }
    }

    /** An appender that throws, or a stack that ends here, concerns neither the caller nor who is told next. */
    private static void shielded(Runnable telling) {
        try {
            telling.run();
        } catch (Throwable thrown) {
            // There is nobody left to tell.
        }
    }

    private void log(Epoch from, Epoch to) {
        if (LOG.isInfoEnabled()) {
            Counts evidence = to.change.evidence();
            LOG.info(
                    "Breaker {} {} -> {}: {} (failure rate {}, slow-call rate {}, calls {})",
                    name,
                    from.state,
                    to.state,
                    to.change.reason(),
                    Counts.percent(evidence.failureRate()),
                    Counts.percent(evidence.slowRate()),
                    evidence.calls());
        }
    }
}
