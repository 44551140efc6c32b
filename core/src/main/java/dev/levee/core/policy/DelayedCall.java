package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Inner;
import dev.levee.core.internal.Nanos;
import dev.levee.core.policy.DefaultFaults.Plan;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An asynchronous call that faults delay or let hang. Whoever ends the wait decides how the call goes on: time, a cancel, or switching off. */
final class DelayedCall<T extends @Nullable Object> extends CallFuture<T> {
    private final DefaultFaults faults;
    private final FaultSession rehearsal;
    private final Plan plan;
    private final Inner inner;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final CallContext context = CallContext.current();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Runnable timeIsUp = this::timeIsUp;
    private final Runnable release = this::letGo;
    private final long start;
    private volatile long ticket;

    DelayedCall(
            DefaultFaults faults,
            FaultSession rehearsal,
            Plan plan,
            Inner inner,
            Supplier<? extends CompletionStage<T>> operation) {
        this.faults = faults;
        this.rehearsal = rehearsal;
        this.plan = plan;
        this.inner = inner;
        this.operation = operation;
        this.start = faults.environment().clock().nanoTime();
    }

    DelayedCall<T> begin() {
        onCancel(this::cancelled);
        rehearsal.hold(release);
        setTimer(start);
        if (rehearsal.hasEnded()) {
            goOn(null);
        }
        return this;
    }

    private void setTimer(long now) {
        long wait = Math.min(plan.waitNanos() - (now - start), rehearsal.leftNanos());
        Deadline deadline = context.deadline();
        wait = deadline == null ? wait : Math.min(wait, deadline.remainingNanos());
        if (wait >= Nanos.NEVER) {
            return;
        }
        try {
            ticket = faults.timers.set(timeIsUp, now, wait);
        } catch (Throwable thrown) {
            end(thrown);
        }
        if (over.get()) {
            faults.timers.take(ticket, timeIsUp);
        }
    }

    private void timeIsUp() {
        long now = faults.environment().clock().nanoTime();
        long passed = now - start;
        Deadline deadline = context.deadline();
        if (deadline != null && deadline.isExpired()) {
            end(TimedOutException.after(faults.name(), passed, true, false));
        } else if (passed >= plan.waitNanos()) {
            goOn(plan.fault());
        } else if (rehearsal.isOver()) {
            faults.end(rehearsal);
        } else {
            setTimer(now); // early, by a clock that is coarser than the timers
        }
    }

    private void letGo() {
        goOn(null);
    }

    private void cancelled(Throwable reason) {
        end(reason);
    }

    private void end(Throwable reason) {
        if (waitIsOver()) {
            completeExceptionally(reason);
        }
    }

    private void goOn(@Nullable Fault fault) {
        if (!waitIsOver()) {
            return;
        }
        try {
            faults.environment().executor().execute(() -> context.call((Action<RuntimeException>) () -> run(fault)));
        } catch (Throwable rejected) {
            completeExceptionally(rejected);
        }
    }

    private boolean waitIsOver() {
        if (!over.compareAndSet(false, true)) {
            return false;
        }
        rehearsal.forget(release);
        faults.timers.take(ticket, timeIsUp);
        return true;
    }

    private void run(@Nullable Fault fault) {
        Throwable reason = cancelReason();
        if (reason != null || isDone()) {
            completeExceptionally(reason == null ? new IllegalStateException("completed by somebody else") : reason);
            return;
        }
        CompletableFuture<T> running = faults.go(fault, inner, operation);
        onCancel(why -> requestCancel(running, why));
        running.whenComplete(this::finish);
    }

    /** By {@code orTimeout} and the like. */
    @Override
    public boolean complete(T value) {
        waitIsOver();
        return super.complete(value);
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        waitIsOver();
        return super.completeExceptionally(error);
    }
}
