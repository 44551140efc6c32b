package dev.levee.core;

import dev.levee.core.internal.SafeLog;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * What the carriers of an environment have captured. A carrier that throws is left out, and logged: it costs neither
 * the call nor what the others carry. Thread-safe. See ADR 123.
 */
final class CarriedContext {
    private static final Logger LOG = LoggerFactory.getLogger(ContextCarrier.class);

    private final ContextCarrier[] carriers;

    /** One for each carrier; null where a capture has failed. */
    private final ContextCarrier.@Nullable Captured[] captured;

    CarriedContext(ContextCarrier[] carriers) {
        this.carriers = carriers;
        this.captured = new ContextCarrier.Captured[carriers.length];
        for (int i = 0; i < carriers.length; i++) {
            try {
                captured[i] = carriers[i].capture();
            } catch (Throwable thrown) {
                warn(i, "capture", thrown);
            }
        }
    }

    /** Puts all on this thread. Returns what {@link #close} needs. */
    ContextCarrier.@Nullable Scope[] restore() {
        ContextCarrier.@Nullable Scope[] scopes = new ContextCarrier.Scope[captured.length];
        for (int i = 0; i < captured.length; i++) {
            ContextCarrier.Captured one = captured[i];
            try {
                scopes[i] = one == null ? null : one.restore();
            } catch (Throwable thrown) {
                warn(i, "restore", thrown);
            }
        }
        return scopes;
    }

    /** Puts back what the thread had before, in the reverse order. */
    void close(ContextCarrier.@Nullable Scope[] scopes) {
        for (int i = scopes.length - 1; i >= 0; i--) {
            ContextCarrier.Scope one = scopes[i];
            try {
                if (one != null) {
                    one.close();
                }
            } catch (Throwable thrown) {
                warn(i, "close", thrown);
            }
        }
    }

    /** Makes a task that runs in what was captured. */
    Runnable carry(Runnable task) {
        return new Runnable() {
            @Override
            public void run() {
                ContextCarrier.@Nullable Scope[] scopes = restore();
                try {
                    task.run();
                } finally {
                    close(scopes);
                }
            }

            @Override
            public String toString() {
                return task.toString();
            }
        };
    }

    private void warn(int index, String what, Throwable thrown) {
        SafeLog.warn(
                LOG,
                "context carrier \"{}\": {} threw; the call goes on without what it carries",
                carriers[index].getClass().getName(),
                what,
                thrown);
    }

    /**
     * Carries SLF4J's MDC. A map is never shared with an adapter, which may write to it: {@code setContextMap} copies.
     */
    static final class MdcCarrier implements ContextCarrier {
        static final MdcCarrier INSTANCE = new MdcCarrier();

        private MdcCarrier() {}

        @Override
        public Captured capture() {
            Map<String, String> captured = MDC.getCopyOfContextMap();
            return () -> {
                Map<String, String> before = MDC.getCopyOfContextMap();
                set(captured);
                return () -> set(before);
            };
        }

        /** Sets the map of this thread; adapters do not agree on what null means. */
        private static void set(@Nullable Map<String, String> map) {
            if (map == null || map.isEmpty()) {
                MDC.clear();
            } else {
                MDC.setContextMap(map);
            }
        }

        @Override
        public String toString() {
            return "ContextCarrier.mdc()";
        }
    }
}
