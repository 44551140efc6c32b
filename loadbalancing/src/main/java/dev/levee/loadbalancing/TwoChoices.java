package dev.levee.loadbalancing;

import java.util.function.IntPredicate;

/** The less loaded of two different ones. */
enum TwoChoices implements BalancingStrategy {
    INSTANCE;

    /** How often a pair is drawn again because one of it is not eligible, before all are looked at. */
    private static final int MOST_DRAWS = 8;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        if (weights.length == 1) {
            return hash -> 0;
        }
        LeastConnections.Scan scan = new LeastConnections.Scan(candidates, weights);
        return Weights.equal(weights)
                ? new Even(candidates, weights, scan)
                : new Weighted(candidates, weights, scan, new AliasTable(weights));
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "power of two choices";
    }

    private abstract static class Pair implements Picker {
        final Candidates candidates;
        final double[] weights;
        private final Picker scan;

        Pair(Candidates candidates, double[] weights, Picker scan) {
            this.candidates = candidates;
            this.weights = weights;
            this.scan = scan;
        }

        /** Two different indices: the first in the upper, the second in the lower half. */
        abstract long draw();

        @Override
        public final int pick(long hash) {
            long pair = draw();
            return lessLoaded((int) (pair >>> 32), (int) pair);
        }

        @Override
        public final int pick(long hash, IntPredicate eligible) {
            for (int draws = 0; draws < MOST_DRAWS; draws++) {
                long pair = draw();
                int first = (int) (pair >>> 32);
                int second = (int) pair;
                if (eligible.test(first) && eligible.test(second)) {
                    return lessLoaded(first, second);
                }
            }
            return scan.pick(hash, eligible);
        }

        /** Of equals the first, which was drawn in proportion to weight. */
        private int lessLoaded(int first, int second) {
            return candidates.inFlight(second) * weights[first] < candidates.inFlight(first) * weights[second]
                    ? second
                    : first;
        }
    }

    private static final class Even extends Pair {
        Even(Candidates candidates, double[] weights, Picker scan) {
            super(candidates, weights, scan);
        }

        @Override
        long draw() {
            long random = candidates.random().nextLong();
            int size = weights.length;
            long first = ((random >>> 32) * size) >>> 32;
            long second = ((random & 0xFFFFFFFFL) * (size - 1)) >>> 32;
            return (first << 32) | (second < first ? second : second + 1);
        }
    }

    private static final class Weighted extends Pair {
        private final AliasTable table;

        Weighted(Candidates candidates, double[] weights, Picker scan, AliasTable table) {
            super(candidates, weights, scan);
            this.table = table;
        }

        @Override
        long draw() {
            int first = table.draw(candidates.random().nextLong());
            for (int draws = 0; draws < MOST_DRAWS; draws++) {
                int second = table.draw(candidates.random().nextLong());
                if (second != first) {
                    return ((long) first << 32) | second;
                }
            }
            // One outweighs all others so far that the partner does not matter.
            int second = (int) (((candidates.random().nextLong() >>> 32) * (weights.length - 1)) >>> 32);
            return ((long) first << 32) | (second < first ? second : second + 1);
        }
    }
}
