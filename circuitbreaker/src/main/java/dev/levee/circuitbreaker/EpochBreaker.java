package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one implementation of {@link CircuitBreaker}: a reference to the current {@link Epoch}. */
final class EpochBreaker implements CircuitBreaker {
    private static final Logger LOG = LoggerFactory.getLogger(CircuitBreaker.class);
    private static final VarHandle EPOCH = Handles.field(MethodHandles.lookup(), "epoch", Epoch.class);

    private final String name;
    private final Environment environment;
    private final NanoClock clock;
    private final OutcomeRule rule;
    private final int timing;
    private final @Nullable BreakerTotals totals;
    private final AtomicLong leases = new AtomicLong();
    private final StateChangePublisher announcer;
    private volatile Epoch epoch;

    EpochBreaker(String name, CircuitBreakerConfig config, Environment environment) {
        this.name = Require.name(name);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.rule = Require.nonNull("config", config).outcomes();
        this.timing = config.hasSlowRule() ? ENTRY | EXIT : config.needsEnd() ? EXIT : 0;
        this.totals = config.recordsTotals() ? new BreakerTotals() : null;
        long now = clock.nanoTime();
        Epoch first = Epoch.first(config, new Epoch.Change(now, "made", Counts.NONE));
        this.epoch = first;
        this.announcer = new StateChangePublisher(name, environment.listener(), first);
    }

    @Override
    public int timing() {
        return timing;
    }

    @Override
    public long tryEnter(long nowNanos) {
        Epoch now = epoch;
        long stamp = now.stamp;
        return stamp != REFUSED ? stamp : ask(now);
    }

    private long ask(Epoch seen) {
        long stamp = REFUSED;
        if (seen.state != State.FORCED_OPEN) {
            long now = clock.nanoTime();
            if (seen.state != State.OPEN || seen.isOver(now)) {
                stamp = askInDetail(now);
            }
        }
        if (stamp == REFUSED && totals != null) {
            totals.refused();
        }
        return stamp;
    }

