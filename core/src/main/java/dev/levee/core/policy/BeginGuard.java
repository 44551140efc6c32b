package dev.levee.core.policy;

import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.RefusedException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the operation of a call from beginning once its time is up. A call that another thread works for is decided by
 * one change of state: either its operation runs at that moment, or it never does. See ADR 62.
 */
final class BeginGuard extends AtomicInteger {
    /** How long, in nanoseconds, a call that waits further in when its time is up may take to say so. */
    static final long GRACE_NANOS = 50_000_000L;

    private static final long serialVersionUID = 1L;

    private final transient Supplier<? extends RefusedException> refusal;

    /** Whether an operation has begun: an attempt before the one that waits, or whose substitute is looked for. */
    private volatile boolean ran;

    /**
     * Makes a guard that is open. Its number is how many operations run; negative when none may begin any more.
     *
     * @param refusal makes what an operation throws that comes too late
     */
    BeginGuard(Supplier<? extends RefusedException> refusal) {
        this.refusal = refusal;
    }

    /** Returns the operation as one that asks this guard, of the same kind, for which gates inside look. */
    @SuppressWarnings("unchecked") // it throws what the operation throws, and refusals
    <T extends @Nullable Object> Operation<T, ?> guard(Operation<T, ?> operation) {
        Operation<T, Throwable> guarded = () -> run(operation);
        if (operation instanceof InterruptibleOperation) {
            InterruptibleOperation<T, RuntimeException> interruptible =
                    () -> ((Operation<T, RuntimeException>) (Operation<T, ?>) guarded).run();
            return interruptible;
        }
        return guarded;
    }

    private <T extends @Nullable Object> T run(Operation<T, ?> operation) throws Throwable {
        if (getAndIncrement() < 0) {
            getAndDecrement();
            throw refusal.get();
        }
        ran = true;
        try {
            return operation.run();
        } finally {
            getAndDecrement();
        }
    }

    /** Whether an operation has begun, and the call cannot be said not to have run. */
    boolean hasRun() {
        return ran;
    }

    /** Keeps operations from beginning, if none runs now. Returns false if one runs. */
    boolean closeUnlessRunning() {
        return compareAndSet(0, Integer.MIN_VALUE) || get() < 0;
    }
}
