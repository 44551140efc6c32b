package dev.levee.loadbalancing;

import java.math.BigInteger;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints of a set that remain for one call: those that have not refused it and that its operation has not tried
 * before.
 *
 * <p>There are two kinds, told apart by {@code shared}:
 *
 * <ul>
 *   <li>shared: all endpoints but one, kept by the {@link EndpointSet} for all calls that one endpoint refused, so that
 *       the first refusal of a call allocates nothing. It is copied before it changes, and never has tried hosts.
 *   <li>private: belongs to one call, and changes in place.
 * </ul>
 *
 * <p>{@link #read} and {@link #avoided} are tried hosts in the form of {@link TriedHosts}: null if none, a
 * {@link Node}, or a {@code Node[]}. Refusals are bits by index: {@code low} for the first 64 endpoints, {@code high}
 * for the others.
 */
final class RemainingEndpoints implements IntPredicate {
    private static final int BITS = 64;
    /**
     * After this many refusals in one call the rest of the set is tried one by one: n steps in all, where strategies
     * need n for each.
     */
    private static final int MAX_PICKS = 32;

    /** The tried hosts as this call last read or wrote them: the expected value of its next claim. */
    @Nullable Object read;
    /** The tried hosts that are still avoided; null once all have been tried. */
    @Nullable Object avoided;

    private final Node<?>[] nodes;
    private final boolean shared;
    private long low;
    /** The bits from index 64 on; null if none is set. */
    private long @Nullable [] high;

    private int refusals;
    /** How many indices the sweep has visited. */
    private int swept;
    /** The index that the sweep visits next. */
    private int next;
    /** The distance between two indices of the sweep; 0 before it begins. */
    private int step;

    private RemainingEndpoints(Node<?>[] nodes, boolean shared) {
        this.nodes = nodes;
        this.shared = shared;
    }

    /** Returns all endpoints but one, to be shared by calls. */
    static RemainingEndpoints allBut(Node<?>[] nodes, int index) {
        RemainingEndpoints remaining = new RemainingEndpoints(nodes, true);
        remaining.mark(index);
        return remaining;
    }

    /** Returns all endpoints but those that have been tried, for one call. */
    static RemainingEndpoints untried(Node<?>[] nodes, @Nullable Object tried) {
        RemainingEndpoints remaining = new RemainingEndpoints(nodes, false);
        remaining.read = tried;
        remaining.avoided = tried;
        return remaining;
    }

    /** Returns these without one more: a copy if these are shared. */
    RemainingEndpoints without(int index) {
        RemainingEndpoints remaining = this;
        if (shared) {
            remaining = new RemainingEndpoints(nodes, false);
            remaining.low = low;
            remaining.high = high == null ? null : high.clone();
            remaining.refusals = refusals;
        }
        remaining.mark(index);
        return remaining;
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
        return !refused(index) && (avoided == null || !TriedHosts.contains(avoided, nodes[index]));
    }

    /** Allows the tried hosts again; false if none was avoided. */
    boolean allowTried() {
        boolean had = avoided != null;
        avoided = null;
        swept = 0;
        return had;
    }

    /** Whether so many have refused that the rest is tried one by one. */
    boolean isSwept() {
        return refusals >= MAX_PICKS;
    }

    /**
     * Returns the next endpoint that remains, in an order of this object's own; -1 if there is none. Continues after
     * the one that it returned before. The order begins at random and takes long steps, so that the neighbours of a row
     * of dead endpoints do not get all their calls.
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

    /** Returns a step near the golden section that has no common divisor with the size: every index comes once. */
    private static int longStep(int size) {
        int step = Math.max(1, (int) (size * 0.618));
        while (BigInteger.valueOf(step).gcd(BigInteger.valueOf(size)).intValue() != 1) {
            step++;
        }
        return step;
    }

    /** Returns the first that remains at or after an index, cyclically; -1 if there is none. */
    int firstFrom(int start) {
        for (int i = 0; i < nodes.length; i++) {
            int index = start + i < nodes.length ? start + i : start + i - nodes.length;
            if (test(index)) {
                return index;
            }
        }
        return -1;
    }
}
