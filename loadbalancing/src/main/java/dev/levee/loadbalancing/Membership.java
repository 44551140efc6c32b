package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StripedSequence;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.Unchecked;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoints of a balancer: merges what the source publishes with their health, and publishes each change as one
 * {@link EndpointSet}. See ADR 20.
 *
 * <pre>
 *   source --update()--> latest --+                          +--> set, by one write
 *                                 +--> updates: apply() -----+--> checks of new nodes start, those of old ones stop
 *   HealthMonitor --review--------+    (one at a time)       +--> the listener is notified
 *                                                            +--> drained and departed nodes drain
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>{@code apply} runs one at a time, without a lock ({@link OneAtATime}), and owns {@code applied} and
 *       {@code refused}; its last run begins after the last request, so the last set that was published wins.
 *   <li>A node is kept for as long as its endpoint stays in the set; the same node is never in use again after it has
 *       begun to drain.
 *   <li>If a gate, the strategy or a contradictory set throws, the old set stays, and its health is still reviewed.
 * </ul>
 */
abstract class Membership<A> {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    final String name;
    final BalancingStrategy strategy;
    /** The strategy for a set with several priorities. */
    private final BalancingStrategy byPriority;

    final LoadBalancerConfig<A> config;
    final Environment environment;
    final @Nullable HealthMonitor<A> monitor;
    final @Nullable GateWatch gateWatch;
    final @Nullable Drains<A> drains;
    /** The set that calls pick from. */
    volatile EndpointSet<A> set;

    private final @Nullable Ticker ticker;
    private final StripedSequence turns;
    private final OneAtATime updates = new OneAtATime(this::apply);
    private final OneAtATime publications = new OneAtATime(this::takePublished);
    private final SessionDrains<A> sessions;
    /** What the source published last. */
    private volatile @Nullable Publication<A> published;
    /** What was taken in last, if it is not contradictory; in the order of the ids, each once. */
    private @Nullable Publication<A> taken;

    private List<Endpoint<A>> accepted = List.of();
    /** The same, without the weights of those whose sessions have had their time. */
    private volatile @Nullable Map<String, Endpoint<A>> latest;
    /** The endpoints of {@link #set}. */
    private @Nullable Map<String, Endpoint<A>> applied;
    /** The endpoints that could not be applied, and are not tried again. */
    private @Nullable Map<String, Endpoint<A>> refused;

    /** Whether no refresh of the source has thrown so far. */
    private final AtomicBoolean refreshes = new AtomicBoolean(true);

    private volatile boolean closed;
    private volatile EndpointSource.@Nullable Subscription subscription;

