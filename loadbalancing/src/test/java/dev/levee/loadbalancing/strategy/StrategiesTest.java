package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Map;
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
    class WeightedRoundRobins extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.weightedRoundRobin();
        }
    }

    /** All weights a little apart, so that no short sequence exists. */
    @Nested
    class WeightedRoundRobinsByTheGoldenRatio extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> BalancingStrategy.weightedRoundRobin().over(new Uneven(candidates));
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
    class Randoms extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.random();
        }
    }

    @Nested
    class WeightedRandoms extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.weightedRandom();
        }
    }

    @Nested
    class Priorities extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.priority(BalancingStrategy.leastConnections());
        }
    }

    @Nested
    class SubsetsOfTwelve extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.subset(1, 3, BalancingStrategy.powerOfTwoChoices());
        }
    }

    @Nested
    class SubsetsOfTwo extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.subset(1, 3, 2, BalancingStrategy.leastTime());
        }

        @Override
        boolean usesAll() {
            return false;
        }
    }

    @Nested
    class SplitsByKey extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.split(
                    TrafficSplit.byKey("version", Map.of("", 1.0)), BalancingStrategy.rendezvous());
        }
    }

    @Nested
    class SubsetsInPriorities extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.priority(BalancingStrategy.subset(0, 2, 3, BalancingStrategy.roundRobin()));
        }

        @Override
        boolean usesAll() {
            return false;
        }
    }

    /** Of three zones, of which the own one is small. */
    @Nested
    class Zones extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return labelled(BalancingStrategy.zoneAware("z0", BalancingStrategy.powerOfTwoChoices()));
        }
    }

    @Nested
    class Splits extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return labelled(BalancingStrategy.split(
                    TrafficSplit.of("zone", Map.of("z0", 0.2, "z1", 0.3, "z2", 0.5)),
                    BalancingStrategy.weightedRoundRobin()));
        }
    }

    @Nested
    class PrioritiesInSplits extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return labelled(BalancingStrategy.split(
                    TrafficSplit.byKey("zone", Map.of("z0", 0.2, "z1", 0.3, "z2", 0.5)),
                    BalancingStrategy.priority(BalancingStrategy.weightedRandom())));
        }
    }

    /** Endpoints have zones z0, z1, z1, z2, z2, z0, z1 and so on. */
    private static BalancingStrategy labelled(BalancingStrategy strategy) {
        return candidates -> strategy.over(new Labelled(candidates));
    }

    private record Labelled(Candidates candidates) implements Candidates {
        @Override
        public int size() {
            return candidates.size();
        }

        @Override
        public Endpoint<?> endpoint(int index) {
            return candidates.endpoint(index).withZone("z" + (index % 5 + 1) / 2);
        }

        @Override
        public double weight(int index) {
            return candidates.weight(index);
        }

        @Override
        public java.util.List<Endpoint<?>> undrained() {
            return java.util.stream.IntStream.range(0, size())
                    .<Endpoint<?>>mapToObj(this::endpoint)
                    .toList();
        }

        @Override
        public int inFlight(int index) {
            return candidates.inFlight(index);
        }

        @Override
        public long nextSequence() {
            return candidates.nextSequence();
        }

        @Override
        public java.util.random.RandomGenerator random() {
            return candidates.random();
        }
    }

    @Nested
    class Rendezvous extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.rendezvous();
        }
    }

    @Nested
    class RendezvousByWeight extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return candidates -> BalancingStrategy.rendezvous().over(new Uneven(candidates));
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
        public java.util.List<? extends Endpoint<?>> undrained() {
            return candidates.undrained();
        }

        @Override
        public int inFlight(int index) {
            return candidates.inFlight(index);
        }

        @Override
        public long nextSequence() {
            return candidates.nextSequence();
        }

        @Override
        public java.util.random.RandomGenerator random() {
            return candidates.random();
        }
    }
}
