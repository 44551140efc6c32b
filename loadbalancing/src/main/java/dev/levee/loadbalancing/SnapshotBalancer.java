package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Text;
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

/**
 * The implementation of {@link LoadBalancer}: picks from an immutable {@link EndpointSet}, which its {@link Membership}
 * replaces. See ADR 20.
 *
 * <pre>
 *   strategy      picks an index of the set              NONE: allow the tried ones again, or refuse the call
 *      |
 *   LoadTracker   reserves a place (bounded loads only)  lost: another call has taken the place; pick again
 *      |
 *   TriedHosts    claims the node (operations only)      lost: another run has claimed a node; pick again
 *      |
 *   Gate          admits the call                        refused: pick among the remaining; closed: take the new set
 *      |                                                 all refused: go past one, as far as GateWatch allows
 *      |
 *   the node counts the call as in flight, runs it or hands it to a ticket, and counts it out
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>A call picks from one set, whole, and takes another only when the node that it picked has closed or has no
 *       place for it.
 *   <li>Every place that is reserved and every gate that is entered is given back exactly once, whatever user code
 *       throws: by {@link Node#enter} if it refuses, otherwise when the call leaves the node.
 *   <li>A call ends: each refusal leaves one endpoint fewer, and races that are lost are counted.
 *   <li>A blocking call allocates nothing unless a second endpoint refuses it.
 * </ul>
 */
final class SnapshotBalancer<A> extends Membership<A> implements LoadBalancer<A> {
    private static final int MAX_RACES = 100_000;
    /** So often a call without a key looks for an endpoint that takes new sessions. */
    private static final int MAX_DRAWS = 64;

    private final boolean usesKey;
    private final Leases leases;

    SnapshotBalancer(
            String name,
            BalancingStrategy strategy,
            LoadBalancerConfig<A> config,
            Environment environment,
            long firstTurn) {
        super(name, strategy, config, environment, firstTurn);
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
        long firstTurn = Require.nonNull("environment", environment).random().nextLong();
        SnapshotBalancer<A> balancer = new SnapshotBalancer<>(name, strategy, config, environment, firstTurn);
        balancer.subscribe(source);
        return balancer;
    }

    @Override
    public String name() {
        return name;
    }

    // ---- calls

    /** Returns the hash of a call without a key. */
    private long anyHash() {
        if (!usesKey) {
            return 0L;
        }
        EndpointSet<A> from = set;
        long hash = environment.random().nextLong();
        for (int i = 0; i < MAX_DRAWS && !from.isForNewSession(hash); i++) {
            hash = environment.random().nextLong();
        }
        return hash;
    }

    private long hashOf(CharSequence key) {
        Require.nonNull("key", key);
        return usesKey ? strategy.hash(key) : 0L;
    }

    private long hashOf(long key) {
        return usesKey ? XxHash64.hash(key) : 0L;
    }

    @Override
    public BalancedCalls<A> forKey(CharSequence key) {
        return new KeyedCalls<>(this, hashOf(key));
    }

    @Override
    public BalancedCalls<A> forKey(long key) {
        return new KeyedCalls<>(this, hashOf(key));
    }

    /**
     * Picks an endpoint, enters it and runs the exchange there; tries another endpoint for as long as gates refuse.
     *
     * <p>The state of the loop:
     *
     * <ul>
     *   <li>{@code from}: the set that is picked from.
     *   <li>{@code remaining}: the endpoints of the set that may still be picked; null if all may be, which is so until
     *       the first refusal of a call that has tried nothing before.
     *   <li>{@code lostRaces}: how often another call took a place that this one had picked.
     * </ul>
     *
     * @param exchange what to do; null to return a ticket, which is a {@code T} then, and to leave the call to its
     *     owner
     * @param tried what an operation was sent to before, and the object that it claims hosts in; null for a single call
     */
    @SuppressWarnings("unchecked") // without an exchange T is Ticket<A>
    <T extends @Nullable Object, X extends Throwable> T dispatch(
            long hash, @Nullable Exchange<? super A, T, X> exchange, @Nullable TriedHosts tried) throws X {
        StackRoom.require();
        EndpointSet<A> from = set;
        long now = readTime(from);
        RemainingEndpoints remaining = tried == null ? null : tried.remainingOf(from);
        Object before = remaining == null ? null : remaining.read;
        int lostRaces = 0;
        while (true) {
            int index = next(from, hash, remaining, now);
            if (index == EndpointSet.NONE) {
                return dispatchPast(from, hash, exchange, tried, before);
            }
            Node<A> node = from.nodes[index];
            if (!node.reserve()) {
                lostRaces = lostRace(from, lostRaces);
                if (from != set) { // the place may be one of the new set
                    from = set;
                    now = readTime(from);
                    remaining = tried == null ? null : tried.remainingOf(from);
                }
                continue;
            }
            if (tried != null && !tried.claim(node, remaining)) {
                node.unreserve();
                remaining = tried.refresh(remaining, from);
                continue;
            }
            long start = from.isTimed() ? now : node.readStart();
            long stamp = node.enter(start);
            if (stamp != Gate.REFUSED) {
                return exchange == null
                        ? (T) new Ticket<>(from.candidate(index), node, stamp, start, leases)
                        : node.call(stamp, start, exchange);
            }
            if (node.isClosed()) { // it drains: this set is an old one
                from = set;
                now = readTime(from);
                remaining = tried == null ? null : tried.remainingOf(from);
                continue;
            }
            remaining = tried == null ? from.without(index, remaining) : tried.refused(remaining, from, index);
        }
    }

