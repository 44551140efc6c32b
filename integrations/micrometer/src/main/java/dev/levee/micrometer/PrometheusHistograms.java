package dev.levee.micrometer;

import dev.levee.core.histogram.LatencyHistogram;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.core.instrument.noop.NoopMeter;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.Exemplars;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Histograms with buckets in Prometheus' own form. A function cannot be a histogram in Micrometer, so they go to the
 * registry of Prometheus that is below; an empty meter for each gives name, tags and filters as Micrometer has them.
 * See ADR 122.
 */
final class PrometheusHistograms extends LeafHistograms {
    private final PrometheusMeterRegistry prometheus;

    private PrometheusHistograms(PrometheusMeterRegistry registry) {
        super(registry);
        this.prometheus = registry;
    }

    static LeafHistograms of(MeterRegistry registry) {
        return registry instanceof PrometheusMeterRegistry prometheus
                ? new PrometheusHistograms(prometheus)
                : new LeafHistograms(registry);
    }

    @Override
    Meter register(HistogramSeries series, ToDoubleFunction<Series> reading) {
        Meter place = Meter.builder(series.family.toString(), Meter.Type.TIMER, List.<Measurement>of())
                .tags(series.tags)
                .description(series.family.description())
                .register(registry);
        if (!(place instanceof NoopMeter)) {
            HistogramEntry entry = new HistogramEntry(series, reading);
            Collected collected;
            do { // until it was put into one that is still there
                collected = Collected.of(prometheus);
                collected.series.putIfAbsent(place, entry);
            } while (Collected.of(prometheus) != collected);
        }
        return place;
    }

    @Override
    void removed(HistogramSeries series, Meter place) {
        if (place instanceof NoopMeter) {
            return;
        }
        Collected collected = Collected.of(prometheus);
        collected.series.computeIfPresent(place, (any, entry) -> entry.series == series ? null : entry);
        collected.removeIfEmpty();
    }

    /** A histogram, and what begins a poll if one is due. */
    private record HistogramEntry(HistogramSeries series, ToDoubleFunction<Series> reading) {}

    /**
     * The one collector of a registry: two with series of one name would fail the scrape. The registry itself holds it,
     * as the measurements, of which there are none, of a meter.
     */
    private static final class Collected implements MultiCollector, Iterable<Measurement> {
        private static final double[] BOUNDS = bounds();

        final Map<Meter, HistogramEntry> series = new ConcurrentHashMap<>();
        private final PrometheusMeterRegistry registry;

        /** The meter that holds this. */
        private volatile @Nullable Meter holder;

        private Collected(PrometheusMeterRegistry registry) {
            this.registry = registry;
        }

        static Collected of(PrometheusMeterRegistry registry) {
            Collected mine = new Collected(registry);
            Meter holder = Meter.builder("levee.histograms", Meter.Type.OTHER, mine)
                    .description("Has no series; holds the histograms of Levee.")
                    .register(registry);
            if (holder.measure() instanceof Collected before && before != mine) {
                return before;
            }
            mine.holder = holder;
            registry.getPrometheusRegistry().register(mine);
            return mine;
        }

        void removeIfEmpty() {
            Meter held = holder;
            if (held != null && series.isEmpty()) {
                registry.remove(held);
                registry.getPrometheusRegistry().unregister(this);
            }
        }

        private static double[] bounds() {
            double[] seconds = new double[HistogramSeries.BOUNDS + 1];
            for (int i = 0; i < HistogramSeries.BOUNDS; i++) {
                seconds[i] = LatencyHistogram.boundNanos(i) / 1e9;
            }
            seconds[HistogramSeries.BOUNDS] = Double.POSITIVE_INFINITY;
            return seconds;
        }

        @Override
        public Iterator<Measurement> iterator() {
            return Collections.emptyIterator();
        }

        @Override
        public MetricSnapshots collect() {
            NamingConvention naming = registry.config().namingConvention();
            Map<String, List<HistogramDataPointSnapshot>> byName = new TreeMap<>();
            Map<String, String> help = new TreeMap<>();
            series.forEach((place, entry) -> {
                Meter.Id id = place.getId();
                String name = id.getConventionName(naming);
                help.putIfAbsent(name, String.valueOf(id.getDescription()));
                byName.computeIfAbsent(name, any -> new ArrayList<>()).add(point(entry, labels(id, naming)));
            });
            List<MetricSnapshot> all = new ArrayList<>();
            byName.forEach(
                    (name, points) -> all.add(new HistogramSnapshot(new MetricMetadata(name, help.get(name)), points)));
            return new MetricSnapshots(all);
        }

        @SuppressWarnings("ReturnValueIgnored") // begins a poll if one is due
        private static HistogramDataPointSnapshot point(HistogramEntry entry, Labels labels) {
            entry.reading.applyAsDouble(entry.series);
            return new HistogramDataPointSnapshot(
                    ClassicHistogramBuckets.of(BOUNDS, entry.series.buckets()),
                    entry.series.sumSeconds(),
                    labels,
                    Exemplars.EMPTY,
                    0);
        }

        private static Labels labels(Meter.Id id, NamingConvention naming) {
            List<Tag> tags = id.getConventionTags(naming);
            return Labels.of(
                    tags.stream().map(Tag::getKey).toArray(String[]::new),
                    tags.stream().map(Tag::getValue).toArray(String[]::new));
        }
    }
}
