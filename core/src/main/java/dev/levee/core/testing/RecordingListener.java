package dev.levee.core.testing;

import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A listener for tests that records every event as one line of text.
 *
 * <pre>{@code
 * RecordingListener listener = new RecordingListener();
 * Environment environment = time.environment().toBuilder().listener(listener).build();
 * ...
 * assertEquals(List.of("breaker payments CLOSED->OPEN", "breaker payments refused"), listener.events());
 * }</pre>
 *
 * <p>The lines are {@code "KIND NAME refused"}, {@code "KIND NAME SUCCESS after PT0.05S"} (or another verdict),
 * {@code "KIND NAME attempt 2 after PT1S"}, {@code "KIND NAME CLOSED->OPEN"} and {@code "KIND NAME degraded: "}, or
 * {@code "KIND NAME degraded by SOURCE: "}, followed by the {@code toString} of the error. Thread-safe; each event
 * copies the list, so not for load tests.
 *
 * @since 0.1
 */
public final class RecordingListener implements Listener {
    private final List<String> events = new CopyOnWriteArrayList<>();

    /** Makes a listener that has recorded nothing. */
    public RecordingListener() {}

    /**
     * Returns the events that were recorded.
     *
     * @return all lines in the order of the events; an unmodifiable copy
     */
    public List<String> events() {
        return List.copyOf(events);
    }

    /**
     * Returns how many events contain a text.
     *
     * @param text a part of a line, such as {@code "refused"} or {@code "->OPEN"}
     * @return the number of lines that contain it
     * @throws NullPointerException if {@code text} is null
     */
    public int count(String text) {
        Require.nonNull("text", text);
        return (int) events.stream().filter(event -> event.contains(text)).count();
    }

    /** Removes all recorded events. */
    public void clear() {
        events.clear();
    }

    @Override
    public void onRefused(Policy.Kind kind, String policy) {
        events.add(kind.label() + " " + policy + " refused");
    }

    @Override
    public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
        events.add(kind.label() + " " + policy + " " + verdict + " after " + Duration.ofNanos(elapsedNanos));
    }

    @Override
    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
        events.add(kind.label() + " " + policy + " attempt " + attempt + " after " + Duration.ofNanos(delayNanos));
    }

    @Override
    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
        events.add(kind.label() + " " + policy + " " + from + "->" + to);
    }

    @Override
    public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
        events.add(kind.label() + " " + policy
                + (source.equals(policy) ? " degraded: " : " degraded by " + source + ": ") + error);
    }

    /**
     * Returns the events that were recorded.
     *
     * @return {@link #events} as text
     */
    @Override
    public String toString() {
        return events.toString();
    }
}
