package dev.levee.console;

import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.Policy;
import dev.levee.core.internal.Text;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Puts what policies publish into an {@link EventRing}: each change of state, and of what comes often one line for each
 * while, with the number. Of an error only that there was one: its message may have what must not be shown.
 */
final class EventFeed implements Listener {
    /**
     * How many names of each kind have lines of what comes often, within a while; what comes under others has none. A
     * name of which nothing came for so long, as that of a key that is gone, makes room.
     */
    static final int MAX_NAMES = 500;

    /** How long one line speaks for all that comes after it. */
    static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final Set<String> GOOD =
            Set.of("CLOSED", "HEALTHY", "WARMING", "NORMAL", "OFF", "HALF_OPEN", "RAMPING", "DISABLED");

    private final EventRing ring;
    private final NanoClock clock;
    /** When names were looked through last for those that make room. */
    private final AtomicLong clearedNanos;

    private final Map<Policy.Kind, Map<String, Burst>> refusals = perKind();
    private final Map<Policy.Kind, Map<String, Burst>> attempts = perKind();
    private final Map<Policy.Kind, Map<String, Burst>> substitutes = perKind();

    EventFeed(EventRing ring, NanoClock clock) {
        this.ring = ring;
        this.clock = clock;
        this.clearedNanos = new AtomicLong(clock.nanoTime());
    }

    @Override
    public void onRefused(Policy.Kind kind, String policy) {
        long count = count(refusals, kind, policy);
        if (count > 0) {
            ring.add(EventRing.Level.WARN, kind.label(), Text.printable(policy), "refused " + calls(count));
        }
    }

    @Override
    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
        long count = count(attempts, kind, policy);
        if (count > 0) {
            String what = kind == Policy.Kind.HEDGE ? "asked a second time for " : "tried again ";
            ring.add(EventRing.Level.INFO, kind.label(), Text.printable(policy), what + calls(count));
        }
    }

    @Override
    public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
        long count = count(substitutes, kind, policy);
        if (count > 0) {
            String text = "answered " + calls(count) + " with a substitute";
            ring.add(EventRing.Level.WARN, kind.label(), Text.printable(policy), text);
        }
    }

    @Override
    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
        EventRing.Level level = GOOD.contains(to) ? EventRing.Level.INFO : EventRing.Level.WARN;
        ring.add(level, kind.label(), Text.printable(policy), words(from) + " → " + words(to));
    }

    /** Counts one, and returns how many there were since the last line if it is time for the next one, else 0. */
    private long count(Map<Policy.Kind, Map<String, Burst>> perKind, Policy.Kind kind, String policy) {
        Map<String, Burst> bursts = Objects.requireNonNull(perKind.get(kind));
        long now = clock.nanoTime();
        Burst burst = bursts.get(policy);
        if (burst == null) {
            if (bursts.size() >= MAX_NAMES) {
                clear(now);
            }
            if (bursts.size() >= MAX_NAMES) {
                return 0;
            }
            burst = bursts.computeIfAbsent(policy, name -> new Burst(now));
        }
        return burst.count(now);
    }

    /** Lets names go that are quiet, not more often than once in a while: it looks at all of them. */
    private void clear(long now) {
        long last = clearedNanos.get();
        if (now - last >= QUIET_NANOS && clearedNanos.compareAndSet(last, now)) {
            for (Map<Policy.Kind, Map<String, Burst>> each : List.of(refusals, attempts, substitutes)) {
                each.values().forEach(bursts -> bursts.values().removeIf(burst -> burst.isQuiet(now)));
            }
        }
    }

    private static Map<Policy.Kind, Map<String, Burst>> perKind() {
        Map<Policy.Kind, Map<String, Burst>> maps = new EnumMap<>(Policy.Kind.class);
        for (Policy.Kind kind : Policy.Kind.values()) {
            maps.put(kind, new ConcurrentHashMap<>());
        }
        return maps;
    }

    private static String calls(long count) {
        return count == 1 ? "a call" : count + " calls";
    }

    private static String words(String state) {
        return Text.printable(state).toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static final class Burst {
        private final LongAdder number = new LongAdder();
        private final AtomicLong lineNanos;
        private volatile long countedNanos;

        /** The first call of a name has its line at once. */
        Burst(long now) {
            lineNanos = new AtomicLong(now - QUIET_NANOS);
            countedNanos = now;
        }

        boolean isQuiet(long now) {
            return now - countedNanos >= QUIET_NANOS;
        }

        long count(long now) {
            number.increment();
            countedNanos = now;
            long last = lineNanos.get();
            return now - last >= QUIET_NANOS && lineNanos.compareAndSet(last, now) ? number.sumThenReset() : 0;
        }
    }
}
