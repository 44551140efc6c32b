package dev.levee.core;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Carries SLF4J's MDC. A map is never shared with an adapter, which may write to it: {@code setContextMap} copies. */
final class MdcCarrier implements ContextCarrier {
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
