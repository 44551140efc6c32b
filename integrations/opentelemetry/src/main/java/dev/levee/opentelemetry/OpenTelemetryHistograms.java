package dev.levee.opentelemetry;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.metrics.export.MetricProducer;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exports the histograms of sources, such as the durations of calls of a {@code CallMeter}, by OpenTelemetry's SDK.
 *
 * <pre>{@code
 * SdkMeterProvider.builder()
 *         .registerMetricReader(reader)
 *         .registerMetricProducer(OpenTelemetryHistograms.of(List.of(payments)))
 *         .build();
 * }</pre>
 *
 * <p>Beside {@link OpenTelemetryMetrics}, which has all other figures: the API has no histogram that is read instead of
 * written, so this one goes to the SDK when it is built (with the autoconfigured SDK by
 * {@code addMeterProviderCustomizer}), and needs {@code opentelemetry-sdk-metrics}. Names and attributes are those of
 * the other figures: {@code levee.meter.duration} in seconds, with {@code name} and the tags of the metric. The bounds
 * are the {@linkplain LatencyHistogram#bounds() 45 fixed ones}, so that those of several processes add up. Counts are
 * cumulative, whatever temporality an exporter prefers, and never fall. As those of the other figures they are all that
 * a source has counted, also before this was made, while the start of each point is the moment when this was made: make
 * it before the first call, so that no backend takes what came earlier for a burst.
 *
 * <p>Between collections nothing is done. A source that throws is logged once and left out until it works again.
 * Thread-safe. See ADR 184.
 *
 * @since 0.1
 */
public final class OpenTelemetryHistograms implements MetricProducer {
    private static final Logger LOG = LoggerFactory.getLogger(OpenTelemetryHistograms.class);

    private static final InstrumentationScopeInfo SCOPE = InstrumentationScopeInfo.create(Tracing.SCOPE);

    /** In seconds. */
    private static final List<Double> BOUNDARIES = IntStream.range(0, LatencyHistogram.bounds())
            .mapToObj(index -> LatencyHistogram.boundNanos(index) / 1e9)
            .toList();

    private final List<Measured> sources;
    private final InstantSource clock;
    private final long startEpochNanos;

    /** Sources that have thrown at the last collection. */
    private final Set<Measured> failing = ConcurrentHashMap.newKeySet();

    /** Of what follows; no code of users runs under it. */
    private final ReentrantLock lock = new ReentrantLock();

    /** What was exported last of each series that was there. */
    private Map<SeriesKey, LatencyHistogram> shown = new HashMap<>();

    private OpenTelemetryHistograms(List<? extends Measured> sources, Environment environment) {
        this.sources = List.copyOf(Require.nonNull("sources", sources));
        this.clock = Require.nonNull("environment", environment).wallClock();
        this.startEpochNanos = nowEpochNanos();
    }

    /** A series: a metric with the values of its attributes. */
    private record SeriesKey(Metric metric, Attributes attributes) {}

    /**
     * Returns what an SDK asks for histograms.
     *
     * @param sources what is measured; asked at each collection
     * @return a producer for {@code SdkMeterProviderBuilder.registerMetricProducer}
     * @throws NullPointerException if {@code sources} is null, or a source
     */
    public static OpenTelemetryHistograms of(List<? extends Measured> sources) {
        return of(sources, Environment.system());
    }

    /**
     * Returns what an SDK asks for histograms.
     *
     * @param sources what is measured; asked at each collection
     * @param environment gives the times of the points
     * @return a producer for {@code SdkMeterProviderBuilder.registerMetricProducer}
     * @throws NullPointerException if an argument is null, or a source
     */
    public static OpenTelemetryHistograms of(List<? extends Measured> sources, Environment environment) {
        return new OpenTelemetryHistograms(sources, environment);
    }

    @Override
    public Collection<MetricData> produce(Resource resource) {
        Map<SeriesKey, LatencyHistogram> now = new LinkedHashMap<>();
        for (Measured source : sources) {
            try {
                source.measure(new HistogramSink(now));
                failing.remove(source);
            } catch (Throwable thrown) {
                if (failing.add(source)) {
                    SafeLog.warn(
                            LOG, "histograms of {}: it threw, and is left out until it works again", source, thrown);
                }
            }
        }
        long epochNanos = nowEpochNanos();
        Map<Metric, List<HistogramPointData>> points = new LinkedHashMap<>();
        lock.lock();
        try {
            now.forEach((key, histogram) -> {
                LatencyHistogram before = shown.get(key);
                if (before != null) {
                    histogram.raiseTo(before);
                }
                points.computeIfAbsent(key.metric(), metric -> new ArrayList<>())
                        .add(point(key.attributes(), histogram, epochNanos));
            });
            shown = now;
        } finally {
            lock.unlock();
        }
        List<MetricData> all = new ArrayList<>();
        points.forEach((metric, of) -> all.add(new HistogramMetric(
                resource, metric, HistogramData.create(AggregationTemporality.CUMULATIVE, List.copyOf(of)))));
        return all;
    }

    private HistogramPointData point(Attributes attributes, LatencyHistogram histogram, long epochNanos) {
        List<Long> counts = new ArrayList<>(LatencyHistogram.bounds() + 1);
        long below = 0;
        for (int i = 0; i < LatencyHistogram.bounds(); i++) {
            long upTo = histogram.countUpTo(i);
            counts.add(upTo - below);
            below = upTo;
        }
        counts.add(histogram.count() - below);
        double sum = histogram.sumNanos() / 1e9;
        return HistogramPointData.create(
                startEpochNanos, epochNanos, attributes, sum, false, 0, false, 0, BOUNDARIES, counts);
    }

    private long nowEpochNanos() {
        Instant now = clock.instant();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    /** Reads the histograms of a source; two of one name and attributes add up. */
    private static final class HistogramSink implements Measured.Sink {
        private final Map<SeriesKey, LatencyHistogram> into;

        HistogramSink(Map<SeriesKey, LatencyHistogram> into) {
            this.into = into;
        }

        @Override
        public void value(String policy, String metric, double value) {
            // the other figures are not for this
        }

        @Override
        public void value(String policy, Metric metric, List<String> tags, double value) {
            // neither are these, and a flat name need not be made
        }

        @Override
        public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
            LatencyHistogram read = new LatencyHistogram();
            source.read(read);
            SeriesKey key = new SeriesKey(
                    metric,
                    OpenTelemetryMetrics.attributes(policy, metric, tags).build());
            LatencyHistogram other = into.putIfAbsent(key, read);
            if (other != null) {
                other.add(read);
            }
        }
    }

    /** A histogram with its description, as the SDK passes it to exporters. */
    private record HistogramMetric(Resource resource, Metric metric, HistogramData data) implements MetricData {
        @Override
        public Resource getResource() {
            return resource;
        }

        @Override
        public InstrumentationScopeInfo getInstrumentationScopeInfo() {
            return SCOPE;
        }

        @Override
        public String getName() {
            return "levee." + metric.name();
        }

        @Override
        public String getDescription() {
            return metric.description();
        }

        @Override
        public String getUnit() {
            return "s";
        }

        @Override
        public MetricDataType getType() {
            return MetricDataType.HISTOGRAM;
        }

        @Override
        public HistogramData getData() {
            return data;
        }
    }
}
