package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.policy.DefaultFaults.Plan;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Faults from switching on to switching off: which calls are hit, and which wait. */
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

    /** How long it lasts if nobody ends it. */
    long leftNanos() {
        return length == Nanos.NEVER ? Nanos.NEVER : length - (clock.nanoTime() - begun);
    }

    int waiting() {
        return held.size();
    }

    /** Lets all who wait go. */
    void end() {
        ended = true;
        held.forEach(Runnable::run);
    }

    /** Remembers whom to let go; he must look afterwards whether this has ended. */
    void hold(Runnable release) {
        held.add(release);
    }

    void forget(Runnable release) {
        held.remove(release);
    }

    Plan plan() {
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
            if (fault.effect != Fault.Effect.LATENCY) {
                return new Plan(delay, fault);
            }
            long more = (long) (size * (fault.maxNanos - fault.minNanos));
            delay = Nanos.add(delay, fault.minNanos + more);
        }
        return new Plan(delay, null);
    }

    /** From 0 to 1: the number that SplitMix64 gives as its nth. */
    private double draw(long nth) {
        long z = seed + (nth + 1) * GOLDEN_GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }

    /** Blocks for as long as planned; false if the faults were switched off first. */
    <X extends Throwable> boolean await(Plan plan, DefaultFaults faults, Operation<?, X> operation) throws X {
        Thread waiting = Thread.currentThread();
        Runnable release = () -> LockSupport.unpark(waiting);
        Deadline deadline = CallContext.current().deadline();
        long start = clock.nanoTime();
        hold(release);
        try {
            while (!ended) {
                if (Thread.interrupted()) {
                    throw Unchecked.<X>asDeclared(FutureWait.interrupted(faults.name(), operation));
                }
                long passed = clock.nanoTime() - start;
                if (deadline != null && deadline.isExpired()) {
                    throw TimedOutException.after(faults.name(), passed, true, true);
                }
                if (passed >= plan.waitNanos()) {
                    return true;
                }
                if (isOver()) {
                    faults.end(this);
                    return false;
                }
                faults.environment().scheduler().park(this, nextLook(plan.waitNanos() - passed, deadline));
            }
            return false;
        } finally {
            forget(release);
        }
    }

    private long nextLook(long wait, @Nullable Deadline deadline) {
        long left = Math.min(wait, leftNanos());
        return deadline == null ? left : Math.min(left, deadline.remainingNanos());
    }
}
