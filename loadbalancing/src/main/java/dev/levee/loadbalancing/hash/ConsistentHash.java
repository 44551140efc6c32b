package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Maps keys to the members of a group.
 *
 * <p>When a member leaves only its keys move, and when one joins keys move only to it (an implementation that cannot
 * promise this exactly says so). The result depends on the ids and weights of the members and on the key, and on
 * nothing else (again, but for one that says so): it is the same in every JVM, and the order in which members were
 * given does not matter. See ADR 49.
 *
 * <p>Which: {@link RendezvousHash} for up to some tens of members, {@link Maglev} for more and the fastest look-up,
 * {@link HashRing} where not one key may move without need or others must agree, {@link JumpHash} for numbered shards,
 * {@link MementoHash} where one process decides alone over very many.
 *
 * <p>Immutable and thread-safe: a changed group is a new object. A look-up neither blocks nor allocates.
 *
 * @since 0.1
 */
public interface ConsistentHash {
    /**
     * Returns the group.
     *
     * @return the members in the order of their ids; an index is a place in this list
     */
    List<Member> members();

    /**
     * Returns the owner of a hash value.
     *
     * @param hash evenly spread over all longs, such as {@link XxHash64} gives
     * @return the index of the member, or -1 if there is none with a weight above 0
     */
    int indexOfHash(long hash);

    /**
     * Returns the first member that is accepted, in the order of preference that the hash value gives: for stepping
     * over members that are down, and for replicas.
     *
     * @param hash as in {@link #indexOfHash(long)}
     * @param accepted whether the member with an index will do; may be called for one more than once
     * @return the index of the member, or -1 if none is accepted
     */
    int indexOfHash(long hash, IntPredicate accepted);

    /**
     * Returns the owner of a number.
     *
     * @param key any number; it is hashed
     * @return as {@link #indexOfHash(long)}
     */
    default int indexOf(long key) {
        return indexOfHash(XxHash64.hash(key));
    }

    /**
     * Returns the owner of a text.
     *
     * @param key the text; what counts is its UTF-8 form
     * @return as {@link #indexOfHash(long)}
     */
    default int indexOf(CharSequence key) {
        return indexOfHash(XxHash64.hash(key));
    }

    /**
     * Returns the owner of some bytes.
     *
     * @param key the bytes
     * @return as {@link #indexOfHash(long)}
     */
    default int indexOf(byte[] key) {
        return indexOfHash(XxHash64.hash(key));
    }

    /**
     * Returns different members for one hash value, the owner first. Allocates the result.
     *
     * @param hash as in {@link #indexOfHash(long)}
     * @param count how many are wanted, 0 or more
     * @return their indices; fewer if fewer have a weight above 0
     * @throws IllegalArgumentException if the count is negative
     */
    default int[] replicas(long hash, int count) {
        Require.range("count", count, 0, Integer.MAX_VALUE);
        int size = members().size();
        int[] found = new int[Math.min(count, size)];
        boolean[] taken = new boolean[size];
        for (int i = 0; i < found.length; i++) {
            int index = indexOfHash(hash, candidate -> !taken[candidate]);
            if (index < 0) {
                return Arrays.copyOf(found, i);
            }
            taken[index] = true;
            found[i] = index;
        }
        return found;
    }
}
