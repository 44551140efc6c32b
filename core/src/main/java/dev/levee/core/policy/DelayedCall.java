package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.parts.HandOver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An asynchronous call that faults delay or let hang. What ends the wait first decides how the call continues: time, a
 * cancel, or switching off. See ADR 30.
 */
final class DelayedCall<T extends @Nullable Object> extends CallFuture<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Faults.class);

    private final DefaultFaults faults;
    private final FaultSession session;
    private final FaultPlan plan;
    private final Inner inner;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final CallContext context;
    private final AtomicBoolean over = new AtomicBoolean();
    private final Runnable timer = this::onTimer;
    private final Runnable release = this::released;
    private final long start;
    private volatile long timerId;

    DelayedCall(
            DefaultFaults faults,
            FaultSession session,
            FaultPlan plan,
            Inner inner,
            Supplier<? extends CompletionStage<T>> operation) {
        this.faults = faults;
        this.session = session;
        this.plan = plan;
        this.inner = inner;
        this.operation = operation;
        this.context = faults.environment().capture();
        this.start = faults.environment().clock().nanoTime();
    }

    DelayedCall<T> begin() {
        onCancel(this::cancelled);
        session.hold(release);
        setTimer(start);
        if (session.hasEnded()) {
            proceed(null);
        }
        return this;
    }

    private void setTimer(long now) {
        long wait = Math.min(plan.waitNanos() - (now - start), session.leftNanos());
        Deadline deadline = context.deadline();
        wait = deadline == null ? wait : Math.min(wait, deadline.remainingNanos());
        if (wait >= Nanos.NEVER) {
            return;
        }
        try {
            timerId = faults.timers.set(timer, now, wait);
        } catch (Throwable thrown) {
            end(thrown);
        }
        if (over.get()) {
            faults.timers.take(timerId, timer);
        }
    }

    private void onTimer() {
        if (!over.get()) {
            faults.environment().handOver(this::timeIsUp);
        }
    }

    private void timeIsUp() {
        long now = faults.environment().clock().nanoTime();
        long passed = now - start;
        Deadline deadline = context.deadline();
        if (deadline != null && deadline.isExpired()) {
            end(TimedOutException.after("faults", faults.name(), passed, true, false));
        } else if (passed >= plan.waitNanos()) {
            proceed(plan.fault());
        } else if (session.isOver()) {
            faults.end(session);
        } else {
            setTimer(now); // the timer was early, by a clock that is coarser than the timers
        }
    }

    private void released() {
        proceed(null);
    }

    private void cancelled(Throwable reason) {
        end(reason);
    }

    private void end(Throwable reason) {
        if (waitIsOver()) {
            completeExceptionally(reason);
        }
    }

    private void proceed(@Nullable Fault fault) {
        if (!waitIsOver()) {
            return;
        }
        Environment environment = faults.environment();
        Throwable rejected = HandOver.tryExecute(
                environment,
                () -> context.call((Action<RuntimeException>) () -> run(fault)),
                lost -> environment.handOver(() -> completeExceptionally(lost)),
                LOG,
                faults);
        if (rejected != null) {
            completeExceptionally(rejected);
        }
    }

    private boolean waitIsOver() {
        if (!over.compareAndSet(false, true)) {
            return false;
        }
        session.forget(release);
        faults.timers.take(timerId, timer);
        return true;
    }

    private void run(@Nullable Fault fault) {
        Throwable reason = cancelReason();
        if (reason != null || isDone()) {
            completeExceptionally(reason == null ? new IllegalStateException("completed from outside") : reason);
            return;
        }
        CompletableFuture<T> running = faults.go(fault, inner, operation);
        passCancelTo(running);
        running.whenComplete(this::finish);
    }

    /** Called by {@code orTimeout} and the like. */
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
