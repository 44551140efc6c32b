package dev.levee.loadbalancing.strategy;

import dev.levee.core.NanoClock;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A set of endpoints with a pool of answers, which a test fills by hand; the clock is a field. */
final class ProbedCandidates implements Candidates {
    final ProbePool pool;
    final ProbingConfig config;
    final int[] inFlight;
    final double[] ramps;
    final double[] weights;
    final boolean[] out; // of the set
    final ProbedEndpoint[] endpoints;
    long now;
    private final Random random;

    ProbedCandidates(int size, long seed, Consumer<ProbingConfig.Builder> configure) {
        ProbingConfig.Builder builder = ProbingConfig.builder();
        configure.accept(builder);
        this.config = builder.build();
        this.random = new Random(seed);
        this.pool = new ProbePool(config, roundingDown());
        this.inFlight = new int[size];
        this.ramps = new double[size];
        this.weights = new double[size];
        this.out = new boolean[size];
        this.endpoints = new ProbedEndpoint[size];
        Arrays.fill(ramps, 1.0);
        Arrays.fill(weights, 1.0);
        for (int i = 0; i < size; i++) {
            endpoints[i] = pool.newEndpoint(Endpoint.of(Balancers.id(i)));
        }
        pool.size(size);
    }

    /** Fractions of uses are dropped. */
    static RandomGenerator roundingDown() {
        return new Random(1) {
            private static final long serialVersionUID = 1L;

            @Override
            public double nextDouble() {
                return Math.nextDown(1.0);
            }
        };
    }

    ProbingPicker picker() {
        NanoClock clock = () -> now;
        return new ProbingPicker(this, TwoChoicesStrategy.INSTANCE.over(this), pool, null, clock, config);
    }

    void answers(int index, int inFlight, double millis) {
        pool.answered(endpoints[index], inFlight, millis < 0 ? ServerLoad.UNKNOWN : (long) (millis * 1e6), now);
    }

    @Override
    public int size() {
        return endpoints.length;
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return endpoints[index].endpoint;
    }

    @Override
    public double weight(int index) {
        return weights[index] * ramps[index];
    }

    @Override
    public double ramp(int index) {
        return ramps[index];
    }

    @Override
    public @Nullable LoadTracker tracker(int index) {
        return out[index] ? null : endpoints[index];
    }

    @Override
    public List<Endpoint<?>> undrained() {
        List<Endpoint<?>> known = new ArrayList<>();
        for (ProbedEndpoint endpoint : endpoints) {
            known.add(endpoint.endpoint);
        }
        return known;
    }

    @Override
    public int inFlight(int index) {
        return inFlight[index];
    }

    @Override
    public long nextSequence() {
        return 0;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }
}
