package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** Anyone. */
enum RandomStrategy implements BalancingStrategy {
    EVEN("random") {
        @Override
        double[] weights(Candidates candidates) {
            return Weights.ramps(candidates);
        }
    },
    WEIGHTED("weighted random") {
        @Override
        double[] weights(Candidates candidates) {
            return Weights.of(candidates);
        }
    };

    private final String text;

    RandomStrategy(String text) {
        this.text = text;
    }

    abstract double[] weights(Candidates candidates);

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = weights(candidates);
        return Weights.equal(weights)
                ? new Even(candidates, weights)
                : new Weighted(candidates, weights, new AliasTable(weights));
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return text;
    }

    private abstract static class Drawn implements Picker {
        /** How often one is drawn again because it is not eligible, before all are looked at. */
        private static final int MAX_DRAWS = 8;

        final Candidates candidates;
        private final double[] weights;

        Drawn(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
        }

        @Override
        public final int pick(long hash, IntPredicate eligible) {
            for (int draws = 0; draws < MAX_DRAWS; draws++) {
                int index = pick(hash);
                if (eligible.test(index)) {
                    return index;
                }
            }
            return Weights.draw(weights, eligible, candidates);
        }

        @Override
        public final Choice explain(long hash, IntPredicate eligible) {
            int index = pick(hash, eligible);
            if (index < 0) {
                return new Choice(index, "none is left");
            }
            double share = weights[index] / Arrays.stream(weights).sum();
            return new Choice(index, "drawn, as " + HumanReadable.percent(share) + " of the calls are");
        }
    }

    private static final class Even extends Drawn {
        private final int size;

        Even(Candidates candidates, double[] weights) {
            super(candidates, weights);
            this.size = weights.length;
        }

        @Override
        public int pick(long hash) {
            return (int) (((candidates.random().nextLong() >>> 32) * size) >>> 32);
        }
    }

    private static final class Weighted extends Drawn {
        private final AliasTable table;

        Weighted(Candidates candidates, double[] weights, AliasTable table) {
            super(candidates, weights);
            this.table = table;
        }

        @Override
        public int pick(long hash) {
            return table.draw(candidates.random().nextLong());
        }
    }
}
