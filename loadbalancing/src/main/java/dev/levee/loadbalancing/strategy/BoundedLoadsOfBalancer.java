package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.discovery.Endpoint;

/** A {@link BoundedLoadsStrategy} with the ledger of its balancer, in which a call reserves its place. */
final class BoundedLoadsOfBalancer implements BalancingStrategy {
    private final BoundedLoadsStrategy blueprint;
    private final CallLedger ledger = new CallLedger();

    BoundedLoadsOfBalancer(BoundedLoadsStrategy blueprint) {
        this.blueprint = blueprint;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return blueprint.forBalancer(environment);
    }

    @Override
    public LoadTracker newTracker(Endpoint<?> endpoint) {
        return ledger.newSeat();
    }

    /** Goes by what the candidates report if they are not all of this balancer, as within a strategy of a user. */
    @Override
    public Picker over(Candidates candidates) {
        LoadBound bound = blueprint.bound(candidates);
        CallCounts reserved = ledger.counts(candidates, bound);
        CallCounts counts = reserved == null ? new CallCounts.ReportedCalls(candidates) : reserved;
        return new BoundedLoadsPicker(blueprint.owners(candidates), bound, counts);
    }

    @Override
    public String toString() {
        return blueprint.toString();
    }
}
