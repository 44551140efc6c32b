package dev.levee.loadbalancing;

import org.junit.jupiter.api.Nested;

class StrategiesTest {
    @Nested
    class RoundRobins extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.roundRobin();
        }
    }

    @Nested
    class Weighteds extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.weighted();
        }
    }

    /** All weights a little apart, so that no short sequence exists. */
    @Nested
    class WeightedsByTheGoldenRatio extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> BalancingStrategy.weighted().over(new Uneven(candidates));
        }
    }

    @Nested
    class LeastConnectionsAlone extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.leastConnections();
        }
    }

    @Nested
    class PowersOfTwoChoices extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.powerOfTwoChoices();
        }
    }

    @Nested
    class PowersOfTwoChoicesByWeight extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> BalancingStrategy.powerOfTwoChoices().over(new Uneven(candidates));
        }
    }

    @Nested
    class LeastTimes extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.leastTime();
        }
    }

    @Nested
    class Affinities extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.affinity();
        }
    }

    @Nested
    class AffinitiesByWeight extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> BalancingStrategy.affinity().over(new Uneven(candidates));
        }
    }

    @Nested
    class IpHashes extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.ipHash();
        }
    }

    @Nested
    class ConsistentHashes extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.consistentHash();
        }
    }

    @Nested
    class Lambdas extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> hash -> (int) Long.remainderUnsigned(hash, candidates.size());
        }
    }

    private record Uneven(Candidates candidates) implements Candidates {
        @Override
        public int size() {
            return candidates.size();
        }

        @Override
        public Endpoint<?> endpoint(int index) {
            return candidates.endpoint(index);
        }

        @Override
        public double weight(int index) {
            return candidates.weight(index) * (1 + index / 1000.1);
        }

        @Override
        public java.util.List<? extends Endpoint<?>> known() {
            return candidates.known();
        }

        @Override
        public int inFlight(int index) {
            return candidates.inFlight(index);
        }

        @Override
        public long tick() {
            return candidates.tick();
        }

        @Override
        public java.util.random.RandomGenerator random() {
            return candidates.random();
        }
    }
}
