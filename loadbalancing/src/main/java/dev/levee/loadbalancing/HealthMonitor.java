package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.parts.HandOver;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Decides, for one balancer, the health of each endpoint and which endpoints are candidates for calls.
 *
 * <p><b>How an endpoint is ejected</b>, in the order of events:
 *
 * <pre>
 *   1. A call ends:              Node.leave       -> OutcomeObserver counts the verdict in OutcomeCounters, unless
 *                                                    it is a failure during a pause of this process (PauseDetector).
 *      or a check ends:          RepeatedCheck    -> its result goes into the queue here.
 *      or an interval is over:   ReviewTrigger, at a tick of the Ticker.
 *   2. A review is requested:    ReviewTrigger    -> runs the balancer's update on the executor.
 *   3. The update reviews:       Membership.apply -> review(), which in this order
 *        applies the results of checks, drains and the time that has passed   (EndpointHealth),
 *        ejects by failures in a row, at each review                          (Ejections.byRuns),
 *        ejects by rates, at the end of each interval                         (Ejections.byRates, Outliers),
 *        both only where bad luck is excluded                                 (FailureSignificance),
 *        and chooses the candidates, which are more in a panic                (CandidateSelector, Panic).
 *   4. The update publishes:     one EndpointSet with the candidates; later calls pick from it.
 *   5. Changes are published:    publish()        -> the listener, through HealthReport.
 *   6. The ejection ends:        the timer requests a review when it is due; EndpointHealth.at() makes the endpoint
 *                                usable again, and its slow start begins.
 * </pre>
 *
 * <p><b>Invariants.</b> {@link #review} and {@link #publish} are called by the balancer's update only, one at a time,
 * and own all state that is neither volatile nor concurrent. Calls, checks and the timer, on any thread, change
 * counters and the queue only, and request a review. Nothing here knows the {@code Node} of a call: {@link Membership}
 * maps nodes to their {@link NodeHealth}. See ADR 46.
 */
final class HealthMonitor<A> {
    /** Parts of an interval, each of which ends with a step: the last one or two are what is recent. */
    static final int STEPS = 10;

    private final String balancer;
    private final HealthConfig<A> config;
    private final Environment environment;
    private final EndpointHealth.Rules rules;
    private final boolean observesCalls;
    private final long stepNanos;
    private final PauseDetector pauses;
    private final ReviewTrigger trigger;
    private final CheckPermits permits;
    private final HandOver checks;
    private final Ejections ejections;
    private final CandidateSelector selector;
    private final HealthReport report;
    private final Queue<CheckResult> results = new ConcurrentLinkedQueue<>();
    private boolean hadEndpoints;
    private long stepEnd;
    private int step;

    /** What a check found; the reason is null if the check passed. */
    private record CheckResult(NodeHealth node, @Nullable String failure) {}

    HealthMonitor(String name, HealthConfig<A> config, Environment environment, Ticker ticker, Runnable review) {
        this.balancer = name;
        this.config = config;
        this.environment = environment;
        this.rules = EndpointHealth.Rules.of(config);
        this.observesCalls = config.observesCalls();
        this.stepNanos = Math.max(1L, Nanos.of(config.compareEvery()) / STEPS);
        long now = environment.clock().nanoTime();
        this.stepEnd = now + stepNanos;
        this.pauses = ticker.pauses();
        this.trigger = new ReviewTrigger(name, environment, ticker, review, stepEnd);
        this.permits = new CheckPermits(config.maxConcurrentChecks());
        this.checks =
                new HandOver(LoggerFactory.getLogger(LoadBalancer.class), "balancer \"" + name + "\", health checks");
        this.ejections = new Ejections(config);
        this.selector = new CandidateSelector(config);
        this.report = new HealthReport(name, environment, ejections, pauses);
    }

    void close() {
        trigger.close();
    }

    /** Returns the health of an endpoint that joins. */
    NodeHealth join(String label) {
        OutcomeObserver observer = observesCalls
                ? new OutcomeObserver(
                        new OutcomeCounters(config.consecutiveFailures(), Nanos.of(config.ejectFor())),
                        pauses,
                        trigger::request)
                : null;
        long now = environment.clock().nanoTime();
        return new NodeHealth(label, EndpointHealth.joined(rules, !hadEndpoints, now), observer);
    }

    /** Starts the checks of an endpoint that has been published; one that passes lets its gate probe. */
    void startChecks(A address, NodeHealth node, @Nullable Gate gate) {
        HealthCheck<? super A> check = config.check();
        if (check == null || trigger.isClosed()) {
            return;
        }
        String owner = "balancer \"" + balancer + "\": endpoint " + node.label;
        node.startChecks(
                new RepeatedCheck<>(owner, address, config, check, permits, pauses, environment, checks, failure -> {
                    results.add(new CheckResult(node, failure));
                    trigger.request();
                    if (failure == null && gate != null) {
                        gate.allowProbe();
                    }
                }));
    }

    /** Applies what has happened since the last review, and chooses the candidates. */
    Selection review(List<Endpoint<A>> all, List<NodeHealth> nodes) {
        long now = environment.clock().nanoTime();
        hadEndpoints |= !all.isEmpty();
        BitSet undrained = Selection.undrained(all);
        for (CheckResult result = results.poll(); result != null; result = results.poll()) {
            EndpointHealth health = result.node.health;
            result.node.health =
                    result.failure == null ? health.checkPassed(now) : health.checkFailed(result.failure, now);
        }
        for (int i = 0; i < nodes.size(); i++) {
            NodeHealth node = nodes.get(i);
            EndpointHealth before = node.health;
            node.health = before.drain(!undrained.get(i), now).at(now);
            if (before.isEjected() && !node.health.isEjected()) {
                node.restart();
            }
        }
        if (observesCalls) {
            eject(nodes, now);
        }
        Selection selection = selector.select(all, nodes, undrained, now);
        trigger.dueAt(now + nanosUntilChange(nodes, now));
        return selection;
    }

    private void eject(List<NodeHealth> nodes, long now) {
        ejections.byRuns(nodes, now);
        if (now - stepEnd < 0) {
            return;
        }
        stepEnd = now + stepNanos;
        for (NodeHealth node : nodes) {
            node.nextStep(step);
        }
        step++;
        if (step >= STEPS) {
            step = 0;
            ejections.byRates(nodes, now);
        }
    }

    private long nanosUntilChange(List<NodeHealth> nodes, long now) {
        long wait = observesCalls ? stepEnd - now : Nanos.NEVER;
        for (NodeHealth node : nodes) {
            wait = Math.min(wait, node.health.nanosUntilChange(now));
        }
        return wait;
    }

    /** Publishes what the review has changed, once it is in force. Returns whether endpoints fail that should not. */
    boolean publish(List<NodeHealth> nodes) {
        report.publish(nodes, selector.isInPanic());
        return selector.isInPanic() || ejections.isSuspended();
    }

    void measure(Measured.Sink sink, List<NodeHealth> nodes) {
        report.measure(sink, nodes);
    }
}
