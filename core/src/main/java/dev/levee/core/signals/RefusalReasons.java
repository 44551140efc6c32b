package dev.levee.core.signals;

import dev.levee.core.Measured;
import dev.levee.core.RefusedException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Counts refusals by the class of their exception. There is one for each kind of gate, and those of users: at most
 * {@value #MAX_REASONS} are told apart. Allocates when a class comes for the first time.
 */
final class RefusalReasons {
    private static final int MAX_REASONS = 32;
    private static final String OTHER = "other";

    private final Map<Class<?>, LongAdder> counts = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> byReason = new ConcurrentHashMap<>();
    private final LongAdder others = new LongAdder();
    private final ReentrantLock adding = new ReentrantLock();

    void count(Class<? extends RefusedException> type) {
        LongAdder count = counts.get(type);
        (count == null ? add(type) : count).increment();
    }

    private LongAdder add(Class<?> type) {
        adding.lock();
        try {
            return addOnce(type);
        } finally {
            adding.unlock();
        }
    }

    private LongAdder addOnce(Class<?> type) {
        LongAdder count = counts.get(type);
        if (count != null) {
            return count;
        }
        if (counts.size() >= MAX_REASONS) {
            return others;
        }
        String reason = reason(type.getSimpleName());
        LongAdder made = reason.equals(OTHER) ? others : byReason.computeIfAbsent(reason, name -> new LongAdder());
        counts.put(type, made);
        return made;
    }

    /** Returns the words of the name of a class, as {@code bulkhead_full} of {@code BulkheadFullException}. */
    static String reason(String className) {
        String words = className
                .replaceAll("Exception$", "")
                .replaceAll("([a-z0-9])([A-Z])", "$1_$2")
                .toLowerCase(Locale.ROOT);
        return words.matches("[a-z][a-z0-9_]*") ? words : OTHER;
    }

    void measure(String policy, Measured.Sink sink) {
        new TreeMap<>(byReason)
                .forEach((reason, count) ->
                        sink.value(policy, SignalMetrics.REFUSALS, List.of(reason), (double) count.sum()));
        if (others.sum() > 0) {
            sink.value(policy, SignalMetrics.REFUSALS, List.of(OTHER), (double) others.sum());
        }
    }
}
