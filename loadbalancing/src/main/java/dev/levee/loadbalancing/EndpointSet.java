package dev.levee.loadbalancing;

import dev.levee.core.RefusedException;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.StripedSequence;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import dev.levee.loadbalancing.strategy.LoadTracker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One set of endpoints, as calls see it. Immutable, apart from caches; a changed set is another object, published by
 * one write. See ADR 20.
 *
 * <pre>
 *   all, allNodes                          every endpoint, in the order of ids; selection refers to these indices
 *     undrained                            without those of weight 0
 *       nodes, endpoints, ramps, usable,   the candidates, which strategies see under an index of their own
 *       inFlight
 * </pre>
 *
 * <p><b>Invariants.</b> Arrays and lists of one line have the same indices. A candidate is never drained, unless all
 * endpoints are. {@code allBut} is filled without synchronization: two threads may make equal objects for one index,
 * and a thread may see one before its bit is set, which costs its call one more refusal and nothing else.
 */
final class EndpointSet<A> implements Candidates {
    static final int NONE = -1;

    /** The candidates, in the order of their ids. */
    final Node<A>[] nodes;

    final NoEndpointException refusal;

    private final List<Endpoint<A>> all;
    private final List<Node<A>> allNodes;
    private final List<Endpoint<A>> endpoints;
    private final double[] ramps;
    private final BitSet usable;
    private final List<Endpoint<A>> undrained;
    private final Selection selection;
    private final boolean allDrained;
    /** Whether there are candidates that take new sessions, and others. */
    private final boolean partlyOldSessions;

    private final StripedSequence turns;
    /** The words of the nodes, which saves strategies one memory access for each. */
    private final PaddedLong[] inFlight;

    private final RandomGenerator random;
    private final BalancingStrategy strategy;
    private final BalancingStrategy.@Nullable Picker picker;
    private final boolean timed;
    /** What remains after one endpoint has refused, by its index; null until needed. */
    private final @Nullable RemainingEndpoints[] allBut;

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type
    EndpointSet(
            String name,
            List<Endpoint<A>> all,
            List<Node<A>> allNodes,
            Selection selection,
            BalancingStrategy strategy,
            StripedSequence turns,
            RandomGenerator random) {
        this.all = all;
        this.allNodes = allNodes;
        this.strategy = strategy;
        this.turns = turns;
        this.random = random;
        this.selection = selection;
        this.allDrained = all.stream().allMatch(endpoint -> endpoint.weight() == 0.0);
        List<Endpoint<A>> notDrained = new ArrayList<>(all.size());
        List<Endpoint<A>> candidates = new ArrayList<>(all.size());
        List<Node<A>> candidateNodes = new ArrayList<>(all.size());
        double[] parts = new double[all.size()];
        usable = new BitSet(all.size());
        for (int i = 0; i < all.size(); i++) {
            if (selection.isUndrained(i)) {
                notDrained.add(all.get(i));
            }
            if (selection.isCandidate(i)) {
                parts[candidates.size()] = selection.ramp(i);
                usable.set(candidates.size(), selection.isUsable(i));
                candidates.add(all.get(i));
                candidateNodes.add(allNodes.get(i));
            }
        }
        this.undrained = List.copyOf(notDrained);
        this.ramps = Arrays.copyOf(parts, candidates.size());
        this.endpoints = List.copyOf(candidates);
        this.nodes = candidateNodes.toArray(new Node[0]);
        this.inFlight = candidateNodes.stream().map(node -> node.inFlight).toArray(PaddedLong[]::new);
        this.allBut = new RemainingEndpoints[nodes.length];
        long taking = candidates.stream().filter(Endpoint::takesNewSessions).count();
        this.partlyOldSessions = taking > 0 && taking < candidates.size();
        this.refusal = new NoEndpointException(name, reason(), message(name), this::retryAfterNanos, true);
        this.picker = nodes.length == 0 ? null : strategy.over(this);
        this.timed = candidateNodes.stream().anyMatch(node -> node.tracker != null);
    }

    private NoEndpointException.Reason reason() {
        if (all.isEmpty()) {
            return NoEndpointException.Reason.NO_ENDPOINTS;
        }
        return nodes.length == 0 ? NoEndpointException.Reason.UNHEALTHY : NoEndpointException.Reason.REFUSED_BY_GATES;
    }

    private String message(String name) {
        if (all.isEmpty()) {
            return "balancer \"" + name + "\": there are no endpoints";
        }
        int drained = all.size() - undrained.size();
        int unhealthy = undrained.size() - nodes.length;
        return "balancer \"" + name + "\": none of " + all.size() + " endpoints admits a call: " + nodes.length
                + " refused by their gates" + (drained == 0 ? "" : ", " + drained + " drained")
                + (unhealthy == 0 ? "" : ", " + unhealthy + " left out for their health")
                + (selection.refusesInPanic() ? ", which is refused in a panic" : "");
    }

    /** Returns the shortest wait that any gate gives. */
    private long retryAfterNanos() {
        long shortest = RefusedException.UNKNOWN;
        for (Node<A> node : nodes) {
            long wait = node.retryAfterNanos();
            if (wait != RefusedException.UNKNOWN && (shortest == RefusedException.UNKNOWN || wait < shortest)) {
                shortest = wait;
            }
        }
        return shortest;
    }

