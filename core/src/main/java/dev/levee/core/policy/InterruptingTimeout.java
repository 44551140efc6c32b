package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link Timeout}. */
final class InterruptingTimeout implements Timeout {
    private final String name;
    private final Duration timeout;
    private final long nanos;
    private final Environment environment;

    InterruptingTimeout(String name, Duration timeout, Environment environment) {
        this.name = Require.name(name);
        this.timeout = Require.positive("timeout", timeout);
        this.nanos = Nanos.of(timeout);
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        CallContext context = CallContext.current().withDeadline(deadline());
        Alarm alarm = new Alarm(Thread.currentThread());
        Scheduler.Timer timer = environment.scheduler().schedule(alarm, nanos);
        T result;
        try {
            result = context.call(() -> inner.call(operation));
        } catch (Throwable error) {
            if (alarm.rang(timer, error instanceof InterruptedException)) {
                throw timedOut(error);
            }
            throw error;
        }
        if (alarm.rang(timer, false)) {
            throw timedOut(null);
        }
        return result;
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        Deadline deadline = deadline();
        CompletableFuture<T> running =
                CallContext.current().withDeadline(deadline).call(() -> inner.callAsync(operation));
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        CallFuture<T> future = new CallFuture<>();
        future.onCancel(reason -> CallFuture.requestCancel(running, reason));
        running.whenComplete(future::finish);
        if (!future.isDone()) {
            setTimer(future, deadline);
        }
        return future;
    }

    private void setTimer(CallFuture<?> future, Deadline deadline) {
        try {
            // What is left: the operation has taken its time to start the work.
            Scheduler.Timer timer =
                    environment.scheduler().schedule(() -> end(future, timedOut(null)), deadline.remainingNanos());
            future.whenComplete((result, error) -> timer.cancel());
        } catch (RuntimeException | Error unbounded) {
            end(future, unbounded);
        }
    }

    private static void end(CallFuture<?> future, Throwable reason) {
        if (future.completeExceptionally(reason)) {
            future.requestCancel(reason);
        }
    }

    private Deadline deadline() {
        return Deadline.afterNanos(nanos, environment.clock());
    }

    private TimedOutException timedOut(@Nullable Throwable suppressed) {
        TimedOutException timedOut = new TimedOutException(name, timeout);
        if (suppressed != null) {
            timedOut.addSuppressed(suppressed);
        }
        return timedOut;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public String toString() {
        return "timeout " + name + " " + timeout;
    }

    /** Interrupts a thread once, and only while its guarded code runs. */
    private static final class Alarm extends AtomicInteger implements Runnable {
        private static final long serialVersionUID = 1L;
        private static final int SET = 0;
        private static final int OFF = 1;
        private static final int RINGING = 2;
        private static final int RANG = 3;
        /** It would have rung, but the thread was interrupted already: that interrupt is not ours. */
        private static final int RANG_SILENTLY = 4;

        private final transient Thread thread;

        Alarm(Thread thread) {
            super(SET);
            this.thread = thread;
        }

        @Override
        public void run() {
            if (compareAndSet(SET, RINGING)) {
                boolean foreign = thread.isInterrupted();
                try {
                    if (!foreign) {
                        thread.interrupt();
                    }
                } finally { // an interrupt runs code of others: what it wakes may be a channel, or a thread of a
                    // subclass
                    set(foreign ? RANG_SILENTLY : RANG);
                }
            }
        }

        /** Called by the thread when its code has ended; takes back what was delivered and not consumed. */
        boolean rang(Scheduler.Timer timer, boolean consumed) {
            if (compareAndSet(SET, OFF)) {
                timer.cancel();
                return false;
            }
            while (get() == RINGING) {
                Thread.onSpinWait();
            }
            if (get() == RANG && !consumed) {
                Thread.interrupted();
            } else if (get() == RANG_SILENTLY && consumed) {
                Thread.currentThread().interrupt();
            }
            return true;
        }
    }
}
