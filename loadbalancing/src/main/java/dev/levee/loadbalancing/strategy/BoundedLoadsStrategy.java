package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.Member;
import java.util.List;
import java.util.function.Function;

/**
 * A consistent hash whose members may exceed their share by a fixed ratio; keys of a full member go to the next one
 * (Vahab Mirrokni, Mikkel Thorup and Morteza Zadimoghaddam, Consistent Hashing with Bounded Loads, 2016). See ADR 50.
 *
 * <p>This is the blueprint; each balancer gets a {@link BoundedLoadsOfBalancer} with a {@link CallLedger}. A picker
 * that the blueprint makes goes by the calls in flight that the candidates report, and reserves nothing.
 *
 * @see <a href="https://arxiv.org/abs/1608.01350">Mirrokni, Thorup and Zadimoghaddam 2016</a>
 */
final class BoundedLoadsStrategy implements BalancingStrategy {
    private final Function<? super List<Member>, ? extends ConsistentHash> hash;
    private final double excess;

    BoundedLoadsStrategy(Function<? super List<Member>, ? extends ConsistentHash> hash, double excess) {
        if (!(excess >= 0.001 && excess <= 1000)) {
            throw new IllegalArgumentException("excess must be from 0.001 to 1000.0, but was " + excess);
        }
        this.hash = hash;
        this.excess = excess;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new BoundedLoadsOfBalancer(this);
    }

    @Override
    public Picker over(Candidates candidates) {
        return new BoundedLoadsPicker(owners(candidates), bound(candidates), new CallCounts.ReportedCalls(candidates));
    }

    ConsistentHash owners(Candidates candidates) {
        return HashStrategy.hash(hash, candidates);
    }

    LoadBound bound(Candidates candidates) {
        return new LoadBound(Weights.of(candidates), excess);
    }

    @Override
    public String toString() {
        return "consistent hash with bounded loads of 1 + " + excess;
    }
}
