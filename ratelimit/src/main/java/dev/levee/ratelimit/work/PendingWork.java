package dev.levee.ratelimit.work;

import dev.levee.core.CallContext;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An item whose handler has returned a stage. Ends once, whatever the stage does: on the handler's thread if the stage
 * has ended by then, else on the thread that ends it, which does nothing but count and hand over.
 *
 * @param <T> the items
 */
final class PendingWork<T> extends AtomicInteger implements BiConsumer<@Nullable Object, @Nullable Throwable> {
    private static final long serialVersionUID = 1L;
    private static final int NEW = 0;

    /** The stage has ended while the handler's thread was still there, and its outcome is being written here. */
    private static final int ENDING = 1;

    /** It has been written. */
    private static final int ENDED = 2;

    /** The handler's thread has gone. */
    private static final int DETACHED = 3;

    /** The stage has ended after that. */
    private static final int OVER = 4;

    private final transient WorkAttempts<T> attempts;
    private final transient WorkSlot slot;
    private final transient CompletionStage<?> stage;

    /** Whether the item counts as that of a worker. */
    private final boolean ofWorker;

    private final long startNanos;

    /** The outcome, for the handler's thread. */
    @Nullable transient Object result;

    @Nullable transient Throwable error;

    PendingWork(WorkAttempts<T> attempts, WorkSlot slot, CompletionStage<?> stage, boolean ofWorker, long startNanos) {
        this.attempts = attempts;
        this.slot = slot;
        this.stage = stage;
        this.ofWorker = ofWorker;
        this.startNanos = startNanos;
    }

    /**
     * Follows the stage. Returns true if the slot goes on with it, and must not be touched any more by this thread;
     * false if the outcome is here.
     */
    boolean follow() {
        try {
            stage.whenComplete(this);
        } catch (Throwable thrown) {
            accept(null, thrown);
        }
        if (get() == NEW) {
            slot.detach(this);
            boolean interrupted = attempts.takeBackInterrupt(slot);
            if (compareAndSet(NEW, DETACHED)) {
                if (interrupted) {
                    cancel();
                }
                return true;
            }
            slot.detach(null);
        }
        while (get() != ENDED) {
            Thread.onSpinWait();
        }
        return false;
    }

    @Override
    public void accept(@Nullable Object value, @Nullable Throwable thrown) {
        if (compareAndSet(NEW, ENDING)) {
            result = value;
            error = thrown;
            set(ENDED);
        } else if (compareAndSet(DETACHED, OVER)) {
            CallContext carrying = WorkEntry.contextIn(slot);
            Runnable end = () -> attempts.stageEnded(slot, value, thrown, startNanos, ofWorker);
            (carrying == null ? end : carrying.carry(end)).run();
        }
    }

    /** Asks the stage to end. Calls code of the user. */
    void cancel() {
        attempts.shielded(() -> stage.toCompletableFuture().cancel(true));
    }
}
