package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.testing.ManualTime;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HistogramMetersTest {
    static final Metric TIME = Metric.histogram("part.time", "Time.", "outcome");

    final ManualTime time = new ManualTime();
    final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final SimpleMeterRegistry simple = new SimpleMeterRegistry();
    final Map<String, LatencyHistogram> histograms = new LinkedHashMap<>();
    final Measured source =
            sink -> histograms.forEach((name, histogram) -> sink.histogram(name, TIME, List.of("success"), into -> {
                into.clear();
                into.add(histogram);
            }));

    LeveeMeters bind(MetersConfig config, MeterRegistry registry) {
        LeveeMeters meters = LeveeMeters.of(config, time.environment(), List.of(source));
        meters.bindTo(registry);
        return meters;
    }

    LeveeMeters bind(MeterRegistry registry) {
        return bind(MetersConfig.builder().build(), registry);
    }

    LatencyHistogram histogram(String name, long... nanos) {
        LatencyHistogram histogram = histograms.computeIfAbsent(name, any -> new LatencyHistogram());
        for (long each : nanos) {
            histogram.record(each);
        }
        return histogram;
    }

    static List<String> lines(PrometheusMeterRegistry registry, String start) {
        return registry.scrape().lines().filter(line -> line.startsWith(start)).toList();
    }

    @Test
    void prometheus_gets_cumulative_buckets_that_can_be_added() {
        histogram("a", 16_384, 16_385, 1_000_000_000, 100_000_000_000L);
        prometheus.config().commonTags("app", "shop");
        bind(prometheus);

        String text = prometheus.scrape();
        assertThat(text)
                .contains("# TYPE levee_part_time_seconds histogram", "# HELP levee_part_time_seconds Time.")
                .contains("levee_part_time_seconds_count{app=\"shop\",name=\"a\",outcome=\"success\"} 4")
                .contains("levee_part_time_seconds_sum{app=\"shop\",name=\"a\",outcome=\"success\"} 101.000032769");
        List<String> buckets = lines(prometheus, "levee_part_time_seconds_bucket");
        assertThat(buckets).hasSize(LatencyHistogram.bounds() + 1);
        assertThat(buckets.get(0))
                .isEqualTo("levee_part_time_seconds_bucket{app=\"shop\",name=\"a\",outcome=\"success\","
                        + "le=\"1.6384E-5\"} 1");
        assertThat(buckets.get(1)).endsWith("le=\"2.4576E-5\"} 2");
        assertThat(buckets.get(buckets.size() - 2)).endsWith("} 3");
        assertThat(buckets.get(buckets.size() - 1)).endsWith("le=\"+Inf\"} 4");
        assertThat(text.lines().filter(line -> line.startsWith("# TYPE levee_part_time")))
                .hasSize(1);
    }

    @Test
    void other_registries_get_count_and_sum() {
        histogram("a", 1_000_000, 3_000_000);
        bind(simple);
        FunctionTimer timer = simple.get("levee.part.time").tags("name", "a").functionTimer();

        assertThat(timer.count()).isEqualTo(2);
        assertThat(timer.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(4);
        histogram("a", 1_000_000);
        assertThat(timer.count()).isEqualTo(3);
    }

    @Test
    void in_a_composite_each_registry_has_its_own_form_also_one_that_comes_later() {
        CompositeMeterRegistry composite = new CompositeMeterRegistry();
        composite.add(simple);
        histogram("a", 1_000_000);
        LeveeMeters meters = bind(composite);
        composite.add(prometheus);
        time.advance(Duration.ofSeconds(2));
        prometheus.scrape();

        assertThat(simple.get("levee.part.time").functionTimer().count()).isEqualTo(1);
        assertThat(lines(prometheus, "levee_part_time_seconds_count")).hasSize(1);
        assertThat(lines(prometheus, "# TYPE levee_part_time"))
                .containsExactly("# TYPE levee_part_time_seconds histogram");
        composite.remove(prometheus);
        time.advance(Duration.ofSeconds(2));
        simple.get("levee.part.time").functionTimer().count();
        assertThat(lines(prometheus, "levee_part_time_seconds")).isEmpty();
        meters.close();
        assertThat(simple.find("levee.part.time").meters()).isEmpty();
    }

    @Test
    void a_histogram_does_not_fall_and_goes_with_its_source() {
        histogram("a", 1_000, 1_000, 1_000);
        LeveeMeters meters = bind(prometheus);
        assertThat(lines(prometheus, "levee_part_time_seconds_count").get(0)).endsWith(" 3");
        histograms.put("a", new LatencyHistogram());
        histogram("a", 5_000);
        assertThat(lines(prometheus, "levee_part_time_seconds_count").get(0)).endsWith(" 4");
        histograms.clear();
        prometheus.scrape();
        assertThat(prometheus.scrape()).doesNotContain("levee_part_time");
        histogram("a", 5_000);
        prometheus.scrape();
        assertThat(lines(prometheus, "levee_part_time_seconds_count").get(0)).endsWith(" 1");
        meters.close();
        assertThat(prometheus.scrape()).doesNotContain("levee_");
    }

    @Test
    void beyond_the_cap_the_rest_is_one_histogram() {
        for (int i = 0; i < 100; i++) {
            histogram("key" + i, 1_000);
        }
        bind(MetersConfig.builder().maxSeries(2).build(), prometheus);

        assertThat(lines(prometheus, "levee_part_time_seconds_count"))
                .hasSize(3)
                .contains("levee_part_time_seconds_count{name=\"_other\",outcome=\"_other\"} 98");
    }

    @Test
    void two_objects_on_one_registry_do_not_fail_its_scrape() {
        histogram("a", 1_000);
        LeveeMeters first = bind(prometheus);
        LeveeMeters second = bind(prometheus);
        assertThat(lines(prometheus, "levee_part_time_seconds_count")).hasSize(1);
        second.close();
        assertThat(lines(prometheus, "# TYPE levee_part_time_seconds histogram"))
                .hasSizeBetween(0, 1);
        first.close();
        assertThat(prometheus.scrape()).doesNotContain("levee_part_time");
    }

    @Test
    void filters_hold_for_histograms() {
        prometheus.config().meterFilter(MeterFilter.denyNameStartsWith("levee.part"));
        simple.config().meterFilter(MeterFilter.denyNameStartsWith("levee.part"));
        histogram("a", 1_000);
        bind(prometheus).bindTo(simple);

        assertThat(prometheus.scrape()).doesNotContain("levee_part");
        assertThat(simple.find("levee.part.time").meters()).isEmpty();
    }

    @Test
    void the_golden_signals_are_scraped_whole() {
        CallMeter meter = CallMeter.of("catalog", time.environment());
        LeveeMeters.of(MetersConfig.builder().build(), time.environment(), List.of(meter))
                .bindTo(prometheus);
        meter.run(() -> time.advance(Duration.ofMillis(100)));
        String text = prometheus.scrape();

        assertThat(text)
                .contains("levee_meter_duration_seconds_count{name=\"catalog\",outcome=\"success\"} 1")
                .contains("levee_meter_in_flight{name=\"catalog\"} 0.0");
        assertThat(text.lines()
                        .filter(line -> line.startsWith("# TYPE "))
                        .map(line -> line.substring(0, line.lastIndexOf(' '))))
                .doesNotHaveDuplicates();
    }
}
