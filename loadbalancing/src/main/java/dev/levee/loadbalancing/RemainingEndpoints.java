package dev.levee.loadbalancing;

import java.math.BigInteger;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Which endpoints of a set are left for one call: those that no gate refused in it and that it has not tried before. */
final class RemainingEndpoints implements IntPredicate {
    private static final int BITS = 64;
    /** After so many refusals in one call the rest of the set is asked one by one: n steps in all, where strategies need n for each. */
    private static final int MAX_PICKS = 32;

    /** The tried hosts as they were read from the {@link TriedHosts}, for comparing when it is written. */
    @Nullable Object seen;
    /** The tried hosts that are still avoided; null once all have been tried. */
    @Nullable Object tried;

    private final Node<?>[] nodes;
    private final boolean shared;
    private long low;
    private long @Nullable [] high; // from index 64 on
    private int refusals;
    private int swept;
    private int next;
    private int step; // 0 before the first sweep

    private RemainingEndpoints(Node<?>[] nodes, boolean shared) {
        this.nodes = nodes;
        this.shared = shared;
    }

    /** All but one: may be shared by calls, and is copied before it changes. */
    static RemainingEndpoints allBut(Node<?>[] nodes, int index) {
        RemainingEndpoints eligible = new RemainingEndpoints(nodes, true);
        eligible.mark(index);
        return eligible;
    }

    /** All but those that have been tried. */
    static RemainingEndpoints untried(Node<?>[] nodes, @Nullable Object tried) {
        RemainingEndpoints eligible = new RemainingEndpoints(nodes, false);
        eligible.seen = tried;
        eligible.tried = tried;
        return eligible;
    }

    /** These without one more. */
    RemainingEndpoints without(int index) {
        RemainingEndpoints eligible = this;
        if (shared) {
            eligible = new RemainingEndpoints(nodes, false);
            eligible.low = low;
            eligible.high = high == null ? null : high.clone();
            eligible.refusals = refusals;
        }
        eligible.mark(index);
        return eligible;
    }

    private void mark(int index) {
        refusals++;
        if (index < BITS) {
            low |= 1L << index;
            return;
        }
        long[] bits = high;
        if (bits == null) {
            bits = new long[(nodes.length - 1) / BITS];
            high = bits;
        }
        bits[index / BITS - 1] |= 1L << index;
    }

    private boolean refused(int index) {
        if (index < BITS) {
            return (low & 1L << index) != 0;
        }
        return high != null && (high[index / BITS - 1] & 1L << index) != 0;
    }

    @Override
    public boolean test(int index) {
        return !refused(index) && (tried == null || !TriedHosts.contains(tried, nodes[index]));
    }

    /** Allows what has been tried before again; false if nothing was forbidden for that reason. */
    boolean forget() {
        boolean had = tried != null;
        tried = null;
        swept = 0;
        return had;
    }

    boolean isTedious() {
        return refusals >= MAX_PICKS;
    }

    /**
     * The next of those that have not been asked, in an order of this object's own; -1 if there is none. Goes on where it stood. The
     * order begins anywhere and takes long steps, so that the neighbours of a row of dead endpoints do not get all their calls.
     */
    int sweep(RandomGenerator random) {
        if (step == 0) {
            next = random.nextInt(nodes.length);
            step = longStep(nodes.length);
        }
        while (swept < nodes.length) {
            swept++;
            int index = next;
            next = (int) (((long) next + step) % nodes.length);
            if (test(index)) {
                return index;
            }
        }
        return -1;
    }

    /** Near the golden section, and without common divisor with the size, so that every index comes once. */
    private static int longStep(int size) {
        int step = Math.max(1, (int) (size * 0.618));
        while (BigInteger.valueOf(step).gcd(BigInteger.valueOf(size)).intValue() != 1) {
            step++;
        }
        return step;
    }

    /** The first from an index on, round the end; -1 if there is none. */
    int from(int start) {
        for (int i = 0; i < nodes.length; i++) {
            int index = start + i < nodes.length ? start + i : start + i - nodes.length;
            if (test(index)) {
                return index;
            }
        }
        return -1;
    }
}
