package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Some of the candidates, or a share of each of some, as candidates for an inner strategy. */
final class Group implements Candidates {
    /** Where the members are in the whole, ascending. */
    final int[] indices;

    /** The name of the group, after those of the groups that it is in. */
    final String path;

    private final Candidates whole;
    private final List<? extends Endpoint<?>> undrained;

    /** How much of each member belongs to the group; null for all of it. */
    private final double @Nullable [] shares;

    private final StripedSequence sequence;

    Group(
            String path,
            Candidates whole,
            int[] indices,
            double @Nullable [] shares,
            List<? extends Endpoint<?>> undrained,
            StripedSequence sequence) {
        this.path = path;
        this.whole = whole;
        this.indices = indices;
        this.shares = shares;
        this.undrained = undrained;
        this.sequence = sequence;
    }

    /** Returns the candidates that this is, by however many steps, a part of. */
    Candidates all() {
        return whole instanceof Group outer ? outer.all() : whole;
    }

    private double share(int index) {
        return shares == null ? 1.0 : shares[index];
    }

    @Override
    public int size() {
        return indices.length;
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return whole.endpoint(indices[index]);
    }

    @Override
    public double weight(int index) {
        return Math.max(Double.MIN_VALUE, whole.weight(indices[index]) * share(index));
    }

    /** To a strategy that ignores weights, a share of an endpoint is an endpoint that is not yet warm. */
    @Override
    public double ramp(int index) {
        return whole.ramp(indices[index]) * share(index);
    }

    @Override
    public boolean isHealthy(int index) {
        return whole.isHealthy(indices[index]);
    }

    @Override
    public List<? extends Endpoint<?>> undrained() {
        return undrained;
    }

    @Override
    public @Nullable LoadTracker tracker(int index) {
        return whole.tracker(indices[index]);
    }

    @Override
    public int inFlight(int index) {
        return whole.inFlight(indices[index]);
    }

    @Override
    public long nextSequence() {
        return sequence.next();
    }

    @Override
    public RandomGenerator random() {
        return whole.random();
    }
}
