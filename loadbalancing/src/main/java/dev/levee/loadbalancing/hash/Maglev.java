package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Consistent hashing by a table that is filled in turns: each member walks its own permutation of the places and takes
 * the next free one (Daniel E. Eisenbud and others, Maglev: A Fast and Reliable Software Network Load Balancer, 2016).
 *
 * <p>For the most even shares and the fastest look-up, one division without a divide instruction and one read: of two
 * equal members none ever has more than one place more. The price is that a member that leaves takes a few keys of
 * others along: with 1000 members and 65537 places 0.7 % of all keys move where 0.1 % must. Where only the keys of the
 * one that left may move see {@link HashRing} and {@link RendezvousHash}.
 *
 * <p>The table is the one that Envoy makes: the place where a member starts is {@link XxHash64} of its id with seed 0
 * modulo the size, its step the one with seed 1 modulo the size less one, plus one, and a member takes a place in as
 * many turns as its weight relative to the greatest one says. Members take their turns in the order of their ids, so
 * the order in which they were given does not matter; versions of Envoy that do not sort yet agree if they are given
 * sorted hosts. If a member is not accepted, the next is the one that Envoy tries next.
 *
 * <p>The table is built in about M ln M steps for M places. Two bytes for each place. Immutable and thread-safe.
 *
 * @see <a href="https://www.usenix.org/conference/nsdi16/technical-sessions/presentation/eisenbud">Daniel E. Eisenbud
 *     and others, Maglev: A Fast and Reliable Software Network Load Balancer, 2016</a>
 * @since 0.1
 */
public final class Maglev implements ConsistentHash {
    /** The places of a table by default: 65537, good for some hundred members. */
    public static final int DEFAULT_SIZE = 65_537;

    /** The most places that a table has, as in Envoy: 5000011. */
    public static final int MAX_SIZE = 5_000_011;

    /** The most members of a table: 65535. */
    public static final int MAX_MEMBERS = 65_535;

    private final Members members;
    /** The owner of each place; empty if no member owns anything. */
    private final char[] table;

    private final long size;
    /** 2^64 / size, rounded down. */
    private final long inverse;

    private Maglev(Members members, int size) {
        this.members = members;
        this.size = size;
        this.inverse = Long.divideUnsigned(-1L, size);
        this.table = table(members, size);
    }

    /**
     * Returns a table of {@link #DEFAULT_SIZE}.
     *
     * @param members the members, in any order; none with weight 0 owns a key
     * @return the table
     * @throws IllegalArgumentException if two members have one id, or there are more than {@link #MAX_MEMBERS}
     */
    public static Maglev of(List<Member> members) {
        return of(members, DEFAULT_SIZE);
    }

    /**
     * Returns a table.
     *
     * @param members the members, in any order; none with weight 0 owns a key
     * @param size how many places it has: a prime number up to {@link #MAX_SIZE}, best a hundred times the number of
     *     members, which keeps shares to within 1 %
     * @return the table
     * @throws IllegalArgumentException if the size is out of its range or no prime number, if two members have one id,
     *     or if there are more than {@link #MAX_MEMBERS}
     */
    public static Maglev of(List<Member> members, int size) {
        Require.range("size", size, 2, MAX_SIZE);
        for (long divisor = 2; divisor * divisor <= size; divisor++) {
            if (size % divisor == 0) {
                throw new IllegalArgumentException(
                        "size must be a prime number, but was " + size + ", which " + divisor + " divides");
            }
        }
        return new Maglev(Members.of(members, MAX_MEMBERS), size);
    }

    private static char[] table(Members members, int size) {
        int[] owners = members.owners();
        int[] offsets = new int[owners.length];
        int[] skips = new int[owners.length];
        double[] weights = new double[owners.length];
        double sum = 0;
        for (int i = 0; i < owners.length; i++) {
            Member member = members.list.get(owners[i]);
            offsets[i] = (int) Long.remainderUnsigned(XxHash64.hash(member.id()), size);
            skips[i] = (int) Long.remainderUnsigned(XxHash64.hash(member.id(), 1), size - 1L) + 1;
            weights[i] = member.weight();
            sum += member.weight();
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= sum;
        }
        char[] table = fill(offsets, skips, weights, size);
        for (int place = 0; place < table.length; place++) {
            table[place] = (char) owners[table[place]];
        }
        return table;
    }

    /**
     * Computes the owner of each place. The arithmetic is Envoy's to the last bit: in turn t a member takes a place
     * unless t times its weight is less than the greatest weight times the places that it has taken.
     */
    static char[] fill(int[] offsets, int[] skips, double[] weights, int size) {
        if (weights.length == 0) {
            return new char[0];
        }
        char[] table = new char[size];
        boolean[] taken = new boolean[size];
        int[] next = offsets.clone();
        double[] target = new double[weights.length];
        double greatest = Arrays.stream(weights).max().orElseThrow();
        int filled = 0;
        for (long turn = 1; filled < size; turn++) {
            for (int i = 0; i < weights.length && filled < size; i++) {
                if (turn * weights[i] < target[i]) {
                    continue;
                }
                target[i] += greatest;
                int place = next[i];
                while (taken[place]) {
                    place = step(place, skips[i], size);
                }
                taken[place] = true;
                table[place] = (char) i;
                next[i] = step(place, skips[i], size);
                filled++;
            }
        }
        return table;
    }

    private static int step(int place, int skip, int size) {
        int next = place + skip;
        return next >= size ? next - size : next;
    }

    @Override
    public List<Member> members() {
        return members.list;
    }

    /**
     * Returns how many places there are.
     *
     * @return a prime number
     */
    public int size() {
        return (int) size;
    }

    /**
     * Returns the owner of each place: the owner of a hash is at the hash modulo the size, taken as unsigned. Allocates
     * the result.
     *
     * @return the indices of the members; empty if none has a weight above 0
     */
    public int[] table() {
        int[] indices = new int[table.length];
        for (int i = 0; i < indices.length; i++) {
            indices[i] = table[i];
        }
        return indices;
    }

    @Override
    public int indexOfHash(long hash) {
        return table.length == 0 ? -1 : table[place(hash)];
    }

    /** Returns the hash modulo the size. The quotient is estimated by a product, and is one too small at most. */
    private int place(long hash) {
        long quotient = Math.multiplyHigh(hash, inverse) + ((hash >> 63) & inverse);
        long rest = hash - quotient * size;
        return (int) (rest >= size ? rest - size : rest);
    }

    /** Tries members in the order in which Envoy does; if none is accepted soon, all of them. */
    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        if (table.length == 0) {
            return -1;
        }
        int rejected = -1;
        for (int attempt = 0; attempt < Members.MAX_PROBES; attempt++) {
            int owner = table[place(attempt == 0 ? hash : hash ^ -attempt)];
            if (owner != rejected) {
                if (accepted.test(owner)) {
                    return owner;
                }
                rejected = owner;
            }
        }
        return members.highest(hash, accepted);
    }

    @Override
    public String toString() {
        return "Maglev table of " + members.list.size() + " members with " + size + " places";
    }
}
