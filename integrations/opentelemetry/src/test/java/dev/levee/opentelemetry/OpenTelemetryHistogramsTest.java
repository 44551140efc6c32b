package dev.levee.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.testing.ManualTime;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OpenTelemetryHistogramsTest {
    private static final Metric TIMES = Metric.histogram("thing.time", "The time.", "verdict");

    private final ManualTime time = new ManualTime();
    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private void export(Measured... sources) {
        open.add(SdkMeterProvider.builder()
                .registerMetricReader(reader)
                .registerMetricProducer(OpenTelemetryHistograms.of(List.of(sources)))
                .build());
    }

    private Collection<HistogramPointData> points() {
        Collection<MetricData> all = reader.collectAllMetrics();
        assertThat(all).hasSizeLessThanOrEqualTo(1);
        return all.isEmpty()
                ? List.of()
                : all.iterator().next().getHistogramData().getPoints();
    }

    private static LatencyHistogram.Source of(long... nanos) {
        LatencyHistogram histogram = new LatencyHistogram();
        Arrays.stream(nanos).forEach(histogram::record);
        return into -> {
            into.clear();
            into.add(histogram);
        };
    }

    @Test
    void durations_of_calls_are_a_histogram_in_seconds_for_each_verdict() {
        CallMeter meter = CallMeter.of("shop", config -> {}, time.environment());
        export(meter);
        for (int millis : new int[] {1, 20, 20, 300}) {
            meter.call(() -> {
                time.advance(Duration.ofMillis(millis));
                return "";
            });
        }

        MetricData metric = reader.collectAllMetrics().iterator().next();
        assertThat(metric.getName()).isEqualTo("levee.meter.duration");
        assertThat(metric.getUnit()).isEqualTo("s");
        assertThat(metric.getType()).isEqualTo(MetricDataType.HISTOGRAM);
        assertThat(metric.getInstrumentationScopeInfo().getName()).isEqualTo(Tracing.SCOPE);
        assertThat(metric.getHistogramData().getAggregationTemporality()).isEqualTo(AggregationTemporality.CUMULATIVE);
        HistogramPointData success = metric.getHistogramData().getPoints().stream()
                .filter(point -> "success".equals(point.getAttributes().get(AttributeKey.stringKey("outcome"))))
                .findFirst()
                .orElseThrow();
        assertThat(success.getAttributes().get(AttributeKey.stringKey("name"))).isEqualTo("shop");
        assertThat(success.getCount()).isEqualTo(4);
        assertThat(success.getSum()).isBetween(0.341 * 31 / 32, 0.341 * 33 / 32);
        assertThat(success.getBoundaries()).hasSize(LatencyHistogram.bounds()).isSorted();
        assertThat(success.getCounts()).hasSize(LatencyHistogram.bounds() + 1);
        for (int i = 0; i < success.getCounts().size(); i++) {
            double above = i == 0 ? 0 : success.getBoundaries().get(i - 1);
            double upTo = i == success.getBoundaries().size()
                    ? Double.POSITIVE_INFINITY
                    : success.getBoundaries().get(i);
            long wanted = Arrays.stream(new double[] {0.001, 0.02, 0.02, 0.3})
                    .filter(seconds -> seconds > above && seconds <= upTo)
                    .count();
            assertThat(success.getCounts().get(i)).as("up to %s s", upTo).isEqualTo(wanted);
        }
        assertThat(success.getStartEpochNanos()).isPositive().isLessThanOrEqualTo(success.getEpochNanos());
    }

    @Test
    void durations_longer_than_the_last_bound_are_in_the_bucket_above_it() {
        export(sink -> sink.histogram(
                "x", TIMES, List.of("success"), of(Duration.ofMinutes(10).toNanos())));
        List<Long> counts = points().iterator().next().getCounts();
        assertThat(counts.get(counts.size() - 1)).isEqualTo(1);
    }

    @Test
    void two_of_one_name_add_up_and_other_figures_are_left_out() {
        Measured source = sink -> {
            sink.histogram("x", TIMES, List.of("success"), of(1_000_000));
            sink.value("x", "thing.size", 3);
            sink.value("x", Metric.gauge("thing.depth", "The depth."), 3);
        };
        export(source, source);
        assertThat(points())
                .singleElement()
                .satisfies(point -> assertThat(point.getCount()).isEqualTo(2));
    }

    @Test
    void counts_never_fall_when_a_policy_is_replaced() {
        AtomicReference<LatencyHistogram.Source> source = new AtomicReference<>(of(1_000_000, 2_000_000, 2_000_000));
        export(sink -> sink.histogram("x", TIMES, List.of("success"), source.get()));
        HistogramPointData before = points().iterator().next();
        source.set(of(5_000_000));
        HistogramPointData after = points().iterator().next();
        for (int i = 0; i < before.getCounts().size(); i++) {
            assertThat(after.getCounts().get(i))
                    .isGreaterThanOrEqualTo(before.getCounts().get(i));
        }
        assertThat(after.getCount()).isEqualTo(4);
        assertThat(after.getSum()).isGreaterThanOrEqualTo(before.getSum());
    }

    @Test
    void a_series_that_is_gone_is_not_exported_any_more() {
        AtomicReference<String> name = new AtomicReference<>("x");
        export(sink -> sink.histogram(name.get(), TIMES, List.of("success"), of(1)));
        points();
        name.set("y");
        assertThat(points())
                .singleElement()
                .satisfies(point -> assertThat(point.getAttributes().get(AttributeKey.stringKey("name")))
                        .isEqualTo("y"));
    }

    @Test
    void a_source_that_throws_leaves_the_others() {
        export(
                sink -> {
                    throw new IllegalStateException("broken");
                },
                sink -> sink.histogram("x", TIMES, List.of("success"), of(1)));
        assertThat(points()).hasSize(1);
        assertThat(points()).hasSize(1);
    }

    @Test
    void sources_must_be_there() {
        assertThatNullPointerException()
                .isThrownBy(() -> OpenTelemetryHistograms.of(null))
                .withMessage("sources");
    }
}
