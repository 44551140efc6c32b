package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Some of the candidates, or a part of each of some, as candidates for a strategy inside of another. */
final class Group implements Candidates {
    /** Where they are in the whole, ascending. */
    final int[] indices;

    /** Its name, and those of the parts that it is in. */
    final String path;

    private final Candidates whole;
    private final List<? extends Endpoint<?>> known;
    private final double @Nullable [] shares; // which part of each; null for all of it
    private final StripedSequence ticks;

    Group(
            String path,
            Candidates whole,
            int[] indices,
            double @Nullable [] shares,
            List<? extends Endpoint<?>> known,
            StripedSequence ticks) {
        this.path = path;
        this.whole = whole;
        this.indices = indices;
        this.shares = shares;
        this.known = known;
        this.ticks = ticks;
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
        return whole.weight(indices[index]) * share(index);
    }

    /** A part of an endpoint is to a strategy that does not care for weights as one that is not yet warm. */
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
        return known;
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
    public long tick() {
        return ticks.next();
    }

    @Override
    public RandomGenerator random() {
        return whole.random();
    }
}
