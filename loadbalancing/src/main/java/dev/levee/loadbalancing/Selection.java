package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Which endpoints of a set are candidates, and which part of its weight each has; by index in the whole set.
 *
 * <p>All, undrained and usable endpoints each contain the next; candidates are the usable ones, and in a panic all
 * undrained ones or none. See ADR 46.
 */
final class Selection {
    private final BitSet candidates;
    private final BitSet undrained;
    private final BitSet usable;
    private final double[] ramps;
    private final int usableEndpoints;
    /** Whether endpoints are left out in a panic, because {@code refuseInPanic} is configured. */
    private final boolean refusesInPanic;

    Selection(BitSet candidates, BitSet undrained, BitSet usable, double[] ramps, boolean refusesInPanic) {
        this.candidates = candidates;
        this.undrained = undrained;
        this.usable = usable;
        this.ramps = ramps;
        this.usableEndpoints = usable.cardinality();
        this.refusesInPanic = refusesInPanic;
    }

    /** Returns all endpoints but the drained ones; all if every one is drained. */
    static <A> BitSet undrained(List<Endpoint<A>> all) {
        BitSet undrained = new BitSet(all.size());
        for (int i = 0; i < all.size(); i++) {
            undrained.set(i, all.get(i).weight() > 0.0);
        }
        if (undrained.isEmpty()) {
            undrained.set(0, all.size());
        }
        return undrained;
    }

    /** Returns the selection of a balancer that does not watch health. */
    static <A> Selection of(List<Endpoint<A>> all) {
        BitSet undrained = undrained(all);
        double[] ramps = new double[all.size()];
        Arrays.fill(ramps, 1.0);
        return new Selection(undrained, undrained, undrained, ramps, false);
    }

    boolean isCandidate(int index) {
        return candidates.get(index);
    }

    boolean isUndrained(int index) {
        return undrained.get(index);
    }

    boolean isUsable(int index) {
        return usable.get(index);
    }

    /** Returns how many are usable; read for each call of some clients. */
    int usableEndpoints() {
        return usableEndpoints;
    }

    double ramp(int index) {
        return ramps[index];
    }

    boolean refusesInPanic() {
        return refusesInPanic;
    }

    boolean isSameAs(Selection other) {
        return candidates.equals(other.candidates)
                && undrained.equals(other.undrained)
                && usable.equals(other.usable)
                && Arrays.equals(ramps, other.ramps)
                && refusesInPanic == other.refusesInPanic;
    }
}
