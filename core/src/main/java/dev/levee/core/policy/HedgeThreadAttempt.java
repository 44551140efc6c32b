package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.internal.Alarm;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A blocking attempt on a thread of an executor. A cancel interrupts that thread, and only while the attempt runs on
 * it. See ADR 28.
 */
final class HedgeThreadAttempt<T extends @Nullable Object> extends CallFuture<T>
        implements Runnable, Consumer<Throwable> {
    private static final int NEW = 0;
    private static final int RUNNING = 1;
    private static final int ENDED = 2;
    private static final int GIVEN_UP = 3;

    private final Inner inner;
    private final Operation<T, ?> operation;
    private final CallContext context;
    private final AtomicInteger state = new AtomicInteger(NEW);

    /** Interrupts the thread that runs the attempt; written before RUNNING. */
    private @Nullable InterruptOnce interrupt;

    HedgeThreadAttempt(Inner inner, Operation<T, ?> operation, CallContext context) {
        this.inner = inner;
        this.operation = operation;
        this.context = context;
        onCancel(this);
    }

    @Override
    public void run() {
        CallState callState = CallState.current();
        Alarm outer = callState.alarm();
        InterruptOnce own = InterruptOnce.inside(callState);
        interrupt = own;
        if (!state.compareAndSet(NEW, RUNNING)) {
            return;
        }
        callState.alarm(own);
        Object noted = callState.noted();
        callState.noted(null);
        T result = Unchecked.<T>nullable(null);
        Throwable error = null;
        try {
            result = context.call(this::work);
        } catch (Throwable thrown) {
            error = thrown;
        }
        callState.alarm(outer);
        callState.noted(noted);
        if (!state.compareAndSet(RUNNING, ENDED)) {
            own.delivered(error instanceof InterruptedException);
        }
        if (error == null) {
            complete(result);
        } else {
            completeExceptionally(error);
        }
    }

    private T work() throws Throwable {
        return inner.call(operation);
    }

    @Override
    public void accept(Throwable reason) {
        if (state.compareAndSet(NEW, ENDED)) {
            completeExceptionally(reason); // it has never run
            return;
        }
        InterruptOnce worker = interrupt;
        if (worker != null && state.compareAndSet(RUNNING, GIVEN_UP)) {
            if (isCallOff(reason)) {
                worker.callOff();
            } else {
                worker.run();
            }
        }
    }

    /** Whether a cancel is a wish of the caller or of the hedge, and not the consequence of a deadline. */
    private boolean isCallOff(Throwable reason) {
        Deadline deadline = context.deadline();
        return reason instanceof CancellationException && (deadline == null || !deadline.isExpired());
    }
}
