package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Combines listeners, and shields calls from the exceptions they throw. */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    private Listeners() {}

    static Listener all(Listener... listeners) {
        Listener[] shielded = Arrays.stream(Require.nonNull("listeners", listeners))
                .map(Listeners::shield)
                .filter(listener -> listener != Listener.NONE)
                .toArray(Listener[]::new);
        return shielded.length == 0 ? Listener.NONE : new Broadcast(shielded);
    }

    static Listener shield(Listener listener) {
        Require.nonNull("listener", listener);
        return listener == Listener.NONE || listener instanceof Dispatch ? listener : new Shield(listener);
    }

    /** A listener that turns each event into one call of {@link #publish}. */
    private abstract static class Dispatch implements Listener {
        abstract void publish(Consumer<Listener> event);

        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            publish(listener -> listener.onRefused(kind, policy));
        }

        @Override
        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
            publish(listener -> listener.onOutcome(kind, policy, verdict, elapsedNanos));
        }

        @Override
        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
            publish(listener -> listener.onAttempt(kind, policy, attempt, delayNanos));
        }

        @Override
        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
            publish(listener -> listener.onStateChange(kind, policy, from, to));
        }

        @Override
        public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
            publish(listener -> listener.onDegraded(kind, policy, source, error));
        }
    }

    /** Passes each event on to several listeners, in order. */
    private static final class Broadcast extends Dispatch {
        private final Listener[] listeners;

        Broadcast(Listener[] listeners) {
            this.listeners = listeners;
        }

        @Override
        void publish(Consumer<Listener> event) {
            for (Listener listener : listeners) {
                event.accept(listener);
            }
        }
    }

    /** Catches what one listener throws, and logs it once. */
    private static final class Shield extends Dispatch {
        private final Listener listener;
        private final AtomicBoolean logged = new AtomicBoolean();

        Shield(Listener listener) {
            this.listener = listener;
        }

        @Override
        void publish(Consumer<Listener> event) {
            try {
                event.accept(listener);
            } catch (Throwable thrown) {
                if (logged.compareAndSet(false, true)) {
                    SafeLog.warn(
                            LOG,
                            "Listener {} threw. It still receives events; its further exceptions are not logged",
                            listener,
                            thrown);
                }
            }
        }
    }
}
