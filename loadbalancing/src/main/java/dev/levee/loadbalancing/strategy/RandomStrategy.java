package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** Picks at random, evenly or by weight. */
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
                ? new RandomPicker.Even(candidates, weights)
                : new RandomPicker.ByWeight(candidates, weights);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return text;
    }

    /** Draws an index; draws again if it is not eligible, and at last by weight among all that are. */
    abstract static class RandomPicker implements BalancingStrategy.Picker {
        final Candidates candidates;
        private final double[] weights;

        private RandomPicker(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
        }

        @Override
        public final int pick(long hash, IntPredicate eligible) {
            int index = Redraw.index(this, hash, eligible, Redraw.MAX_DRAWS);
            return index >= 0 ? index : Weights.draw(weights, eligible, candidates);
        }

        @Override
        public final BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
            int index = pick(hash, eligible);
            if (index < 0) {
                return new BalancingStrategy.Choice(index, "none is left");
            }
            double share = weights[index] / Arrays.stream(weights).sum();
            return new BalancingStrategy.Choice(
                    index, "drawn, as " + HumanReadable.percent(share) + " of the calls are");
        }

        /** Draws all with the same probability. */
        static final class Even extends RandomPicker {
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

        /** Draws in proportion to weight. */
        static final class ByWeight extends RandomPicker {
            private final AliasTable table;

            ByWeight(Candidates candidates, double[] weights) {
                super(candidates, weights);
                this.table = new AliasTable(weights);
            }

            @Override
            public int pick(long hash) {
                return table.draw(candidates.random().nextLong());
            }
        }
    }
}