    /** Whether the time is read before the pick, which is then the start of the call. */
    boolean isTimed() {
        return timed;
    }

    /** Whether a call without a key may have this hash: not where only old sessions go. */
    boolean isForNewSession(long hash) {
        if (!partlyOldSessions || picker == null) {
            return true;
        }
        int index = checked(picker.pick(hash));
        return index == NONE || endpoints.get(index).takesNewSessions();
    }

    /** Returns the index that the strategy picks among the remaining; {@link #NONE} if it finds none. */
    int pick(long hash, @Nullable RemainingEndpoints remaining, long nowNanos) {
        BalancingStrategy.Picker asked = picker;
        if (asked == null) {
            return NONE;
        }
        if (remaining == null) {
            return checked(timed ? asked.pick(hash, nowNanos) : asked.pick(hash));
        }
        if (remaining.isSwept()) {
            return remaining.sweep(random);
        }
        int index = checked(asked.pick(hash, remaining));
        return index == NONE ? NONE : remaining.firstFrom(index);
    }

    /**
     * Enters an endpoint past its gate: the owner of the key or any, or the next, those first that are not to be
     * avoided, and of these those whose calls did well that went past before. Returns its index, or {@link #NONE}.
     *
     * @param avoided in the form of {@link TriedHosts}
     */
    int enterPast(long hash, long nowNanos, @Nullable Object avoided) {
        if (nodes.length == 0) {
            return NONE;
        }
        // Those that take turns have done so for this call already, and would come to the same endpoint each time.
        int first = Math.max(0, strategy.usesKey() ? pick(hash, null, nowNanos) : random.nextInt(nodes.length));
        int index = enterPastFrom(first, avoided, false);
        if (index == NONE && avoided != null) {
            index = enterPastFrom(first, avoided, true);
        }
        return index == NONE && timed ? enterPastAmong(hash) : index;
    }

    /** Enters one of those that may be passed as if they were the whole set, since others are no capacity. */
    private int enterPastAmong(long hash) {
        BalancingStrategy.Picker asked = picker;
        int index = asked == null ? NONE : checked(asked.pick(hash, candidate -> nodes[candidate].mayBePassed()));
        return index != NONE && nodes[index].enterPast() ? index : NONE;
    }

    private int enterPastFrom(int first, @Nullable Object avoided, boolean allowAvoided) {
        for (int i = 0; i < 2 * nodes.length; i++) {
            int index = (first + i) % nodes.length;
            Node<A> node = nodes[index];
            boolean promising = i < nodes.length;
            if ((allowAvoided || avoided == null || !TriedHosts.contains(avoided, node))
                    && node.isPromising() == promising
                    && node.enterPast()) {
                return index;
            }
        }
        return NONE;
    }

    /** Returns what the strategy picks, and the reason. */
    BalancingStrategy.Choice explain(long hash) {
        BalancingStrategy.Picker asked = picker;
        if (asked == null) {
            return new BalancingStrategy.Choice(
                    NONE, all.isEmpty() ? "there are no endpoints" : String.valueOf(refusal.getMessage()));
        }
        BalancingStrategy.Choice choice = asked.explain(hash, index -> true);
        checked(choice.index());
        return choice;
    }

    private int checked(int index) {
        if (index < NONE || index >= nodes.length) {
            throw new IllegalStateException("index must be from -1 to " + (nodes.length - 1) + ", but strategy "
                    + Text.printable(strategy) + " picked " + index);
        }
        return index;
    }

    /**
     * Returns what remains after one more has refused. The first refusal of a call, the common one, allocates nothing.
     */
    RemainingEndpoints without(int index, @Nullable RemainingEndpoints remaining) {
        if (remaining != null) {
            return remaining.without(index);
        }
        RemainingEndpoints rest = allBut[index];
        if (rest == null) {
            rest = RemainingEndpoints.allBut(nodes, index);
            allBut[index] = rest;
        }
        return rest;
    }

    List<Endpoint<A>> all() {
        return all;
    }

    List<Node<A>> allNodes() {
        return allNodes;
    }

    Endpoint<A> candidate(int index) {
        return endpoints.get(index);
    }

    Selection selection() {
        return selection;
    }

    boolean isDraining(Endpoint<A> endpoint) {
        return !allDrained && endpoint.weight() == 0.0;
    }

    @Override
    public int size() {
        return nodes.length;
    }

    @Override
    public Endpoint<?> endpoint(int index) {
        return endpoints.get(index);
    }

    @Override
    public double weight(int index) {
        // A part of the smallest number would be 0, which owns nothing.
        return Math.max(
                Double.MIN_VALUE, (allDrained ? 1.0 : endpoints.get(index).weight()) * ramps[index]);
    }

    @Override
    public double ramp(int index) {
        return ramps[index];
    }

    @Override
    public boolean isHealthy(int index) {
        return usable.get(index);
    }

    @Override
    public List<? extends Endpoint<?>> undrained() {
        return undrained;
    }

    @Override
    public @Nullable LoadTracker tracker(int index) {
        return nodes[index].tracker;
    }

    @Override
    public int inFlight(int index) {
        return (int) inFlight[index].getOpaque(); // opaque: a number to compare, old in any mode
    }

    @Override
    public long nextSequence() {
        return turns.next();
    }

    @Override
    public RandomGenerator random() {
        return random;
    }
}
