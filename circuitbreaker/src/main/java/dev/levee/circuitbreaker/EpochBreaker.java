package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one implementation of {@link CircuitBreaker}: a reference to the current {@link Epoch}, and the transitions
 * between epochs.
 *
 * <pre>{@code
 *             limits reached                  open time over
 * CLOSED ------------------------> OPEN -------------------------> HALF_OPEN
 *  ^  ^                            ^  ^                             |  |  |
 *  |  |                            |  |  probes reach the limits    |  |  |
 *  |  |                            |  +-----------------------------+  |  |
 *  |  |      probes stay below the limits, no ramp configured          |  |
 *  |  +----------------------------|-----------------------------------+  |
 *  |                               | limits reached                       | probes stay below the limits,
 *  |    last step over             |                                      | ramp configured
 *  +---------------------------- RAMPING <--------------------------------+
 *
 * any state -- halfOpen(), open -- allowProbe(), forced open for a time -- that is over --> HALF_OPEN
 * any state -- forceOpen() ---> FORCED_OPEN ---+
 * any state -- disable() -----> DISABLED ------+-- reset() --> CLOSED (also from any other state)
 * any state -- observeOnly() -> OBSERVE_ONLY --+
 * }</pre>
 *
 * <p><b>Invariants.</b> A change of state is one compare-and-set of {@link #epoch}, from the very epoch that was judged
 * to its successor: so one thread wins, and an automatic change fails if the state was changed by hand in between. A
 * change of the configuration replaces the epoch by one of the same number, window and permits; a transition that loses
 * to it is decided again, and one that loses to anything else is dropped. The number of an epoch grows with every
 * change of state or reset and is the stamp of the calls it admits: an outcome whose stamp is not the current one
 * counts nowhere. A probe has a negative stamp, which names its permit. A change that is due by time is made by the
 * next call or reading that comes, as of the time at which it was due; several are made in order, each from the end of
 * the one before. Epochs are published in the order of their chain.
 *
 * <p>See ADR 18 for epochs and probes, ADR 32 for the ramp and ADR 33 for changes of the configuration.
 */
final class EpochBreaker implements CircuitBreaker {
    private static final Logger LOG = LoggerFactory.getLogger(CircuitBreaker.class);
    private static final VarHandle EPOCH = Handles.field(MethodHandles.lookup(), "epoch", Epoch.class);

    private final String name;
    private final Environment environment;
    private final NanoClock clock;
    private final OutcomeRule rule;
    private final int timing;
    private final @Nullable BreakerTotals totals;
    private final EpochFactory successors;
    private final StateChangePublisher publisher;
    private volatile Epoch epoch;

    EpochBreaker(String name, CircuitBreakerConfig config, Environment environment) {
        this.name = Require.name(name);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.rule = Require.nonNull("config", config).outcomes();
        WindowRules rules = config.windowRules();
        this.timing = rules.hasSlowRule() ? ENTRY | EXIT : rules.needsEnd() ? EXIT : 0;
        this.totals = config.totals() ? new BreakerTotals() : null;
        this.successors = new EpochFactory(name, environment);
        Epoch first = Epoch.first(config, new Epoch.Change(clock.nanoTime(), "made", Counts.NONE));
        this.epoch = first;
        this.publisher = new StateChangePublisher(name, environment.listener(), first, () -> epoch);
    }

    // Calls

    @Override
    public int timing() {
        return timing;
    }

    @Override
    public long tryEnter(long nowNanos) {
        Epoch now = epoch;
        long stamp = now.stamp;
        return stamp != REFUSED ? stamp : tryEnterSlowly(now);
    }

    /** Enters an epoch that does not admit every call. */
    private long tryEnterSlowly(Epoch seen) {
        long stamp = REFUSED;
        if (seen.state != State.FORCED_OPEN || seen.nanos != Nanos.NEVER) {
            long now = clock.nanoTime();
            if (!seen.isOpen() || seen.isOver(now)) {
                stamp = tryEnterAfterDueChanges(now);
            }
        }
        if (stamp == REFUSED && totals != null) {
            totals.refused();
        }
        return stamp;
    }

    private long tryEnterAfterDueChanges(long now) {
        Epoch current = makeDueChanges(now);
        if (current.probes != null) {
            return current.probes.tryLease(now);
        }
        if (current.ramp != null) {
            return current.ramp.admits(now - current.change.atNanos()) ? current.number : REFUSED;
        }
        return current.stamp;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        Epoch now = epoch;
        // Without a slow-call rule the start need not have been stamped, and the difference means nothing.
        boolean slow = now.slowNanos != Nanos.NEVER && endNanos - startNanos >= now.slowNanos;
        boolean late = false;
        if (stamp == now.stamp) {
            Window window = now.window;
            if (window == null) {
                return; // disabled
            }
            if (verdict != Verdict.IGNORED) {
                record(now, window, outcome(verdict, slow), endNanos, retryAfterNanos);
            }
        } else if ((stamp & Epoch.UNRECORDED) != 0 && stamp > 0) {
            return; // admitted while it was disabled
        } else if (stamp > 0) {
            late = !recordInRamp(stamp, verdict, slow, endNanos, retryAfterNanos);
        } else {
            late = !recordProbe(stamp, verdict, slow, retryAfterNanos);
        }
        if (totals != null) {
            totals.ended(verdict, slow, late);
        }
    }

    private static int outcome(Verdict verdict, boolean slow) {
        return (verdict == Verdict.SUCCESS ? 0 : Window.FAILED) | (slow ? Window.SLOW : 0);
    }

    private void record(Epoch now, Window window, int outcome, long endNanos, long retryAfterNanos) {
        if (now.reconfigured != 0) {
            recordReconfigured(now, window, outcome, endNanos, retryAfterNanos);
            return;
        }
        Counts over = window.record(outcome, endNanos, now.limits);
        if (over != null) {
            openBy(over, now, window, endNanos, retryAfterNanos);
        }
    }

    private void recordReconfigured(Epoch now, Window window, int outcome, long endNanos, long retryAfterNanos) {
        long end = (now.reconfigured & Epoch.READS_CLOCK) != 0 ? clock.nanoTime() : endNanos;
        Counts over = window.record(outcome, end, now.limits);
        if ((now.reconfigured & Epoch.UNJUDGED) != 0) {
            now.reconfigured &= ~Epoch.UNJUDGED;
            over = window.judge(end, now.limits);
        }
        if (over != null) {
            openBy(over, now, window, end, retryAfterNanos);
        }
    }

    /** Records a call that a ramp admitted, or a late one; false if it counts nowhere. */
    private boolean recordInRamp(long stamp, Verdict verdict, boolean slow, long endNanos, long retryAfterNanos) {
        Epoch now = epoch;
        if (now.ramp == null || now.number != stamp) {
            return false;
        }
        now = makeDueChanges(clock.nanoTime());
        Window window = now.window;
        if (now.number != stamp || window == null) {
            return false;
        }
        if (verdict != Verdict.IGNORED) {
            record(now, window, outcome(verdict, slow), endNanos, retryAfterNanos);
        }
        return true;
    }

    /** Records the outcome of a probe; false if it does not hold a permit any more. */
    private boolean recordProbe(long stamp, Verdict verdict, boolean slow, long retryAfterNanos) {
        long now = clock.nanoTime();
        Epoch current = makeDueChanges(now);
        Probes probes = current.probes;
        if (probes == null) {
            return false;
        }
        if (verdict == Verdict.IGNORED) {
            return probes.giveBack(stamp);
        }
        if (!probes.spend(stamp, outcome(verdict, slow))) {
            return false;
        }
        changeIfProbesDecide(current, probes, now, retryAfterNanos);
        return true;
    }

    // Transitions

    /**
     * Opens, also if the configuration changes in between; but then only if the counts are over the new limits as well.
     */
    private void openBy(Counts evidence, Epoch judged, Window window, long endNanos, long retryAfterNanos) {
        Epoch now = judged;
        Counts over = evidence;
        while (over != null) {
            Epoch.Change change = new Epoch.Change(clock.nanoTime(), window.explain(over, now.limits), over);
            if (replaceEpoch(now, successors.open(now, change, retryAfterNanos))) {
                return;
            }
            now = epoch;
            over = now.number == judged.number && now.window == window ? window.judge(endNanos, now.limits) : null;
        }
    }

    /** Leaves the half-open state if the probes that have ended decide how; called after one of them has ended. */
    private void changeIfProbesDecide(Epoch judged, Probes probes, long atNanos, long hintNanos) {
        Counts tally = probes.tally();
        Probes.Decision decision = probes.decision(tally);
        if (decision == Probes.Decision.NONE) {
            return;
        }
        Epoch.Change change = new Epoch.Change(atNanos, probes.explain(tally), tally);
        Epoch current = judged;
        boolean done;
        do {
            done = replaceEpoch(current, afterProbes(current, decision, change, hintNanos));
            current = epoch;
            // Another epoch with the same permits: only the configuration has changed.
        } while (!done && current.probes == probes);
    }

    private Epoch afterProbes(Epoch from, Probes.Decision decision, Epoch.Change change, long hintNanos) {
        if (decision == Probes.Decision.REOPEN) {
            return successors.open(from, change, hintNanos);
        }
        return from.config.rampStep().isZero() ? successors.closed(from, change) : successors.ramping(from, change);
    }

    /** Makes all changes that are due by time, each in turn, as of its own time; returns the epoch after them. */
    private Epoch makeDueChanges(long now) {
        while (true) {
            Epoch current = epoch;
            if (current.isOver(now)) {
                replaceEpoch(
                        current,
                        current.ramp == null ? successors.halfOpen(current) : successors.closedAfterRamp(current));
            } else if (current.probes == null || !expireProbe(current, current.probes, now)) {
                return current;
            }
        }
    }

    /** Gives up the probe whose lease expired first; false if there is none, and nothing else to be done. */
    private boolean expireProbe(Epoch current, Probes probes, long now) {
        long stamp = probes.firstExpired(now);
        if (stamp == REFUSED) {
            boolean undecided = probes.areSpentButUndecided(now);
            if (undecided) {
                changeIfProbesDecide(current, probes, now, RefusedException.UNKNOWN);
            }
            return undecided;
        }
        CircuitBreakerConfig config = current.config;
        if (config.expiredProbesFail()) {
            long deadline = probes.deadline(stamp);
            if (probes.spend(stamp, Window.FAILED | (config.windowRules().hasSlowRule() ? Window.SLOW : 0))) {
                changeIfProbesDecide(current, probes, deadline, RefusedException.UNKNOWN);
            }
        } else {
            probes.giveBack(stamp);
        }
        return true;
    }

    /** Replaces the very epoch that was judged, and publishes the change; false if it was replaced in between. */
    private boolean replaceEpoch(Epoch from, Epoch to) {
        boolean replaced = EPOCH.compareAndSet(this, from, to);
        if (replaced) {
            publisher.publish();
        }
        return replaced;
    }

    // Changes by hand

    @Override
    public void forceOpen() {
        changeByHand(State.FORCED_OPEN);
    }

    @Override
    public void forceOpen(Duration time) {
        long nanos = Nanos.of(Require.positive("time", time));
        change((from, now) -> successors.forcedOpen(from, now, nanos));
    }

    @Override
    public void halfOpen() {
        change((from, now) -> from.state == State.HALF_OPEN ? null : successors.halfOpen(from, now, "by hand"));
    }

    @Override
    public void allowProbe() {
        // Not only if it is open: it may be about to, when the lease of a probe has expired.
        if (epoch.refusal != null) {
            String reason = "a probe is allowed";
            change((from, now) -> from.state == State.OPEN ? successors.halfOpen(from, now, reason) : null);
        }
    }

    @Override
    public boolean mayBePassed() {
        State state = epoch.state;
        return state == State.OPEN || state == State.HALF_OPEN || state == State.RAMPING;
    }

    @Override
    public void disable() {
        changeByHand(State.DISABLED);
    }

    @Override
    public void observeOnly() {
        changeByHand(State.OBSERVE_ONLY);
    }

    @Override
    public void reset() {
        changeByHand(State.CLOSED);
    }

    private void changeByHand(State to) {
        change((from, now) -> from.state == to && to != State.CLOSED && from.nanos == Nanos.NEVER
                ? null
                : successors.byHand(to, from, now));
    }

    /** Replaces whatever epoch is current when it is replaced, unless there is no successor for it. */
    private void change(Successor successor) {
        boolean done;
        do {
            long now = clock.nanoTime();
            Epoch from = makeDueChanges(now);
            Epoch to = successor.after(from, now);
            done = to == null || replaceEpoch(from, to);
        } while (!done);
    }

    /** What follows an epoch at a time; null if the epoch stays. */
    private interface Successor {
        @Nullable Epoch after(Epoch from, long nowNanos);
    }

    // Configuration

    @Override
    public CircuitBreakerConfig config() {
        return epoch.config;
    }

    @Override
    public void reconfigure(CircuitBreakerConfig config) {
        requireSameStamps(Require.nonNull("config", config));
        Epoch from;
        do {
            from = makeDueChanges(clock.nanoTime());
        } while (!replaceEpoch(from, from.with(config)));
        SafeLog.info(
                LOG, "{} has a new configuration: {} (before: {})", BreakerText.subject(name), config, from.config);
    }

    /** Refuses a change of what pipelines read from a gate only once. */
    private void requireSameStamps(CircuitBreakerConfig other) {
        if (other.outcomes() != rule) {
            throw new IllegalArgumentException("outcomes must stay " + rule + ", but was " + other.outcomes());
        }
        if (other.totals() != (totals != null)) {
            throw new IllegalArgumentException("totals must stay " + (totals != null) + ", but was " + other.totals());
        }
        Duration slow = other.slowCallDuration();
        if (!slow.isZero() && (timing & ENTRY) == 0) {
            throw new IllegalArgumentException("slowCallDuration must stay unset, because " + BreakerText.subject(name)
                    + " was made without, but was " + Nanos.text(slow));
        }
    }

    // What it tells of itself

    @Override
    public RefusedException refusal() {
        Epoch now = epoch;
        CircuitOpenException refusal =
                now.ramp == null ? now.refusal : now.ramp.refusal(clock.nanoTime() - now.change.atNanos());
        // It may have closed since it refused.
        return refusal != null ? refusal : successors.refusal(now.state, "it admits calls again", () -> 0);
    }

    @Override
    public State state() {
        Epoch now = epoch;
        return now.refusal == null ? now.state : makeDueChanges(clock.nanoTime()).state;
    }

    @Override
    public Snapshot snapshot() {
        long now = clock.nanoTime();
        return BreakerFigures.snapshot(makeDueChanges(now), now);
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).policy(this);
        Snapshot snapshot = snapshot();
        BreakerFigures.write(name, snapshot, epoch, totals, sink);
    }

    @Override
    public OutcomeRule outcomes() {
        return rule;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    /** Returns how many leases have not ended. */
    int held() {
        Probes probes = epoch.probes;
        return probes == null ? 0 : probes.held();
    }

    @Override
    public String toString() {
        Epoch now = epoch;
        return BreakerText.describe(name, now, clock.nanoTime());
    }
}