    Membership(
            String name,
            BalancingStrategy strategy,
            LoadBalancerConfig<A> config,
            Environment environment,
            long firstTurn) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.strategy = Require.nonNull(
                "strategy for a balancer", Require.nonNull("strategy", strategy).forBalancer(environment));
        this.byPriority = this.strategy.usesPriority() ? this.strategy : BalancingStrategy.priority(this.strategy);
        this.turns = new StripedSequence(firstTurn);
        HealthConfig<A> health = config.health();
        boolean gated = config.gatePerEndpoint() != null;
        Ticker timer = health == null && !gated ? null : new Ticker(name, environment, health == null);
        this.ticker = timer;
        this.monitor = health == null || timer == null
                ? null
                : new HealthMonitor<>(name, health, environment, timer, updates::run);
        this.gateWatch = gated && timer != null
                ? new GateWatch(name, config.passesGates(), timer, environment, this::allowProbes)
                : null;
        this.sessions = new SessionDrains<>(
                name, this.strategy.usesKey(), config.drainDeadline(), environment, publications::run);
        this.drains = Drains.of(name, config, environment);
        this.set = new EndpointSet<>(
                name, List.of(), List.of(), Selection.of(List.of()), this.strategy, turns, environment.random());
    }

    /** Subscribes to the source, once everything is in place. */
    final void subscribe(EndpointSource<A> source) {
        if (monitor != null && ticker != null) {
            ticker.start(); // first, since a source may take long, which is no pause
        }
        try {
            subscription = source.subscribe(this::update);
        } catch (Throwable thrown) {
            try {
                close();
            } catch (Throwable again) {
                thrown.addSuppressed(again);
            }
            throw thrown;
        }
    }

    /** One set of a source, which may publish the same collection again with other endpoints in it. */
    private static final class Publication<A> {
        final Collection<Endpoint<A>> endpoints;

        Publication(Collection<Endpoint<A>> endpoints) {
            this.endpoints = endpoints;
        }
    }

    /** Takes a new set. Makes gates and pickers, which are user code, without holding a lock. */
    final void update(Collection<Endpoint<A>> endpoints) {
        published = new Publication<>(Require.nonNull("endpoints", endpoints));
        publications.run();
    }

    /** Takes what was published, or, if there is nothing new, the time that has passed for sessions. */
    private void takePublished() {
        Publication<A> last = published;
        if (last != null && last != taken) {
            taken = last;
            accepted = merge(last.endpoints); // throws if they are contradictory: then sessions go by the old set
        }
        Map<String, Endpoint<A>> byId = new LinkedHashMap<>();
        sessions.apply(accepted).forEach(endpoint -> byId.put(endpoint.id(), endpoint));
        latest = byId;
        updates.run();
    }

    /** Returns the endpoints in the order of their ids, each id once. */
    private static <A> List<Endpoint<A>> merge(Collection<Endpoint<A>> endpoints) {
        Map<String, Endpoint<A>> byId = new TreeMap<>();
        for (Endpoint<A> endpoint : Require.nonNull("endpoints", endpoints)) {
            byId.merge(Require.nonNull("endpoint", endpoint).id(), endpoint, Membership::sum);
        }
        return List.copyOf(byId.values());
    }

    private static <A> Endpoint<A> sum(Endpoint<A> one, Endpoint<A> other) {
        if (!one.address().equals(other.address())) {
            throw new IllegalArgumentException(
                    "endpoints of one id must have one address, but \"" + Text.printable(one.id()) + "\" has "
                            + text(one.address()) + " and " + text(other.address()) + "; give each an id of its own");
        }
        Map<String, String> labels = new TreeMap<>(one.labels());
        other.labels().forEach((label, value) -> labels.merge(label, value, Membership::least));
        return new Endpoint<>(
                one.id(),
                one.address(),
                Math.min(one.weight() + other.weight(), Endpoint.MAX_WEIGHT),
                Math.min(one.priority(), other.priority()),
                labels);
    }

    private static String least(String one, String other) {
        return one.compareTo(other) <= 0 ? one : other;
    }

    private static String text(Object address) {
        return Text.printable(Addresses.withoutSecrets(String.valueOf(address)));
    }

    /** Applies the latest set and its health. If gates or the strategy throw, the old set stays. */
    private void apply() {
        Map<String, Endpoint<A>> published = latest;
        Map<String, Endpoint<A>> wanted = published == refused ? applied : published;
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
            BalancingStrategy picks = hasPriorities(all) ? byPriority : strategy;
            set = new EndpointSet<>(name, all, nodes, selection, picks, turns, environment.random());
            applied = wanted;
        }
        try {
            if (monitor != null) {
                if (!sameSet) {
                    updateChecks(monitor, before.allNodes(), nodes);
                }
                if (monitor.publish(healthOf(nodes))) {
                    refreshSource();
                }
            }
        } finally { // whatever happens to checks, what has left is closed
            if (drains != null && !sameSet) {
                drain(drains, before, all, nodes, selection);
            }
        }
    }

    private static <A> boolean hasPriorities(List<Endpoint<A>> all) {
        return all.stream().mapToInt(Endpoint::priority).distinct().count() > 1;
    }

    /** Begins to drain the nodes that have left, and those whose endpoints are drained. */
    private void drain(
            Drains<A> into, EndpointSet<A> before, List<Endpoint<A>> all, List<Node<A>> nodes, Selection selection) {
        Set<Node<A>> used = new HashSet<>();
        for (int i = 0; i < nodes.size(); i++) {
            if (selection.isUndrained(i)) {
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

    /** Returns the nodes of the endpoints: those that stay, and new ones. */
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
            boolean stays = node != null && node.isOf(endpoint) && !(node.isClosed() && undrained.get(i));
            nodes.add(stays && node != null ? node : join(endpoint));
        }
        return List.copyOf(nodes);
    }

    /** Asks the source to look again, since the endpoints that are known do not work. */
    final void refreshSource() {
        EndpointSource.Subscription open = subscription;
        if (open != null) {
            try {
                open.refresh();
            } catch (Throwable thrown) { // by a source of a user; asked for by a call or a review, which go on
                if (refreshes.compareAndSet(true, false)) {
                    SafeLog.warn(
                            LOG,
                            "balancer \"{}\": its source could not be refreshed; further failures are not logged",
                            name,
                            thrown);
                }
            }
        }
    }

    private void allowProbes() {
        for (Node<A> node : set.allNodes()) {
            if (node.gate != null) {
                try {
                    node.gate.allowProbe();
                } catch (Throwable thrown) { // by a gate of a user, on the thread of a call to another endpoint
                    SafeLog.warn(LOG, "balancer \"{}\": the gate of {} does not probe", name, node.label, thrown);
                }
            }
        }
    }

    static <A> List<NodeHealth> healthOf(List<Node<A>> nodes) {
        return nodes.stream().map(Node::watchedHealth).toList();
    }

    /** Starts the checks of the nodes that have joined, and stops those of the nodes that have left. */
    private void updateChecks(HealthMonitor<A> monitor, List<Node<A>> before, List<Node<A>> now) {
        Set<Node<A>> left = new HashSet<>(before);
        for (Node<A> node : now) {
            if (!left.remove(node) && node.health != null) {
                monitor.startChecks(node.address, node.health, node.gate);
            }
        }
        for (Node<A> node : left) {
            if (node.health != null) {
                node.health.stopChecks();
            }
        }
    }

    private Node<A> join(Endpoint<A> endpoint) {
        Function<? super Endpoint<A>, ? extends Gate> gates = config.gatePerEndpoint();
        Gate gate = gates == null ? null : Require.nonNull("gate of an endpoint", gates.apply(endpoint));
        String label = Text.escaped(Require.nonNull(
                "label of an endpoint", config.labelPerEndpoint().apply(endpoint)));
        return new Node<>(
                endpoint,
                label,
                gate,
                strategy.newTracker(endpoint),
                monitor == null ? null : monitor.join(label),
                config.outcomes(),
                gateWatch,
                environment.clock(),
                config.totals());
    }

    /** Unsubscribes, stops checks and timers, and closes what is draining. */
    public void close() {
        closed = true;
        Throwable failure = null;
        EndpointSource.Subscription open = subscription;
        if (open != null) {
            try {
                open.close();
            } catch (Throwable thrown) { // by a source of a user: all else must be closed nevertheless
                failure = thrown;
            }
        }
        sessions.close();
        if (ticker != null) {
            ticker.close();
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
        if (failure != null) {
            throw Unchecked.<RuntimeException>asDeclared(failure);
        }
    }
}
