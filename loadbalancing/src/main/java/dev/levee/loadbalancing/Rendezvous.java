package dev.levee.loadbalancing;

import dev.levee.loadbalancing.hash.XxHash64;
import java.util.function.IntPredicate;

/** The highest of one score for each endpoint and key. */
enum Rendezvous implements BalancingStrategy {
    BY_TEXT("affinity"),
    BY_IP("ip hash") {
        @Override
        public long hash(CharSequence key) {
            return IpHash.hash(key);
        }
    };

    private final String text;

    Rendezvous(String text) {
        this.text = text;
    }

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        long[] ids = new long[weights.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = XxHash64.hash(candidates.endpoint(i).id());
        }
        return new Highest(ids, weights);
    }

    @Override
    public String toString() {
        return text;
    }

    private static final class Highest implements Picker {
        private final long[] ids;
        private final double[] weights;
        private final boolean even;

        Highest(long[] ids, double[] weights) {
            this.ids = ids;
            this.weights = weights;
            this.even = Weights.equal(weights);
        }

        @Override
        public int pick(long hash) {
            return pick(hash, index -> true);
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            int highest = -1;
            long best = 0;
            double bestWeighted = 0;
            for (int i = 0; i < ids.length; i++) {
                if (!eligible.test(i)) {
                    continue;
                }
                long score = XxHash64.hash(ids[i], hash);
                if (even) {
                    if (highest < 0 || Long.compareUnsigned(score, best) > 0) {
                        highest = i;
                        best = score;
                    }
                } else {
                    double weighted = weighted(score, weights[i]);
                    if (highest < 0 || weighted > bestWeighted) {
                        highest = i;
                        bestWeighted = weighted;
                    }
                }
            }
            return highest;
        }

        /** Minus weight by logarithm of a number between 0 and 1, by StrictMath, since it must be equal in every JVM. */
        private static double weighted(long score, double weight) {
            double unit = ((score >>> 11) + 0.5) * 0x1p-53;
            return -weight / StrictMath.log(unit);
        }
    }
}
