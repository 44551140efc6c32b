package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link CircuitBreaker}: a reference to the current {@link Epoch}. */
final class EpochBreaker implements CircuitBreaker {
    private static final VarHandle EPOCH;

    static {
        try {
            EPOCH = MethodHandles.lookup().findVarHandle(EpochBreaker.class, "epoch", Epoch.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final CircuitBreakerConfig config;
    private final Environment environment;
    private final NanoClock clock;
    private final OutcomeRule rule;
    private final int timing;
    private final long slowNanos;
    private final @Nullable Totals totals;
    private final AtomicLong leases = new AtomicLong();
    private final Announcer announcer;
    private volatile Epoch epoch;

    EpochBreaker(String name, CircuitBreakerConfig config, Environment environment) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.rule = config.outcomes();
        this.timing = config.hasSlowRule() ? ENTRY | EXIT : config.hasTimeWindow() ? EXIT : 0;
        this.slowNanos = config.slowNanos();
        this.totals = config.recordsTotals() ? new Totals() : null;
        long now = clock.nanoTime();
        Epoch first = Epoch.first(new Epoch.Change(now, "made", Tally.NONE), config.newWindow(true, now));
        this.epoch = first;
        this.announcer = new Announcer(name, environment.listener(), first);
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
                stamp = askForProbe(now);
            }
        }
        if (stamp == REFUSED && totals != null) {
            totals.refused();
        }
        return stamp;
    }

    private long askForProbe(long now) {
        Epoch due = catchUp(now);
        return due.probes == null ? due.stamp : due.probes.tryLease(now);
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        Epoch now = epoch;
        // Without a slow-call rule nobody need have stamped the start, and the difference means nothing.
        boolean slow = slowNanos != Nanos.NEVER && endNanos - startNanos >= slowNanos;
        boolean late = false;
        if (stamp == now.stamp) {
            Window window = now.window;
            if (window == null) {
                return; // disabled
            }
            if (verdict != Verdict.IGNORED) {
                Tally over = window.record(outcome(verdict, slow), endNanos);
                if (over != null) {
                    open(now, new Epoch.Change(clock.nanoTime(), window.explain(over), over), 0, retryAfterNanos);
                }
            }
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

    /** The end of a probe; false if it does not hold a permit any more. */
    private boolean settle(long stamp, Verdict verdict, boolean slow, long retryAfterNanos) {
        if (stamp > 0) {
            return false; // no probe, so it is of an earlier epoch
        }
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
    private void decide(Epoch current, Probes probes, long atNanos, long hintNanos) {
        Tally tally = probes.tally();
        Probes.Decision decision = probes.decision(tally);
        if (decision == Probes.Decision.NONE) {
            return;
        }
        Epoch.Change change = new Epoch.Change(atNanos, probes.explain(tally), tally);
        if (decision == Probes.Decision.REOPEN) {
            open(current, change, current.reopenings + 1, hintNanos);
        } else {
            close(current, change);
        }
    }

    /** Makes all changes that are due by time; each in turn, as of its own time. */
    private Epoch catchUp(long now) {
        while (true) {
            Epoch current = epoch;
            if (current.isOver(now)) {
                halfOpen(current);
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

    private void open(Epoch from, Epoch.Change change, int reopenings, long hintNanos) {
        double random = config.hasJitter() ? environment.random().nextDouble() : 0;
        long openNanos = config.openNanos(reopenings, random, hintNanos);
        LongSupplier left = openNanos == Nanos.NEVER
                ? () -> Nanos.NEVER
                : () -> Math.max(0, openNanos - (clock.nanoTime() - change.atNanos()));
        move(from, Epoch.open(from, change, openNanos, reopenings, refusal(State.OPEN, change.reason(), left)));
    }

    private void halfOpen(Epoch from) {
        String reason = "it was open for " + seconds(from.openNanos);
        Epoch.Change change = new Epoch.Change(from.change.atNanos() + from.openNanos, reason, from.change.evidence());
        Probes probes =
                new Probes(config.halfOpenCalls(), config.probeLimits(), config.leaseNanos(), leases::incrementAndGet);
        String taken = "its " + config.halfOpenCalls() + " probes are on their way";
        move(from, Epoch.halfOpen(from, change, probes, refusal(State.HALF_OPEN, taken, EpochBreaker::unknown)));
    }

    private void close(Epoch from, Epoch.Change change) {
        move(from, Epoch.admitting(State.CLOSED, from, change, config.newWindow(true, change.atNanos())));
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
                        default -> Epoch.admitting(to, from, change, config.newWindow(to == State.CLOSED, now));
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
        CircuitOpenException refusal = now.refusal;
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
        Tally tally = current.tally(now);
        // Another thread may have changed the state after the clock was read.
        long inState = Math.max(0, now - current.change.atNanos());
        return new Snapshot(current.state, tally.calls(), tally.failures(), tally.slow(), inState);
    }

    @Override
    @SuppressWarnings("EnumOrdinal") // the order of the states is documented to be the figure
    public void measure(Sink sink) {
        Snapshot snapshot = snapshot();
        sink.value(name, "breaker.state", snapshot.state().ordinal());
        sink.value(name, "breaker.time.in.state", (double) snapshot.nanosInState());
        sink.value(name, "breaker.window.calls", (double) snapshot.calls());
        sink.value(name, "breaker.window.failures", (double) snapshot.failures());
        sink.value(name, "breaker.window.slow", (double) snapshot.slowCalls());
        sink.value(name, "breaker.failure.rate", snapshot.failureRate());
        sink.value(name, "breaker.slow.rate", snapshot.slowCallRate());
        if (totals != null) {
            totals.measure(name, sink);
        }
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
        Tally tally = now.tally(time);
        StringBuilder text =
                new StringBuilder("breaker ").append(name).append(' ').append(now.state);
        if (now.window != null || tally.calls() > 0) {
            text.append(' ')
                    .append(tally.failures())
                    .append('/')
                    .append(tally.calls())
                    .append(" failed");
            if (config.hasSlowRule()) {
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
                            : left == Nanos.NEVER ? ", for ever" : ", probes in " + seconds(left));
        }
        return text.toString();
    }

    private static String seconds(long nanos) {
        return (nanos + 999_999_999) / 1_000_000_000 + " s";
    }
}