    /**
     * Goes past the gate of an endpoint, since those of all refuse; or refuses the call. See ADR 64.
     *
     * @param before what the operation had been sent to before this run, in the form of {@link TriedHosts}; the others
     *     come first
     */
    @SuppressWarnings("unchecked") // without an exchange T is Ticket<A>
    private <T extends @Nullable Object, X extends Throwable> T dispatchPast(
            EndpointSet<A> from,
            long hash,
            @Nullable Exchange<? super A, T, X> exchange,
            @Nullable TriedHosts tried,
            @Nullable Object before)
            throws X {
        GateWatch watch = gateWatch;
        int endpoints = from.undrained().size();
        int index = watch == null || !watch.mayPass(endpoints)
                ? EndpointSet.NONE
                : from.enterPast(hash, watch.now(), before);
        refreshSource();
        if (watch == null || index == EndpointSet.NONE) {
            environment.listener().onRefused(Policy.Kind.BALANCER, name);
            throw from.refusal;
        }
        watch.passes(endpoints);
        Node<A> node = from.nodes[index];
        if (tried != null) {
            tried.claimAlone(node, before);
        }
        long start = watch.now();
        return exchange == null
                ? (T) new Ticket<>(from.candidate(index), node, Node.PASSED, start, leases)
                : node.call(Node.PASSED, start, exchange);
    }

    /** Picks an endpoint and enters it; the call is left to the owner of the ticket. */
    Ticket<A> take(long hash, @Nullable TriedHosts tried) {
        return this.<Ticket<A>, RuntimeException>dispatch(hash, null, tried);
    }

    /** Waits a moment, since another call took the place that was picked; refuses the call after {@link #MAX_RACES}. */
    @SuppressWarnings("ThreadPriorityCheck") // the thread that holds the place may need this processor
    private int lostRace(EndpointSet<A> from, int lostRaces) {
        if (lostRaces == MAX_RACES) {
            environment.listener().onRefused(Policy.Kind.BALANCER, name);
            throw from.refusal;
        }
        if ((lostRaces & 63) == 63) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
        return lostRaces + 1;
    }

    private long readTime(EndpointSet<A> from) {
        return from.isTimed() ? environment.clock().nanoTime() : 0L;
    }

    /**
     * Asks the strategy for an endpoint among the remaining; if there is none, among those tried before as well.
     * Returns {@link EndpointSet#NONE} if none is left at all.
     */
    private int next(EndpointSet<A> from, long hash, @Nullable RemainingEndpoints remaining, long now) {
        int index = from.pick(hash, remaining, now);
        while (index == EndpointSet.NONE) {
            if (remaining == null || !remaining.allowTried()) {
                return EndpointSet.NONE;
            }
            index = from.pick(hash, remaining, now);
        }
        return index;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Exchange<? super A, T, X> exchange) throws X {
        return dispatch(anyHash(), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(
            CharSequence key, Exchange<? super A, T, X> exchange) throws X {
        return dispatch(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(long key, Exchange<? super A, T, X> exchange)
            throws X {
        return dispatch(hashOf(key), Require.nonNull("exchange", exchange), null);
    }

    <T extends @Nullable Object> CompletableFuture<T> start(
            long hash, Function<? super A, ? extends CompletionStage<T>> exchange, @Nullable TriedHosts tried) {
        Ticket<A> ticket;
        try {
            ticket = take(hash, tried);
        } catch (Throwable refused) { // or what a user's strategy threw
            return CompletableFuture.failedFuture(refused);
        }
        return new BalancedFuture<T>(ticket).begin(ticket.endpoint().address(), exchange, environment);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return start(anyHash(), Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            Exchange<? super A, T, X> exchange) {
        return new BalancedOperation<>(this, anyHash(), Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return new BalancedSupplier<>(this, anyHash(), Require.nonNull("exchange", exchange));
    }

    @Override
    public Ticket<A> pick() {
        return take(anyHash(), null);
    }

    // ---- figures

    @Override
    public List<EndpointState<A>> snapshot() {
        return states(set);
    }

    @Override
    public int usableEndpoints() {
        return set.selection().usableEndpoints();
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
        return explain(anyHash());
    }

    Explanation<A> explain(long hash) {
        EndpointSet<A> from = set;
        BalancingStrategy.Choice choice = from.explain(hash);
        Endpoint<A> endpoint = choice.index() == EndpointSet.NONE ? null : from.candidate(choice.index());
        String reason =
                Text.escaped(choice.reason().isEmpty() ? strategy.toString() : strategy + ": " + choice.reason());
        return new Explanation<>(endpoint, reason, states(from));
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        EndpointSet<A> now = set;
        sink.value(name, BalancerMetrics.BALANCER_ENDPOINTS, now.all().size());
        sink.value(name, BalancerMetrics.BALANCER_CANDIDATES, now.nodes.length);
        sink.value(name, BalancerMetrics.BALANCER_EXPIRED, (double) leases.expired());
        if (drains != null) {
            sink.value(name, BalancerMetrics.BALANCER_DRAINS, drains.open());
        }
        if (monitor != null) {
            monitor.measure(sink, healthOf(now.allNodes()));
        }
        if (gateWatch != null) {
            gateWatch.measure(sink);
        }
        if (strategy instanceof Measured measured) { // a strategy does not know the name of its balancer
            measured.measure(new RenamingSink(name, sink));
        }
        for (Node<A> node : now.allNodes()) {
            sink.value(name, BalancerMetrics.ENDPOINT_IN_FLIGHT, node.tags, node.inFlight());
            if (config.totals()) {
                sink.value(name, BalancerMetrics.ENDPOINT_PICKS, node.tags, (double) node.picks());
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
