package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The future of an asynchronous call with a timeout. One object is the future, the task of the timer and what listens
 * to the running stage, because a call may allocate little. The thread that completes the future takes the timer back.
 * What follows from the timer runs on the executor. See ADR 16 and ADR 62.
 */
final class TimeoutFuture<T extends @Nullable Object> extends CallFuture<T>
        implements Runnable, BiConsumer<T, Throwable> {
    /** Bit of {@link #time}: it ends with the deadline of the call. */
    private static final long BY_DEADLINE = 1L << 63;

    /** Bit of {@link #time}: the time was up, and the work has been asked to end. */
    private static final long EXPIRED = 1L << 62;

    /** Bit of {@link #time}, beside EXPIRED: the call waited for its turn then. */
    private static final long IN_QUEUE = 1L << 61;

    private static final long NANOS = IN_QUEUE - 1;

    private final AbstractTimeout timeout;
    private final long start;

    /**
     * In nanoseconds, with the bits above, in one word because a call may allocate little. The two of the end are
     * written before the cancel is requested, and read after that was seen.
     */
    private long time;

    private volatile long timerId;

    TimeoutFuture(AbstractTimeout timeout, long startNanos, long nanos, boolean byDeadline) {
        this.timeout = timeout;
        this.start = startNanos;
        this.time = Math.min(nanos, NANOS) | (byDeadline ? BY_DEADLINE : 0);
    }

    private long nanos() {
        return time & NANOS;
    }

    /**
     * Sets the timer, from before the work was started, and then listens: the thread that completes this takes it back.
     */
    CompletableFuture<T> begin(CompletableFuture<T> running) {
        passCancelTo(running);
        if (!running.isDone()) {
            try {
                timerId = timeout.timers.set(this, start, nanos());
            } catch (RuntimeException | Error unbounded) {
                end(unbounded);
                return this;
            }
        }
        running.whenComplete(this);
        return this;
    }

    /** The time is up, says the timer. */
    @Override
    public void run() {
        if (!isDone()) {
            timeout.environment().handOver(this::expire);
        }
    }

    private void expire() {
        if (isDone()) {
            return;
        }
        TimedOutException timedOut = timedOut(null);
        if (cancelReason() == null && !endsInside(timedOut)) {
            return; // another thread is about to give the answer
        }
        if (end(timedOut)) {
            timeout.countTimedOut();
        }
    }

    /**
     * Asks what is inside to end before this does, so that the caller finds permits given back by work that heeds it at
     * once. Returns false if the call waits for its turn: it has not begun, and shall not, and what it waits for
     * answers for it.
     */
    private boolean endsInside(TimedOutException reason) {
        boolean queued = isQueued();
        boolean grace = setGrace(); // against a cancel that blocks
        time |= EXPIRED | (queued ? IN_QUEUE : 0);
        requestCancel(reason);
        return !(queued && grace && !isDone() && isQueued());
    }

    /** Sets the timer again, for the answer that is on its way; false if no timer can be set. */
    private boolean setGrace() {
        try {
            timerId = timeout.timers.set(this, timeout.clock.nanoTime(), BeginGuard.GRACE_NANOS);
        } catch (Throwable rejected) { // or a clock of a user that threw
            return false;
        }
        if (isDone()) {
            timeout.timers.take(timerId, this);
        }
        return true;
    }

    private TimedOutException timedOut(@Nullable Throwable suppressed) {
        SuppressedFailures repeated = new SuppressedFailures();
        earlierFailures(repeated::add);
        return timeout.exception(nanos(), (time & BY_DEADLINE) != 0, false, repeated, suppressed);
    }

    private boolean end(Throwable reason) {
        boolean first = completeExceptionally(reason);
        if (first) {
            requestCancel(reason);
        }
        return first;
    }

    /** The work has ended. */
    @Override
    public void accept(T result, @Nullable Throwable thrown) {
        try {
            ended(result, thrown == null ? null : Outcomes.unwrap(thrown));
        } catch (Throwable userCode) { // a clock that threw
            completeExceptionally(userCode);
        }
    }

    private void ended(T result, @Nullable Throwable error) {
        Throwable reason = cancelReason();
        if (reason instanceof TimedOutException && (time & EXPIRED) != 0) {
            endedAfterTime(reason, result, error);
        } else if (error != null) {
            completeExceptionally(!isLate() || AbstractTimeout.hasNotBegun(error) ? error : countedTimedOut(error));
        } else if (isLate()) {
            completeExceptionally(countedTimedOut(null));
            timeout.discard(result);
        } else if (timeout.discards() && reason != null) {
            completeExceptionally(reason);
            timeout.discard(result);
        } else if (!complete(result)) {
            timeout.discard(result);
        }
    }

    /** The work has ended because the time was up. What waited for its turn then answers by a refusal. */
    private void endedAfterTime(Throwable timedOut, T result, @Nullable Throwable error) {
        if (error != null
                && AbstractTimeout.hasNotBegun(error)
                && ((time & IN_QUEUE) != 0 || !Outcomes.mayHaveRun(error))) {
            completeExceptionally(error);
        } else if (completeExceptionally(timedOut)) {
            timeout.countTimedOut();
        }
        timeout.discard(error == null ? result : null);
    }

    /** Whether the time was up before the work ended, by the clock and whatever its timer says. */
    private boolean isLate() {
        return !isDone() && cancelReason() == null && timeout.clock.nanoTime() - start >= nanos();
    }

    private Throwable countedTimedOut(@Nullable Throwable suppressed) {
        timeout.countTimedOut();
        return timedOut(suppressed);
    }

    @Override
    public boolean complete(T value) {
        boolean completed = super.complete(value);
        takeTimerBack(completed);
        return completed;
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        boolean completed = super.completeExceptionally(error);
        takeTimerBack(completed);
        return completed;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        takeTimerBack(cancelled);
        return cancelled;
    }

    private void takeTimerBack(boolean completed) {
        if (completed) {
            timeout.timers.take(timerId, this);
        }
    }
}
