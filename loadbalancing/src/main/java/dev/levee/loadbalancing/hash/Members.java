package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/** The members of a group, in the order of their ids, and the order in which every hash tries them in the end. */
final class Members {
    /** How many members are tried in the pseudo-random order of a hash before all of them are tried once. */
    static final int MAX_PROBES = 64;

    final List<Member> list;
    /** Beside the list: the hash of the id, and whether it has a weight above 0. */
    private final long[] ids;

    private final boolean[] owns;

    private Members(List<Member> list) {
        this.list = list;
        this.ids = new long[list.size()];
        this.owns = new boolean[list.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = XxHash64.hash(list.get(i).id());
            owns[i] = list.get(i).weight() > 0.0;
        }
    }

    static Members of(List<Member> members, int max) {
        List<Member> sorted = Require.nonNull("members", members).stream()
                .sorted(Comparator.comparing(Member::id))
                .toList();
        Require.range("number of members", sorted.size(), 0, max);
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).id().equals(sorted.get(i - 1).id())) {
                throw new IllegalArgumentException("members must have different ids, but two are \""
                        + sorted.get(i).id() + "\"");
            }
        }
        return new Members(sorted);
    }

    /** Checks, for hashes without weights, that all weights are equal, or 0. */
    void requireEqualWeights() {
        double weight = 0;
        for (Member member : list) {
            if (member.weight() > 0.0) {
                if (weight > 0.0 && member.weight() != weight) {
                    throw new IllegalArgumentException("weights must be equal, or 0, but \"" + member.id() + "\" has "
                            + member.weight() + " and another " + weight);
                }
                weight = member.weight();
            }
        }
    }

    /** Returns the indices of the members that own something. */
    int[] owners() {
        int count = 0;
        int[] owners = new int[owns.length];
        for (int i = 0; i < owns.length; i++) {
            if (owns[i]) {
                owners[count++] = i;
            }
        }
        return Arrays.copyOf(owners, count);
    }

    /** Returns the accepted member with the highest score for a hash value; -1 if there is none. O(n), and total. */
    int highest(long hash, IntPredicate accepted) {
        int highest = -1;
        long best = 0;
        for (int i = 0; i < ids.length; i++) {
            if (owns[i] && accepted.test(i)) {
                long score = XxHash64.hash(ids[i], hash);
                if (highest < 0 || Long.compareUnsigned(score, best) > 0) {
                    highest = i;
                    best = score;
                }
            }
        }
        return highest;
    }
}
