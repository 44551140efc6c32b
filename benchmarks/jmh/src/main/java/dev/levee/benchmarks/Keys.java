package dev.levee.benchmarks;

import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Keys of one thread, each another than the last, so that no processor learns the way that a look-up takes. */
@State(Scope.Thread)
public class Keys {
    private static final int MASK = (1 << 12) - 1;

    /** So few that they stay in the nearest cache: hashing is asked about, not fetching. */
    private static final int TEXT_MASK = (1 << 8) - 1;

    private final long[] hashes = new SplittableRandom(1).longs(MASK + 1).toArray();
    private final String[] texts = new String[TEXT_MASK + 1];
    private int next;

    /** Keys. */
    public Keys() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < texts.length; i++) {
            StringBuilder text = new StringBuilder("user:");
            while (text.length() < 20) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            texts[i] = text.toString();
        }
    }

    long hash() {
        return hashes[next++ & MASK];
    }

    /** Twenty characters. */
    String text() {
        return texts[next++ & TEXT_MASK];
    }
}
