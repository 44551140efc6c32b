package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Consistent hashing without memory, for numbered buckets of which only the last one comes and goes (John Lamping and
 * Eric Veach, A Fast, Minimal Memory, Consistent Hash Algorithm, 2014).
 *
 * <p>For shards that are numbered and never removed from the middle, such as {@code shard-00} to {@code shard-63}:
 * shares are as even as those of random numbers can be. <strong>Not for servers that fail.</strong> Buckets are the
 * members in the order of their ids; one that leaves from the middle, or joins there ({@code shard-10} stands before
 * {@code shard-2}), moves about half of all keys. Any member may leave in {@link MementoHash}.
 *
 * <p>Knows no weights: all must be equal, or 0. A look-up takes about ln n steps. Immutable and thread-safe. See ADR
 * 49.
 *
 * @see <a href="https://arxiv.org/abs/1406.2294">John Lamping and Eric Veach, A Fast, Minimal Memory, Consistent Hash
 *     Algorithm, 2014</a>
 * @since 0.1
 */
public final class JumpHash implements ConsistentHash {
    private final Members members;
    private final int[] buckets;

    private JumpHash(Members members) {
        this.members = members;
        this.buckets = members.owners();
    }

    /**
     * Returns a hash over members.
     *
     * @param members the buckets, in any order; those of weight 0 own nothing
     * @return the hash
     * @throws IllegalArgumentException if two members have one id, or the weights differ
     */
    public static JumpHash of(List<Member> members) {
        Members sorted = Members.of(members, Integer.MAX_VALUE);
        sorted.requireEqualWeights();
        return new JumpHash(sorted);
    }

    /**
     * Returns the bucket of a hash value: the function of the paper.
     *
     * @param hash evenly spread over all longs
     * @param buckets how many there are, 1 or more
     * @return from 0 to {@code buckets - 1}; with one bucket more it is the same or the new one
     * @throws IllegalArgumentException if there are no buckets
     */
    public static int bucket(long hash, int buckets) {
        Require.range("buckets", buckets, 1, Integer.MAX_VALUE);
        return jump(hash, buckets);
    }

    static int jump(long hash, int buckets) {
        long key = hash;
        long bucket = -1;
        long next = 0;
        while (next < buckets) {
            bucket = next;
            key = key * 2862933555777941757L + 1;
            next = (long) ((bucket + 1) * (0x1p31 / ((key >>> 33) + 1)));
        }
        return (int) bucket;
    }

    @Override
    public List<Member> members() {
        return members.list;
    }

    @Override
    public int indexOfHash(long hash) {
        return buckets.length == 0 ? -1 : buckets[jump(hash, buckets.length)];
    }

    /**
     * Tries the bucket of the hash value, then of the hash of that, and so on; if none is accepted soon, all members.
     */
    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        if (buckets.length == 0) {
            return -1;
        }
        long next = hash;
        for (int attempt = 0; attempt < Members.MAX_PROBES; attempt++) {
            int owner = buckets[jump(next, buckets.length)];
            if (accepted.test(owner)) {
                return owner;
            }
            next = XxHash64.hash(next);
        }
        return members.highest(hash, accepted);
    }

    @Override
    public String toString() {
        return "jump hash of " + members.list.size() + " members";
    }
}
