package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A strategy that chooses a part of the endpoints, and leaves it to another one to choose among these. */
abstract class GroupingStrategy implements BalancingStrategy, Measured {
    final BalancingStrategy inner;

    /** A counter for each part, which goes on when the set changes. */
    private final Map<String, StripedSequence> ticks = new ConcurrentHashMap<>();

    GroupingStrategy(BalancingStrategy inner) {
        this.inner = inner;
    }

    /** This strategy around another one. */
    abstract GroupingStrategy around(BalancingStrategy other);

    @Override
    public final BalancingStrategy forBalancer(Environment environment) {
        return around(inner.forBalancer(environment));
    }

    @Override
    public final @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return inner.newTracker(endpoint);
    }

    @Override
    public boolean usesKey() {
        return inner.usesKey();
    }

    @Override
    public final long hash(CharSequence key) {
        return inner.hash(key);
    }

    @Override
    public final void measure(Sink sink) {
        if (inner instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** The part with these indices, and those of the known that belong to it. */
    final Group part(
            String name,
            Candidates candidates,
            int[] indices,
            double @Nullable [] shares,
            Predicate<? super Endpoint<?>> belongs) {
        List<Endpoint<?>> known = new ArrayList<>();
        for (Endpoint<?> endpoint : candidates.undrained()) {
            if (belongs.test(endpoint)) {
                known.add(endpoint);
            }
        }
        RandomGenerator random = candidates.random();
        String path = candidates instanceof Group outer ? outer.path + " / " + name : name;
        return new Group(
                path,
                candidates,
                indices,
                shares,
                List.copyOf(known),
                ticks.computeIfAbsent(path, key -> new StripedSequence(random.nextLong())));
    }

    /** The part of those that belong to it. */
    final Group part(String name, Candidates candidates, Predicate<? super Endpoint<?>> belongs) {
        int[] indices = new int[candidates.size()];
        int size = 0;
        for (int i = 0; i < indices.length; i++) {
            if (belongs.test(candidates.endpoint(i))) {
                indices[size++] = i;
            }
        }
        return part(name, candidates, Arrays.copyOf(indices, size), null, belongs);
    }

    /** What these can take, in proportion to others: the sum of weights; their number if all endpoints are drained. */
    static double capacity(Iterable<? extends Endpoint<?>> endpoints, boolean drained) {
        double sum = 0;
        for (Endpoint<?> endpoint : endpoints) {
            sum += drained ? 1 : endpoint.weight();
        }
        return sum;
    }

    static boolean isDrained(Candidates candidates) {
        return candidates.undrained().stream().allMatch(endpoint -> endpoint.weight() == 0.0);
    }
}
