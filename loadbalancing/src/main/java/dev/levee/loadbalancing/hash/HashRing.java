package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Consistent hashing on a ring: each member has many points on it, and owns the keys from the point before up to each
 * of its own (David Karger and others, Consistent Hashing and Random Trees, 1997).
 *
 * <p>With v points each, the shares of equal members differ by about 1/sqrt(v): 160 points give a standard deviation of
 * 8 %. A member that leaves takes only its own keys along. Three ways to place points:
 *
 * <ul>
 *   <li>{@link #of(List) of}, the one to take unless others must agree: point k of a member is {@link XxHash64} of its
 *       id, {@code _} and k. How many points a member has is its own weight times the points for a unit of weight, so
 *       that a change of one never moves another. Only above {@link #MAX_POINTS} in all are the points for a unit of
 *       weight halved until they fit, which does move keys when the limit is crossed.
 *   <li>{@link #envoy(List, int, int) envoy}: the same points, as many as Envoy gives to each host. A weight is a share
 *       of all, so a change of one may move others.
 *   <li>{@link #ketama(List) ketama}: the ring of libketama and of the clients of memcached, by MD5.
 * </ul>
 *
 * <p>Points compare as unsigned numbers; after the last one the ring begins anew. A look-up is O(1): a table of the
 * leading bits says where to begin, and there is about one point for each entry of it. Immutable and thread-safe. See
 * ADR 49.
 *
 * @see <a href="https://doi.org/10.1145/258533.258660">David Karger and others, Consistent Hashing and Random Trees,
 *     1997</a>
 * @see <a href="https://github.com/RJ/ketama">libketama</a>
 * @since 0.1
 */
public final class HashRing implements ConsistentHash {
    /** The points that a member of weight 1 has by default: 160. */
    public static final int DEFAULT_POINTS = 160;

    /** The most points that a ring of {@link #of(List) this library's} placement has: 2^20, which take 16 MB. */
    public static final int MAX_POINTS = 1 << 20;

    /** The fewest points that a ring of Envoy has by default: 1024. */
    public static final int ENVOY_MIN = 1024;

    /** The most points that a ring of Envoy has by default, and that it may have: 2^23. */
    public static final int ENVOY_MAX = 1 << 23;

    private final String name;
    private final Members members;
    /** The points in ascending order, with the sign bit flipped: unsigned order becomes signed order. */
    private final long[] points;
    /** The owner of each point. */
    private final int[] owners;
    /** For each value of the leading bits the first point that is not before it, and the end. */
    private final int[] starts;
    /** By how much to shift a hash for its leading bits. */
    private final int leading;
    /** By how much to shift a hash to compare it with points: 32 if those are of 32 bits. */
    private final int width;

    private final boolean ketama;

    private HashRing(String name, Members members, long[][] own, boolean ketama) {
        this.name = name;
        this.members = members;
        this.ketama = ketama;
        this.width = ketama ? 32 : 0;
        this.points =
                new long[Arrays.stream(own).mapToInt(places -> places.length).sum()];
        this.owners = new int[points.length];
        int size = 0;
        for (long[] places : own) {
            System.arraycopy(places, 0, points, size, places.length);
            size += places.length;
        }
        Arrays.sort(points);
        int bits = Math.max(1, 32 - Integer.numberOfLeadingZeros(points.length));
        this.leading = 64 - bits;
        this.starts = starts(points, bits);
        place(own);
    }

    /**
     * Returns a ring with {@link #DEFAULT_POINTS} for a unit of weight.
     *
     * @param members the members, in any order; none with weight 0 owns a key
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, or there are more than {@link #MAX_POINTS}
     */
    public static HashRing of(List<Member> members) {
        return of(members, DEFAULT_POINTS);
    }

    /**
     * Returns a ring.
     *
     * @param members the members, in any order; none with weight 0 owns a key
     * @param pointsPerWeight how many points a member of weight 1 has, from 1 to {@link #MAX_POINTS}
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, if there are more than {@link #MAX_POINTS}, or if
     *     the number of points is out of its range
     */
    public static HashRing of(List<Member> members, int pointsPerWeight) {
        Require.range("pointsPerWeight", pointsPerWeight, 1, MAX_POINTS);
        Members sorted = Members.of(members, MAX_POINTS);
        return new HashRing(
                "ring", sorted, RingPoints.xx(sorted.list, RingPoints.own(sorted.list, pointsPerWeight)), false);
    }

    /**
     * Returns the ring that Envoy makes with its default sizes, {@link #ENVOY_MIN} and {@link #ENVOY_MAX}; see
     * {@link #envoy(List, int, int)}.
     *
     * @param members the hosts, with the ids that Envoy hashes: {@code 10.0.0.1:80}, or the host names
     * @return the ring
     * @throws IllegalArgumentException if two members have one id
     */
    public static HashRing envoy(List<Member> members) {
        return envoy(members, ENVOY_MIN, ENVOY_MAX);
    }

    /**
     * Returns the ring that Envoy makes: each host has points in proportion to its weight, and the lightest has a whole
     * number of them; all together the minimum or somewhat more, but never more than the maximum. Keys must be hashed
     * by {@link XxHash64}, as Envoy does. Where shares are not whole, Envoy rounds running sums in the order of its
     * list of hosts; here it is the order of ids.
     *
     * @param members the hosts, with the ids that Envoy hashes: {@code 10.0.0.1:80}, or the host names
     * @param min {@code minimum_ring_size}, from 1 to {@link #ENVOY_MAX}
     * @param max {@code maximum_ring_size}, from {@code min} to {@link #ENVOY_MAX}; if it is small some hosts may have
     *     no point
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, or a size is out of its range
     */
    public static HashRing envoy(List<Member> members, int min, int max) {
        Require.range("min", min, 1, ENVOY_MAX);
        Require.range("max", max, min, ENVOY_MAX);
        Members sorted = Members.of(members, ENVOY_MAX);
        return new HashRing(
                "Envoy ring", sorted, RingPoints.xx(sorted.list, RingPoints.envoy(sorted.list, min, max)), false);
    }

    /**
     * Returns the ring of libketama (Richard Jones, Last.fm, 2007), which spymemcached and others share: 40 MD5 digests
     * of the id, {@code -} and a number for each of equal members, four points of 32 bits in each digest; with weights,
     * as many digests as the share of a member, rounded down. Where a share of libketama is whole it is so here too,
     * also where the {@code float} of libketama falls short of it. One rounded down to nothing owns nothing.
     *
     * <p>Keys are hashed by MD5 as well, see {@link #ketamaHash}: {@link #indexOf} does so, and of a hash value the
     * lower 32 bits count. Libmemcached leaves out the port 11211 when it hashes a server: give it ids without it.
     *
     * @param members the servers, with the ids that the other clients hash: {@code 10.0.1.1:11211}
     * @return the ring
     * @throws IllegalArgumentException if two members have one id, or there are more than 6553
     */
    public static HashRing ketama(List<Member> members) {
        Members sorted = Members.of(members, MAX_POINTS / DEFAULT_POINTS);
        return new HashRing("ketama ring", sorted, RingPoints.ketama(sorted.list), true);
    }

    /**
     * Returns the hash of a key on a {@link #ketama} ring: the first four bytes of its MD5 digest, the lowest first.
     * Allocates nothing.
     *
     * @param key the text; what counts is its UTF-8 form
     * @return from 0 to 2^32 - 1
     * @throws NullPointerException if an argument is null
     */
    public static long ketamaHash(CharSequence key) {
        return Md5.of(Require.nonNull("key", key));
    }

    private static int[] starts(long[] points, int bits) {
        int[] starts = new int[(1 << bits) + 1];
        int point = 0;
        for (int value = 0; value < starts.length - 1; value++) {
            while (point < points.length && (points[point] ^ Long.MIN_VALUE) >>> (64 - bits) < value) {
                point++;
            }
            starts[value] = point;
        }
        starts[starts.length - 1] = points.length;
        return starts;
    }

    private void place(long[][] own) {
        Arrays.fill(owners, -1);
        // Where two points coincide the first id owns both, so it is written last.
        for (int i = own.length - 1; i >= 0; i--) {
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

    /**
     * Returns the index of the first point that is not before a (flipped) hash; the number of points if there is none.
     */
    private int atOrAfter(long flipped) {
        int value = (int) ((flipped ^ Long.MIN_VALUE) >>> leading);
        int low = starts[value];
        int high = starts[value + 1];
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
        return members.list;
    }

    /**
     * Returns how many points there are.
     *
     * @return 0 or more
     */
    public int points() {
        return points.length;
    }

    @Override
    public int indexOf(CharSequence key) {
        return indexOfHash(ketama ? ketamaHash(key) : XxHash64.hash(key));
    }

    @Override
    public int indexOf(byte[] key) {
        return indexOfHash(ketama ? Md5.of(Require.nonNull("key", key)) : XxHash64.hash(key));
    }

    @Override
    public int indexOfHash(long hash) {
        if (points.length == 0) {
            return -1;
        }
        int at = atOrAfter((hash << width) ^ Long.MIN_VALUE);
        return owners[at == points.length ? 0 : at];
    }

    /** Returns the first accepted one on the way round the ring. O(points) if few are accepted. */
    @Override
    public int indexOfHash(long hash, IntPredicate accepted) {
        int at = atOrAfter((hash << width) ^ Long.MIN_VALUE);
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
        return name + " of " + members.list.size() + " members with " + points.length + " points";
    }
}
