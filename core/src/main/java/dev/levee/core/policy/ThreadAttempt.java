package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A blocking attempt on a thread of an executor: a cancel interrupts that thread, and only while the attempt runs on it. */
final class ThreadAttempt<T extends @Nullable Object> extends CallFuture<T> implements Runnable, Consumer<Throwable> {
    private static final int NEW = 0;
    private static final int RUNNING = 1;
    private static final int ENDED = 2;
    private static final int INTERRUPTING = 3;
    private static final int INTERRUPTED = 4;

    private final Inner inner;
    private final Operation<T, ?> operation;
    private final CallContext context;
    private final AtomicInteger state = new AtomicInteger(NEW);
    private @Nullable Thread thread;

    ThreadAttempt(Inner inner, Operation<T, ?> operation, CallContext context) {
        this.inner = inner;
        this.operation = operation;
        this.context = context;
        onCancel(this);
    }

    @Override
    @SuppressWarnings("Interruption") // what is cleared is an interrupt that this class has sent
    public void run() {
        thread = Thread.currentThread();
        if (!state.compareAndSet(NEW, RUNNING)) {
            return;
        }
        T result = Unchecked.<T>nullable(null);
        Throwable error = null;
        try {
            result = context.call(this::work);
        } catch (Throwable thrown) {
            error = thrown;
        }
        if (!state.compareAndSet(RUNNING, ENDED)) {
            while (state.get() == INTERRUPTING) {
                Thread.onSpinWait();
            }
            if (state.get() == INTERRUPTED) {
                Thread.interrupted();
            }
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
            completeExceptionally(reason); // it never ran
        } else if (state.compareAndSet(RUNNING, INTERRUPTING)) {
            Thread runner = thread;
            boolean foreign = runner == null || runner.isInterrupted();
            try {
                if (runner != null && !foreign) {
                    runner.interrupt();
                }
            } finally { // an interrupt runs code of others
                state.set(foreign ? ENDED : INTERRUPTED);
            }
        }
    }
}
