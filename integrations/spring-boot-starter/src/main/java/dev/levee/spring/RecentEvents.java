package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Keeps the last events of all policies for the endpoint: every change of state, and of what comes in floods, as
 * refusals do, at most ten each second. Thread-safe, without a lock.
 */
final class RecentEvents implements Listener {
    /** How many events are kept. */
    static final int MAX_EVENTS = 200;

    /** Between two refusals, repetitions or substitutes, in nanoseconds. */
    private static final long MIN_GAP_NANOS = 100_000_000;

    private final AtomicReferenceArray<Event> events = new AtomicReferenceArray<>(MAX_EVENTS);
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong lastRefusal = new AtomicLong(Long.MIN_VALUE / 2);
    private final AtomicLong lastAttempt = new AtomicLong(Long.MIN_VALUE / 2);
    private final AtomicLong lastDegraded = new AtomicLong(Long.MIN_VALUE / 2);
    private final LongAdder skipped = new LongAdder();

    RecentEvents() {}

    /**
     * One event.
     *
     * @param number from 1, in order
     * @param at when it happened
     * @param event what happened
     * @param kind of which kind of policy
     * @param policy of which policy
     * @param detail what is known besides
     */
    record Event(long number, Instant at, String event, String kind, String policy, String detail) {
        /** Returns this event under another name of its policy. */
        Event of(String name) {
            return new Event(number, at, event, kind, name, detail);
        }
    }

    private void add(String event, Policy.Kind kind, String policy, String detail) {
        long number = count.incrementAndGet();
        Instant now = Environment.system().wallClock().instant();
        events.set((int) (number % MAX_EVENTS), new Event(number, now, event, kind.label(), policy, detail));
    }

    /** Whether an event may be kept that comes in floods. */
    private boolean isDue(AtomicLong last) {
        long now = Environment.system().clock().nanoTime();
        long before = last.get();
        if (now - before >= MIN_GAP_NANOS && last.compareAndSet(before, now)) {
            return true;
        }
        skipped.increment();
        return false;
    }

    @Override
    public void onRefused(Policy.Kind kind, String policy) {
        if (isDue(lastRefusal)) {
            add("refused", kind, policy, "");
        }
    }

    @Override
    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
        if (isDue(lastAttempt)) {
            add("attempt", kind, policy, "attempt " + attempt);
        }
    }

    @Override
    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
        add("state", kind, policy, from + " -> " + to);
    }

    @Override
    public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
        if (isDue(lastDegraded)) {
            add("degraded", kind, policy, source + " for " + error.getClass().getName());
        }
    }

    /** Returns the events, the newest first. */
    List<Event> newestFirst() {
        List<Event> all = new ArrayList<>();
        for (int i = 0; i < MAX_EVENTS; i++) {
            Event event = events.get(i);
            if (event != null) {
                all.add(event);
            }
        }
        all.sort(Comparator.comparingLong(Event::number).reversed());
        return all;
    }

    /** Returns how many events were not kept. */
    long skipped() {
        return skipped.sum();
    }
}
