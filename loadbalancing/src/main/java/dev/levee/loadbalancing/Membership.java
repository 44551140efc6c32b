package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StripedSequence;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Which endpoints a balancer has: takes what a source tells and what health says, and publishes each change as one {@link EndpointSet}. */
abstract class Membership<A> {
    final String name;
    final BalancingStrategy strategy;
    final LoadBalancerConfig<A> config;
    final Environment environment;
    final @Nullable HealthMonitor<A> monitor;
    final @Nullable Drains<A> drains;
    /** What calls are picked from. */
    volatile EndpointSet<A> set;

    private final StripedSequence turns;
    private final OneAtATime updates = new OneAtATime(this::apply);
    private volatile @Nullable Map<String, Endpoint<A>> told;
    private @Nullable Map<String, Endpoint<A>> applied; // of updates
    private @Nullable Map<String, Endpoint<A>> refused; // the same: what could not be applied, and is not tried again
    private volatile boolean closed;
    private volatile EndpointSource.@Nullable Subscription subscription;

    Membership(
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
        this.turns = new StripedSequence(firstTick);
        HealthConfig<A> health = config.health();
        this.monitor = health == null ? null : new HealthMonitor<>(name, health, environment, updates::run);
        Drains.Config<A> drain = config.drain();
        this.drains = drain == null ? null : new Drains<>(name, drain, environment);
        this.set = new EndpointSet<>(
                name, List.of(), List.of(), Selection.of(List.of()), this.strategy, turns, environment.random());
    }

    /** Begins to listen, once everything is in place. */
    final void subscribe(EndpointSource<A> source) {
        if (monitor != null) {
            monitor.start(); // first, since a source may take its time
        }
        try {
            subscription = source.subscribe(this::update);
        } catch (Throwable thrown) {
            close();
            throw thrown;
        }
    }

    /** Takes a new set. No lock is held while gates and pickers, which are user code, are made. */
    final void update(Collection<Endpoint<A>> endpoints) {
        told = merge(endpoints);
        updates.run();
    }

    /** In the order of ids, each once. */
    private static <A> Map<String, Endpoint<A>> merge(Collection<Endpoint<A>> endpoints) {
        Map<String, Endpoint<A>> byId = new TreeMap<>();
        for (Endpoint<A> endpoint : Require.nonNull("endpoints", endpoints)) {
            byId.merge(Require.nonNull("endpoint", endpoint).id(), endpoint, Membership::both);
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

    static <A> List<NodeHealth> healthOf(List<Node<A>> nodes) {
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

    /** Stops listening, checking and waiting for drains. */
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
}
