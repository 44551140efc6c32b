package dev.levee.core.idempotency;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.idempotency.StoredIdempotency.Slot;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.internal.parts.HandOver;
import dev.levee.core.internal.parts.ShieldedTimer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One asynchronous call under a {@link StoredIdempotency}; the same steps as there. They follow each other, so its
 * fields need no lock; those that a cancel reads are volatile. See ADR 34.
 */
final class AsyncIdempotentCall<T extends @Nullable Object> extends CallFuture<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final StoredIdempotency<T> idempotency;
    private final Slot slot;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final CallContext context;
    private final StoredIdempotency<T>.WaitLimit limit;
    private String owner = "";
    private volatile PendingCall<T> mine = new PendingCall<>();

    /** The work, once it runs. Other calls of the key wait for it too, so a cancel ends it only if none does. */
    private volatile @Nullable CompletableFuture<T> work;

    /** Whether the call waits for another one of its key. */
    private volatile boolean waiting;

    AsyncIdempotentCall(StoredIdempotency<T> idempotency, Slot slot, Supplier<? extends CompletionStage<T>> operation) {
        this.idempotency = idempotency;
        this.slot = slot;
        this.operation = operation;
        this.context = idempotency.environment.capture();
        this.limit = idempotency.new WaitLimit(context.deadline());
    }

    CompletableFuture<T> begin() {
        step(this::claimOrWait);
        return this;
    }

    /** Runs a step; whatever it throws ends the call. */
    private void step(Action<RuntimeException> action) {
        try {
            action.run();
        } catch (Throwable thrown) {
            end(() -> completeExceptionally(thrown));
        }
    }

    private void end(Runnable completion) {
        // First: a caller that is notified of the end and calls again must not find the pending call that has ended.
        idempotency.end(slot, mine);
        completion.run();
    }

    /** Runs a step, on the executor if it may block. */
    private void runStep(boolean mayBlock, Action<RuntimeException> action) {
        runStep(mayBlock, action, rejected -> {
            throw Unchecked.<RuntimeException>asDeclared(rejected);
        });
    }

    /** Does so, or something else if the executor does not take it, or drops it. */
    private void runStep(boolean mayBlock, Action<RuntimeException> action, Consumer<? super Throwable> otherwise) {
        if (!mayBlock) {
            step(action);
            return;
        }
        Environment environment = idempotency.environment;
        Throwable rejected = HandOver.tryExecute(
                environment,
                context.carry(() -> step(action)),
                lost -> environment.handOver(context.carry(() -> step(() -> otherwise.accept(lost)))),
                LOG,
                StoredIdempotency.subject(idempotency.name()));
        if (rejected != null) {
            otherwise.accept(rejected);
        }
    }

    /** Becomes the pending call of its key and claims that, or waits for the pending call that there is. */
    private void claimOrWait() {
        if (endsAsCancelled()) {
            return;
        }
        mine = new PendingCall<>();
        PendingCall<T> other = idempotency.pendingCalls.putIfAbsent(slot, mine);
        if (other != null) {
            awaitEnding(other);
            return;
        }
        owner = idempotency.newOwner();
        claim();
    }

    private boolean endsAsCancelled() {
        Throwable reason = cancelReason();
        if (reason != null) {
            end(() -> completeExceptionally(reason));
        }
        return reason != null;
    }

    /** A cancel in a wait: the time of a timeout is up before this call has begun, or the caller has left. */
    private void endsInQueue(Throwable reason) {
        if (reason instanceof CancellationException) {
            endsAsCancelled();
        } else {
            throw idempotency.inProgress(slot);
        }
    }

    @Override
    public boolean isQueued() {
        return waiting || (mine.waiting() == 0 && work instanceof CallFuture<?> running && running.isQueued());
    }

    @Override
    protected void earlierFailures(Consumer<? super Throwable> to) {
        CompletableFuture<T> running = work;
        if (running != null) {
            CallFuture.earlierFailures(running, to);
        }
    }

    private void awaitEnding(PendingCall<T> other) {
        long left = idempotency.leftOrRefuse(slot, limit);
        new Wait(left) {
            @Override
            void onStart() {
                other.addWaiter(this);
            }

            @Override
            void onEnd() {
                other.removeWaiter(this);
            }

            @Override
            void woken() {
                PendingCall.PendingEnd<T> ending = other.ending();
                if (ending == null) {
                    throw idempotency.inProgress(slot); // waiting to the end: a timer that fires meanwhile must know
                }
                waiting = false;
                if (ending.known()) {
                    idempotency.countReplay();
                    end(() -> deliver(ending));
                } else { // not on the thread that ended the other call, which has its own work to do
                    runStep(true, AsyncIdempotentCall.this::claimOrWait);
                }
            }
        }.start();
    }

    private void claimUnlessCancelled() {
        if (!endsAsCancelled()) {
            claim();
        }
    }

    private void claim() {
        runStep(idempotency.store.blocks(), () -> claimed(idempotency.claim(slot, owner)));
    }

    private void claimed(Claim<T> claim) {
        if (claim.status() == Status.IN_PROGRESS) {
            if (!endsAsCancelled()) {
                long pause = idempotency.pauseNanos(slot, claim, limit);
                new Wait(pause) {
                    @Override
                    void woken() {
                        waiting = false;
                        // The operation may run in this step, and must not run on the thread of the timers.
                        runStep(true, AsyncIdempotentCall.this::claimUnlessCancelled);
                    }
                }.start();
            }
            return;
        }
        boolean owned = claim.status() == Status.OWNED || claim.status() == Status.OWNED_UNKNOWN;
        if (!owned) {
            deliverAndEnd(idempotency.endingOf(slot, claim));
        } else if (cancelReason() != null) {
            idempotency.giveBack(slot, owner, claim.status() == Status.OWNED);
            endsAsCancelled();
        } else if (claim.status() == Status.OWNED_UNKNOWN) {
            resolveOnExecutor();
        } else {
            run();
        }
    }

    private void resolveOnExecutor() {
        runStep(
                true,
                this::resolve,
                rejected -> { // no call could check before the lease has ended
                    idempotency.giveBack(slot, owner, false);
                    throw Unchecked.<RuntimeException>asDeclared(rejected);
                });
    }

    private void resolve() {
        if (cancelReason() != null) {
            idempotency.giveBack(slot, owner, false);
            endsAsCancelled();
            return;
        }
        context.call((Action<RuntimeException>) () -> resolved(idempotency.resolve(slot, owner)));
    }

    private void resolved(StoredIdempotency.Resolution<T> resolution) {
        if (resolution.mayRun() && cancelReason() != null) {
            idempotency.giveBack(slot, owner, true);
            endsAsCancelled();
        } else if (resolution.mayRun()) {
            run();
        } else if (resolution.ending().known()) {
            deliverAndEnd(resolution.ending());
        } else {
            idempotency.end(slot, mine);
            claimOrWait();
        }
    }

    private void run() {
        CompletableFuture<T> running =
                StoredIdempotency.onceOnly(context).call(() -> Inner.OPERATION.callAsync(operation));
        PendingCall<T> shared = mine;
        work = running;
        onCancel(reason -> shared.whenAbandoned(() -> CallFuture.requestCancel(running, reason)));
        running.whenComplete((result, thrown) -> {
            Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
            context.carry(() -> settleOnExecutor(result, error)).run();
        });
    }

    private void settleOnExecutor(T result, @Nullable Throwable error) {
        // If the executor rejects it: better to block this thread than to lose what is known.
        runStep(idempotency.store.blocks(), () -> settle(result, error), rejected -> step(() -> settle(result, error)));
    }

    private void settle(T result, @Nullable Throwable error) {
        CompletableFuture<T> ended = work;
        boolean ranBefore = ended != null && CallFuture.mayHaveRunBefore(ended);
        Verdict verdict = idempotency.judgeStage(result, error, ranBefore);
        mine.prepare(idempotency.settle(slot, owner, result, error, verdict));
        end(() -> finish(result, error));
    }

    private void deliverAndEnd(PendingCall.PendingEnd<T> ending) {
        mine.prepare(ending);
        end(() -> deliver(ending));
    }

    private void deliver(PendingCall.PendingEnd<T> ending) {
        if (ending.failure() != null) {
            completeExceptionally(ending.failure());
        } else {
            complete(Unchecked.<T>nullable(ending.result()));
        }
    }

    /** A wait that holds no thread: it ends once, by what it waits for, by time, or by a cancel. */
    private abstract class Wait extends AtomicBoolean implements Runnable {
        private static final long serialVersionUID = 1L;

        private final long nanos;
        private transient volatile Scheduler.@Nullable Timer timer;

        Wait(long nanos) {
            this.nanos = nanos;
        }

        void onStart() {}

        void onEnd() {}

        abstract void woken();

        void start() {
            Environment environment = idempotency.environment;
            Runnable over = context.carry(this);
            Scheduler.Timer set = ShieldedTimer.set(environment, () -> environment.handOver(over), nanos);
            timer = set;
            waiting = true;
            onStart();
            onCancel(reason -> endWait(() -> endsInQueue(reason)));
            if (get()) {
                set.cancel();
            }
        }

        @Override
        public void run() {
            endWait(this::woken);
        }

        private void endWait(Action<RuntimeException> next) {
            if (compareAndSet(false, true)) {
                onEnd();
                Scheduler.Timer set = timer;
                if (set != null) {
                    set.cancel();
                }
                step(next);
            }
        }
    }
}
