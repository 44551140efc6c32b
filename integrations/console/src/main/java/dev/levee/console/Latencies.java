package dev.levee.console;

import dev.levee.core.histogram.LatencyHistogram;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Latencies of the last five to ten seconds, from histograms that only grow: what has been counted since an earlier
 * reading. Of each histogram two readings are kept. Used by one thread at a time.
 */
final class Latencies {
    /** How many histograms are followed; the one that was read longest ago gives way. */
    static final int MAX_SOURCES = 200;

    private static final long TURN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Map<LatencyHistogram.Source, Past> pasts = new LinkedHashMap<>(16, 0.75f, true);
    private final LatencyHistogram recent = new LatencyHistogram();

    /** The readings at the last turn and the one before it. */
    private static final class Past {
        LatencyHistogram older = new LatencyHistogram();
        LatencyHistogram newer = new LatencyHistogram();
        long newerNanos;
    }

    /** Returns what was counted lately; null at the first reading. Good until the next call. */
    @Nullable LatencyHistogram recent(LatencyHistogram.Source source, long nowNanos) {
        source.read(recent);
        Past past = pasts.get(source);
        if (past != null && nowNanos - past.newerNanos >= 2 * TURN_NANOS) {
            pasts.remove(source); // no page was open meanwhile
            past = null;
        }
        if (past == null) {
            past = new Past();
            source.read(past.older);
            source.read(past.newer);
            past.newerNanos = nowNanos;
            if (pasts.size() == MAX_SOURCES) {
                Iterator<LatencyHistogram.Source> eldest = pasts.keySet().iterator();
                eldest.next();
                eldest.remove();
            }
            pasts.put(source, past);
            return null;
        }
        if (nowNanos - past.newerNanos >= TURN_NANOS) {
            LatencyHistogram reused = past.older;
            past.older = past.newer;
            past.newer = reused;
            source.read(reused);
            past.newerNanos = nowNanos;
        }
        recent.subtract(past.older);
        return recent;
    }
}
