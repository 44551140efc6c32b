package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.XxHash64;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link LoadBalancer}: picks from an immutable {@link EndpointSet}, which its {@link Membership} replaces. */
final class SnapshotBalancer<A> extends Membership<A> implements LoadBalancer<A> {
    private static final int MAX_RACES = 100_000;

    private final boolean usesKey;
    private final Leases leases;

    SnapshotBalancer(
            String name,
            BalancingStrategy strategy,
            LoadBalancerConfig<A> config,
            Environment environment,
            long firstTick) {
        super(name, strategy, config, environment, firstTick);
        this.usesKey = this.strategy.usesKey();
        this.leases = new Leases(name, config.leaseNanos(), environment);
    }

    static <A> SnapshotBalancer<A> of(
            String name,
            BalancingStrategy strategy,
            EndpointSource<A> source,
            LoadBalancerConfig<A> config,
            Environment environment) {
        Require.nonNull("source", source);
        // Clients that start together must not all begin with the same endpoint.
        long firstTick = Require.nonNull("environment", environment).random().nextLong();
        SnapshotBalancer<A> balancer = new SnapshotBalancer<>(name, strategy, config, environment, firstTick);
        balancer.subscribe(source);
        return balancer;
    }

    @Override
    public String name() {
        return name;
    }

    // ---- calls

    private long hashOf(CharSequence key) {
        Require.nonNull("key", key);
        return usesKey ? strategy.hash(key) : 0L;
    }

    private long hashOf(long key) {
        return usesKey ? XxHash64.hash(key) : 0L;
    }

    private long anyHash() {
        return usesKey ? environment.random().nextLong() : 0L;
    }

    /** Picks, asks the gate, calls; goes on to the next endpoint for as long as gates refuse. */
    <T extends @Nullable Object, X extends Throwable> T exchange(
            long hash, Exchange<? super A, T, X> exchange, @Nullable TriedHosts memory) throws X {
        EndpointSet<A> from = set;
        long now = readTime(from);
        RemainingEndpoints eligible = memory == null ? null : memory.eligible(from);
        int lost = 0;
        while (true) {
            int index = next(from, hash, eligible, now);
            Node<A> node = from.nodes[index];
            if (memory != null && !memory.claim(node, eligible)) {
                eligible = memory.refresh(eligible, from); // another run of the operation has claimed a host just now
                continue;
            }
            if (!node.reserve()) {
                lost = lostRace(from, lost);
                continue;
            }
            long start = from.isTimed() ? now : node.readStart();
            long stamp = node.enter(start);
            if (stamp != Gate.REFUSED) {
                return node.call(stamp, start, exchange);
            }
            if (node.isClosed()) { // it drains: this set is an old one
                from = set;
                now = readTime(from);
                eligible = memory == null ? null : memory.eligible(from);
                continue;
            }
            eligible = memory == null ? from.without(index, eligible) : memory.refused(eligible, from, index);
        }
    }

    /** As {@link #exchange}, but leaves the call to who takes the ticket. */
    Ticket<A> take(long hash, @Nullable TriedHosts memory) {
        EndpointSet<A> from = set;
        long now = readTime(from);
        RemainingEndpoints eligible = memory == null ? null : memory.eligible(from);
        int lost = 0;
        while (true) {
            int index = next(from, hash, eligible, now);
            Node<A> node = from.nodes[index];
            if (memory != null && !memory.claim(node, eligible)) {
                eligible = memory.refresh(eligible, from); // another run of the operation has claimed a host just now
                continue;
            }
            if (!node.reserve()) {
                lost = lostRace(from, lost);
                continue;
            }
            long start = from.isTimed() ? now : node.readStart();
            long stamp = node.enter(start);
            if (stamp != Gate.REFUSED) {
                return new Ticket<>(from.candidate(index), node, stamp, start, leases);
            }
            if (node.isClosed()) { // it drains: this set is an old one
                from = set;
                now = readTime(from);
                eligible = memory == null ? null : memory.eligible(from);
                continue;
            }
            eligible = memory == null ? from.without(index, eligible) : memory.refused(eligible, from, index);
        }
    }

    /** Another call took the place that was picked: this one picks again, though not for ever. */
    @SuppressWarnings("ThreadPriorityCheck") // who holds the place may need this processor
    private int lostRace(EndpointSet<A> from, int lost) {
        if (lost == MAX_RACES) {
            environment.listener().onRefused(name);
            throw from.refusal;
        }
        if ((lost & 63) == 63) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
        return lost + 1;
    }

    private long readTime(EndpointSet<A> from) {
        return from.isTimed() ? environment.clock().nanoTime() : 0L;
    }