    private long askInDetail(long now) {
        Epoch due = catchUp(now);
        if (due.probes != null) {
            return due.probes.tryLease(now);
        }
        if (due.ramp != null) {
            return due.ramp.admits(now - due.change.atNanos()) ? due.number : REFUSED;
        }
        return due.stamp;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        Epoch now = epoch;
        // Without a slow-call rule nobody need have stamped the start, and the difference means nothing.
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
            late = !settle(stamp, verdict, slow, retryAfterNanos);
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
            openOn(over, now, window, endNanos, retryAfterNanos);
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
            openOn(over, now, window, end, retryAfterNanos);
        }
    }

    /** Opens, also if the configuration changes in between; but then the new one must mean it too. */
    private void openOn(Counts evidence, Epoch judged, Window window, long endNanos, long retryAfterNanos) {
        Epoch now = judged;
        Counts over = evidence;
        while (over != null) {
            int reopenings = now.ramp == null ? 0 : now.reopenings + 1;
            Epoch.Change change = new Epoch.Change(clock.nanoTime(), window.explain(over, now.limits), over);
            if (open(now, change, reopenings, retryAfterNanos)) {
                return;
            }
            now = epoch;
            over = now.number == judged.number && now.window == window ? window.judge(endNanos, now.limits) : null;
        }
    }

    /** The end of a call that is not of this epoch, or of a ramp; false if it counts nowhere. */
    private boolean recordInRamp(long stamp, Verdict verdict, boolean slow, long endNanos, long retryAfterNanos) {
        Epoch now = epoch;
        if (now.ramp == null || now.number != stamp) {
            return false;
        }
        long time = clock.nanoTime();
        now = catchUp(time);
        Window window = now.window;
        if (now.number != stamp || window == null) {
            return false;
        }
        if (verdict != Verdict.IGNORED) {
            record(now, window, outcome(verdict, slow), endNanos, retryAfterNanos);
        }
        return true;
    }

    /** The end of a probe; false if it does not hold a permit any more. */
    private boolean settle(long stamp, Verdict verdict, boolean slow, long retryAfterNanos) {
        long now = clock.nanoTime();
        Epoch current = catchUp(now);
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
        decide(current, probes, now, retryAfterNanos);
        return true;
    }

    /** Looks what the probes that have ended mean, after one of them has. */
    private void decide(Epoch judged, Probes probes, long atNanos, long hintNanos) {
        Counts tally = probes.tally();
        Probes.Decision decision = probes.decision(tally);
        if (decision == Probes.Decision.NONE) {
            return;
        }
        Epoch.Change change = new Epoch.Change(atNanos, probes.explain(tally), tally);
        Epoch current = judged;
        boolean done;
        do {
            done = decision == Probes.Decision.REOPEN
                    ? open(current, change, current.reopenings + 1, hintNanos)
                    : current.config.hasRamp() ? ramp(current, change) : close(current, change);
            current = epoch;
            // Another epoch with the same permits: just the configuration has changed.
        } while (!done && current.probes == probes);
    }

    /** Makes all changes that are due by time; each in turn, as of its own time. */
    private Epoch catchUp(long now) {
        while (true) {
            Epoch current = epoch;
            if (current.isOver(now)) {
                if (current.ramp == null) {
                    halfOpen(current);
                } else {
                    close(current, rampedUp(current));
                }
            } else if (current.probes == null || !giveUpProbe(current, current.probes, now)) {
                return current;
            }
        }
    }

    /** Gives up the probe whose lease expired first; false if there is none, and nothing else to be done. */
    private boolean giveUpProbe(Epoch current, Probes probes, long now) {
        long stamp = probes.firstExpired(now);
        if (stamp == REFUSED) {
            boolean forgotten = probes.areForgotten(now);
            if (forgotten) {
                decide(current, probes, now, RefusedException.UNKNOWN);
            }
            return forgotten;
        }
        CircuitBreakerConfig config = current.config;
        if (config.expiredProbesFail()) {
            long deadline = probes.deadline(stamp);
            if (probes.spend(stamp, Window.FAILED | (config.hasSlowRule() ? Window.SLOW : 0))) {
                decide(current, probes, deadline, RefusedException.UNKNOWN);
            }
        } else {
            probes.giveBack(stamp);
        }
        return true;
    }

    private boolean open(Epoch from, Epoch.Change change, int reopenings, long hintNanos) {
        CircuitBreakerConfig config = from.config;
        double random = config.hasJitter() ? environment.random().nextDouble() : 0;
        long openNanos = config.openNanos(reopenings, random, hintNanos);
        LongSupplier left = openNanos == Nanos.NEVER
                ? () -> Nanos.NEVER
                : () -> Math.max(0, openNanos - (clock.nanoTime() - change.atNanos()));
        return move(from, Epoch.open(from, change, openNanos, reopenings, refusal(State.OPEN, change.reason(), left)));
    }

    private void halfOpen(Epoch from) {
        CircuitBreakerConfig config = from.config;
        String reason = "it was open for " + readable(from.nanos);
        Epoch.Change change = new Epoch.Change(from.end(), reason, from.change.evidence());
        Probes probes =
                new Probes(config.halfOpenCalls(), config.probeLimits(), config.leaseNanos(), leases::incrementAndGet);
        String taken = "its " + config.halfOpenCalls() + " probes are on their way";
        move(from, Epoch.halfOpen(from, change, probes, refusal(State.HALF_OPEN, taken, EpochBreaker::unknown)));
    }

    private boolean close(Epoch from, Epoch.Change change) {
        return move(from, Epoch.admitting(State.CLOSED, from, change, from.config.newWindow(change.atNanos())));
    }

    private boolean ramp(Epoch from, Epoch.Change change) {
        double[] shares = from.config.rampShares();
        long stepNanos = from.config.rampStepNanos();
        Ramp ramp = new Ramp(shares, stepNanos, step -> {
            long end = Nanos.multiply(stepNanos, step + 1);
            String reason = "it admits " + Counts.percent(shares[step]) + " of calls";
            LongSupplier left = () -> Math.max(0, end - (clock.nanoTime() - change.atNanos()));
            return refusal(State.RAMPING, reason, left);
        });
        Window window = from.config.newWindow(change.atNanos());
        return move(from, Epoch.ramping(from, change, ramp, Ramp.nanos(shares, stepNanos), window));
    }

    private static Epoch.Change rampedUp(Epoch ramping) {
        long end = ramping.end();
        return new Epoch.Change(
                end, "it did well for " + readable(ramping.nanos) + " of rising traffic", ramping.tally(end));
    }

    @Override
    public CircuitBreakerConfig config() {
        return epoch.config;
    }

    @Override
    public void reconfigure(CircuitBreakerConfig config) {
        requireSameStamps(Require.nonNull("config", config));
        Epoch from;
        do {
            from = catchUp(clock.nanoTime());
        } while (!move(from, from.with(config)));
        LOG.info("Breaker {} has another configuration: {} (before: {})", name, config, from.config);
    }

    /** Pipelines take these from a gate once. */
    private void requireSameStamps(CircuitBreakerConfig other) {
        if (other.outcomes() != rule) {
            throw new IllegalArgumentException("outcomes must stay " + rule + ", but was " + other.outcomes());
        }
        if (other.recordsTotals() != (totals != null)) {
            throw new IllegalArgumentException(
                    "totals must stay " + (totals != null) + ", but was " + other.recordsTotals());
        }
        if (other.hasSlowRule() && (timing & ENTRY) == 0) {
            throw new IllegalArgumentException("slowCallDuration must stay unset, because breaker " + name
                    + " was made without, but was " + Duration.ofNanos(other.slowNanos()));
        }
    }

    @Override
    public void forceOpen() {
        set(State.FORCED_OPEN);
    }

    @Override
    public void disable() {
        set(State.DISABLED);
    }

    @Override
    public void observeOnly() {
        set(State.OBSERVE_ONLY);
    }

    @Override
    public void reset() {
        set(State.CLOSED);
    }

    private void set(State to) {
        boolean done;
        do {
            long now = clock.nanoTime();
            Epoch from = catchUp(now);
            if (from.state == to && to != State.CLOSED) {
                return;
            }
            Epoch.Change change = new Epoch.Change(now, "by hand", from.tally(now));
            done = move(
                    from,
                    switch (to) {
                        case FORCED_OPEN ->
                            Epoch.forcedOpen(from, change, refusal(to, change.reason(), EpochBreaker::unknown));
                        case DISABLED -> Epoch.admitting(to, from, change, null);
                        default -> Epoch.admitting(to, from, change, from.config.newWindow(now));
                    });
        } while (!done);
    }

    /** Replaces the very epoch that was judged, or fails. */
    private boolean move(Epoch from, Epoch to) {
        boolean moved = EPOCH.compareAndSet(this, from, to);
        if (moved) {
            announcer.announce(this::current);
        }
        return moved;
    }

    private Epoch current() {
        return epoch;
    }

    private static long unknown() {
        return RefusedException.UNKNOWN;
    }

    private CircuitOpenException refusal(State state, String reason, LongSupplier left) {
        return new CircuitOpenException(name, "breaker " + name + " is " + state + ": " + reason, left, true);
    }

    @Override
    public RefusedException refusal() {
        Epoch now = epoch;
        CircuitOpenException refusal =
                now.ramp == null ? now.refusal : now.ramp.refusal(clock.nanoTime() - now.change.atNanos());
        // It may have closed since it refused.
        return refusal != null ? refusal : refusal(now.state, "it admits calls again", () -> 0);
    }

    @Override
    public State state() {
        Epoch now = epoch;
        return now.refusal == null ? now.state : catchUp(clock.nanoTime()).state;
    }

    @Override
    public Snapshot snapshot() {
        long now = clock.nanoTime();
        Epoch current = catchUp(now);
        Counts tally = current.tally(now);
        // Another thread may have changed the state after the clock was read.
        long inState = Math.max(0, now - current.change.atNanos());
        return new Snapshot(current.state, tally.calls(), tally.failures(), tally.slow(), inState);
    }

    @Override
    @SuppressWarnings("EnumOrdinal") // the order of the states is documented to be the figure
    public void measure(Sink sink) {
        Snapshot snapshot = snapshot();
        sink.value(name, "breaker.state", snapshot.state().ordinal());
        sink.value(name, "breaker.time.in.state.nanos", (double) snapshot.nanosInState());
        sink.value(name, "breaker.window.calls", (double) snapshot.calls());
        sink.value(name, "breaker.window.failures", (double) snapshot.failures());
        sink.value(name, "breaker.window.slow", (double) snapshot.slowCalls());
        sink.value(name, "breaker.failure.rate", snapshot.failureRate());
        sink.value(name, "breaker.slow.rate", snapshot.slowCallRate());
        Epoch now = epoch;
        if (now.config.hasRamp()) {
            sink.value(name, "breaker.ramp.share", admittedShare(now, snapshot));
        }
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    private static double admittedShare(Epoch now, Snapshot snapshot) {
        return switch (snapshot.state()) {
            case CLOSED, DISABLED, OBSERVE_ONLY -> 1;
            case OPEN, HALF_OPEN, FORCED_OPEN -> 0;
            case RAMPING -> now.ramp == null ? 1 : now.ramp.share(snapshot.nanosInState());
        };
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

    /** Leases that are not settled. */
    int held() {
        Probes probes = epoch.probes;
        return probes == null ? 0 : probes.held();
    }

    /** Changes nothing, so that a debugger does not. */
    @Override
    public String toString() {
        Epoch now = epoch;
        long time = clock.nanoTime();
        Counts tally = now.tally(time);
        StringBuilder text =
                new StringBuilder("breaker ").append(name).append(' ').append(now.state);
        if (now.ramp != null) {
            text.append(" at ").append(Counts.percent(now.ramp.share(time - now.change.atNanos())));
        }
        if (now.window != null || tally.calls() > 0) {
            text.append(' ')
                    .append(tally.failures())
                    .append('/')
                    .append(tally.calls())
                    .append(" failed");
            if (now.config.hasSlowRule()) {
                text.append(", ").append(tally.slow()).append(" slow");
            }
        }
        if (now.probes != null) {
            text.append(", ")
                    .append(held())
                    .append(" of ")
                    .append(now.probes.permits())
                    .append(" probes on their way");
        }
        if (now.state == State.OPEN && now.refusal != null) {
            long left = now.refusal.retryAfterNanos();
            text.append(
                    left == 0
                            ? ", probes are due"
                            : left == Nanos.NEVER ? ", for ever" : ", probes in " + readable(left));
        }
        return text.toString();
    }

    /** Rounded up; in seconds if there are many of them, or no part of one. */
    private static String readable(long nanos) {
        long millis = (nanos + 999_999) / 1_000_000;
        return millis < 10_000 && millis % 1_000 != 0 ? millis + " ms" : (millis + 999) / 1_000 + " s";
    }
}
