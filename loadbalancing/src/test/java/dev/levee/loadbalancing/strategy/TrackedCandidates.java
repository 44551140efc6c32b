package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Candidates with the trackers of a strategy. */
record TrackedCandidates(FakeCandidates plain, List<LoadTracker> trackers) implements Candidates {
    @Override
    public int size() {
        return plain.size();
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return plain.endpoint(index);
    }

    @Override
    public double weight(int index) {
        return plain.weight(index);
    }

    @Override
    public double ramp(int index) {
        return 1;
    }

    @Override
    public List<Endpoint<?>> undrained() {
        return plain.undrained();
    }

    @Override
    public int inFlight(int index) {
        return plain.inFlight(index);
    }

    @Override
    public @Nullable LoadTracker tracker(int index) {
        return trackers.get(index);
    }

    @Override
    public long nextSequence() {
        return plain.nextSequence();
    }

    @Override
    public RandomGenerator random() {
        return plain.random();
    }
}
