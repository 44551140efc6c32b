package dev.levee.core.idempotency;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.idempotency.StoredIdempotency.Slot;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One asynchronous call under a {@link StoredIdempotency}: its steps follow each other, so its fields need no lock. */
final class AsyncIdempotentCall<T extends @Nullable Object> extends CallFuture<T> {
    private final StoredIdempotency<T> idempotency;
    private final Slot slot;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final CallContext context = CallContext.current();
    private final StoredIdempotency<T>.Patience patience;
    private String owner = "";
    private PendingCall<T> mine = new PendingCall<>();

    AsyncIdempotentCall(StoredIdempotency<T> idempotency, Slot slot, Supplier<? extends CompletionStage<T>> operation) {
        this.idempotency = idempotency;
        this.slot = slot;
        this.operation = operation;
        this.patience = idempotency.new Patience(context.deadline());
    }

    CompletableFuture<T> begin() {
        step(this::turn);
        return this;
    }

    /** Whatever a step throws ends the call. Only the steps of a leader have a flight, which lands then. */
    private void step(Action<RuntimeException> action) {
        try {
            action.run();
        } catch (Throwable thrown) {
            end(() -> completeExceptionally(thrown));
        }
    }

    private void end(Runnable completion) {
        // First: whoever hears of the end and calls again must not find the flight of the one who has ended.
        idempotency.land(slot, mine);
        completion.run();
    }

    private void elsewhere(boolean mayBlock, Action<RuntimeException> action) {
        if (mayBlock) {
            idempotency.environment.executor().execute(() -> step(action));
        } else {
            step(action);
        }
    }

    /** Leads, or follows the one who does. */
    private void turn() {
        if (endsAsCancelled()) {
            return;
        }
        mine = new PendingCall<>();
        PendingCall<T> other = idempotency.flights.putIfAbsent(slot, mine);
        if (other != null) {
            follow(other);
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

    private void follow(PendingCall<T> other) {
        long left = idempotency.leftOrRefuse(slot, patience);
        new Wait(left) {
            @Override
            void begin() {
                other.join(this);
            }

            @Override
            void leave() {
                other.leave(this);
            }

            @Override
            void woken() {
                PendingCall.Ending<T> ending = other.ending();
                if (ending == null) {
                    throw idempotency.inProgress(slot);
                }
                if (ending.known()) {
                    idempotency.countReplay();
                    end(() -> deliver(ending));
                } else { // not on the thread of the one who has ended, which has its own work to do
                    idempotency.environment.executor().execute(() -> step(AsyncIdempotentCall.this::turn));
                }
            }
        }.start();
    }

    private void claimOrLeave() {
        if (!endsAsCancelled()) {
            claim();
        }
    }

    private void claim() {
        elsewhere(idempotency.store.blocks(), () -> claimed(idempotency.claim(slot, owner)));
    }

    private void claimed(Claim<T> claim) {
        if (claim.status() == Status.IN_PROGRESS) {
            if (!endsAsCancelled()) {
                long pause = idempotency.pauseNanos(slot, claim, patience);
                new Wait(pause) {
                    @Override
                    void woken() { // the operation may run here, and must not on the thread of the timers
                        elsewhere(true, AsyncIdempotentCall.this::claimOrLeave);
                    }
                }.start();
            }
            return;
        }
        PendingCall.Ending<T> found = idempotency.ifDecided(slot, claim);
        if (found != null) {
            mine.landsWith(found);
            end(() -> deliver(found));
        } else if (cancelReason() != null) {
            idempotency.giveBack(slot, owner, claim.status() == Status.OWNED);
            endsAsCancelled();
        } else if (claim.status() == Status.OWNED_UNKNOWN) {
            elsewhere(true, this::resolve);
        } else {
            run();
        }
    }

    private void resolve() {
        if (cancelReason() != null) {
            idempotency.giveBack(slot, owner, false);
            endsAsCancelled();
            return;
        }
        context.call((Action<RuntimeException>) () -> resolved(idempotency.resolve(slot, owner)));
    }

    private void resolved(PendingCall.@Nullable Ending<T> found) {
        if (found == null && cancelReason() != null) {
            idempotency.giveBack(slot, owner, true);
            endsAsCancelled();
        } else if (found == null) {
            run();
        } else if (found.known()) {
            mine.landsWith(found);
            end(() -> deliver(found));
        } else {
            idempotency.land(slot, mine);
            turn();
        }
    }

    private void run() {
        CompletableFuture<T> running =
                StoredIdempotency.onceOnly(context).call(() -> Inner.OPERATION.callAsync(operation));
        onCancel(reason -> requestCancel(running, reason));
        running.whenComplete((result, thrown) -> {
            Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
            try {
                elsewhere(idempotency.store.blocks(), () -> settle(result, error));
            } catch (Throwable rejected) { // by the executor: better to block this thread than to lose what is known
                step(() -> settle(result, error));
            }
        });
    }

    private void settle(T result, @Nullable Throwable error) {
        mine.landsWith(idempotency.settle(slot, owner, result, error));
        end(() -> finish(result, error));
    }

    private void deliver(PendingCall.Ending<T> ending) {
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

        void begin() {}

        void leave() {}

        abstract void woken();

        void start() {
            Scheduler.Timer set = idempotency.environment.scheduler().schedule(this, nanos);
            timer = set;
            begin();
            onCancel(reason -> over(AsyncIdempotentCall.this::endsAsCancelled));
            if (get()) {
                set.cancel();
            }
        }

        @Override
        public void run() {
            over(this::woken);
        }

        private void over(Action<RuntimeException> next) {
            if (compareAndSet(false, true)) {
                leave();
                Scheduler.Timer set = timer;
                if (set != null) {
                    set.cancel();
                }
                step(next);
            }
        }
    }
}
