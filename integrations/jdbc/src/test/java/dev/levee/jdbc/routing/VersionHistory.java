package dev.levee.jdbc.routing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Checks a history of registers that count up: each write returns the version that it made, each read the version that
 * it saw. So the order of the writes of a key is known, and a history is right if no version contradicts it. Writes of
 * unknown outcome are missing; they fill gaps.
 */
final class VersionHistory {
    /** One operation that has ended; kind W, S (strong read), Q (session read), B (bounded read). */
    record Event(char kind, int session, int key, long version, long start, long end) {
        static Event parse(String line) {
            String[] words = line.split(" ", -1);
            return new Event(
                    words[0].charAt(0),
                    Integer.parseInt(words[1]),
                    Integer.parseInt(words[2]),
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    Long.parseLong(words[5]));
        }
    }

    private VersionHistory() {}

    /** Returns what is wrong; empty if nothing is. */
    static List<String> violations(List<Event> history, long ageNanos) {
        List<String> wrong = new ArrayList<>();
        Map<Integer, List<Event>> keys = new TreeMap<>();
        history.forEach(event ->
                keys.computeIfAbsent(event.key, key -> new ArrayList<>()).add(event));
        keys.values().forEach(events -> checkKey(events, ageNanos, wrong));
        checkSessions(history, wrong);
        return wrong;
    }

    private static void checkKey(List<Event> events, long ageNanos, List<String> wrong) {
        Map<Long, Event> writes = new HashMap<>();
        List<Event> byEnd = new ArrayList<>();
        for (Event event : events) {
            if (event.kind == 'W' && writes.put(event.version, event) != null) {
                wrong.add("two writes made the same version: " + event);
            }
            if (event.kind == 'W' || event.kind == 'S') {
                byEnd.add(event);
            }
        }
        byEnd.sort(Comparator.comparingLong(Event::end));
        long[] highest = new long[byEnd.size()];
        for (int i = 0; i < highest.length; i++) {
            highest[i] = Math.max(i == 0 ? 0 : highest[i - 1], byEnd.get(i).version);
        }
        for (Event event : events) {
            Event write = writes.get(event.version);
            if (event.kind != 'W' && write != null && event.end - write.start < 0) {
                wrong.add("seen before it was written: " + event + " of " + write);
            }
            if (event.kind == 'W' || event.kind == 'S') {
                long before = highestEnded(byEnd, highest, event.start);
                if (event.version < before || (event.kind == 'W' && event.version == before)) {
                    wrong.add("not linearizable: " + event + " after version " + before);
                }
            } else if (event.kind == 'B') {
                long before = highestEnded(byEnd, highest, event.start - ageNanos);
                if (event.version < before) {
                    wrong.add("older than the bound: " + event + ", version " + before + " was there");
                }
            }
        }
    }

    /** The highest version of what had ended before a moment. */
    private static long highestEnded(List<Event> byEnd, long[] highest, long moment) {
        int low = 0;
        int high = byEnd.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (byEnd.get(middle).end - moment < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high < 0 ? 0 : highest[high];
    }

    /**
     * Operations of one session follow each other; what it has written, or read with a promise, is the least it sees.
     */
    private static void checkSessions(List<Event> history, List<String> wrong) {
        List<Event> inOrder = new ArrayList<>(history);
        inOrder.sort(Comparator.comparingLong(Event::start));
        Map<String, Event> last = new HashMap<>();
        for (Event event : inOrder) {
            if (event.kind == 'B') {
                continue;
            }
            String register = event.session + "/" + event.key;
            Event before = last.get(register);
            if (before != null && event.version < before.version) {
                wrong.add((before.kind == 'W' ? "own write not read: " : "went back: ") + event + " after " + before);
            }
            last.put(register, event);
        }
    }
}
