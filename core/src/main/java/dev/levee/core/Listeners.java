package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Combines listeners and keeps what they throw away from calls. */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    private Listeners() {}

    static Listener all(Listener... listeners) {
        Listener[] shielded = Arrays.stream(Require.nonNull("listeners", listeners))
                .map(Listeners::shield)
                .filter(listener -> listener != Listener.NONE)
                .toArray(Listener[]::new);
        return shielded.length == 0 ? Listener.NONE : new All(shielded);
    }

    static Listener shield(Listener listener) {
        Require.nonNull("listener", listener);
        return listener == Listener.NONE || listener instanceof Relay ? listener : new Shield(listener);
    }

    /** Turns each event into one call of {@link #tell}. */
    private abstract static class Relay implements Listener {
        abstract void tell(Consumer<Listener> event);

        @Override
        public void onRefused(String policy) {
            tell(listener -> listener.onRefused(policy));
        }

        @Override
        public void onOutcome(String policy, Verdict verdict, long elapsedNanos) {
            tell(listener -> listener.onOutcome(policy, verdict, elapsedNanos));
        }

        @Override
        public void onAttempt(String policy, int attempt, long delayNanos) {
            tell(listener -> listener.onAttempt(policy, attempt, delayNanos));
        }

        @Override
        public void onStateChange(String policy, String from, String to) {
            tell(listener -> listener.onStateChange(policy, from, to));
        }

        @Override
        public void onDegraded(String policy, String source, Throwable error) {
            tell(listener -> listener.onDegraded(policy, source, error));
        }
    }

    private static final class All extends Relay {
        private final Listener[] listeners;

        All(Listener[] listeners) {
            this.listeners = listeners;
        }

        @Override
        void tell(Consumer<Listener> event) {
            for (Listener listener : listeners) {
                event.accept(listener);
            }
        }
    }

    private static final class Shield extends Relay {
        private final Listener listener;
        private final AtomicBoolean complained = new AtomicBoolean();

        Shield(Listener listener) {
            this.listener = listener;
        }

        @Override
        void tell(Consumer<Listener> event) {
            try {
                event.accept(listener);
            } catch (Throwable thrown) {
                if (complained.compareAndSet(false, true)) {
                    LOG.warn(
                            "Listener {} threw; it is told on, and what it throws next is not logged",
                            listener,
                            thrown);
                }
            }
        }
    }
}
