package dev.levee.loadbalancing.hash;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

/** Computes how many points each member of a ring has, and where: unsigned numbers with the sign bit flipped. */
final class RingPoints {
    private static final int DIGESTS = 40;

    private RingPoints() {}

    /** Returns the number of points of each member, by its own weight alone, unless there are too many in all. */
    static int[] own(List<Member> members, double pointsPerWeight) {
        int[] counts = new int[members.size()];
        double perWeight = pointsPerWeight;
        double total;
        do {
            total = 0;
            for (int i = 0; i < counts.length; i++) {
                double weight = members.get(i).weight();
                // At least one point for any weight above 0. What is too much for an int is too much for the ring.
                double count = weight == 0.0 ? 0.0 : Math.max(1.0, Math.rint(weight * perWeight));
                counts[i] = (int) count;
                total += count;
            }
            perWeight /= 2;
        } while (total > HashRing.MAX_POINTS);
        return counts;
    }

    /**
     * Returns the number of points of each member in the arithmetic of Envoy: a scale that gives the lightest a whole
     * number, and running sums that are rounded up.
     */
    static int[] envoy(List<Member> members, int min, int max) {
        int[] counts = new int[members.size()];
        double sum = members.stream().mapToDouble(Member::weight).sum();
        double least = 1.0;
        for (Member member : members) {
            if (member.weight() > 0.0) {
                least = Math.min(least, member.weight() / sum);
            }
        }
        double scale = Math.min(Math.ceil(least * min) / least, max);
        double placed = 0;
        double target = 0;
        for (int i = 0; i < counts.length; i++) {
            if (members.get(i).weight() > 0.0) {
                target += scale * (members.get(i).weight() / sum);
                for (; placed < target; placed++) {
                    counts[i]++;
                }
            }
        }
        return counts;
    }

    static long[][] xx(List<Member> members, int[] counts) {
        long[][] places = new long[counts.length][];
        for (int i = 0; i < counts.length; i++) {
            places[i] = new long[counts[i]];
            StringBuilder text = new StringBuilder(members.get(i).id()).append('_');
            int prefix = text.length();
            for (int k = 0; k < counts[i]; k++) {
                text.setLength(prefix);
                places[i][k] = XxHash64.hash(text.append(k)) ^ Long.MIN_VALUE;
            }
        }
        return places;
    }

    /** Returns the points of a ketama ring: 32 bits, in the upper halves. */
    static long[][] ketama(List<Member> members) {
        int[] digests = digests(members);
        long[][] places = new long[digests.length][];
        MessageDigest md5 = Md5.digest();
        for (int i = 0; i < digests.length; i++) {
            places[i] = new long[4 * digests[i]];
            for (int k = 0; k < digests[i]; k++) {
                byte[] digest = md5.digest(Md5.utf8(members.get(i).id() + "-" + k));
                for (int part = 0; part < 4; part++) {
                    places[i][4 * k + part] = (Md5.word(digest, 4 * part) << 32) ^ Long.MIN_VALUE;
                }
            }
        }
        return places;
    }

    private static int[] digests(List<Member> members) {
        double[] weights = members.stream().mapToDouble(Member::weight).toArray();
        double sum = Arrays.stream(weights).sum();
        long owners = Arrays.stream(weights).filter(weight -> weight > 0.0).count();
        int[] digests = new int[weights.length];
        for (int i = 0; i < digests.length; i++) {
            double exact = sum == 0.0 ? 0.0 : weights[i] / sum * DIGESTS * owners;
            float share = sum == 0.0 ? 0 : (float) weights[i] / (float) sum;
            boolean whole = Math.abs(exact - Math.rint(exact)) < 1e-9;
            digests[i] = whole ? (int) Math.rint(exact) : (int) Math.floor((float) (share * (double) DIGESTS * owners));
        }
        return digests;
    }
}
