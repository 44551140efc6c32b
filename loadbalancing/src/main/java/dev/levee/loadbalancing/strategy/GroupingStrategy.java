package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A strategy that divides the endpoints into groups, chooses a group for each call, and leaves it to an inner strategy
 * to choose within the group. Groups nest. See ADR 41.
 */
abstract class GroupingStrategy implements BalancingStrategy, Measured {
    final BalancingStrategy inner;

    private final AtomicReference<Sequences> sequences =
            new AtomicReference<>(new Sequences(new WeakReference<>(null), new ConcurrentHashMap<>(), Map.of()));

    /**
     * A sequence for each group of a set, by its path. One continues if the set before had the group too, and is
     * forgotten with the second set that does not.
     */
    private record Sequences(
            WeakReference<Candidates> whole, Map<String, StripedSequence> now, Map<String, StripedSequence> before) {
        Sequences of(Candidates set) {
            return whole.refersTo(set) ? this : new Sequences(new WeakReference<>(set), new ConcurrentHashMap<>(), now);
        }

        StripedSequence get(String path, RandomGenerator random) {
            return now.computeIfAbsent(path, key -> {
                StripedSequence known = before.get(key);
                return known == null ? new StripedSequence(random.nextLong()) : known;
            });
        }
    }

    GroupingStrategy(BalancingStrategy inner) {
        this.inner = Require.nonNull("inner", inner);
    }

    /** Returns this strategy around another inner one. */
    abstract GroupingStrategy withInner(BalancingStrategy other);

    @Override
    public final BalancingStrategy forBalancer(Environment environment) {
        return withInner(inner.forBalancer(environment));
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
    public boolean usesPriority() {
        return inner.usesPriority();
    }

    @Override
    public final long hash(CharSequence key) {
        return inner.hash(key);
    }

    @Override
    public final void measure(Sink sink) {
        Require.nonNull("sink", sink);
        if (inner instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** Makes the group of the candidates with these indices, and of the undrained endpoints that belong to it. */
    final Group group(
            String name,
            Candidates candidates,
            int[] indices,
            double @Nullable [] shares,
            Predicate<? super Endpoint<?>> belongs) {
        List<Endpoint<?>> undrained = new ArrayList<>();
        for (Endpoint<?> endpoint : candidates.undrained()) {
            if (belongs.test(endpoint)) {
                undrained.add(endpoint);
            }
        }
        RandomGenerator random = candidates.random();
        String path = candidates instanceof Group outer ? outer.path + " / " + name : name;
        Candidates whole = candidates instanceof Group outer ? outer.all() : candidates;
        StripedSequence sequence =
                sequences.updateAndGet(known -> known.of(whole)).get(path, random);
        return new Group(path, candidates, indices, shares, List.copyOf(undrained), sequence);
    }

    /** Returns how many groups are remembered, those of the set before included. */
    final int remembered() {
        Sequences known = Objects.requireNonNull(sequences.get());
        return known.now.size() + known.before.size();
    }

    /** Makes the group of those that belong to it. */
    final Group group(String name, Candidates candidates, Predicate<? super Endpoint<?>> belongs) {
        int[] indices = new int[candidates.size()];
        int size = 0;
        for (int i = 0; i < indices.length; i++) {
            if (belongs.test(candidates.endpoint(i))) {
                indices[size++] = i;
            }
        }
        return group(name, candidates, Arrays.copyOf(indices, size), null, belongs);
    }

    /**
     * Returns what these can take, in proportion to others: the sum of weights; their number if all endpoints are
     * drained.
     */
    static double capacity(Iterable<? extends Endpoint<?>> endpoints, boolean drained) {
        double sum = 0;
        for (Endpoint<?> endpoint : endpoints) {
            sum += capacity(endpoint, drained);
        }
        return sum;
    }

    static double capacity(Endpoint<?> endpoint, boolean drained) {
        return drained ? 1 : endpoint.weight();
    }

    static boolean isDrained(Candidates candidates) {
        return candidates.undrained().stream().allMatch(endpoint -> endpoint.weight() == 0.0);
    }
}
