package dev.levee.micrometer;

import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.IdentityHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * The histograms of a registry that is no composite: {@code FunctionTimer}s, which have count and sum, but no buckets.
 */
class LeafHistograms {
    /** Whether Micrometer's registry for Prometheus is there. */
    private static final boolean PROMETHEUS = isThere("io.micrometer.prometheusmetrics.PrometheusMeterRegistry");

    final MeterRegistry registry;
    private final IdentityHashMap<HistogramSeries, Meter> meters = new IdentityHashMap<>();

    LeafHistograms(MeterRegistry registry) {
        this.registry = registry;
    }

    static LeafHistograms of(MeterRegistry registry) {
        return PROMETHEUS ? PrometheusHistograms.of(registry) : new LeafHistograms(registry);
    }

    private static boolean isThere(String name) {
        try {
            Class.forName(name, false, LeafHistograms.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError absent) {
            return false;
        }
    }

    final void add(HistogramSeries series, ToDoubleFunction<Series> reading) {
        meters.put(series, register(series, reading));
    }

    final void remove(HistogramSeries series) {
        Meter meter = meters.remove(series);
        if (meter != null) {
            registry.remove(meter);
            removed(series, meter);
        }
    }

    final void close() {
        new IdentityHashMap<>(meters).keySet().forEach(this::remove);
    }

    Meter register(HistogramSeries series, ToDoubleFunction<Series> reading) {
        return FunctionTimer.builder(
                        series.family.toString(),
                        series,
                        any -> (long) reading.applyAsDouble(series),
                        any -> series.sumNanos(),
                        TimeUnit.NANOSECONDS)
                .tags(series.tags)
                .description(series.family.description())
                .register(registry);
    }

    /** Lets go of a series whose meter is gone. */
    void removed(HistogramSeries series, Meter meter) {}
}
