package dev.levee.core.policy;

import org.jspecify.annotations.Nullable;

/** The timer at the end of a wait that the dependency asked for, before the next attempt of a {@link HedgedCall}. */
final class HedgePause<T extends @Nullable Object> implements Runnable {
    private final HedgedCall<T> call;
    private final int started;
    private final long waitNanos;
    private volatile long timerId;

    HedgePause(HedgedCall<T> call, int started, long waitNanos) {
        this.call = call;
        this.started = started;
        this.waitNanos = waitNanos;
    }

    void begin() {
        timerId = call.hedge.timers.set(this, call.environment().clock().nanoTime(), waitNanos);
    }

    @Override
    public void run() {
        call.afterTimer(() -> call.pauseIsOver(started, waitNanos));
    }

    void cancel() {
        call.hedge.timers.take(timerId, this);
    }
}
