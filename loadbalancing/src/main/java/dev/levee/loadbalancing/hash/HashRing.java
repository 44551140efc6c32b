package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Consistent hashing on a ring: each member has many points on it, and owns the keys from the point before up to each of its own
 * (David Karger and others, Consistent Hashing and Random Trees, 1997). Provisional.
 *
 * <p>Point k of a member is {@link XxHash64} of its id, {@code _} and k, as Envoy places the hosts of its ring; points compare as
 * unsigned numbers. With v points each, the shares of equal members differ by about 1/sqrt(v): 160 points give a standard deviation
 * of 8 %. A member that leaves takes only its own keys along.
 *
 * <p>How many points a member has is its own weight times the points for a unit of weight, so that a change of one never moves
 * another. Only above {@link #MAXIMUM_POINTS} in all are the points for a unit of weight halved until they fit, which does move
 * keys when the limit is crossed. Looking up is a binary search. Immutable and thread-safe.
 *
 * @since 0.1
 */
public final class HashRing implements ConsistentHash {
    /** The points that a member of weight 1 has unless told otherwise: 160. */
    public static final int DEFAULT_POINTS = 160;

    /** The most points that a ring has: 2^20, which take 12 MB. */
    public static final int MAXIMUM_POINTS = 1 << 20;

    private final List<Member> members;
    private final long[] points; // ascending, with the sign bit flipped: unsigned order becomes signed order
    private final int[] owners;

    private HashRing(List<Member> members, double pointsPerWeight) {
        this.members = members;
        int[] counts = counts(members, pointsPerWeight);
        this.points = new long[Arrays.stream(counts).sum()];
        this.owners = new int[points.length];
        place(counts);
    }

    /**
     * A ring with {@link #DEFAULT_POINTS} for a unit of weight.
     *
     * @param members who is on it, in any order; none with weight 0 owns a key
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, or there are more than {@link #MAXIMUM_POINTS}
     */
    public static HashRing of(List<Member> members) {
        return of(members, DEFAULT_POINTS);
    }

    /**
     * A ring.
     *
     * @param members who is on it, in any order; none with weight 0 owns a key
     * @param pointsPerWeight how many points a member of weight 1 has, from 1 to {@link #MAXIMUM_POINTS}
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, if there are more than {@link #MAXIMUM_POINTS}, or if the number of
     *     points is out of its range
     */
    public static HashRing of(List<Member> members, int pointsPerWeight) {
        Require.range("pointsPerWeight", pointsPerWeight, 1, MAXIMUM_POINTS);
        List<Member> sorted = Require.nonNull("members", members).stream()
                .sorted(Comparator.comparing(Member::id))
                .toList();
        Require.range("number of members", sorted.size(), 0, MAXIMUM_POINTS);
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).id().equals(sorted.get(i - 1).id())) {
                throw new IllegalArgumentException("members must have different ids, but two are \""
                        + sorted.get(i).id() + "\"");
            }
        }
        return new HashRing(sorted, pointsPerWeight);
    }

    private static int[] counts(List<Member> members, double pointsPerWeight) {
        int[] counts = new int[members.size()];
        double perWeight = pointsPerWeight;
        double total;
        do {
            total = 0;
            for (int i = 0; i < counts.length; i++) {
                double weight = members.get(i).weight();
                // At least one point for who has a weight at all. What is too much for an int is too much for the ring.
                double count = weight == 0.0 ? 0.0 : Math.max(1.0, Math.rint(weight * perWeight));
                counts[i] = (int) count;
                total += count;
            }
            perWeight /= 2;
        } while (total > MAXIMUM_POINTS);
        return counts;
    }

    private void place(int[] counts) {
        int size = 0;
        long[][] own = new long[counts.length][];
        for (int i = 0; i < counts.length; i++) {
            own[i] = points(members.get(i).id(), counts[i]);
            System.arraycopy(own[i], 0, points, size, counts[i]);
            size += counts[i];
        }
        Arrays.sort(points);
        Arrays.fill(owners, -1);
        // Where two points fall together the first id owns both, so it is written last.
        for (int i = counts.length - 1; i >= 0; i--) {
            for (long point : own[i]) {
                owners[atOrAfter(point)] = i;
            }
        }
        for (int i = 1; i < owners.length; i++) {
            if (owners[i] < 0) {
                owners[i] = owners[i - 1];
            }
        }
    }

    private static long[] points(String id, int count) {
        long[] points = new long[count];
        StringBuilder text = new StringBuilder(id).append('_');
        int prefix = text.length();
        for (int k = 0; k < count; k++) {
            text.setLength(prefix);
            points[k] = XxHash64.hash(text.append(k)) ^ Long.MIN_VALUE;
        }
        return points;
    }

    /** The index of the first point that is not before a (flipped) hash; the number of points if there is none. */
    private int atOrAfter(long flipped) {
        int low = 0;
        int high = points.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (points[middle] < flipped) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public List<Member> members() {
        return members;
    }

    /**
     * How many points there are.
     *
     * @return from 0 to {@link #MAXIMUM_POINTS}
     */
    public int points() {
        return points.length;
    }

    @Override
    public int indexOfHash(long hash) {
        if (points.length == 0) {
            return -1;
        }
        int at = atOrAfter(hash ^ Long.MIN_VALUE);
        return owners[at == points.length ? 0 : at];
    }

    /** The first on the way round the ring. O(points) if few are accepted. */
    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        int at = atOrAfter(hash ^ Long.MIN_VALUE);
        int rejected = -1;
        for (int walked = 0; walked < points.length; walked++, at++) {
            if (at >= points.length) {
                at = 0;
            }
            int owner = owners[at];
            if (owner != rejected) {
                if (accepted.test(owner)) {
                    return owner;
                }
                rejected = owner;
            }
        }
        return -1;
    }

    @Override
    public String toString() {
        return "ring of " + members.size() + " members with " + points.length + " points";
    }
}
