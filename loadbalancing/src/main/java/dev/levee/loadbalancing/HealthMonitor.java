package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the endpoints of one balancer: hears checks and calls, decides who may be ejected, and says who is a candidate.
 *
 * <p>{@link #review} is only called by the balancer's update, one at a time, and owns all state that is not volatile. Calls, checks
 * and the timer only leave word and ask for a review, which runs on the executor.
 */
final class HealthMonitor<A> {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);
    private static final int STEPS = 10; // of an interval, for what is recent

    private final String name;
    private final HealthConfig<A> config;
    private final Environment environment;
    private final NanoClock clock;
    private final Runnable review;
    private final PauseDetector stalls;
    private final CheckPermits places;
    private final Ejections ejections;
    private final Panic panic;
    private final AtomicBoolean asked = new AtomicBoolean();
    private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();
    private boolean any; // whether there have been endpoints
    private boolean[] panics = {};
    private boolean toldPanic;
    private boolean toldSuspended;
    private long stepEnd;
    private int step;
    private volatile long due;
    private volatile boolean inPanic;
    private volatile boolean closed;
    private volatile @Nullable Timer ticker;

    private record Heard(NodeHealth node, @Nullable String whyNot) {}

    HealthMonitor(String name, HealthConfig<A> config, Environment environment, Runnable review) {
        this.name = name;
        this.config = config;
        this.environment = environment;
        this.clock = environment.clock();
        this.review = review;
        long now = clock.nanoTime();
        this.stalls = new PauseDetector(now);
        this.places = new CheckPermits(config.maxConcurrentChecks);
        this.ejections = new Ejections(config);
        this.panic = new Panic(config.panicBelow);
        this.stepEnd = now + stepNanos();
        this.due = stepEnd;
    }

    private long stepNanos() {
        return Math.max(1L, config.sweepNanos / STEPS);
    }

    // ---- any thread

    void start() {
        tickLater();
    }

    private void tickLater() {
        if (closed) {
            return;
        }
        Timer timer = environment.scheduler().schedule(this::tick, PauseDetector.PERIOD_NANOS);
        ticker = timer;
        if (closed) {
            timer.cancel();
        }
    }

    private void tick() {
        long now = clock.nanoTime();
        stalls.tick(now);
        tickLater();
        if (now - due >= 0) {
            ask();
        }
    }

    /** Lets a review come soon. */
    void ask() {
        if (closed || !asked.compareAndSet(false, true)) {
            return;
        }
        try {
            environment.executor().execute(this::look);
        } catch (RejectedExecutionException full) {
            asked.set(false); // the timer will ask again
            due = clock.nanoTime();
        }
    }

    private void look() {
        asked.set(false);
        try {
            review.run();
        } catch (RuntimeException thrown) { // by a strategy of a user: the set stays as it was
            LOG.warn("{}: the endpoints could not be chosen anew", name, thrown);
        }
    }

    void close() {
        closed = true;
        Timer timer = ticker;
        if (timer != null) {
            timer.cancel();
        }
    }

    // ---- the review

    NodeHealth join() {
        long now = clock.nanoTime();
        OutcomeObserver watch = config.isPassive()
                ? new OutcomeObserver(new OutcomeCounters(config.consecutiveFailures), stalls, this::ask)
                : null;
        return new NodeHealth(EndpointHealth.joined(config.rules, !any, now), watch);
    }

    /** Begins to check an endpoint that has been published. */
    void check(Node<A> node, NodeHealth state) {
        HealthCheck<? super A> check = config.check;
        if (check == null || closed) {
            return;
        }
        state.startChecks(new RepeatedCheck<>(node.address, config, check, places, stalls, environment, whyNot -> {
            heard.add(new Heard(state, whyNot));
            ask();
        }));
    }

    Selection review(List<Endpoint<A>> all, List<NodeHealth> nodes) {
        long now = clock.nanoTime();
        any |= !all.isEmpty();
        BitSet undrained = Selection.undrained(all);
        for (Heard word = heard.poll(); word != null; word = heard.poll()) {
            EndpointHealth health = word.node.health;
            word.node.health = word.whyNot == null ? health.checkPassed(now) : health.checkFailed(word.whyNot, now);
        }
        for (int i = 0; i < nodes.size(); i++) {
            NodeHealth node = nodes.get(i);
            EndpointHealth before = node.health;
            node.health = before.drain(!undrained.get(i), now).at(now);
            if (before.isEjected() && !node.health.isEjected()) {
                node.beginAnew();
            }
        }
        if (config.isPassive()) {
            eject(nodes, now);
        }
        return select(all, nodes, undrained, now);
    }

    private void eject(List<NodeHealth> nodes, long now) {
        ejections.byRuns(nodes, now);
        if (now - stepEnd < 0) {
            return;
        }
        stepEnd = now + stepNanos();
        step++;
        nodes.forEach(NodeHealth::nextStep);
        if (step >= STEPS) {
            step = 0;
            ejections.byRates(nodes, now);
        }
    }

    private Selection select(List<Endpoint<A>> all, List<NodeHealth> nodes, BitSet undrained, long now) {
        int[] priorities =
                all.stream().mapToInt(Endpoint::priority).sorted().distinct().toArray();
        int[] healthy = new int[priorities.length];
        int[] total = new int[priorities.length];
        double[] ramps = new double[all.size()];
        long wait = config.isPassive() ? stepEnd - now : Nanos.NEVER;
        for (int i = undrained.nextSetBit(0); i >= 0; i = undrained.nextSetBit(i + 1)) {
            int level = Arrays.binarySearch(priorities, all.get(i).priority());
            total[level]++;
            if (nodes.get(i).health.isUsable()) {
                healthy[level]++;
            }
        }
        boolean[] before = Arrays.copyOf(panics, priorities.length);
        panics = panic.levels(healthy, total, before);
        boolean[] open = config.refuseInPanic ? new boolean[priorities.length] : Panic.open(healthy, panics);
        BitSet candidates = new BitSet(all.size());
        BitSet usable = new BitSet(all.size());
        boolean refuses = false;
        for (int i = 0; i < all.size(); i++) {
            EndpointHealth health = nodes.get(i).health;
            int level = Arrays.binarySearch(priorities, all.get(i).priority());
            boolean refused = panics[level] && config.refuseInPanic;
            refuses |= refused;
            usable.set(i, health.isUsable());
            candidates.set(i, undrained.get(i) && !refused && (open[level] || health.isUsable()));
            ramps[i] = open[level] ? 1.0 : health.ramp(now); // in a panic who is well has no less than who is down
            wait = Math.min(wait, health.nanosUntilChange(now));
        }
        due = now + wait;
        return new Selection(candidates, undrained, usable, ramps, refuses);
    }

    /** Tells what has changed, once it is in force. */
    void tell(List<Node<A>> nodes, List<NodeHealth> states) {
        for (int i = 0; i < states.size(); i++) {
            NodeHealth node = states.get(i);
            HealthState to = node.health.state();
            if (to != node.told) {
                HealthState from = node.told;
                node.told = to;
                environment.listener().onStateChange(name + "/" + nodes.get(i).id, from.name(), to.name());
            }
        }
        boolean panicking = false;
        for (boolean level : panics) {
            panicking |= level;
        }
        inPanic = panicking;
        if (panicking != toldPanic) {
            toldPanic = panicking;
            environment.listener().onStateChange(name, panicking ? "NORMAL" : "PANIC", panicking ? "PANIC" : "NORMAL");
        }
        boolean suspended = ejections.isSuspended();
        if (suspended != toldSuspended) {
            toldSuspended = suspended;
            String policy = name + "/ejection";
            environment
                    .listener()
                    .onStateChange(policy, suspended ? "ON" : "SUSPENDED", suspended ? "SUSPENDED" : "ON");
        }
    }

    void measure(Measured.Sink sink, List<NodeHealth> nodes) {
        Map<HealthState, Integer> counts = new EnumMap<>(HealthState.class);
        for (NodeHealth node : nodes) {
            counts.merge(node.health.state(), 1, Integer::sum);
        }
        for (HealthState state : HealthState.values()) {
            String metric = "balancer." + state.name().toLowerCase(Locale.ROOT);
            sink.value(name, metric, counts.getOrDefault(state, 0));
        }
        sink.value(name, "balancer.panic", inPanic ? 1.0 : 0.0);
        sink.value(name, "balancer.ejections", (double) ejections.count());
        sink.value(name, "balancer.ejection.suspended", ejections.isSuspended() ? 1.0 : 0.0);
        sink.value(name, "balancer.stalls", (double) stalls.count());
    }
}
