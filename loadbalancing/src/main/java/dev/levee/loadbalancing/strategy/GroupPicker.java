package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.XxHash64;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Chooses a part, and asks the picker of the part. */
abstract class GroupPicker implements BalancingStrategy.Picker {
    final Candidates candidates;
    private final BalancingStrategy.Picker[] pickers;
    private final int[][] indices;
    private final boolean byKey;
    /** Of the hash of a key: each kind of parts has its own, so that its draw says nothing about the one of the strategy inside. */
    private final long salt;

    private final AtomicReference<@Nullable Inside> spare =
            new AtomicReference<>(); // stepping over one allocates nothing, as a rule

    GroupPicker(String kind, Candidates candidates, Group[] parts, BalancingStrategy.Picker[] pickers, boolean byKey) {
        this.candidates = candidates;
        this.pickers = pickers;
        this.byKey = byKey;
        this.salt = XxHash64.hash(kind);
        this.indices = new int[parts.length][];
        for (int i = 0; i < parts.length; i++) {
            indices[i] = parts[i].indices;
        }
    }

    /** The number of the part. */
    abstract int choose(long hash);

    /** Whether a call may go to a part if the one that was chosen has no endpoint left. */
    abstract boolean isSubstitute(int part);

    /** The part that is asked first if the one that was chosen has no endpoint left, unless it is the same; then those behind it. */
    int substitute(int chosen, long hash) {
        return 0;
    }

    /** Why the part was chosen. */
    abstract String reason(int part);

    /** A number from 0 to 1: the same for the same key, if the strategy inside goes by keys. */
    final double draw(long hash) {
        return byKey
                ? (XxHash64.hash(salt, hash) >>> 11) * 0x1p-53
                : candidates.random().nextDouble();
    }

    /** Draws a part; the shares sum up to 1. */
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

    /** Draws another part than one, in proportion. */
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
        int part = choose(hash);
        int index = pickers[part].pick(hash);
        return index < 0 ? pick(hash, any -> true) : indices[part][index];
    }

    @Override
    public final int pick(long hash, IntPredicate eligible) {
        int chosen = choose(hash);
        int index = pick(chosen, hash, eligible);
        return index < 0 ? pickSubstitute(chosen, hash, eligible) : index;
    }

    private int pickSubstitute(int chosen, long hash, IntPredicate eligible) {
        int index = -1;
        int part = substitute(chosen, hash);
        for (int i = 0; index < 0 && i < pickers.length; i++, part++) {
            part = part < pickers.length ? part : 0;
            if (part != chosen && isSubstitute(part)) {
                index = pick(part, hash, eligible);
            }
        }
        return index;
    }

    private int pick(int part, long hash, IntPredicate eligible) {
        Inside inside = spare.getAndSet(null);
        if (inside == null) {
            inside = new Inside();
        }
        int index = inside.of(indices[part], eligible).checked(pickers[part].pick(hash, inside));
        inside.of(indices[part], null); // must not be kept
        spare.setRelease(inside);
        return index;
    }

    @Override
    public final BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        int chosen = choose(hash);
        String first = reason(chosen);
        BalancingStrategy.Choice choice = explain(chosen, hash, eligible);
        int part = choice.index() < 0 ? substitute(chosen, hash) : 0;
        for (int i = 0; choice.index() < 0 && i < pickers.length; i++, part++) {
            part = part < pickers.length ? part : 0;
            if (part != chosen && isSubstitute(part)) {
                first = reason(chosen) + ", but none is left there; " + reason(part);
                choice = explain(part, hash, eligible);
            }
        }
        return new BalancingStrategy.Choice(
                choice.index(), choice.reason().isEmpty() ? first : first + "; " + choice.reason());
    }

    private BalancingStrategy.Choice explain(int part, long hash, IntPredicate eligible) {
        Inside inside = new Inside().of(indices[part], eligible);
        BalancingStrategy.Choice choice = pickers[part].explain(hash, inside);
        return new BalancingStrategy.Choice(inside.checked(choice.index()), choice.reason());
    }

    /** Those that are left, by their numbers in a part. */
    private static final class Inside implements IntPredicate {
        private int[] indices = {};
        private @Nullable IntPredicate eligible;

        Inside of(int[] part, @Nullable IntPredicate left) {
            indices = part;
            eligible = left;
            return this;
        }

        @Override
        public boolean test(int index) {
            return eligible != null && eligible.test(indices[index]);
        }

        /** The number in the whole of this one in the part, or of the next that is eligible; -1 if there is none. */
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
