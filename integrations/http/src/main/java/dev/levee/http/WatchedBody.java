package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes a body on to its subscriber, records which of the two ended it early, and ends it when the body has been
 * silent for too long while the subscriber waited.
 *
 * <pre>
 *   NEW --onSubscribe--> BUSY --signal passed on--> QUIET --onNext--> BUSY ...
 *
 *   from each of them:  ENDED       completed, cancelled by the reader, or the reader threw
 *                       Throwable   what the body broke off with
 *                       Cut         cut off: by silence, or because the call has ended
 * </pre>
 *
 * <p>Invariants: signals to the reader come one after the other, and the last one is the only one of its kind. The
 * thread that leaves NEW or QUIET for an end sends it. If a cut finds BUSY, the thread that passes a signal on sends it
 * afterwards. See ADR 51.
 */
final class WatchedBody implements Flow.Subscriber<List<ByteBuffer>>, Flow.Subscription {
    private enum Phase {
        NEW,
        QUIET,
        BUSY,
        ENDED
    }

    private record Cut(Throwable reason) {}

    private static final Logger LOG = LoggerFactory.getLogger(BalancedHttpClient.class);

    private final BodySubscriber<?> reader;
    private final Consumer<? super Throwable> readerFailed;
    private final Consumer<? super Throwable> cutOff;
    private final long idleNanos;
    private final Environment environment;
    /** A {@link Phase}, a {@link Cut} or a {@code Throwable}; the last two and {@code ENDED} are final. */
    private final AtomicReference<Object> state = new AtomicReference<>(Phase.NEW);

    private final AtomicLong demand = new AtomicLong();
    private final AtomicBoolean armed = new AtomicBoolean();
    private final AtomicLong items = new AtomicLong();
    private volatile Flow.@Nullable Subscription upstream;
    private volatile Scheduler.@Nullable Timer timer;

    /**
     * One that has not begun.
     *
     * @param reader the subscriber
     * @param readerFailed gets what the reader threw
     * @param cutOff gets the reason of a cut, after the reader has got it
     * @param idleNanos how long the body may be silent
     * @param environment for timers and hand-overs
     */
    WatchedBody(
            BodySubscriber<?> reader,
            Consumer<? super Throwable> readerFailed,
            Consumer<? super Throwable> cutOff,
            long idleNanos,
            Environment environment) {
        this.reader = reader;
        this.readerFailed = readerFailed;
        this.cutOff = cutOff;
        this.idleNanos = idleNanos;
        this.environment = environment;
    }

    /** What the body broke off with, or was cut off with; null if it was not, whatever became of the reader. */
    @Nullable Throwable broken() {
        Object now = state.get();
        return now instanceof Cut cut ? cut.reason : now instanceof Throwable thrown ? thrown : null;
    }

    private boolean isEnded() {
        return !(state.get() instanceof Phase phase) || phase == Phase.ENDED;
    }

    /** Ends it; returns the phase that this ended, or null if it had ended before. */
    private @Nullable Phase endAs(Object end) {
        while (true) {
            if (!(state.get() instanceof Phase phase) || phase == Phase.ENDED) {
                return null;
            }
            if (state.compareAndSet(phase, end)) {
                return phase;
            }
        }
    }

    // The body

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        upstream = subscription;
        if (!state.compareAndSet(Phase.NEW, Phase.BUSY)) {
            subscription.cancel();
            return;
        }
        try {
            reader.onSubscribe(this);
        } catch (Throwable thrown) {
            failReader(thrown);
            return;
        }
        passedOn();
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        boolean nested = !state.compareAndSet(Phase.QUIET, Phase.BUSY);
        if (nested && state.get() != Phase.BUSY) { // otherwise it came while the reader asked for it
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
        if (!nested) {
            passedOn();
        }
    }

    private void passedOn() {
        if (!state.compareAndSet(Phase.BUSY, Phase.QUIET) && state.get() instanceof Cut cut) {
            tell(cut.reason, false);
        }
    }

    @Override
    public void onError(Throwable thrown) {
        if (endAs(thrown) != null) {
            disarm();
            try {
                reader.onError(thrown);
            } catch (Throwable ofReader) {
                readerFailed.accept(ofReader);
            }
        }
    }

    @Override
    public void onComplete() {
        if (endAs(Phase.ENDED) != null) {
            disarm();
            try {
                reader.onComplete();
            } catch (Throwable ofReader) {
                readerFailed.accept(ofReader);
            }
        }
    }

    private void failReader(Throwable thrown) {
        endAs(Phase.ENDED);
        disarm();
        cancelUpstream();
        readerFailed.accept(thrown);
    }

    // The reader

    @Override
    public void request(long n) {
        if (isEnded()) {
            return;
        }
        if (n > 0) {
            demand.updateAndGet(left -> left + n < 0 ? Long.MAX_VALUE : left + n);
        }
        Flow.Subscription body = upstream;
        if (body != null) {
            body.request(n);
        }
        arm();
    }

    @Override
    public void cancel() {
        endAs(Phase.ENDED);
        disarm();
        cancelUpstream();
    }

    // The watch

    /** Cuts off: the call has ended, or there is nothing to wait for any more. Does not wait for the reader. */
    boolean end(Throwable reason) {
        Phase seen = endAs(new Cut(reason));
        if (seen == null) {
            return false;
        }
        disarm();
        cancelUpstream();
        if (seen != Phase.BUSY) {
            environment.handOver(() -> tell(reason, seen == Phase.NEW));
        }
        return true;
    }

    private void tell(Throwable reason, boolean first) {
        try {
            if (first) { // as the contract of subscribers has it
                reader.onSubscribe(this);
            }
            reader.onError(reason);
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "A reader threw when its body was cut off", thrown);
        }
        cutOff.accept(reason); // a reader may keep what waits for it waiting
    }

    private void arm() {
        if (idleNanos < Nanos.NEVER && !isEnded() && armed.compareAndSet(false, true)) {
            watch(items.get());
        }
    }

    /** It takes up to twice the time, since the timer is not set anew for each item. */
    private void watch(long seen) {
        try {
            timer = environment.schedule(() -> checkIdle(seen), idleNanos);
        } catch (Throwable rejected) { // without a timer a silent body would never end
            environment.handOver(() -> end(rejected));
            return;
        }
        if (isEnded()) {
            disarm();
        }
    }

    private void checkIdle(long seen) {
        if (isEnded()) {
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
        return demand.get() != 0 && items.get() == seen && state.get() == Phase.QUIET;
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
            try {
                body.cancel();
            } catch (Throwable thrown) {
                SafeLog.warn(LOG, "A body could not be cancelled", thrown);
            }
        }
    }
}
