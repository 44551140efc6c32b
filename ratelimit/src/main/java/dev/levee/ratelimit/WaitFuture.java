package dev.levee.ratelimit;

import dev.levee.core.Gate;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The future of a call that waits without a thread. Whatever completes it first decides: if that is not the limiter,
 * but a cancel or a timeout of the caller, the call leaves the queue, or gives back the permits that were on their way.
 */
abstract class WaitFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private final WaitingCalls calls;
    final Waiter waiter;

    private WaitFuture(WaitingCalls calls, Need need) {
        this.calls = calls;
        this.waiter = new Waiter(need, null) {
            @Override
            void tell() {
                calls.environment.handOver(WaitFuture.this::ended);
            }
        };
    }

    /** Completes it with the end of the wait. */
    abstract void ended();

    final void admitted(T value) {
        if (!super.complete(value)) {
            calls.giveBack(waiter);
        }
    }

    final void refused(T value) {
        super.complete(value);
    }

    final void fail(Throwable refusal) {
        super.completeExceptionally(refusal);
    }

    @Override
    public boolean complete(T value) {
        return leaveIf(super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return leaveIf(super.completeExceptionally(error));
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return leaveIf(super.cancel(mayInterruptIfRunning));
    }

    private boolean leaveIf(boolean first) {
        if (first && calls.queue.leave(waiter)) {
            left();
        }
        return first;
    }

    /** Called when the call has left the queue before its turn. */
    void left() {}

    /** Of {@link RateLimiter#acquireAsync}: null, or fails with the refusal. */
    static final class OfPermits extends WaitFuture<@Nullable Void> {
        OfPermits(WaitingCalls calls, Need need) {
            super(calls, need);
        }

        @Override
        @SuppressWarnings("NullAway") // the value of a future of Void
        void ended() {
            boolean isAdmitted = waiter.state == Waiter.ADMITTED;
            waiter.need.counted(isAdmitted);
            if (isAdmitted) {
                admitted(null);
            } else {
                fail(waiter.need.refusal(waiter.retryAfterNanos));
            }
        }
    }

    /** Of a gate: a stamp, or {@link Gate#REFUSED}. */
    static final class OfCall extends WaitFuture<Long> {
        private final AbstractLimiter limiter;

        OfCall(AbstractLimiter limiter, WaitingCalls calls, Need need) {
            super(calls, need);
            this.limiter = limiter;
        }

        @Override
        void ended() {
            boolean isAdmitted = waiter.state == Waiter.ADMITTED;
            limiter.count(isAdmitted);
            if (isAdmitted) {
                admitted(AbstractLimiter.stamp(waiter));
            } else {
                refused(Gate.REFUSED);
            }
        }

        @Override
        void left() {
            limiter.count(false);
        }
    }
}
