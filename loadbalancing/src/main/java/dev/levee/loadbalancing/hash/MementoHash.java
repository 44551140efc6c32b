package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Consistent hashing with a memory of the members that left: a jump hash of which any member may go, and only its keys
 * move, to all others evenly (Massimo Coluzzi, Amos Brocco, Alessandro Antonucci and Tiziano Leidi, MementoHash: A
 * Stateful, Minimal Memory, Best Performing Consistent Hash Algorithm, 2024).
 *
 * <p>For a process that assigns keys alone, such as a broker or a coordinator, over many members: shares are as even as
 * those of random numbers can be, there is no table, and the number of members has no limit that is fixed beforehand.
 * <strong>Not for clients that must agree without talking to each other:</strong> the owner of a key depends on the
 * order in which members left. Two hashes that began with the same members and saw the same changes in the same order
 * are equal; see {@link #left()}. Otherwise take {@link HashRing}, {@link RendezvousHash} or {@link Maglev}, which know
 * only the set.
 *
 * <p>A member that joins takes the bucket of the one that left last; if none is missing, a new one. Knows no weights:
 * all must be equal, or 0. A look-up takes about ln n steps, and the square of ln (buckets by members) for those that
 * left. A change copies the buckets. Immutable and thread-safe. See ADR 49.
 *
 * @since 0.1
 */
public final class MementoHash implements ConsistentHash {
    private static final int WORKING = -1;

    private final Members members;
    /** The members of weight 0. */
    private final List<Member> idle;
    /** The member of each bucket; null for one that left. */
    private final List<@Nullable Member> buckets;
    /** The index of the member of each bucket. */
    private final int[] indices;
    /** For a bucket that left: how many were left then, which is also the number of the one that took its place. */
    private final int[] replacements;

    /** The buckets that left, the first one first. */
    private final int[] order;
    /** The members of these buckets. */
    private final List<Member> left;

    private MementoHash(
            List<Member> idle, List<@Nullable Member> buckets, int[] replacements, int[] order, List<Member> left) {
        this.idle = idle;
        this.buckets = buckets;
        this.replacements = replacements;
        this.order = order;
        this.left = left;
        List<Member> present = new ArrayList<>(idle);
        for (Member member : buckets) {
            if (member != null) {
                present.add(member);
            }
        }
        this.members = Members.of(present, Integer.MAX_VALUE);
        members.requireEqualWeights();
        this.indices = new int[buckets.size()];
        for (int bucket = 0; bucket < indices.length; bucket++) {
            Member member = buckets.get(bucket);
            indices[bucket] = member == null ? -1 : find(member.id());
        }
    }

    /**
     * Returns a hash from which no member has left yet.
     *
     * @param members the members, in any order: their buckets are in the order of their ids; those of weight 0 have
     *     none
     * @return the hash
     * @throws IllegalArgumentException if two members have one id, or the weights differ
     */
    public static MementoHash of(List<Member> members) {
        List<@Nullable Member> buckets = new ArrayList<>();
        List<Member> idle = new ArrayList<>();
        for (Member member : Members.of(members, Integer.MAX_VALUE).list) {
            (member.weight() > 0.0 ? buckets : idle).add(member);
        }
        int[] replacements = new int[buckets.size()];
        Arrays.fill(replacements, WORKING);
        return new MementoHash(idle, buckets, replacements, new int[0], List.of());
    }

    /**
     * Returns this hash after a member has left: its keys move, and no others.
     *
     * @param id the member that leaves
     * @return the hash without it
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no such member
     */
    public MementoHash without(String id) {
        int bucket = bucketOf(Require.nonNull("id", id));
        if (bucket < 0) {
            throw new IllegalArgumentException("id must be one of the members, but was \"" + id + "\"");
        }
        List<@Nullable Member> fewer = new ArrayList<>(buckets);
        if (order.length == 0 && bucket == buckets.size() - 1) {
            fewer.remove(bucket);
            return new MementoHash(idle, fewer, Arrays.copyOf(replacements, bucket), order, left);
        }
        int[] replaced = replacements.clone();
        replaced[bucket] = buckets.size() - order.length - 1;
        int[] longer = Arrays.copyOf(order, order.length + 1);
        longer[order.length] = bucket;
        List<Member> gone = new ArrayList<>(left);
        gone.add(Require.nonNull("member", fewer.set(bucket, null)));
        return new MementoHash(idle, fewer, replaced, longer, List.copyOf(gone));
    }

    /**
     * Returns this hash after a member has joined: keys move to it, and to no other.
     *
     * @param member the member that joins, of the weight of the others
     * @return the hash with it
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is a member with this id, or its weight is another
     */
    public MementoHash with(Member member) {
        Require.nonNull("member", member);
        int index = find(member.id());
        if (index < members.list.size() && members.list.get(index).id().equals(member.id())) {
            throw new IllegalArgumentException("members must have different ids, but two are \"" + member.id() + "\"");
        }
        if (member.weight() == 0.0) {
            throw new IllegalArgumentException("weight must be more than 0, but was 0.0");
        }
        List<@Nullable Member> more = new ArrayList<>(buckets);
        if (order.length == 0) {
            more.add(member);
            int[] replaced = Arrays.copyOf(replacements, more.size());
            replaced[more.size() - 1] = WORKING;
            return new MementoHash(idle, more, replaced, order, left);
        }
        int last = order.length - 1;
        more.set(order[last], member);
        int[] replaced = replacements.clone();
        replaced[order[last]] = WORKING;
        return new MementoHash(idle, more, replaced, Arrays.copyOf(order, last), left.subList(0, last));
    }

    private int bucketOf(String id) {
        for (int bucket = 0; bucket < buckets.size(); bucket++) {
            Member member = buckets.get(bucket);
            if (member != null && member.id().equals(id)) {
                return bucket;
            }
        }
        return -1;
    }

    /** Returns the index of the first member whose id is not before this one. */
    private int find(String id) {
        int low = 0;
        int high = members.list.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (members.list.get(middle).id().compareTo(id) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /**
     * Returns the members that have left and have not been replaced, the first one first. A hash of the members and
     * these, from which these leave in this order, is equal to this one, as long as no member joined in the meantime
     * whose id is not in its place.
     *
     * @return those that left
     */
    public List<Member> left() {
        return left;
    }

    @Override
    public List<Member> members() {
        return members.list;
    }

    @Override
    public int indexOfHash(long hash) {
        return order.length == indices.length ? -1 : indices[bucket(hash)];
    }

    private int bucket(long hash) {
        int bucket = JumpHash.jump(hash, replacements.length);
        while (replacements[bucket] != WORKING) {
            // Among those that were left when this bucket went; one of them that had gone before stands for its
            // replacement.
            int then = replacements[bucket];
            int other = below(XxHash64.hash(bucket, hash), then);
            while (replacements[other] >= then) {
                other = replacements[other];
            }
            bucket = other;
        }
        return bucket;
    }

    /** Returns a number from 0 to {@code bound - 1} of a hash, by unsigned arithmetic. */
    private static int below(long hash, int bound) {
        return (int) (((hash >>> 32) * bound) >>> 32);
    }

    /**
     * Tries the bucket of the hash value, then of the hash of that, and so on; if none is accepted soon, all members.
     */
    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        if (order.length == indices.length) {
            return -1;
        }
        long next = hash;
        for (int attempt = 0; attempt < Members.MAX_PROBES; attempt++) {
            int owner = indices[bucket(next)];
            if (accepted.test(owner)) {
                return owner;
            }
            next = XxHash64.hash(next);
        }
        return members.highest(hash, accepted);
    }

    @Override
    public String toString() {
        return "memento hash of " + members.list.size() + " members, " + left.size() + " left";
    }
}
