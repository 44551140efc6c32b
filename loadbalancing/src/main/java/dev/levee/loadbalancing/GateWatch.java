package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.NanoClock;
import dev.levee.core.Policy;
import dev.levee.core.internal.SafeLog;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the gates of a balancer's endpoints cannot know by themselves: that this process stood still, and that the gates
 * of all endpoints refuse at once.
 *
 * <p>Outcomes of calls that overlap a pause are no evidence: failures reach the gates as ignored, and successes not as
 * slow ones. When the gates of all endpoints refuse, calls go past those that
 * {@linkplain dev.levee.core.Gate#mayBePassed may be passed}, within the bounds of {@link PassingCalls}: that is a
 * panic of the gates, which ends when no call has needed it for a second. See ADR 64.
 *
 * <p>Thread-safe. A call that is admitted reads two fields here, and a failure the clock.
 */
final class GateWatch {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);
    /** No call has gone past a gate for this long when a panic is over. */
    private static final long CALM_NANOS = 1_000_000_000L;
    /** Fewer endpoints than this have no others to be compared with: then a refusal stands. */
    private static final int MIN_ENDPOINTS = 2;

    private final String balancer;
    private final boolean passes;
    private final Environment environment;
    private final NanoClock clock;
    private final PauseDetector pauses;
    private final Ticker ticker;
    /** Lets the gates of all endpoints probe. */
    private final Runnable probes;

    private final LongAdder excused = new LongAdder();
    private final LongAdder passed = new LongAdder();
    private final AtomicBoolean panic = new AtomicBoolean();
    /** Whether the gates were let probe in the last second. */
    private final AtomicBoolean probed = new AtomicBoolean();

    private volatile long lastPassed;
    private volatile long lastProbed;

    GateWatch(String balancer, boolean passes, Ticker ticker, Environment environment, Runnable probes) {
        this.balancer = balancer;
        this.passes = passes;
        this.environment = environment;
        this.clock = environment.clock();
        this.probes = probes;
        this.ticker = ticker;
        this.pauses = ticker.pauses();
        ticker.add(this::onTick);
    }

    /** Notes that a call begins, so that pauses are looked for. */
    void begins() {
        ticker.used();
    }

    /** Returns the start of a call to within a tick, for a call whose start is not read from the clock. */
    long roughStart() {
        return pauses.lastRun();
    }

    long now() {
        return clock.nanoTime();
    }

    /** Whether a failure is no evidence, since the process stood still meanwhile. */
    boolean excuses(long startNanos, long endNanos) {
        if (!pauses.overlaps(startNanos, endNanos)) {
            return false;
        }
        excused.increment();
        return true;
    }

    /** Whether a success may have taken long for a pause alone. */
    boolean excusesSlowness(long startNanos, long endNanos) {
        return endNanos - startNanos >= PauseDetector.LATE_NANOS && pauses.overlaps(startNanos, endNanos);
    }

    /** Whether calls may go past the gates if all refuse, in a set of so many endpoints that are not drained. */
    boolean mayPass(int endpoints) {
        return passes && endpoints >= MIN_ENDPOINTS;
    }

    /** Records a call that goes past a gate. */
    void passes(int endpoints) {
        passed.increment();
        lastPassed = clock.nanoTime();
        if (!panic.get() && panic.compareAndSet(false, true)) {
            SafeLog.warn(
                    LOG,
                    "balancer \"{}\": the gates of all {} endpoints refuse, which is no evidence against any of them:"
                            + " calls go past them, a few at a time",
                    balancer,
                    endpoints);
            environment.listener().onStateChange(Policy.Kind.BALANCER, balancer + "/gates", "NORMAL", "PANIC");
        }
    }

    /**
     * Lets all gates probe, since calls that went past one succeed: the fault that they shared is over, and the
     * endpoint whose gate closes first must not have all calls. At most once a second, since probes may fail
     * nevertheless.
     */
    void allowProbes() {
        if (!probed.get() && probed.compareAndSet(false, true)) {
            lastProbed = clock.nanoTime();
            probes.run();
        }
    }

    private void onTick(long nowNanos) {
        if (probed.get() && nowNanos - lastProbed >= CALM_NANOS) {
            probed.set(false);
        }
        if (panic.get() && nowNanos - lastPassed >= CALM_NANOS && panic.compareAndSet(true, false)) {
            SafeLog.info(LOG, "balancer \"{}\": no call had to go past a gate for a second", balancer);
            environment.listener().onStateChange(Policy.Kind.BALANCER, balancer + "/gates", "PANIC", "NORMAL");
        }
    }

    void measure(Measured.Sink sink) {
        sink.value(balancer, BalancerMetrics.BALANCER_GATES_PANIC, panic.get() ? 1.0 : 0.0);
        sink.value(balancer, BalancerMetrics.BALANCER_GATES_PASSED, (double) passed.sum());
        sink.value(balancer, BalancerMetrics.BALANCER_GATES_EXCUSED, (double) excused.sum());
    }
}
