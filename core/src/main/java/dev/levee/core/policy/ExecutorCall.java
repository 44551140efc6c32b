package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A call that one thread has handed to another and waits for. Ending and giving up race for one change of state;
 * beginning the operation and giving up before that race for another one. See ADR 27 and ADR 62.
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
    private final transient ExecutorTimeout timeout;

    private final transient BeginGuard guard;

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

    /** Whether the clock threw at the end, and the call has failed with that. Written before ENDED. */
    private transient boolean untimed;

    /** The failures that are repeated meanwhile. */
    final transient SuppressedFailures repeated = new SuppressedFailures();

    /** Whether an attempt before the one that it has failed with may have run. Written before ENDED. */
    private transient boolean afterRun;

    /** Whether the executor has it on the thread of the caller. Of that thread. */
    private transient boolean handingOver;

    private transient boolean onCallersThread;

    ExecutorCall(Inner inner, Operation<T, ?> operation, CallContext context, ExecutorTimeout timeout) {
        super(WAITING);
        this.timeout = timeout;
        this.guard = new BeginGuard(timeout::notBegun);
        this.call = new Call<>(inner, guard.guard(operation), context);
    }

    /** Hands this over. Returns false if the executor ran it on this thread; the call has not begun then. */
    boolean handOver() {
        handingOver = true;
        try {
            timeout.executor.execute(this);
        } catch (Throwable rejected) {
            if (onCallersThread || giveUpBeforeStart()) {
                throw rejected;
            } // else it runs already, whatever the executor says
        } finally {
            handingOver = false;
        }
        return !onCallersThread;
    }

    @Override
    public void run() {
        if (Thread.currentThread() == caller && handingOver) {
            onCallersThread = true;
            call = null;
            return;
        }
        Call<T> begun = call;
        CallState state = CallState.current();
        InterruptOnce outer = state.alarm();
        InterruptOnce own = InterruptOnce.inside(state);
        interrupt = own;
        if (begun == null || !compareAndSet(WAITING, RUNNING)) {
            return;
        }
        call = null;
        state.alarm(own);
        Object notedBefore = state.noted();
        state.noted(repeated);
        T value = Unchecked.<T>nullable(null);
        try {
            value = begun.run();
        } catch (Throwable thrown) {
            error = thrown;
            afterRun = state.endedAfterRun(thrown);
        }
        result = value;
        state.alarm(outer);
        state.noted(notedBefore);
        try {
            endNanos = timeout.clock.nanoTime();
        } catch (Throwable thrown) { // of a user: the caller waits, and the thread is not to be interrupted any more
            error = error == null ? thrown : error;
            untimed = true;
        }
        if (compareAndSet(RUNNING, ENDED)) {
            LockSupport.unpark(caller);
        } else {
            own.delivered(error instanceof InterruptedException);
            timeout.discard(value);
        }
    }

    /** Keeps the operation from beginning, if it does not run now. Returns false if it runs. */
    boolean closeUnlessRunning() {
        return guard.closeUnlessRunning();
    }

    /** Whether the operation has begun, now or before. */
    boolean hasRun() {
        return guard.hasRun();
    }

    /** Ends the wait of a call that no thread has taken up. Returns false if one has. */
    boolean giveUpBeforeStart() {
        if (compareAndSet(WAITING, GIVEN_UP)) {
            call = null;
            return true;
        }
        return false;
    }

    /**
     * Ends the wait: a call that has not begun does not begin, one that runs is interrupted. Returns false if it has
     * ended.
     *
     * @param timeIsUp whether that is because the time is up, and not because the caller was interrupted
     */
    boolean giveUp(boolean timeIsUp) {
        if (giveUpBeforeStart()) {
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

    /** Whether it has ended when its time was up. */
    boolean isLate(long startNanos, long nanos) {
        return !untimed && endNanos - startNanos >= nanos;
    }

    boolean afterRun() {
        return afterRun;
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
