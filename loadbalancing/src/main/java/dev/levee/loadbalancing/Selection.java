package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Which endpoints of a set are candidates, and which part of its weight each has; by index in the whole set. */
final class Selection {
    private final BitSet candidates;
    private final BitSet known; // those that are not drained
    private final BitSet usable; // those that are well; the candidates may be more in a panic
    private final double[] ramps;
    private final boolean refusesInPanic; // some are left out although few are left, since that is what the user wants

    Selection(BitSet candidates, BitSet known, BitSet usable, double[] ramps, boolean refusesInPanic) {
        this.candidates = candidates;
        this.known = known;
        this.usable = usable;
        this.ramps = ramps;
        this.refusesInPanic = refusesInPanic;
    }

    /** Everything but the drained; everything if all are drained. */
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

    /** Where nobody watches health. */
    static <A> Selection of(List<Endpoint<A>> all) {
        BitSet undrained = undrained(all);
        double[] ramps = new double[all.size()];
        Arrays.fill(ramps, 1.0);
        return new Selection(undrained, undrained, undrained, ramps, false);
    }

    boolean isCandidate(int index) {
        return candidates.get(index);
    }

    boolean isKnown(int index) {
        return known.get(index);
    }

    boolean isUsable(int index) {
        return usable.get(index);
    }

    double ramp(int index) {
        return ramps[index];
    }

    boolean refusesInPanic() {
        return refusesInPanic;
    }

    boolean isSameAs(Selection other) {
        return candidates.equals(other.candidates)
                && known.equals(other.known)
                && usable.equals(other.usable)
                && Arrays.equals(ramps, other.ramps)
                && refusesInPanic == other.refusesInPanic;
    }
}
