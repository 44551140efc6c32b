package dev.levee.core.testing;

import dev.levee.core.Listener;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A listener that keeps what it hears, one line each, for tests.
 *
 * <pre>{@code
 * RecordingListener heard = new RecordingListener();
 * Environment environment = time.environment().toBuilder().listener(heard).build();
 * ...
 * assertEquals(List.of("payments CLOSED->OPEN", "payments refused"), heard.events());
 * }</pre>
 *
 * <p>The lines are {@code "NAME refused"}, {@code "NAME SUCCESS after PT0.05S"} (or another verdict), {@code "NAME
 * attempt 2 after PT1S"}, {@code "NAME CLOSED->OPEN"} and {@code "NAME degraded: "}, or {@code "NAME degraded by SOURCE: "},
 * with what {@code toString} says of the error. Thread-safe; each event copies the list, so not for load.
 *
 * @since 0.1
 */
public final class RecordingListener implements Listener {
    private final List<String> events = new CopyOnWriteArrayList<>();

    /** A listener that has heard nothing. */
    public RecordingListener() {}

    /**
     * What it has heard.
     *
     * @return all lines in the order in which they were heard; does not change
     */
    public List<String> events() {
        return List.copyOf(events);
    }

    /**
     * How often it has heard something.
     *
     * @param text a part of a line, such as {@code "refused"} or {@code "->OPEN"}
     * @return the number of lines that contain it
     */
    public int count(String text) {
        Require.nonNull("text", text);
        return (int) events.stream().filter(event -> event.contains(text)).count();
    }

    /** Forgets what it has heard. */
    public void clear() {
        events.clear();
    }

    @Override
    public void onRefused(String policy) {
        events.add(policy + " refused");
    }

    @Override
    public void onOutcome(String policy, Verdict verdict, long elapsedNanos) {
        events.add(policy + " " + verdict + " after " + Duration.ofNanos(elapsedNanos));
    }

    @Override
    public void onAttempt(String policy, int attempt, long delayNanos) {
        events.add(policy + " attempt " + attempt + " after " + Duration.ofNanos(delayNanos));
    }

    @Override
    public void onStateChange(String policy, String from, String to) {
        events.add(policy + " " + from + "->" + to);
    }

    @Override
    public void onDegraded(String policy, String source, Throwable error) {
        events.add(policy + (source.equals(policy) ? " degraded: " : " degraded by " + source + ": ") + error);
    }

    /**
     * What it has heard.
     *
     * @return {@link #events} as text
     */
    @Override
    public String toString() {
        return events.toString();
    }
}
