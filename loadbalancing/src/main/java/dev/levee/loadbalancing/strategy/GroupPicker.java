package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.XxHash64;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Chooses a group, and picks by the picker of that group. See ADR 41. */
abstract class GroupPicker implements BalancingStrategy.Picker {
    final Candidates candidates;
    private final BalancingStrategy.Picker[] pickers;
    private final int[][] indices;
    private final boolean byKey;

    /**
     * Mixed into hashes of keys: each kind of groups has its own, so that its draw says nothing about that of the inner
     * strategy.
     */
    private final long salt;

    /** One that is not in use, so that a pick among those that are left allocates nothing, as a rule. */
    private final AtomicReference<@Nullable EligibleInGroup> spare = new AtomicReference<>();

    GroupPicker(String kind, Candidates candidates, Group[] groups, BalancingStrategy.Picker[] pickers, boolean byKey) {
        this.candidates = candidates;
        this.pickers = pickers;
        this.byKey = byKey;
        this.salt = XxHash64.hash(kind);
        this.indices = new int[groups.length][];
        for (int i = 0; i < groups.length; i++) {
            indices[i] = groups[i].indices;
        }
    }

    /** Returns the number of the group that a call goes to. */
    abstract int choose(long hash);

    /** Returns whether a call may go to a group if the one that was chosen has no endpoint left. */
    abstract boolean isSubstitute(int group);

    /**
     * Returns the group that is tried first if the one that was chosen has no endpoint left, unless it is the same;
     * then those behind it. Default: the first.
     */
    int substitute(int chosen, long hash) {
        return 0;
    }

    /** Returns why the group was chosen. */
    abstract String reason(int group);

    /** Returns a number from 0 to 1: the same for the same key, if the inner strategy goes by keys. */
    final double draw(long hash) {
        return byKey
                ? (XxHash64.hash(salt, hash) >>> 11) * 0x1p-53
                : candidates.random().nextDouble();
    }

    /** Draws a group; the shares add up to 1. */
    final int draw(long hash, double[] shares) {
        double left = draw(hash);
        int last = 0;
        for (int i = 0; i < shares.length; i++) {
            if (shares[i] > 0) {
                if (left < shares[i]) {
                    return i;
                }
                left -= shares[i];
                last = i;
            }
        }
        return last;
    }

    /** Draws another group than one, in proportion to the shares. */
    final int drawOther(int chosen, long hash, double[] shares) {
        double all = 0;
        for (int i = 0; i < shares.length; i++) {
            all += i == chosen ? 0 : shares[i];
        }
        double left = draw(~hash) * all;
        int last = 0;
        for (int i = 0; i < shares.length; i++) {
            if (i != chosen && shares[i] > 0) {
                if (left < shares[i]) {
                    return i;
                }
                left -= shares[i];
                last = i;
            }
        }
        return last;
    }

    @Override
    public final int pick(long hash) {
        int group = choose(hash);
        return indexInWhole(group, pickers[group].pick(hash), hash);
    }

    @Override
    public final int pick(long hash, long nowNanos) {
        int group = choose(hash);
        return indexInWhole(group, pickers[group].pick(hash, nowNanos), hash);
    }

    private int indexInWhole(int group, int picked, long hash) {
        return picked < 0 ? pick(hash, any -> true) : indices[group][picked];
    }

    @Override
    public final int pick(long hash, IntPredicate eligible) {
        int chosen = choose(hash);
        int index = pick(chosen, hash, eligible);
        return index < 0 ? pickSubstitute(chosen, hash, eligible) : index;
    }

    private int pickSubstitute(int chosen, long hash, IntPredicate eligible) {
        int index = -1;
        int group = substitute(chosen, hash);
        for (int i = 0; index < 0 && i < pickers.length; i++, group++) {
            group = group < pickers.length ? group : 0;
            if (group != chosen && isSubstitute(group)) {
                index = pick(group, hash, eligible);
            }
        }
        return index;
    }

    private int pick(int group, long hash, IntPredicate eligible) {
        EligibleInGroup left = spare.getAndSet(null);
        if (left == null) {
            left = new EligibleInGroup();
        }
        int index = left.set(indices[group], eligible).checked(pickers[group].pick(hash, left));
        left.set(indices[group], null); // must not be kept
        spare.setRelease(left); // release: getAndSet() of the next pick sees its fields
        return index;
    }

    @Override
    public final BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        int chosen = choose(hash);
        String first = reason(chosen);
        BalancingStrategy.Choice choice = explain(chosen, hash, eligible);
        int group = choice.index() < 0 ? substitute(chosen, hash) : 0;
        for (int i = 0; choice.index() < 0 && i < pickers.length; i++, group++) {
            group = group < pickers.length ? group : 0;
            if (group != chosen && isSubstitute(group)) {
                first = reason(chosen) + ", but none is left there; " + reason(group);
                choice = explain(group, hash, eligible);
            }
        }
        return new BalancingStrategy.Choice(
                choice.index(), choice.reason().isEmpty() ? first : first + "; " + choice.reason());
    }

    private BalancingStrategy.Choice explain(int group, long hash, IntPredicate eligible) {
        EligibleInGroup left = new EligibleInGroup().set(indices[group], eligible);
        BalancingStrategy.Choice choice = pickers[group].explain(hash, left);
        return new BalancingStrategy.Choice(left.checked(choice.index()), choice.reason());
    }

    /** Those that are left of a group, by their indices in the group. */
    private static final class EligibleInGroup implements IntPredicate {
        private int[] indices = {};
        private @Nullable IntPredicate eligible;

        EligibleInGroup set(int[] group, @Nullable IntPredicate left) {
            indices = group;
            eligible = left;
            return this;
        }

        @Override
        public boolean test(int index) {
            return eligible != null && eligible.test(indices[index]);
        }

        /** Returns the index in the whole of one in the group, or of the next that is eligible; -1 if there is none. */
        int checked(int picked) {
            for (int i = 0; picked >= 0 && i < indices.length; i++) {
                int index = picked + i < indices.length ? picked + i : picked + i - indices.length;
                if (test(index)) {
                    return indices[index];
                }
            }
            return -1;
        }
    }
}
