package dev.levee.core;

import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.NoOutcome;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A blocking operation on a thread of an executor, as a future. A cancel interrupts that thread, and only while the
 * operation runs on it; the future completes when the operation has ended. See ADR 28 and ADR 62.
 */
final class ThreadCall<T extends @Nullable Object> extends CallFuture<T> implements Runnable, Consumer<Throwable> {
    private static final int NEW = 0;
    private static final int RUNNING = 1;
    private static final int ENDED = 2;
    private static final int GIVEN_UP = 3;

    private final CallContext context;
    private final String executor;
    private final AtomicInteger state = new AtomicInteger(NEW);

    /** Null as soon as it runs, or never will: an executor may hold on to this object for long. */
    private @Nullable Operation<T, ?> operation;

    /** Interrupts the thread that runs the operation; written before RUNNING. */
    private @Nullable InterruptOnce interrupt;

    /** Whether the thread was interrupted from outside when the operation failed; written before it is completed. */
    private boolean cutShort;

    /** Whether an attempt before the one that it has failed with may have run; written before it is completed. */
    private boolean ranBefore;

    /** Makes a call to be executed; the class of the executor is its name in messages. */
    ThreadCall(Operation<T, ?> operation, CallContext context, Class<?> executor) {
        this.operation = operation;
        this.context = context;
        this.executor = executor.getSimpleName();
        onCancel(this);
    }

    @Override
    public void run() {
        Operation<T, ?> work = operation;
        CallState callState = CallState.current();
        InterruptOnce outer = callState.alarm();
        InterruptOnce own = InterruptOnce.inside(callState);
        interrupt = own;
        if (work == null || !state.compareAndSet(NEW, RUNNING)) {
            return;
        }
        operation = null;
        callState.alarm(own);
        Object noted = callState.noted();
        callState.noted(null);
        T result = Unchecked.<T>nullable(null);
        Throwable error = null;
        try {
            result = context.call((Operation<T, ?>) work);
        } catch (Throwable thrown) {
            error = thrown;
            ranBefore = callState.endedAfterRun(thrown);
        }
        callState.alarm(outer);
        callState.noted(noted);
        if (state.compareAndSet(RUNNING, ENDED)) {
            cutShort = error != null && Thread.currentThread().isInterrupted() && !isTimeUp();
        } else {
            own.delivered(error instanceof InterruptedException);
        }
        if (error == null) {
            complete(result);
        } else {
            completeExceptionally(error);
        }
    }

    /** Keeps the operation from beginning: an executor may keep what it threw at. Returns false if it has begun. */
    boolean disable() {
        boolean first = state.compareAndSet(NEW, ENDED);
        if (first) {
            operation = null;
        }
        return first;
    }

    /** The work is asked to end. */
    @Override
    public void accept(Throwable reason) {
        if (state.compareAndSet(NEW, ENDED)) {
            operation = null;
            completeExceptionally(neverBegan(reason));
            return;
        }
        InterruptOnce worker = interrupt;
        if (mayInterrupt() && worker != null && state.compareAndSet(RUNNING, GIVEN_UP)) {
            if (isCallOff(reason)) {
                worker.callOff();
            } else {
                worker.run();
            }
        }
    }

    /** Whether a cancel is a wish of the caller or of a hedge, and not the consequence of a deadline. See ADR 7. */
    private boolean isCallOff(Throwable reason) {
        return reason instanceof NoOutcome
                || ((reason instanceof CancellationException || reason instanceof InterruptedException) && !isTimeUp());
    }

    /** Whether a timeout has ended the call: a deadline that only its caller has set ends nothing by itself. */
    private boolean isTimeUp() {
        Deadline deadline = context.deadline();
        try {
            return deadline != null && deadline.isTimed() && deadline.isExpired();
        } catch (Throwable thrown) { // a clock of a user: the call must end all the same
            return false;
        }
    }

    /** A timeout is evidence of a slow dependency, but this call never reached one. */
    private Throwable neverBegan(Throwable reason) {
        return reason instanceof CancellationException || reason instanceof RefusedException
                ? reason
                : DeadlineExpiredException.shared("executor", executor).detached();
    }

    @Override
    protected boolean wasCutShort() {
        return cutShort;
    }

    @Override
    protected boolean mayHaveRunBefore() {
        return ranBefore;
    }

    @Override
    public boolean isQueued() {
        return state.get() == NEW;
    }
}
