package dev.levee.loadbalancing.discovery;

import dev.levee.core.Listener;
import dev.levee.core.internal.OneAtATime;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says how a source stands, once for each change and not once for each look, in the order of the changes. */
final class SourceReport {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    private static final long ANY = 0L;

    enum State {
        /** Not looked yet. */
        UNKNOWN,
        /** The last look was good. */
        FRESH,
        /** The last look failed; the endpoints of an earlier one are in use. */
        STALE,
        /** No look has been good yet. */
        EMPTY
    }

    /** What happened; of the look that is running, or any if {@link #ANY}. */
    private record Event(State state, long look, @Nullable Throwable cause) {}

    private final String name;
    private final Listener listener;
    private final ConcurrentLinkedQueue<Event> events = new ConcurrentLinkedQueue<>();
    private final OneAtATime telling = new OneAtATime(this::tellAll);
    private final AtomicLong looks = new AtomicLong();
    private volatile long running;
    private volatile boolean known;
    private State state = State.UNKNOWN; // of whoever tells
    private boolean receiverThrew; // of the look that runs

    SourceReport(String name, Listener listener) {
        this.name = name;
        this.listener = listener;
    }

    /** A look begins; its number. */
    long begins() {
        long number = looks.incrementAndGet();
        running = number;
        return number;
    }

    void ends() {
        running = ANY;
    }

    void succeeded() {
        known = true;
        running = ANY;
        add(new Event(State.FRESH, ANY, null));
    }

    void failed(Throwable cause, boolean someKnown) {
        known |= someKnown;
        running = ANY;
        add(new Event(someKnown ? State.STALE : State.EMPTY, ANY, cause));
    }

    /** A look has been running for long. By the time this is told it may have ended, and then it is not told. */
    void overdue(long look, long nanos) {
        add(new Event(
                known ? State.STALE : State.EMPTY,
                look,
                new IllegalStateException(
                        "has not answered for " + Duration.ofNanos(nanos) + " and is still awaited")));
    }

    private void add(Event event) {
        events.add(event);
        telling.run();
    }

    private void tellAll() {
        for (Event event = events.poll(); event != null; event = events.poll()) {
            if (event.look == ANY || event.look == running) {
                tell(event);
            }
        }
    }

    private void tell(Event event) {
        State from = state;
        if (event.cause != null) {
            LOG.debug("Endpoints from {}: a look failed", name, event.cause);
        }
        if (from == event.state) {
            return;
        }
        state = event.state;
        switch (event.state) {
            case STALE ->
                LOG.warn(
                        "Endpoints from {}: {}; those known stay in use until a look is good again",
                        name,
                        cause(event));
            case EMPTY -> LOG.warn("Endpoints from {}: {}; there are none yet, looking on", name, cause(event));
            default -> {
                if (from != State.UNKNOWN) {
                    LOG.info("Endpoints from {}: known again", name);
                }
            }
        }
        listener.onStateChange(name, from.name(), event.state.name());
    }

    private static String cause(Event event) {
        return String.valueOf(event.cause);
    }

    void received() {
        receiverThrew = false;
    }

    void receiverThrew(Throwable thrown) {
        if (!receiverThrew) {
            LOG.warn("Endpoints from {}: a receiver refused them; it is told again at the next look", name, thrown);
        }
        receiverThrew = true;
    }
}
