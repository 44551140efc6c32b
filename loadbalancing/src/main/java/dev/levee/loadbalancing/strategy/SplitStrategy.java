package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls to groups of endpoints, named by a label, by shares that can be moved. See {@link TrafficSplit} and ADR
 * 41.
 */
final class SplitStrategy extends GroupingStrategy {
    private final TrafficSplit split;

    SplitStrategy(TrafficSplit split, BalancingStrategy inner) {
        super(inner);
        this.split = Require.nonNull("split", split);
    }

    @Override
    GroupingStrategy withInner(BalancingStrategy other) {
        return new SplitStrategy(split, other);
    }

    @Override
    public boolean usesKey() {
        return split.isByKey() || inner.usesKey();
    }

    private String nameOf(Endpoint<?> endpoint) {
        return endpoint.labels().getOrDefault(split.label(), "");
    }

    @Override
    public Picker over(Candidates candidates) {
        TreeSet<String> found = new TreeSet<>();
        for (int i = 0; i < candidates.size(); i++) {
            found.add(nameOf(candidates.endpoint(i)));
        }
        List<String> names = new ArrayList<>(found);
        Group[] groups = new Group[names.size() + 1];
        Picker[] pickers = new Picker[groups.length];
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            groups[i] = group(
                    "group " + name, candidates, endpoint -> nameOf(endpoint).equals(name));
            pickers[i] = inner.over(groups[i]);
        }
        Group all = group("", candidates, endpoint -> true);
        groups[names.size()] = all;
        pickers[names.size()] = new LazyPicker(() -> inner.over(all));
        return new SplitPicker(candidates, groups, pickers, usesKey(), split, names);
    }

    @Override
    public String toString() {
        return split + "(" + inner + ")";
    }

    /** The shares of the groups that have endpoints; the last is that of the group of all endpoints, 1 or 0. */
    private static final class AppliedShares {
        final Map<String, Double> of;
        final double[] shares;

        AppliedShares(Map<String, Double> of, double[] shares) {
            this.of = of;
            this.shares = shares;
        }
    }

    private static final class SplitPicker extends GroupPicker {
        private final TrafficSplit split;
        private final List<String> names;
        private final long[] hashes;
        private final boolean byKey;
        private volatile @Nullable AppliedShares applied;

        SplitPicker(
                Candidates candidates,
                Group[] groups,
                Picker[] pickers,
                boolean byKey,
                TrafficSplit split,
                List<String> names) {
            super("split", candidates, groups, pickers, byKey);
            this.split = split;
            this.names = names;
            this.byKey = byKey;
            long label = XxHash64.hash(split.label()); // groups of the same names in an inner split are others
            this.hashes =
                    names.stream().mapToLong(name -> XxHash64.hash(name, label)).toArray();
        }

        private double[] shares() {
            Map<String, Double> now = split.shares();
            AppliedShares known = applied;
            if (known == null || known.of != now) {
                known = new AppliedShares(now, shares(now));
                applied = known;
            }
            return known.shares;
        }

        private double[] shares(Map<String, Double> wanted) {
            double[] shares = new double[names.size() + 1];
            double sum = 0;
            for (int i = 0; i < names.size(); i++) {
                shares[i] = wanted.getOrDefault(names.get(i), 0.0);
                sum += shares[i];
            }
            for (int i = 0; i < names.size() && sum > 0; i++) {
                shares[i] /= sum;
            }
            shares[names.size()] = sum > 0 ? 0 : 1;
            return shares;
        }

        @Override
        int choose(long hash) {
            double[] shares = shares();
            return byKey ? byKey(-1, hash, shares) : draw(hash, shares);
        }

        /**
         * Chooses another group than one, by weighted rendezvous: the least of a waiting time for each group. By
         * StrictMath, since it must be equal in every JVM.
         */
        private int byKey(int refused, long hash, double[] shares) {
            int chosen = hashes.length;
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < hashes.length; i++) {
                if (shares[i] > 0 && i != refused) {
                    double unit = ((XxHash64.hash(hashes[i], hash) >>> 11) + 0.5) * 0x1p-53;
                    double waiting = -StrictMath.log(unit) / shares[i];
                    if (waiting < least) {
                        chosen = i;
                        least = waiting;
                    }
                }
            }
            return chosen;
        }

        @Override
        int substitute(int chosen, long hash) {
            double[] shares = shares();
            return byKey ? byKey(chosen, hash, shares) : drawOther(chosen, hash, shares);
        }

        @Override
        boolean isSubstitute(int group) {
            return shares()[group] > 0;
        }

        @Override
        String reason(int group) {
            if (group == hashes.length) {
                return "no group with a share has endpoints, so all are used";
            }
            return split.label() + " " + (names.get(group).isEmpty() ? "(none)" : names.get(group)) + " takes "
                    + HumanReadable.percent(shares()[group]) + " of the calls" + (byKey ? ", by key" : "");
        }
    }
}
