package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link LoadBalancer}: picks from an immutable {@link EndpointSet}, which updates replace. */
final class SnapshotBalancer<A> implements LoadBalancer<A> {
    private static final int MOST_RACES = 100_000;

    private final String name;
    private final BalancingStrategy strategy;
    private final LoadBalancerConfig<A> config;
    private final Environment environment;
    private final boolean usesKey;
    private final Turns turns;
    private final Leases leases;
    private final OneAtATime updates = new OneAtATime(this::apply);
    private final @Nullable HealthMonitor<A> monitor;
    private final @Nullable Drains<A> drains;
    private volatile @Nullable Map<String, Endpoint<A>> told;
    private @Nullable Map<String, Endpoint<A>> applied; // of updates
    private @Nullable Map<String, Endpoint<A>> refused; // the same: what could not be applied, and is not tried again
    private volatile EndpointSet<A> set;
    private volatile boolean closed;
    private volatile EndpointSource.@Nullable Subscription subscription;

    SnapshotBalancer(
            String name,
            BalancingStrategy strategy,
            LoadBalancerConfig<A> config,
            Environment environment,
            long firstTick) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.strategy = Require.nonNull(
                "strategy for a balancer", Require.nonNull("strategy", strategy).forBalancer(environment));
        this.usesKey = this.strategy.usesKey();
        this.turns = new Turns(firstTick);
        this.leases = new Leases(name, config.leaseNanos(), environment);
        HealthConfig<A> health = config.health();
        this.monitor = health == null ? null : new HealthMonitor<>(name, health, environment, updates::run);
        Drains.Config<A> drain = config.drain();
        this.drains = drain == null ? null : new Drains<>(name, drain, environment);
        this.set = new EndpointSet<>(
                name, List.of(), List.of(), Selection.of(List.of()), this.strategy, turns, environment.random());
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
        if (balancer.monitor != null) {
            balancer.monitor.start(); // first, since a source may take its time
        }
        try {
            balancer.subscription = source.subscribe(balancer::update);
        } catch (Throwable thrown) {
            balancer.close();
            throw thrown;
        }
        return balancer;
    }

    @Override
    public String name() {
        return name;
    }

    // ---- updates

    /** Takes a new set. No lock is held while gates and pickers, which are user code, are made. */
    void update(Collection<Endpoint<A>> endpoints) {
        told = merge(endpoints);
        updates.run();
    }

    /** In the order of ids, each once. */
    private static <A> Map<String, Endpoint<A>> merge(Collection<Endpoint<A>> endpoints) {
        Map<String, Endpoint<A>> byId = new TreeMap<>();
        for (Endpoint<A> endpoint : Require.nonNull("endpoints", endpoints)) {
            byId.merge(Require.nonNull("endpoint", endpoint).id(), endpoint, SnapshotBalancer::both);
        }
        return byId;
    }

    private static <A> Endpoint<A> both(Endpoint<A> one, Endpoint<A> other) {
        if (!one.address().equals(other.address())) {
            throw new IllegalArgumentException("endpoints of one id must have one address, but \"" + one.id()
                    + "\" has " + one.address() + " and " + other.address());
        }
        return one.withWeight(Math.min(one.weight() + other.weight(), Endpoint.MAXIMUM_WEIGHT));
    }

    /** Puts the set that was told, and what health says of it, into force. If gates or the strategy throw the old set stays. */
    private void apply() {
        Map<String, Endpoint<A>> latest = told;
        Map<String, Endpoint<A>> wanted = latest == refused ? applied : latest;
        if (wanted == null || closed) {
            return;
        }
        try {
            apply(wanted, wanted == applied);
        } finally {
            refused = wanted == applied ? refused : wanted;
        }
    }

    private void apply(Map<String, Endpoint<A>> wanted, boolean sameSet) {
        EndpointSet<A> before = set;
        List<Endpoint<A>> all = sameSet ? before.all() : List.copyOf(wanted.values());
        List<Node<A>> nodes = sameSet ? before.allNodes() : nodes(all, before);
        Selection selection = monitor == null ? Selection.of(all) : monitor.review(all, healthOf(nodes));
        if (!sameSet || !selection.isSameAs(before.selection())) {
            set = new EndpointSet<>(name, all, nodes, selection, strategy, turns, environment.random());
            applied = wanted;
        }
        if (monitor != null) {
            if (!sameSet) {
                watch(monitor, before.allNodes(), nodes);
            }
            monitor.tell(nodes, healthOf(nodes));
        }
        if (drains != null && !sameSet) {
            drain(drains, before, all, nodes, selection);
        }
    }

    /** Those that have gone, and those that are there but drained. */
    private void drain(
            Drains<A> into, EndpointSet<A> before, List<Endpoint<A>> all, List<Node<A>> nodes, Selection selection) {
        Set<Node<A>> used = new HashSet<>();
        for (int i = 0; i < nodes.size(); i++) {
            if (selection.isKnown(i)) {
                used.add(nodes.get(i));
            } else if (!nodes.get(i).isClosed()) {
                into.begin(nodes.get(i), all.get(i));
            }
        }
        for (int i = 0; i < before.all().size(); i++) {
            Node<A> node = before.allNodes().get(i);
            if (!used.contains(node) && !node.isClosed()) {
                into.begin(node, before.all().get(i));
            }
        }
    }

    private List<Node<A>> nodes(List<Endpoint<A>> all, EndpointSet<A> before) {
        Map<String, Node<A>> known = new HashMap<>();
        for (Node<A> node : before.allNodes()) {
            known.put(node.id, node);
        }
        BitSet undrained = Selection.undrained(all);
        List<Node<A>> nodes = new ArrayList<>(all.size());
        for (int i = 0; i < all.size(); i++) {
            Endpoint<A> endpoint = all.get(i);
            Node<A> node = known.get(endpoint.id());
            boolean stays = node != null && node.is(endpoint) && !(node.isClosed() && undrained.get(i));
            nodes.add(stays && node != null ? node : join(endpoint));
        }
        return List.copyOf(nodes);
    }

    private static <A> List<NodeHealth> healthOf(List<Node<A>> nodes) {
        return nodes.stream().map(Node::watchedHealth).toList();
    }

    /** Checks those that have come, and those that have gone no longer. */
    private void watch(HealthMonitor<A> monitor, List<Node<A>> before, List<Node<A>> now) {
        Set<Node<A>> gone = new HashSet<>(before);
        for (Node<A> node : now) {
            if (!gone.remove(node) && node.health != null) {
                monitor.check(node, node.health);
            }
        }
        for (Node<A> node : gone) {
            if (node.health != null) {
                node.health.stopChecks();
            }
        }
    }

    private Node<A> join(Endpoint<A> endpoint) {
        Function<? super Endpoint<A>, ? extends Gate> gates = config.gates();
        Gate gate = gates == null ? null : Require.nonNull("gate of an endpoint", gates.apply(endpoint));
        return new Node<>(
                endpoint,
                gate,
                strategy.newTracker(endpoint),
                monitor == null ? null : monitor.join(),
                config.outcomes(),
                environment.clock(),
                config.totals());
    }

    @Override
    public void close() {
        closed = true;
        EndpointSource.Subscription open = subscription;
        if (open != null) {
            open.close();
        }
        if (monitor != null) {
            monitor.close();
            for (Node<A> node : set.allNodes()) {
                if (node.health != null) {
                    node.health.stopChecks();
                }
            }
        }
        if (drains != null) {
            drains.close();
        }
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
            long hash, Exchange<? super A, T, X> exchange, @Nullable HostMemory memory) throws X {
        EndpointSet<A> from = set;
        long now = readTime(from);
        Eligible eligible = memory == null ? null : memory.eligible(from);
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
    Ticket<A> take(long hash, @Nullable HostMemory memory) {
        EndpointSet<A> from = set;
        long now = readTime(from);
        Eligible eligible = memory == null ? null : memory.eligible(from);
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
        if (lost == MOST_RACES) {
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

    private int next(EndpointSet<A> from, long hash, @Nullable Eligible eligible, long now) {
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
            long hash, Function<? super A, ? extends CompletionStage<T>> exchange, @Nullable HostMemory memory) {
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
            sink.value(label, "endpoint.inflight", node.inFlight());
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