    private int next(EndpointSet<A> from, long hash, @Nullable RemainingEndpoints eligible, long now) {
        int index = from.pick(hash, eligible, now);
        while (index == EndpointSet.NONE) {
            if (eligible == null || !eligible.forget()) {
                environment.listener().onRefused(name);
                throw from.refusal;
            }
            index = from.pick(hash, eligible, now);
        }
        return index;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Exchange<? super A, T, X> exchange) throws X {
        return exchange(anyHash(), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(
            CharSequence key, Exchange<? super A, T, X> exchange) throws X {
        return exchange(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(long key, Exchange<? super A, T, X> exchange)
            throws X {
        return exchange(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    <T extends @Nullable Object> CompletableFuture<T> start(
            long hash, Function<? super A, ? extends CompletionStage<T>> exchange, @Nullable TriedHosts memory) {
        Ticket<A> ticket;
        try {
            ticket = take(hash, memory);
        } catch (Throwable refused) { // or what a user's strategy threw
            return CompletableFuture.failedFuture(refused);
        }
        return new BalancedFuture<T>(ticket).begin(ticket.endpoint().address(), exchange);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return start(anyHash(), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            CharSequence key, Function<? super A, ? extends CompletionStage<T>> exchange) {
        return start(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            long key, Function<? super A, ? extends CompletionStage<T>> exchange) {
        return start(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            Exchange<? super A, T, X> exchange) {
        return new BalancedOperation<>(this, anyHash(), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            CharSequence key, Exchange<? super A, T, X> exchange) {
        return new BalancedOperation<>(this, hashOf(key), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            long key, Exchange<? super A, T, X> exchange) {
        return new BalancedOperation<>(this, hashOf(key), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return new BalancedSupplier<>(this, anyHash(), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            CharSequence key, Function<? super A, ? extends CompletionStage<T>> exchange) {
        return new BalancedSupplier<>(this, hashOf(key), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            long key, Function<? super A, ? extends CompletionStage<T>> exchange) {
        return new BalancedSupplier<>(this, hashOf(key), Require.nonNull("exchange", exchange));
    }

    @Override
    public Ticket<A> pick() {
        return take(anyHash(), null);
    }

    @Override
    public Ticket<A> pick(CharSequence key) {
        return take(hashOf(key), null);
    }

    @Override
    public Ticket<A> pick(long key) {
        return take(hashOf(key), null);
    }

    // ---- figures

    @Override
    public List<EndpointState<A>> snapshot() {
        return states(set);
    }

    private List<EndpointState<A>> states(EndpointSet<A> now) {
        List<EndpointState<A>> states = new ArrayList<>(now.all().size());
        for (int i = 0; i < now.all().size(); i++) {
            Endpoint<A> endpoint = now.all().get(i);
            Node<A> node = now.allNodes().get(i);
            EndpointHealth health = node.health == null ? null : node.health.health;
            HealthState plain = now.isDraining(endpoint) ? HealthState.DRAINING : HealthState.HEALTHY;
            states.add(new EndpointState<>(
                    endpoint,
                    node.inFlight(),
                    node.picks(),
                    node.latencyNanos(),
                    health == null ? plain : health.state(),
                    endpoint.weight() * now.selection().ramp(i),
                    health == null ? 0L : health.ejections(),
                    health == null ? "" : health.why()));
        }
        return List.copyOf(states);
    }

    @Override
    public Explanation<A> explain() {
        return explanation(anyHash());
    }

    @Override
    public Explanation<A> explain(CharSequence key) {
        return explanation(hashOf(key));
    }

    @Override
    public Explanation<A> explain(long key) {
        return explanation(hashOf(key));
    }

    private Explanation<A> explanation(long hash) {
        EndpointSet<A> from = set;
        BalancingStrategy.Choice choice = from.explain(hash);
        Endpoint<A> endpoint = choice.index() == EndpointSet.NONE ? null : from.candidate(choice.index());
        String reason = choice.reason().isEmpty() ? strategy.toString() : strategy + ": " + choice.reason();
        return new Explanation<>(endpoint, reason, states(from));
    }

    @Override
    public void measure(Sink sink) {
        EndpointSet<A> now = set;
        sink.value(name, "balancer.endpoints", now.all().size());
        sink.value(name, "balancer.candidates", now.nodes.length);
        sink.value(name, "balancer.expired", (double) leases.expired());
        if (drains != null) {
            sink.value(name, "balancer.drains", drains.open());
        }
        if (monitor != null) {
            monitor.measure(sink, healthOf(now.allNodes()));
        }
        if (strategy instanceof Measured measured) { // which does not know whose it is
            measured.measure((own, metric, value) -> sink.value(name, metric, value));
        }
        for (Node<A> node : now.allNodes()) {
            String label = name + "/" + node.id;
            sink.value(label, "endpoint.in.flight", node.inFlight());
            if (config.totals()) {
                sink.value(label, "endpoint.picks", (double) node.picks());
            }
            if (node.gate instanceof Measured measured) {
                measured.measure(sink);
            }
        }
    }

    @Override
    public String toString() {
        return name + "(" + strategy + " over " + set.all().size() + " endpoints)";
    }
}
