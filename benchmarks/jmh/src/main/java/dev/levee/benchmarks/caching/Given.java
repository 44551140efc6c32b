package dev.levee.benchmarks.caching;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What all caches are set to, and what they hold. */
final class Given {
    /** How many keys are read: more than a processor's nearest caches hold, and fewer than the bound. */
    static final int KEYS = 1 << 14;

    /** The bound, so large that no key which is read is evicted. */
    static final int MAX_SIZE = 1 << 16;

    /** The bound where every call brings another key. */
    static final int MAX_SIZE_OF_MISSES = 1 << 12;

    /** A life that no run outlasts. */
    static final Duration LIFE = Duration.ofHours(2);

    /** After which a value would be refreshed. */
    static final Duration FRESH = Duration.ofHours(1);

    private static final Integer[] BOXED = new Integer[KEYS];

    static {
        for (int i = 0; i < KEYS; i++) {
            BOXED[i] = 1_000_000 + i;
        }
    }

    private Given() {}

    /** The keys, each one object for all subjects. */
    static Integer key(int index) {
        return BOXED[index & KEYS - 1];
    }

    static String value(Integer key) {
        return "value of " + key;
    }

    /** Fills a cache with all keys. */
    static void fill(java.util.function.BiConsumer<Integer, String> put) {
        for (int i = 0; i < KEYS; i++) {
            put.accept(key(i), value(key(i)));
        }
    }

    /**
     * Fails the fork unless a subject finds every key.
     *
     * @param get reads
     */
    static void verifyFull(Function<Integer, @Nullable String> get) {
        for (int i = 0; i < KEYS; i++) {
            String found = get.apply(key(i));
            if (!value(key(i)).equals(found)) {
                throw new IllegalStateException("key " + key(i) + " has " + Optional.ofNullable(found));
            }
        }
    }
}
