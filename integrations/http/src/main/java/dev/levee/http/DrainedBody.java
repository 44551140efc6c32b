package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import java.net.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Reads an unwanted body to its end, if that is near, so that the connection can be used again; otherwise cancels it,
 * which closes the connection.
 */
final class DrainedBody implements Flow.Subscriber<List<ByteBuffer>> {
    /** Less than a new connection costs. */
    static final long MAX_BYTES = 65_536;

    private static final long MAX_NANOS = 1_000_000_000L;

    private final Environment environment;
    private final boolean atOnce;
    private final AtomicBoolean ended = new AtomicBoolean();
    private long bytes;
    private Flow.@Nullable Subscription subscription;
    private Scheduler.@Nullable Timer timer;

    DrainedBody(Environment environment, boolean atOnce) {
        this.environment = environment;
        this.atOnce = atOnce;
    }

    /** Drains a body unless its length says that it is too long. */
    static DrainedBody of(HttpHeaders headers, Environment environment) {
        return new DrainedBody(
                environment, headers.firstValueAsLong("Content-Length").orElse(0) > MAX_BYTES);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (atOnce) {
            cancel(given);
            return;
        }
        try {
            timer = environment.schedule(() -> environment.handOver(() -> cancel(given)), MAX_NANOS);
        } catch (Throwable rejected) { // without a timer it might drain for ever
            cancel(given);
            return;
        }
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        for (ByteBuffer buffer : item) {
            bytes += buffer.remaining();
        }
        Flow.Subscription given = subscription;
        if (bytes > MAX_BYTES && given != null) {
            cancel(given);
        }
    }

    @Override
    public void onError(Throwable thrown) {
        end();
    }

    @Override
    public void onComplete() {
        end();
    }

    private boolean end() {
        Scheduler.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
        return ended.compareAndSet(false, true);
    }

    private void cancel(Flow.Subscription given) {
        if (end()) {
            given.cancel();
        }
    }
}
