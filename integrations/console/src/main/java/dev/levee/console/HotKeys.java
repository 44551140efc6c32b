package dev.levee.console;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Finds the keys that come most often, such as the clients that a limit refuses, for a card of the {@link Console}.
 *
 * <p>A keyed limit remembers no keys, only fingerprints, so a caller says them, where a key may be shown: not for keys
 * that are secrets, such as tokens, or personal data. Memory is bounded: {@value #MAX_KEYS} keys are followed, by
 * counters that a new key takes over from the rarest one ("space saving": A. Metwally, D. Agrawal and A. El Abbadi,
 * "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005). Counts are halved every ten seconds,
 * so what was hot is forgotten. A key whose share is more than 1 in {@value #MAX_KEYS} is always found; a rare one may
 * be counted too high.
 *
 * <p>Thread-safe and never blocks: where two calls meet one of them is not counted. Costs a search in a map; a key that
 * is not followed a search through all of them.
 *
 * @see Console#hotKeys
 * @since 0.1
 */
public final class HotKeys {
    /** How many keys are followed. */
    public static final int MAX_KEYS = 64;

    /** How much of a key is kept, in characters. */
    private static final int MAX_KEY_CHARS = 100;

    private static final long HALVE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final NanoClock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, KeyCount> counters = new HashMap<>();
    private double total;
    private long halvedNanos;

    /** How often a key came, and its share of all. */
    record Hot(String key, double share) {}

    private static final class KeyCount {
        double count;
    }

    HotKeys(NanoClock clock) {
        this.clock = clock;
        this.halvedNanos = clock.nanoTime();
    }

    /**
     * Counts a key.
     *
     * @param key what the page shows, escaped; of a long one the first 100 characters count
     * @throws NullPointerException if it is null
     */
    public void count(String key) {
        Require.nonNull("key", key);
        String kept = key.length() > MAX_KEY_CHARS ? key.substring(0, MAX_KEY_CHARS) : key;
        long now = clock.nanoTime();
        if (!lock.tryLock()) {
            return;
        }
        try {
            halve(now);
            total++;
            KeyCount counter = counters.get(kept);
            if (counter == null) {
                counter = counters.size() < MAX_KEYS ? new KeyCount() : takeRarest();
                counters.put(kept, counter);
            }
            counter.count++;
        } finally {
            lock.unlock();
        }
    }

    private KeyCount takeRarest() {
        String rarest = "";
        KeyCount least = new KeyCount();
        least.count = Double.POSITIVE_INFINITY;
        for (Map.Entry<String, KeyCount> entry : counters.entrySet()) {
            if (entry.getValue().count < least.count) {
                rarest = entry.getKey();
                least = entry.getValue();
            }
        }
        counters.remove(rarest);
        return least;
    }

    private void halve(long now) {
        long turns = (now - halvedNanos) / HALVE_NANOS;
        if (turns > 0) {
            halvedNanos += turns * HALVE_NANOS;
            double factor = Math.pow(0.5, (double) turns);
            total *= factor;
            counters.values().forEach(counter -> counter.count *= factor);
            counters.values().removeIf(counter -> counter.count < 0.5);
        }
    }

    /** Returns the hottest keys of late, hottest first. */
    List<Hot> hottest(int most) {
        lock.lock();
        try {
            halve(clock.nanoTime());
            List<Hot> all = new ArrayList<>();
            counters.forEach((key, counter) -> all.add(new Hot(Text.printable(key), counter.count / total)));
            all.sort(Comparator.comparingDouble(Hot::share).reversed());
            return List.copyOf(all.subList(0, Math.min(most, all.size())));
        } finally {
            lock.unlock();
        }
    }
}
