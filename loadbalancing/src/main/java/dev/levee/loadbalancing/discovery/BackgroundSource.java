package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A source that is subscribed to on the executor, so that no thread waits for its first answer. A subscription that
 * fails, or that the executor does not take, is tried again after 1 s, 2 s, 4 s and so on, at most 30 s. See ADR 75.
 */
final class BackgroundSource<A> implements EndpointSource<A> {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    private static final Subscription CLOSED = () -> {};
    private static final Polling.Waits WAITS = new Polling.Waits(1_000_000_000L, 30_000_000_000L);

    private final EndpointSource<A> source;
    private final Environment environment;

    BackgroundSource(EndpointSource<A> source, Environment environment) {
        this.source = source;
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        BackgroundSubscription background = new BackgroundSubscription(Require.nonNull("receiver", receiver));
        background.start();
        return background;
    }

    private final class BackgroundSubscription implements Subscription {
        private final Consumer<? super List<Endpoint<A>>> receiver;
        /** Null until the source has been subscribed to. */
        private final AtomicReference<@Nullable Subscription> subscription = new AtomicReference<>();

        private volatile @Nullable Timer next;

        /** Of the attempt that runs: the executor and the timer hand it on. */
        private int failures;

        BackgroundSubscription(Consumer<? super List<Endpoint<A>>> receiver) {
            this.receiver = receiver;
        }

        private void start() {
            Throwable rejected = isClosed()
                    ? null
                    : HandedTask.tryExecute(
                            environment.executor(), this::attempt, LOG, "Endpoints from " + Text.printable(source));
            if (rejected != null) {
                failed(rejected);
            }
        }

        private void attempt() {
            if (isClosed()) {
                return;
            }
            Subscription open;
            try {
                open = source.subscribe(this::receive);
            } catch (Throwable thrown) { // no caller is left to throw it to
                failed(thrown);
                return;
            }
            if (!subscription.compareAndSet(null, open)) {
                open.close(); // closed meanwhile
            }
        }

        private void receive(List<Endpoint<A>> endpoints) {
            if (!isClosed()) {
                receiver.accept(endpoints);
            }
        }

        private void failed(Throwable thrown) {
            if (isClosed()) {
                return;
            }
            failures = Math.min(failures + 1, Integer.MAX_VALUE - 1);
            try {
                Timer timer = environment.schedule(this::start, WAITS.nanos(failures));
                next = timer;
                if (isClosed()) {
                    timer.cancel();
                }
            } finally {
                if (failures == 1) {
                    SafeLog.warn(
                            LOG,
                            "Endpoints from {}: could not be subscribed to; tried again",
                            Text.printable(source),
                            thrown);
                }
            }
        }

        private boolean isClosed() {
            return subscription.get() == CLOSED;
        }

        @Override
        public void close() {
            Subscription open = subscription.getAndSet(CLOSED);
            Timer waiting = next;
            if (waiting != null) {
                waiting.cancel();
            }
            if (open != null) {
                open.close();
            }
        }

        @Override
        public void refresh() {
            Subscription open = subscription.get();
            if (open != null) {
                open.refresh();
            }
        }
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
