package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** A set of endpoints whose counters a test sets. */
public final class FakeCandidates implements Candidates {
    public final int[] inFlight;
    public final double[] ramps;
    public long ticks;
    private final List<Endpoint<?>> undrained;
    private final List<Endpoint<?>> endpoints;
    private final Random random;

    private FakeCandidates(long seed, List<? extends Endpoint<?>> undrained, List<? extends Endpoint<?>> endpoints) {
        this.undrained = List.copyOf(undrained);
        this.endpoints = List.copyOf(endpoints);
        this.inFlight = new int[endpoints.size()];
        this.ramps = new double[endpoints.size()];
        Arrays.fill(ramps, 1);
        this.random = new Random(seed);
    }

    public FakeCandidates(long seed, double... weights) {
        this(seed, endpoints(weights), endpoints(weights));
    }

    private static List<Endpoint<?>> endpoints(double... weights) {
        List<Endpoint<?>> endpoints = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            endpoints.add(new Endpoint<>("e" + i, i, weights[i]));
        }
        return endpoints;
    }

    /** Equal weights. */
    public static FakeCandidates equal(int size, long seed) {
        double[] weights = new double[size];
        Arrays.fill(weights, 1.0);
        return new FakeCandidates(seed, weights);
    }

    /** Some of these are healthy and so candidates, the others are undrained only. */
    public static FakeCandidates of(long seed, List<? extends Endpoint<?>> undrained, Predicate<Endpoint<?>> healthy) {
        return new FakeCandidates(
                seed, undrained, undrained.stream().filter(healthy).toList());
    }

    @Override
    public int size() {
        return endpoints.size();
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return endpoints.get(index);
    }

    @Override
    public double weight(int index) {
        return endpoints.get(index).weight() * ramps[index];
    }

    @Override
    public double ramp(int index) {
        return ramps[index];
    }

    @Override
    public List<Endpoint<?>> undrained() {
        return undrained;
    }

    @Override
    public int inFlight(int index) {
        return inFlight[index];
    }

    @Override
    public long nextSequence() {
        return ticks++;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }

    /** Returns the share of this many picks that goes to the endpoints which meet the condition. */
    public double share(BalancingStrategy.Picker picker, int picks, Predicate<Endpoint<?>> condition) {
        int count = 0;
        for (int i = 0; i < picks; i++) {
            count += condition.test(endpoint(picker.pick(random.nextLong()))) ? 1 : 0;
        }
        return count / (double) picks;
    }
}
