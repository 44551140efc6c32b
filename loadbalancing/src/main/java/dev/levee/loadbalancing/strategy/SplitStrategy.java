package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A group of endpoints by a share that can be moved. */
final class SplitStrategy extends GroupingStrategy {
    private final TrafficSplit split;

    SplitStrategy(TrafficSplit split, BalancingStrategy inner) {
        super(inner);
        this.split = split;
    }

    @Override
    GroupingStrategy around(BalancingStrategy other) {
        return new SplitStrategy(split, other);
    }

    @Override
    public boolean usesKey() {
        return split.isSticky() || inner.usesKey();
    }

    private String group(Endpoint<?> endpoint) {
        return endpoint.labels().getOrDefault(split.label(), "");
    }

    @Override
    public Picker over(Candidates candidates) {
        TreeSet<String> found = new TreeSet<>();
        for (int i = 0; i < candidates.size(); i++) {
            found.add(group(candidates.endpoint(i)));
        }
        List<String> groups = new ArrayList<>(found);
        Group[] parts = new Group[groups.size() + 1];
        Picker[] pickers = new Picker[parts.length];
        for (int i = 0; i < groups.size(); i++) {
            String group = groups.get(i);
            parts[i] = part(
                    "group " + group, candidates, endpoint -> group(endpoint).equals(group));
            pickers[i] = inner.over(parts[i]);
        }
        Group everybody = part("", candidates, endpoint -> true);
        parts[groups.size()] = everybody;
        pickers[groups.size()] = new LazyPicker(() -> inner.over(everybody));
        return new ByShare(candidates, parts, pickers, usesKey(), split, groups);
    }

    @Override
    public String toString() {
        return split + "(" + inner + ")";
    }

    /** The shares of the groups that have endpoints; the last is that of all endpoints, 1 or 0. */
    private static final class Plan {
        final Map<String, Double> of;
        final double[] shares;

        Plan(Map<String, Double> of, double[] shares) {
            this.of = of;
            this.shares = shares;
        }
    }

    private static final class ByShare extends GroupPicker {
        private final TrafficSplit split;
        private final List<String> groups;
        private final long[] names;
        private final boolean byKey;
        private volatile @Nullable Plan plan;

        ByShare(
                Candidates candidates,
                Group[] parts,
                Picker[] pickers,
                boolean byKey,
                TrafficSplit split,
                List<String> groups) {
            super("split", candidates, parts, pickers, byKey);
            this.split = split;
            this.groups = groups;
            this.byKey = byKey;
            long label = XxHash64.hash(split.label()); // groups of the same names in a split inside are others
            this.names = groups.stream()
                    .mapToLong(group -> XxHash64.hash(group, label))
                    .toArray();
        }

        private double[] shares() {
            Map<String, Double> now = split.shares();
            Plan known = plan;
            if (known == null || known.of != now) {
                known = new Plan(now, shares(now));
                plan = known;
            }
            return known.shares;
        }

        private double[] shares(Map<String, Double> wanted) {
            double[] shares = new double[groups.size() + 1];
            double sum = 0;
            for (int i = 0; i < groups.size(); i++) {
                shares[i] = wanted.getOrDefault(groups.get(i), 0.0);
                sum += shares[i];
            }
            for (int i = 0; i < groups.size() && sum > 0; i++) {
                shares[i] /= sum;
            }
            shares[groups.size()] = sum > 0 ? 0 : 1;
            return shares;
        }

        @Override
        int choose(long hash) {
            double[] shares = shares();
            return byKey ? byKey(-1, hash, shares) : draw(hash, shares);
        }

        /** Another than one, by weighted rendezvous: the least of a waiting time for each group, by StrictMath, since it must be equal in every JVM. */
        private int byKey(int refused, long hash, double[] shares) {
            int chosen = names.length;
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < names.length; i++) {
                if (shares[i] > 0 && i != refused) {
                    double unit = ((XxHash64.hash(names[i], hash) >>> 11) + 0.5) * 0x1p-53;
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
        boolean isSubstitute(int part) {
            return shares()[part] > 0;
        }

        @Override
        String reason(int part) {
            if (part == names.length) {
                return "no group with a share has endpoints, so all are used";
            }
            return split.label() + " " + (groups.get(part).isEmpty() ? "(none)" : groups.get(part)) + " takes "
                    + HumanReadable.percent(shares()[part]) + " of the calls" + (byKey ? ", by key" : "");
        }
    }
}
