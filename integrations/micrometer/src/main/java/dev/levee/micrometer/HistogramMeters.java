package dev.levee.micrometer;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * The histograms that one registry has; if it is a composite, each registry in it has them by itself, because not all
 * can have buckets. Used by the thread that polls only. See ADR 122.
 */
final class HistogramMeters {
    private final MeterRegistry registry;
    private final IdentityHashMap<HistogramSeries, ToDoubleFunction<Series>> all = new IdentityHashMap<>();
    private final IdentityHashMap<MeterRegistry, LeafHistograms> leaves = new IdentityHashMap<>();

    HistogramMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    void add(HistogramSeries series, ToDoubleFunction<Series> reading) {
        followComposite();
        all.put(series, reading);
        leaves.values().forEach(leaf -> leaf.add(series, reading));
    }

    void remove(HistogramSeries series) {
        if (all.remove(series) != null) {
            leaves.values().forEach(leaf -> leaf.remove(series));
        }
    }

    /** Takes up registries that have come into a composite, and lets go of those that left. */
    void followComposite() {
        if (!leaves.isEmpty() && !(registry instanceof CompositeMeterRegistry)) {
            return;
        }
        Set<MeterRegistry> now = Collections.newSetFromMap(new IdentityHashMap<>());
        collect(registry, now);
        List<MeterRegistry> left = new ArrayList<>(leaves.keySet());
        left.removeIf(now::contains);
        for (MeterRegistry each : left) {
            LeafHistograms leaf = leaves.remove(each);
            if (leaf != null) {
                leaf.close();
            }
        }
        for (MeterRegistry each : now) {
            if (!leaves.containsKey(each)) {
                LeafHistograms leaf = LeafHistograms.of(each);
                leaves.put(each, leaf);
                all.forEach(leaf::add);
            }
        }
    }

    private static void collect(MeterRegistry from, Set<MeterRegistry> into) {
        if (from instanceof CompositeMeterRegistry composite) {
            composite.getRegistries().forEach(each -> collect(each, into));
        } else {
            into.add(from);
        }
    }

    void close() {
        leaves.values().forEach(LeafHistograms::close);
        leaves.clear();
        all.clear();
    }
}
