package dev.levee.loadbalancing;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/** A set of endpoints whose counters a test sets. */
final class FakeCandidates implements Candidates {
    final int[] inFlight;
    long ticks;
    private final double[] weights;
    private final Random random;

    FakeCandidates(long seed, double... weights) {
        this.weights = weights;
        this.inFlight = new int[weights.length];
        this.random = new Random(seed);
    }

    /** Equal weights. */
    static FakeCandidates equal(int size, long seed) {
        double[] weights = new double[size];
        java.util.Arrays.fill(weights, 1.0);
        return new FakeCandidates(seed, weights);
    }

    @Override
    public int size() {
        return weights.length;
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return new Endpoint<>("e" + index, index, weights[index]);
    }

    @Override
    public double weight(int index) {
        return weights[index];
    }

    @Override
    public List<Endpoint<?>> known() {
        List<Endpoint<?>> known = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            known.add(endpoint(i));
        }
        return known;
    }

    @Override
    public int inFlight(int index) {
        return inFlight[index];
    }

    @Override
    public long tick() {
        return ticks++;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }
}
