package dev.levee.loadbalancing.discovery;

import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs and publishes the state of a source, once for each change and not for each poll, in the order of the changes.
 */
final class SourceReport {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    private static final long ANY = 0L;

    enum SourceState {
        /** Not polled yet. */
        UNKNOWN,
        /** The last poll succeeded. */
        FRESH,
        /** The last poll failed; the endpoints of an earlier one are in use. */
        STALE,
        /** No poll has succeeded yet. */
        EMPTY
    }

    /** A change of state; of the running poll, or of any if {@link #ANY}. */
    private record SourceEvent(
            SourceState state, long poll, @Nullable Throwable cause) {}

    private final String name;
    private final Listener listener;
    private final ConcurrentLinkedQueue<SourceEvent> events = new ConcurrentLinkedQueue<>();
    private final OneAtATime publishing = new OneAtATime(this::publishAll);
    private final AtomicLong polls = new AtomicLong();
    private volatile long running;
    private volatile boolean known;
    /** Only the thread that publishes uses it. */
    private SourceState state = SourceState.UNKNOWN;

    /** Only the running poll uses it. */
    private boolean receiverThrew;

    SourceReport(String name, Listener listener) {
        this.name = name;
        this.listener = listener;
    }

    /** A poll begins; returns its number. */
    long begins() {
        long number = polls.incrementAndGet();
        running = number;
        return number;
    }

    void ends() {
        running = ANY;
    }

    void succeeded() {
        known = true;
        running = ANY;
        add(new SourceEvent(SourceState.FRESH, ANY, null));
    }

    void failed(Throwable cause, boolean someKnown) {
        failed(cause, someKnown, Runnable::run);
    }

    /** The same, published by an executor, and in order with what follows. */
    void failed(Throwable cause, boolean someKnown, Executor publisher) {
        known |= someKnown;
        running = ANY;
        events.add(new SourceEvent(someKnown ? SourceState.STALE : SourceState.EMPTY, ANY, cause));
        publisher.execute(publishing::run);
    }

    /** A poll has been running for long. If it has ended by the time of publishing, nothing is published. */
    void overdue(long poll, long nanos) {
        add(new SourceEvent(
                known ? SourceState.STALE : SourceState.EMPTY,
                poll,
                new IllegalStateException("has not answered for " + Nanos.text(nanos) + " and is still awaited")));
    }

    private void add(SourceEvent event) {
        events.add(event);
        publishing.run();
    }

    private void publishAll() {
        for (SourceEvent event = events.poll(); event != null; event = events.poll()) {
            if (event.poll == ANY || event.poll == running) {
                publish(event);
            }
        }
    }

    private void publish(SourceEvent event) {
        SourceState from = state;
        if (event.cause != null) {
            SafeLog.debug(LOG, "Endpoints from {}: a poll failed", name, event.cause);
        }
        if (from == event.state) {
            return;
        }
        state = event.state;
        switch (event.state) {
            case STALE ->
                SafeLog.warn(
                        LOG,
                        "Endpoints from {}: {}; the known ones stay in use until a poll succeeds",
                        name,
                        cause(event));
            case EMPTY ->
                SafeLog.warn(LOG, "Endpoints from {}: {}; no endpoints yet; polling continues", name, cause(event));
            default -> {
                if (from != SourceState.UNKNOWN) {
                    SafeLog.info(LOG, "Endpoints from {}: polls succeed again", name);
                }
            }
        }
        listener.onStateChange(Policy.Kind.SOURCE, name, from.name(), event.state.name());
    }

    private static String cause(SourceEvent event) {
        return Text.escaped(String.valueOf(event.cause));
    }

    void received() {
        receiverThrew = false;
    }

    void receiverThrew(Throwable thrown) {
        if (!receiverThrew) {
            SafeLog.warn(
                    LOG,
                    "Endpoints from {}: the receiver refused them and gets them again after the next poll",
                    name,
                    thrown);
        }
        receiverThrew = true;
    }
}
