package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Passes a body on to its subscriber, records which of the two ended it early, and ends it when the body has been
 * silent for too long while the subscriber waited.
 */
final class WatchedBody implements Flow.Subscriber<List<ByteBuffer>>, Flow.Subscription {
    private static final int QUIET = 0;
    private static final int BUSY = 1;
    private static final int ENDED = 2;

    private final BodySubscriber<?> reader;
    private final Consumer<? super Throwable> readerFailed;
    private final long idleNanos;
    private final Environment environment;
    /** Signals to the reader come one after the other; the thread that sets ENDED sends the last one, or none. */
    private final AtomicInteger state = new AtomicInteger(QUIET);

    private final AtomicLong demand = new AtomicLong();
    private final AtomicBoolean armed = new AtomicBoolean();
    private final AtomicLong items = new AtomicLong();
    private volatile Flow.@Nullable Subscription upstream;
    private volatile Scheduler.@Nullable Timer timer;
    private volatile @Nullable Throwable broken;

    WatchedBody(
            BodySubscriber<?> reader,
            Consumer<? super Throwable> readerFailed,
            long idleNanos,
            Environment environment) {
        this.reader = reader;
        this.readerFailed = readerFailed;
        this.idleNanos = idleNanos;
        this.environment = environment;
    }

    /** What the body broke off with; null if it did not, whatever became of the reader. */
    @Nullable Throwable broken() {
        return broken;
    }

    // The body

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        upstream = subscription;
        if (state.get() == ENDED) {
            subscription.cancel();
            return;
        }
        try {
            reader.onSubscribe(this);
        } catch (Throwable thrown) {
            failReader(thrown);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        if (!state.compareAndSet(QUIET, BUSY)) {
            return;
        }
        demand.updateAndGet(left -> left == Long.MAX_VALUE ? left : left - 1);
        items.getAndIncrement();
        try {
            reader.onNext(item);
        } catch (Throwable thrown) {
            failReader(thrown);
            return;
        }
        state.compareAndSet(BUSY, QUIET);
    }

    @Override
    public void onError(Throwable thrown) {
        if (state.getAndSet(ENDED) != ENDED) {
            broken = thrown;
            disarm();
            reader.onError(thrown);
        }
    }

    @Override
    public void onComplete() {
        if (state.getAndSet(ENDED) != ENDED) {
            disarm();
            reader.onComplete();
        }
    }

    private void failReader(Throwable thrown) {
        state.set(ENDED);
        disarm();
        cancelUpstream();
        readerFailed.accept(thrown);
    }

    // The reader

    @Override
    public void request(long n) {
        demand.updateAndGet(left -> left + n < 0 ? Long.MAX_VALUE : left + n);
        Flow.Subscription body = upstream;
        if (body != null) {
            body.request(n);
        }
        arm();
    }

    @Override
    public void cancel() {
        state.set(ENDED);
        disarm();
        cancelUpstream();
    }

    // The watch

    /** Breaks off: the call has ended, or there is nothing to wait for any more. Does not wait for the reader. */
    boolean end(Throwable reason) {
        int seen;
        do {
            seen = state.get();
            if (seen == ENDED) {
                return false;
            }
        } while (!state.compareAndSet(seen, ENDED));
        broken = reason;
        disarm();
        cancelUpstream();
        if (seen == QUIET && upstream != null) {
            environment.handOver(() -> reader.onError(reason));
        }
        return true;
    }

    private void arm() {
        if (idleNanos < Nanos.NEVER && state.get() != ENDED && armed.compareAndSet(false, true)) {
            watch(items.get());
        }
    }

    /** It takes up to twice the time, since the timer is not set anew for each item. */
    private void watch(long seen) {
        timer = environment.scheduler().schedule(() -> checkIdle(seen), idleNanos);
        if (state.get() == ENDED) {
            disarm();
        }
    }

    private void checkIdle(long seen) {
        if (state.get() == ENDED) {
            return;
        }
        if (!isIdle(seen)) {
            if (demand.get() > 0) {
                watch(items.get());
                return;
            }
            armed.set(false);
            if (demand.get() > 0) { // asked for meanwhile
                arm();
            }
            return;
        }
        environment.handOver(() -> breakOff(seen)); // not on the timers' thread: a cancel runs code of others
    }

    private boolean isIdle(long seen) {
        return demand.get() != 0 && items.get() == seen && state.get() != BUSY;
    }

    private void breakOff(long seen) {
        if (isIdle(seen)) {
            end(new HttpTimeoutException("no byte of the body came for " + Nanos.text(idleNanos)));
        } else {
            checkIdle(seen);
        }
    }

    private void disarm() {
        Scheduler.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
    }

    private void cancelUpstream() {
        Flow.Subscription body = upstream;
        if (body != null) {
            body.cancel();
        }
    }
}
