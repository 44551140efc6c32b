package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.internal.Alarm;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A call that one thread has handed to another and waits for. Ending and giving up race for one change of state. See
 * ADR 27.
 *
 * @param <T> what it returns
 */
final class ExecutorCall<T extends @Nullable Object> extends AtomicInteger implements Runnable {
    private static final long serialVersionUID = 1L;
    private static final int WAITING = 0;
    private static final int RUNNING = 1;
    private static final int ENDED = 2;
    private static final int GIVEN_UP = 3;

    private final transient Thread caller = Thread.currentThread();
    private final transient NanoClock clock;

    /** Null as soon as it runs, or never will: an executor may hold on to this object for long. */
    private transient @Nullable Call<T> call;

    /** Interrupts the thread that runs it; written before RUNNING. */
    private transient @Nullable InterruptOnce interrupt;
    /** Written before ENDED. */
    private transient @Nullable T result;

    /** Written before ENDED. */
    private transient @Nullable Throwable error;

    /** Written before ENDED. */
    private transient long endNanos;

    /** The failures that are repeated meanwhile. */
    final transient SuppressedFailures repeated = new SuppressedFailures();

    ExecutorCall(Inner inner, Operation<T, ?> operation, CallContext context, NanoClock clock) {
        super(WAITING);
        this.call = new Call<>(inner, operation, context);
        this.clock = clock;
    }

    @Override
    public void run() {
        Call<T> begun = call;
        CallState state = CallState.current();
        Alarm outer = state.alarm();
        InterruptOnce own = InterruptOnce.inside(state);
        interrupt = own;
        if (begun == null || !compareAndSet(WAITING, RUNNING)) {
            return;
        }
        call = null;
        state.alarm(own);
        Object notedBefore = state.noted();
        state.noted(repeated);
        try {
            result = begun.run();
        } catch (Throwable thrown) {
            error = thrown;
        }
        state.alarm(outer);
        state.noted(notedBefore);
        endNanos = clock.nanoTime();
        if (compareAndSet(RUNNING, ENDED)) {
            LockSupport.unpark(caller);
        } else {
            own.delivered(error instanceof InterruptedException);
        }
    }

    /**
     * Ends the wait: a call that has not begun does not begin, one that runs is interrupted. Returns false if it has
     * ended.
     *
     * @param timeIsUp whether that is because the time is up, and not because the caller was interrupted
     */
    boolean giveUp(boolean timeIsUp) {
        if (compareAndSet(WAITING, GIVEN_UP)) {
            call = null;
            return true;
        }
        InterruptOnce worker = interrupt;
        if (worker != null && compareAndSet(RUNNING, GIVEN_UP)) {
            if (timeIsUp) {
                worker.run();
            } else {
                worker.callOff();
            }
            return true;
        }
        return false;
    }

    boolean hasEnded() {
        return get() == ENDED;
    }

    long endNanos() {
        return endNanos;
    }

    @Nullable Throwable error() {
        return error;
    }

    T result() {
        return Unchecked.nullable(result);
    }

    private record Call<T extends @Nullable Object>(Inner inner, Operation<T, ?> operation, CallContext context) {
        T run() throws Throwable {
            return context.call((Operation<T, Throwable>) () -> inner.call(operation));
        }
    }
}
