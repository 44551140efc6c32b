package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Nanos;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The time from switching {@link Faults} on to switching them off: which calls are hit, and which wait. See ADR 30. */
final class FaultSession {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final DefaultFaults owner;
    private final NanoClock clock;
    private final long seed;
    private final long begun;
    private final long length;
    private final AtomicLong calls = new AtomicLong();
    private final Set<Runnable> held = ConcurrentHashMap.newKeySet();
    private volatile boolean ended;

    FaultSession(DefaultFaults owner, long seed, long begun, long length) {
        this.owner = owner;
        this.clock = owner.environment().clock();
        this.seed = seed;
        this.begun = begun;
        this.length = length;
    }

    boolean isOver() {
        return length != Nanos.NEVER && leftNanos() <= 0;
    }

    boolean hasEnded() {
        return ended;
    }

    /** Returns how long it lasts unless it is ended before. */
    long leftNanos() {
        return length == Nanos.NEVER ? Nanos.NEVER : length - (clock.nanoTime() - begun);
    }

    int waiting() {
        return held.size();
    }

    /** Ends it, and releases all calls that wait. */
    void end() {
        ended = true;
        held.forEach(Runnable::run);
    }

    /** Registers a call that waits. The call must check afterwards whether this has ended. */
    void hold(Runnable release) {
        held.add(release);
    }

    void forget(Runnable release) {
        held.remove(release);
    }

    /** Draws what happens to the next call. */
    FaultPlan plan() {
        Fault[] faults = owner.faults();
        long draw = calls.getAndIncrement() * 2L * faults.length;
        long sinceOn = clock.nanoTime() - begun;
        long delay = 0;
        for (Fault fault : faults) {
            double drawn = draw(draw++);
            double size = draw(draw++);
            if (!owner.hits(fault, drawn, sinceOn)) {
                continue;
            }
            owner.hit(fault);
            if (fault.effect() != Fault.Effect.LATENCY) {
                return new FaultPlan(delay, fault);
            }
            delay = Nanos.add(delay, fault.delayNanos(size));
        }
        return new FaultPlan(delay, null);
    }

    /** Returns the nth number of SplitMix64, from 0 to 1. */
    private double draw(long nth) {
        long z = seed + (nth + 1) * GOLDEN_GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }

    /** Blocks for as long as planned. Returns false if the faults were switched off first. */
    boolean await(FaultPlan plan, DefaultFaults faults, Operation<?, ?> operation) {
        Thread waiting = Thread.currentThread();
        Runnable release = () -> LockSupport.unpark(waiting);
        Deadline deadline = CallContext.current().deadline();
        long start = clock.nanoTime();
        hold(release);
        try {
            while (!ended) {
                if (Thread.interrupted()) {
                    Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, new InterruptedException());
                    throw new CancellationException(
                            "faults \"" + faults.name() + "\" were interrupted while a call waited");
                }
                long passed = clock.nanoTime() - start;
                if (deadline != null && deadline.isExpired()) {
                    throw TimedOutException.after("faults", faults.name(), passed, true, true);
                }
                if (passed >= plan.waitNanos()) {
                    return true;
                }
                if (isOver()) {
                    faults.end(this);
                    return false;
                }
                faults.environment().scheduler().park(this, untilNextCheck(plan.waitNanos() - passed, deadline));
            }
            return false;
        } finally {
            forget(release);
        }
    }

    private long untilNextCheck(long wait, @Nullable Deadline deadline) {
        long left = Math.min(wait, leftNanos());
        return deadline == null ? left : Math.min(left, deadline.remainingNanos());
    }
}
