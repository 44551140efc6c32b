package dev.levee.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.policy.Bulkhead;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OpenTelemetryMetricsTest {
    private enum Light {
        RED,
        YELLOW,
        GREEN
    }

    private static final Metric CALLS = Metric.counter("light.calls", "The calls.", "verdict");
    private static final Metric WAITED =
            Metric.counter("light.waited", Metric.Unit.NANOSECONDS, "The time that calls have waited.");
    private static final Metric WEIGHT = Metric.gauge("light.weight", Metric.Unit.BYTES, "What is held.");
    private static final Metric SHARE = Metric.gauge("light.share", Metric.Unit.RATIO, "The share.");
    private static final Metric STATE = Metric.state("light.state", "The light.", Light.class);

    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    private final InMemoryMetricReader other = InMemoryMetricReader.create();
    private final OpenTelemetrySdk telemetry = OpenTelemetrySdk.builder()
            .setMeterProvider(SdkMeterProvider.builder()
                    .registerMetricReader(reader)
                    .registerMetricReader(other)
                    .build())
            .build();

    @AfterEach
    void close() {
        telemetry.close();
    }

    private Map<String, MetricData> collect() {
        Map<String, MetricData> byName = new HashMap<>();
        reader.collectAllMetrics().forEach(metric -> byName.put(metric.getName(), metric));
        return byName;
    }

    private static void figures(Measured.Sink sink) {
        sink.value("crossing", CALLS, List.of("success"), 7);
        sink.value("crossing", CALLS, List.of("failure"), 2);
        sink.value("crossing", WAITED, 1_500_000_000.0);
        sink.value("crossing", WEIGHT, 4096);
        sink.value("crossing", SHARE, 0.25);
        sink.value("crossing", STATE, 1);
        sink.value("crossing", "light.plain.figure", 3.5);
    }

    private static Map<Attributes, Long> longs(java.util.Collection<LongPointData> points) {
        Map<Attributes, Long> values = new HashMap<>();
        points.forEach(point -> values.put(point.getAttributes(), point.getValue()));
        return values;
    }

    private static Attributes attributes(String... pairs) {
        var builder = Attributes.builder();
        for (int i = 0; i < pairs.length; i += 2) {
            builder.put(pairs[i], pairs[i + 1]);
        }
        return builder.build();
    }

    @Test
    void the_first_collection_has_all_figures_by_kind_unit_and_attributes() {
        OpenTelemetryMetrics.register(telemetry, List.of(OpenTelemetryMetricsTest::figures));

        Map<String, MetricData> all = collect();

        assertThat(all).hasSize(6);
        MetricData calls = all.get("levee.light.calls");
        assertThat(calls.getType()).isEqualTo(MetricDataType.LONG_SUM);
        assertThat(calls.getLongSumData().isMonotonic()).isTrue();
        assertThat(calls.getUnit()).isEqualTo("{call}");
        assertThat(calls.getDescription()).isEqualTo("The calls.");
        assertThat(longs(calls.getLongSumData().getPoints()))
                .containsOnly(
                        Map.entry(attributes("name", "crossing", "verdict", "success"), 7L),
                        Map.entry(attributes("name", "crossing", "verdict", "failure"), 2L));
        MetricData waited = all.get("levee.light.waited");
        assertThat(waited.getUnit()).isEqualTo("s");
        assertThat(waited.getDoubleSumData().isMonotonic()).isTrue();
        assertThat(waited.getDoubleSumData().getPoints().iterator().next().getValue())
                .isEqualTo(1.5);
        assertThat(all.get("levee.light.weight").getUnit()).isEqualTo("By");
        assertThat(all.get("levee.light.share").getUnit()).isEqualTo("1");
        assertThat(all.get("levee.light.share").getType()).isEqualTo(MetricDataType.DOUBLE_GAUGE);
        assertThat(all.get("levee.light.plain.figure").getDoubleGaugeData().getPoints())
                .singleElement()
                .satisfies(point -> assertThat(point.getValue()).isEqualTo(3.5));
    }

    @Test
    void a_state_is_one_series_for_each_state_that_can_be_summed() {
        OpenTelemetryMetrics.register(telemetry, List.of(OpenTelemetryMetricsTest::figures));

        MetricData state = collect().get("levee.light.state");

        assertThat(state.getType()).isEqualTo(MetricDataType.LONG_SUM);
        assertThat(state.getLongSumData().isMonotonic()).isFalse();
        assertThat(longs(state.getLongSumData().getPoints()))
                .containsOnly(
                        Map.entry(attributes("name", "crossing", "state", "red"), 0L),
                        Map.entry(attributes("name", "crossing", "state", "yellow"), 1L),
                        Map.entry(attributes("name", "crossing", "state", "green"), 0L));
    }

    @Test
    void a_collection_asks_each_source_once() {
        AtomicInteger asked = new AtomicInteger();
        OpenTelemetryMetrics.register(telemetry, List.of(sink -> {
            asked.incrementAndGet();
            figures(sink);
        }));
        assertThat(asked).hasValue(1);

        collect();
        assertThat(asked).hasValue(2);
        collect();
        assertThat(asked).hasValue(3);
    }

    @Test
    void a_metric_that_comes_later_is_part_of_the_next_collection() {
        AtomicInteger asked = new AtomicInteger();
        OpenTelemetryMetrics.register(telemetry, List.of(sink -> {
            sink.value("crossing", SHARE, 0.5);
            if (asked.incrementAndGet() > 1) {
                sink.value("crossing", CALLS, List.of("success"), 1);
            }
        }));

        assertThat(collect()).containsOnlyKeys("levee.light.share");
        assertThat(collect()).containsOnlyKeys("levee.light.share", "levee.light.calls");
    }

    @Test
    void series_that_are_no_longer_passed_disappear() {
        AtomicInteger asked = new AtomicInteger();
        OpenTelemetryMetrics.register(telemetry, List.of(sink -> {
            sink.value("stays", SHARE, 0.5);
            if (asked.incrementAndGet() < 3) {
                sink.value("goes", SHARE, 0.5);
            }
        }));

        assertThat(collect().get("levee.light.share").getDoubleGaugeData().getPoints())
                .hasSize(2);
        assertThat(collect().get("levee.light.share").getDoubleGaugeData().getPoints())
                .hasSize(1);
    }

    @Test
    void a_source_that_throws_costs_the_others_nothing() {
        Measured broken = sink -> {
            throw new IllegalStateException("broken");
        };
        OpenTelemetryMetrics.register(telemetry, List.of(broken, OpenTelemetryMetricsTest::figures));

        assertThat(collect()).hasSize(6);
        assertThat(collect()).hasSize(6);
    }

    @Test
    void a_figure_that_is_no_number_is_left_out() {
        OpenTelemetryMetrics.register(telemetry, List.of(sink -> sink.value("crossing", SHARE, Double.NaN)));

        assertThat(collect()).isEmpty();
    }

    @Test
    void after_a_close_nothing_is_asked_or_exported() {
        AtomicInteger asked = new AtomicInteger();
        OpenTelemetryMetrics metrics = OpenTelemetryMetrics.register(telemetry, List.of(sink -> {
            asked.incrementAndGet();
            figures(sink);
        }));

        metrics.close();
        metrics.close();

        assertThat(collect()).isEmpty();
        assertThat(asked).hasValue(1);
    }

    @Test
    void two_readers_at_the_same_time_get_all_figures() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        OpenTelemetryMetrics.register(telemetry, List.of(sink -> {
            figures(sink);
            int known = asked.incrementAndGet() / 2;
            for (int i = 0; i < known; i++) {
                sink.value("crossing", "later.figure." + (char) ('a' + i % 26), i);
            }
        }));
        ExecutorService threads = Executors.newFixedThreadPool(2);
        CountDownLatch start = new CountDownLatch(1);
        List<Future<?>> both = List.of(reader, other).stream()
                .<Future<?>>map(each -> threads.submit(() -> {
                    start.await();
                    for (int i = 0; i < 50; i++) {
                        each.collectAllMetrics();
                    }
                    return null;
                }))
                .toList();
        start.countDown();
        for (Future<?> each : both) {
            each.get(30, TimeUnit.SECONDS);
        }
        threads.shutdown();

        assertThat(collect()).hasSize(6 + 26);
    }

    @Test
    void the_figures_of_a_policy_are_exported() {
        Bulkhead bulkhead = Bulkhead.of("payments", 3);
        OpenTelemetryMetrics.register(telemetry, List.of((Measured) bulkhead));

        bulkhead.run(() -> assertThat(collect()
                        .get("levee.bulkhead.in.flight")
                        .getDoubleGaugeData()
                        .getPoints())
                .singleElement()
                .satisfies(point -> {
                    assertThat(point.getValue()).isEqualTo(1);
                    assertThat(point.getAttributes()).isEqualTo(attributes("name", "payments"));
                }));
    }

    @Test
    void nothing_and_null_are_told_apart() {
        OpenTelemetryMetrics.register(telemetry, List.of()).close();

        assertThatNullPointerException().isThrownBy(() -> OpenTelemetryMetrics.register(telemetry, null));
    }
}
