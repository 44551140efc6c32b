package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts the thread of an attempt whose headers do not come in time. {@code HttpRequest.timeout} would wake the
 * selector of the client inside for each request, and wake it in vain. See ADR 191.
 */
final class HeadersTimer implements Runnable {
    private static final HeadersTimer NEVER = new HeadersTimer();

    private final @Nullable AttemptBody<?> body;
    private final @Nullable InterruptOnce interrupt;
    private final @Nullable InterruptOnce outer;
    private Scheduler.@Nullable Timer timer;

    private HeadersTimer() {
        body = null;
        interrupt = null;
        outer = null;
    }

    private HeadersTimer(AttemptBody<?> body, CallState state) {
        this.body = body;
        this.outer = state.alarm();
        this.interrupt = InterruptOnce.inside(state);
    }

    /** Starts one for the current thread, which must call {@link #end} at the end of the attempt. */
    static HeadersTimer start(long nanos, AttemptBody<?> body, Environment environment) {
        if (nanos >= Nanos.NEVER) {
            return NEVER;
        }
        CallState state = CallState.current();
        HeadersTimer started = new HeadersTimer(body, state);
        started.timer = environment.schedule(started, nanos);
        state.alarm(started.interrupt);
        return started;
    }

    @Override
    public void run() {
        if (interrupt != null && body != null && !body.isBegun()) {
            interrupt.run();
        }
    }

    /**
     * Ends it, and takes back an interrupt that it delivered. Once it has ended this does nothing.
     *
     * @param consumed whether the attempt has ended with an {@code InterruptedException}
     * @return whether it interrupted the attempt
     */
    boolean end(boolean consumed) {
        Scheduler.Timer set = timer;
        if (interrupt == null || set == null) {
            return false;
        }
        timer = null;
        CallState.current().alarm(outer);
        return !set.cancel() && interrupt.delivered(consumed);
    }
}
