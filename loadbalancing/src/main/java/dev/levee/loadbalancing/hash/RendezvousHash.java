package dev.levee.loadbalancing.hash;

import java.util.List;
import java.util.function.IntPredicate;

/**
 * Consistent hashing by the highest of one score for each member and key (David G. Thaler and Chinya V. Ravishankar,
 * Using Name-Based Mappings to Increase Hit Rates, 1998).
 *
 * <p>For up to some tens of members: nothing to build, no memory, shares that are exact in expectation for any weights,
 * and when one leaves, or its weight changes, only its keys move, to all others evenly. A look-up is O(n); for many
 * members see {@link Maglev} and {@link HashRing}.
 *
 * <p>The score is {@link XxHash64} of the hash of the id, seeded with the hash of the key; with unequal weights, it is
 * minus the weight by the logarithm of that as a number between 0 and 1, by {@code StrictMath}, so that every JVM
 * computes the same. Immutable and thread-safe.
 *
 * @see <a href="https://doi.org/10.1109/90.663936">David G. Thaler and Chinya V. Ravishankar, Using Name-Based Mappings
 *     to Increase Hit Rates, 1998</a>
 * @since 0.1
 */
public final class RendezvousHash implements ConsistentHash {
    private final Members members;
    private final int[] owners;
    private final long[] ids;
    private final double[] weights;
    private final boolean even;

    private RendezvousHash(Members members) {
        this.members = members;
        this.owners = members.owners();
        this.ids = new long[owners.length];
        this.weights = new double[owners.length];
        boolean equal = true;
        for (int i = 0; i < owners.length; i++) {
            Member member = members.list.get(owners[i]);
            ids[i] = XxHash64.hash(member.id());
            weights[i] = member.weight();
            equal &= weights[i] == weights[0];
        }
        this.even = equal;
    }

    /**
     * Returns a hash over members.
     *
     * @param members the members, in any order; none with weight 0 owns a key
     * @return the hash
     * @throws IllegalArgumentException if two members have one id
     */
    public static RendezvousHash of(List<Member> members) {
        return new RendezvousHash(Members.of(members, Integer.MAX_VALUE));
    }

    @Override
    public List<Member> members() {
        return members.list;
    }

    @Override
    public int indexOfHash(long hash) {
        return even ? highest(hash) : weighted(hash, index -> true);
    }

    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        return even ? members.highest(hash, accepted) : weighted(hash, accepted);
    }

    private int highest(long hash) {
        if (owners.length == 0) {
            return -1;
        }
        int highest = 0;
        long best = XxHash64.hash(ids[0], hash) ^ Long.MIN_VALUE; // unsigned order becomes signed order
        for (int i = 1; i < ids.length; i++) {
            long score = XxHash64.hash(ids[i], hash) ^ Long.MIN_VALUE;
            if (score > best) {
                highest = i;
                best = score;
            }
        }
        return owners[highest];
    }

    private int weighted(long hash, IntPredicate accepted) {
        int highest = -1;
        double best = 0;
        for (int i = 0; i < ids.length; i++) {
            if (accepted.test(owners[i])) {
                double unit = ((XxHash64.hash(ids[i], hash) >>> 11) + 0.5) * 0x1p-53;
                double score = -weights[i] / StrictMath.log(unit);
                if (highest < 0 || score > best) {
                    highest = owners[i];
                    best = score;
                }
            }
        }
        return highest;
    }

    @Override
    public String toString() {
        return "rendezvous hash of " + members.list.size() + " members";
    }
}
