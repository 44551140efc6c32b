package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LeveeMetersTest {
    enum Light {
        RED,
        HALF_GREEN,
        GREEN
    }

    static final Metric CALLS = Metric.counter("part.calls", "Calls.", "verdict");
    static final Metric DONE = Metric.counter("part.done", "Done.");
    static final Metric SPENT = Metric.counter("part.spent", Metric.Unit.NANOSECONDS, "Time spent.");
    static final Metric SIZE = Metric.gauge("part.size", "Size.");
    static final Metric AGE = Metric.gauge("part.age", Metric.Unit.NANOSECONDS, "Age.");
    static final Metric LOAD = Metric.gauge("part.load", Metric.Unit.RATIO, "Load.");
    static final Metric ROOM = Metric.gauge("part.room", Metric.Unit.BYTES, "Room.");
    static final Metric LIGHT = Metric.state("part.light", "Light.", Light.class);

    final ManualTime time = new ManualTime();
    final Figures figures = new Figures();
    final SimpleMeterRegistry simple = new SimpleMeterRegistry();
    final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    LeveeMeters meters(Measured... sources) {
        return meters(MetersConfig.builder().build(), sources);
    }

    LeveeMeters meters(MetersConfig config, Measured... sources) {
        return LeveeMeters.of(config, time.environment(), List.of(sources));
    }

    /** Makes what was read older than a scrape. */
    void later() {
        time.advance(Duration.ofSeconds(15));
    }

    double value(MeterRegistry registry, String name, String... tags) {
        Meter meter = registry.get(name).tags(tags).meter();
        return meter.measure().iterator().next().getValue();
    }

    static Set<String> names(MeterRegistry registry) {
        Set<String> all = new TreeSet<>();
        for (Meter meter : registry.getMeters()) {
            if (!meter.getId().getName().startsWith("levee.meters.")) {
                all.add(meter.getId().getName() + meter.getId().getTags());
            }
        }
        return all;
    }

    static List<String> lines(String scrape) {
        return scrape.lines().filter(line -> !line.contains("levee_meters_")).toList();
    }

    @Test
    void names_units_kinds_and_help_are_those_of_prometheus() {
        figures.set("a", CALLS, 3, "failed")
                .set("a", DONE, 4)
                .set("a", SPENT, 2.5e9)
                .set("a", SIZE, 5)
                .set("a", AGE, 1.5e9)
                .set("a", LOAD, 0.25)
                .set("a", ROOM, 1024)
                .set("a", LIGHT, 1);
        meters(figures).bindTo(prometheus);

        assertThat(lines(prometheus.scrape()))
                .containsExactlyInAnyOrder(
                        "# HELP levee_part_calls_total Calls.",
                        "# TYPE levee_part_calls_total counter",
                        "levee_part_calls_total{name=\"a\",verdict=\"failed\"} 3.0",
                        "# HELP levee_part_done_total Done.",
                        "# TYPE levee_part_done_total counter",
                        "levee_part_done_total{name=\"a\"} 4.0",
                        "# HELP levee_part_spent_seconds_total Time spent.",
                        "# TYPE levee_part_spent_seconds_total counter",
                        "levee_part_spent_seconds_total{name=\"a\"} 2.5",
                        "# HELP levee_part_size Size.",
                        "# TYPE levee_part_size gauge",
                        "levee_part_size{name=\"a\"} 5.0",
                        "# HELP levee_part_age_seconds Age.",
                        "# TYPE levee_part_age_seconds gauge",
                        "levee_part_age_seconds{name=\"a\"} 1.5",
                        "# HELP levee_part_load Load.",
                        "# TYPE levee_part_load gauge",
                        "levee_part_load{name=\"a\"} 0.25",
                        "# HELP levee_part_room_bytes Room.",
                        "# TYPE levee_part_room_bytes gauge",
                        "levee_part_room_bytes{name=\"a\"} 1024.0",
                        "# HELP levee_part_light Light.",
                        "# TYPE levee_part_light gauge",
                        "levee_part_light{name=\"a\",state=\"red\"} 0.0",
                        "levee_part_light{name=\"a\",state=\"half_green\"} 1.0",
                        "levee_part_light{name=\"a\",state=\"green\"} 0.0");
    }

    @Test
    void a_figure_without_a_description_is_a_gauge_and_its_nanoseconds_are_seconds() {
        meters(sink -> {
                    sink.value("a", "old.size", 3);
                    sink.value("a", "old.delay.nanos", 3e9);
                })
                .bindTo(prometheus);

        assertThat(prometheus.scrape())
                .contains("# TYPE levee_old_size gauge", "levee_old_size{name=\"a\"} 3.0")
                .contains("levee_old_delay_seconds{name=\"a\"} 3.0");
    }

    @Test
    void all_meters_of_one_name_have_the_same_tag_keys() {
        figures.set("a", SIZE, 5);
        Metric tagged = Metric.gauge("part.size", "Size of something else.", "place");
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            meters(figures, sink -> sink.value("b", tagged, List.of("x"), 1), sink -> sink.value("c", "part.size", 7))
                    .bindTo(prometheus);
            prometheus.scrape();

            assertThat(log.lines()).singleElement().asString().contains("\"levee.part.size\"", "other tags");
        }
        assertThat(lines(prometheus.scrape()))
                .contains("levee_part_size{name=\"a\"} 5.0", "levee_part_size{name=\"c\"} 7.0")
                .noneMatch(line -> line.contains("place"));
    }

    @Test
    void metrics_of_one_name_and_different_kind_unit_or_tags_are_not_mixed() {
        for (Metric other : List.of(
                Metric.counter("part.same", "Other.", "place"),
                Metric.gauge("part.same", Metric.Unit.BYTES, "Other.", "place"),
                Metric.gauge("part.same", "Other.", "room"))) {
            PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
            Metric first = Metric.gauge("part.same", "First.", "place");
            meters(new Figures().set("a", first, 1, "x").set("b", other, 2, "y"))
                    .bindTo(registry);

            assertThat(lines(registry.scrape())).last().isEqualTo("levee_part_same{name=\"a\",place=\"x\"} 1.0");
            assertThat(registry.scrape()).doesNotContain("\"b\"");
        }
        Metric again = Metric.gauge("part.same", "The same, by another object.", "place");
        meters(figures.set("a", Metric.gauge("part.same", "First.", "place"), 1, "x")
                        .set("b", again, 2, "y"))
                .bindTo(simple);
        assertThat(names(simple)).hasSize(2);
    }

    @Test
    void a_source_may_read_meters() {
        List<Double> seen = new ArrayList<>();
        figures.set("a", SIZE, 1);
        LeveeMeters meters = meters(figures, sink -> {
            for (int i = 0; i < 3; i++) {
                simple.find("levee.part.size").gauges().forEach(gauge -> seen.add(gauge.value()));
            }
        });
        meters.bindTo(simple);
        later();
        assertThat(value(simple, "levee.part.size")).isEqualTo(1);
        assertThat(seen).containsOnly(1.0);
    }

    @Test
    void a_figure_with_the_wrong_number_of_tags_is_left_out() {
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            meters(sink -> sink.value("a", CALLS, List.of(), 1), figures.set("b", CALLS, 2, "failed"))
                    .bindTo(simple);

            assertThat(names(simple)).containsExactly("levee.part.calls[tag(name=b), tag(verdict=failed)]");
            assertThat(log.lines()).hasSize(1);
        }
    }

    @Test
    void common_tags_stand_on_every_meter() {
        MetersConfig config =
                MetersConfig.builder().commonTags(Tags.of("team", "blue")).build();
        figures.set("a", SIZE, 5).set("a", LIGHT, 0);
        meters(config, figures).bindTo(simple);

        assertThat(simple.getMeters())
                .allMatch(meter -> "blue".equals(meter.getId().getTag("team")));
    }

    @Test
    void wrong_settings_are_refused_with_name_bound_and_value() {
        assertThatThrownBy(() -> MetersConfig.builder().maxSeries(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxSeries must be from 1 to 100000, but was 0");
        assertThatThrownBy(() -> MetersConfig.builder().commonTags(List.of(Tag.of("state", "x"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("commonTags", "\"state\"");
        assertThatThrownBy(() -> LeveeMeters.of((Measured) null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> meters().bindTo(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void one_scrape_measures_each_source_once() {
        figures.set("a", SIZE, 5).set("a", DONE, 1).set("a", LIGHT, 1).set("b", SIZE, 5);
        meters(figures).bindTo(prometheus);
        int before = figures.measured;

        prometheus.scrape();
        assertThat(figures.measured).isEqualTo(before + 1);
        prometheus.scrape();
        assertThat(figures.measured).as("a second scrape, at once").isEqualTo(before + 2);
        later();
        prometheus.scrape();
        assertThat(figures.measured).as("and one later").isEqualTo(before + 3);
    }

    @Test
    void scrapes_of_other_threads_within_a_second_share_one_poll() throws Exception {
        figures.set("a", SIZE, 5).set("a", DONE, 1);
        meters(figures).bindTo(prometheus);
        prometheus.scrape();
        int before = figures.measured;
        var other = Executors.newSingleThreadExecutor();
        try {
            other.submit(() -> prometheus.scrape()).get(30, TimeUnit.SECONDS);
            assertThat(figures.measured).isEqualTo(before);
            time.advance(LeveeMeters.MAX_AGE);
            other.submit(() -> prometheus.scrape()).get(30, TimeUnit.SECONDS);
            assertThat(figures.measured).isEqualTo(before + 1);
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void calls_before_the_first_scrape_are_in_it() {
        figures.set("a", DONE, 1);
        meters(figures).bindTo(prometheus);
        figures.set("a", DONE, 2);

        assertThat(prometheus.scrape()).contains("levee_part_done_total{name=\"a\"} 2.0");
        figures.set("a", DONE, 3);
        assertThat(prometheus.scrape()).contains("levee_part_done_total{name=\"a\"} 3.0");
    }

    @Test
    void meters_are_those_of_what_is_there() {
        CompositeMeterRegistry composite = new CompositeMeterRegistry();
        SimpleMeterRegistry child = new SimpleMeterRegistry();
        PrometheusMeterRegistry scraped = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        child.config().meterFilter(MeterFilter.renameTag("levee", "name", "policy"));
        child.config().commonTags("host", "h");
        scraped.config().meterFilter(MeterFilter.renameTag("levee", "name", "policy"));
        composite.config().meterFilter(MeterFilter.replaceTagValues("name", value -> value + "!"));
        composite.add(child);
        composite.add(scraped);
        simple.config().commonTags("host", "h");
        prometheus.config().meterFilter(MeterFilter.renameTag("levee", "name", "policy"));
        figures.set("a", SIZE, 1).set("a", LIGHT, 0);
        LeveeMeters meters = meters(figures);
        meters.bindTo(simple);
        meters.bindTo(composite);
        meters.bindTo(prometheus);
        int own = MeterMetrics.all().size();

        figures.set("b", SIZE, 2).set("b", LIGHT, 1);
        later();
        readAll(simple);
        assertThat(names(simple)).hasSize(8);
        assertThat(names(composite)).hasSize(8);
        assertThat(names(child)).hasSize(8).contains("levee.part.size[tag(host=h), tag(policy=b!)]");
        assertThat(prometheus.scrape()).contains("levee_part_size{policy=\"b\"} 2.0");
        assertThat(scraped.scrape()).contains("levee_part_size{policy=\"b!\"} 2.0");

        figures.drop("a");
        later();
        readAll(simple);
        for (MeterRegistry registry : List.of(simple, composite, child, prometheus, scraped)) {
            assertThat(names(registry)).hasSize(4).noneMatch(name -> name.contains("=a"));
            assertThat(registry.getMeters()).hasSize(4 + own);
        }
        assertThat(prometheus.scrape()).doesNotContain("\"a\"");
        assertThat(scraped.scrape()).doesNotContain("\"a!\"");

        meters.close();
        for (MeterRegistry registry : List.of(simple, composite, child, prometheus, scraped)) {
            assertThat(registry.getMeters()).isEmpty();
        }
        assertThat(prometheus.scrape()).doesNotContain("levee_");
    }

    static void readAll(MeterRegistry registry) {
        for (Meter meter : registry.getMeters()) {
            meter.measure()
                    .forEach(measurement -> assertThat(measurement.getValue()).isNotNaN());
        }
    }

    @Test
    void nothing_is_not_a_number_after_a_collection_of_garbage() throws Exception {
        CompositeMeterRegistry composite = new CompositeMeterRegistry();
        composite.add(simple);
        composite.add(prometheus);
        bindSomethingThatIsNotKept(composite);
        WeakReference<Object> probe = new WeakReference<>(new Object());
        while (probe.get() != null) {
            System.gc();
        }

        later();
        readAll(simple);
        assertThat(prometheus.scrape())
                .contains("levee_part_size{name=\"kept\"} 1.0", "levee_part_done_total{name=\"kept\"} 2.0")
                .doesNotContain("NaN");
    }

    private void bindSomethingThatIsNotKept(MeterRegistry registry) {
        meters(new Figures().set("kept", SIZE, 1).set("kept", DONE, 2).set("kept", AGE, 2))
                .bindTo(registry);
    }

    @Test
    void what_was_closed_can_be_collected() {
        WeakReference<Measured> policy = bindAndClose();
        while (policy.get() != null) {
            System.gc();
        }
        assertThat(simple.getMeters()).isEmpty();
    }

    private WeakReference<Measured> bindAndClose() {
        Figures own = new Figures().set("a", SIZE, 1);
        LeveeMeters meters = meters(own);
        meters.bindTo(simple);
        meters.close();
        return new WeakReference<>(own);
    }

    @Test
    void a_counter_does_not_fall_when_a_policy_is_replaced() {
        Figures old = new Figures().set("a", DONE, 100);
        LeveeMeters meters = meters(old);
        meters.bindTo(simple);
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(100);

        old.set("a", DONE, 3); // one of the same name that began anew
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(103);
        old.set("a", DONE, 5);
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(105);
        old.set("a", DONE, Double.NaN);
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(105);
        old.set("a", DONE, -1);
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(105);
        old.set("a", DONE, 6);
        later();
        assertThat(value(simple, "levee.part.done")).isEqualTo(106);
    }

    @Test
    void two_of_one_kind_and_name_are_summed_and_logged_once() {
        Figures other = new Figures()
                .set("a", DONE, 5)
                .set("a", SIZE, 2)
                .set("a", LOAD, 0.75)
                .set("a", LIGHT, 2);
        figures.set("a", DONE, 10).set("a", SIZE, 1).set("a", LOAD, 0.5).set("a", LIGHT, 2);
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            LeveeMeters meters = meters(figures, other);
            meters.bindTo(simple);
            later();
            assertThat(value(simple, "levee.part.done")).isEqualTo(15);
            assertThat(value(simple, "levee.part.size")).isEqualTo(3);
            assertThat(value(simple, "levee.part.load")).isEqualTo(0.75);
            assertThat(value(simple, "levee.part.light", "state", "green")).isEqualTo(2);
            assertThat(log.lines()).singleElement().asString().contains("part \"a\"", "different names");

            meters.remove(other);
            assertThat(value(simple, "levee.part.done")).as("one of them went").isEqualTo(15);
            figures.set("a", DONE, 11);
            later();
            assertThat(value(simple, "levee.part.done")).isEqualTo(16);
            assertThat(log.lines()).hasSize(1);
        }
    }

    @Test
    void a_policy_of_two_pipelines_is_measured_once() {
        Bulkhead shared = Bulkhead.of("shared", 5);
        Pipeline first = Pipeline.of(Retry.of("first"), shared);
        Pipeline second = Pipeline.of(Retry.of("second"), shared);
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            LeveeMeters meters = meters(first, second);
            meters.bindTo(simple);

            shared.run(
                    () -> assertThat(value(simple, "levee.bulkhead.in.flight")).isEqualTo(1));
            assertThat(log.lines()).isEmpty();
            meters.remove(first);
            assertThat(names(simple))
                    .anyMatch(name -> name.contains("shared"))
                    .noneMatch(name -> name.contains("first"));
            meters.remove(second);
            meters.remove(second);
            assertThat(names(simple)).isEmpty();
            meters.add(first);
            assertThat(names(simple)).anyMatch(name -> name.contains("shared"));
        }
    }

    @Test
    void beyond_the_cap_one_series_has_the_rest() {
        MetersConfig config = MetersConfig.builder().maxSeries(10).build();
        for (int i = 0; i < 1000; i++) {
            figures.set("key" + i, DONE, 1)
                    .set("key" + i, SIZE, 2)
                    .set("key" + i, LOAD, i)
                    .set("key" + i, CALLS, 3, "x");
            figures.set("key" + i, LIGHT, 2);
        }
        meters(config, figures).bindTo(prometheus);
        String text = prometheus.scrape();

        assertThat(text)
                .contains("levee_part_done_total{name=\"_other\"} 990.0")
                .contains("levee_part_size{name=\"_other\"} 1980.0")
                .contains("levee_part_load{name=\"_other\"} 999.0")
                .contains("levee_part_calls_total{name=\"_other\",verdict=\"_other\"} 2970.0")
                .contains("levee_part_light{name=\"_other\",state=\"green\"} 997.0")
                .contains("levee_part_light{name=\"_other\",state=\"red\"} 0.0")
                .contains("levee_meters_rest{name=\"levee\"} 4957.0");
        assertThat(text.lines().filter(line -> line.startsWith("levee_part_done")))
                .hasSize(11);
    }

    @Test
    void the_rest_does_not_fall_while_keys_come_and_go() {
        MetersConfig config = MetersConfig.builder().maxSeries(1).build();
        figures.set("first", DONE, 1)
                .set("b", DONE, 10)
                .set("c", DONE, 20)
                .set("first", SIZE, 1)
                .set("b", SIZE, 4);
        meters(config, figures).bindTo(simple);
        later();
        assertThat(value(simple, "levee.part.done", "name", "_other")).isEqualTo(30);
        assertThat(value(simple, "levee.part.size", "name", "_other")).isEqualTo(4);

        figures.drop("b");
        figures.set("c", DONE, 21);
        later();
        assertThat(value(simple, "levee.part.done", "name", "_other")).isEqualTo(31);
        assertThat(value(simple, "levee.part.size", "name", "_other")).isZero();
        figures.set("d", DONE, 5).set("c", DONE, 2);
        later();
        assertThat(value(simple, "levee.part.done", "name", "_other")).isEqualTo(38);
    }

    @Test
    void a_hundred_thousand_keys_make_no_more_meters() {
        Keyed<Integer, Bulkhead> keyed = Keyed.of(
                "tenants",
                1 << 17,
                Duration.ofHours(1),
                key -> Bulkhead.of("tenant-" + key, 5),
                10_000,
                time.environment());
        MetersConfig config = MetersConfig.builder().maxSeries(50).build();
        for (int key = 0; key < 100_000; key++) {
            keyed.get(key);
        }
        meters(config, keyed).bindTo(prometheus);

        assertThat(prometheus.getMeters()).hasSizeLessThan(300);
        Set<String> shapes = new TreeSet<>();
        prometheus
                .scrape()
                .lines()
                .filter(line -> line.startsWith("levee_bulkhead_limit"))
                .forEach(line -> shapes.add(line.replaceAll("\"[^\"]*\"", "").replaceAll(" .*", "")));
        assertThat(shapes).containsExactly("levee_bulkhead_limit{name=}");
        assertThat(prometheus.scrape()).contains("levee_keyed_size{name=\"tenants\"} 100000.0");
    }

    @Test
    void a_source_that_throws_leaves_its_series_and_the_others_alone() {
        Figures good = new Figures().set("good", DONE, 1);
        figures.set("bad", DONE, 1).set("bad", SIZE, 1);
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            LeveeMeters meters = meters(figures, good);
            meters.bindTo(simple);
            figures.failure = new IllegalStateException("broken");
            figures.values.clear();
            good.set("good", DONE, 2);
            later();
            assertThat(value(simple, "levee.part.done", "name", "good")).isEqualTo(2);
            assertThat(value(simple, "levee.part.done", "name", "bad")).isEqualTo(1);
            later();
            assertThat(value(simple, "levee.meters.sources.failed")).isEqualTo(1);
            assertThat(names(simple)).hasSize(3);
            assertThat(log.lines()).hasSize(1);

            meters.remove(figures);
            assertThat(names(simple)).hasSize(1);
            assertThat(value(simple, "levee.meters.sources.failed")).isZero();
        }
    }

    @Test
    void a_filter_that_makes_one_of_several_shows_the_first_that_is_there() {
        simple.config().meterFilter(MeterFilter.ignoreTags("name"));
        figures.set("a", SIZE, 1).set("b", SIZE, 2);
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            meters(figures).bindTo(simple);
            assertThat(names(simple)).containsExactly("levee.part.size[]");
            assertThat(log.lines()).singleElement().asString().contains("levee.part.size", "filter");

            figures.drop("a");
            later();
            value(simple, "levee.part.size");
            assertThat(value(simple, "levee.part.size")).isEqualTo(2);
            figures.drop("b");
            later();
            value(simple, "levee.part.size");
            assertThat(names(simple)).isEmpty();
        }
    }

    @Test
    void a_filter_may_deny_all() {
        simple.config().meterFilter(MeterFilter.denyNameStartsWith("levee"));
        LeveeMeters meters = meters(figures.set("a", SIZE, 1));
        meters.bindTo(simple);
        figures.drop("a");
        meters.add(new Figures().set("b", SIZE, 1));
        meters.close();

        assertThat(simple.getMeters()).isEmpty();
    }

    @Test
    void a_registry_that_refuses_does_not_disturb_a_scrape() {
        prometheus.throwExceptionOnRegistrationFailure();
        prometheus.gauge("levee.part.size", Tags.of("other", "key"), 1);
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            meters(figures.set("a", SIZE, 1).set("a", DONE, 1)).bindTo(prometheus);

            assertThat(prometheus.scrape()).contains("levee_part_done_total{name=\"a\"} 1.0");
            assertThat(log.lines()).singleElement().asString().contains("\"levee.part.size\"", "does not take");
        }
    }

    @Test
    void a_listener_of_the_registry_may_read_the_meter_that_comes() {
        simple.config().onMeterAdded(meter -> meter.measure().forEach(each -> each.getValue()));
        simple.config().onMeterRemoved(meter -> meter.measure().forEach(each -> each.getValue()));
        LeveeMeters meters = meters(figures.set("a", SIZE, 1));
        meters.bindTo(simple);
        figures.drop("a");
        figures.set("b", SIZE, 1);
        later();
        value(simple, "levee.part.size");

        assertThat(names(simple)).containsExactly("levee.part.size[tag(name=b)]");
    }

    @Test
    void a_sink_that_is_kept_takes_nothing_after_the_poll() {
        List<Measured.Sink> kept = new ArrayList<>();
        meters(kept::add).bindTo(simple);

        kept.get(0).value("a", SIZE, 1);
        kept.get(0).value("a", "plain", 1);
        later();
        readAll(simple);
        assertThat(names(simple)).isEmpty();
    }

    @Test
    void names_that_a_source_makes_up_are_bounded() {
        try (CapturedLog log = new CapturedLog(LeveeMeters.class)) {
            meters(sink -> {
                        for (int i = 0; i < 5000; i++) {
                            sink.value("a", "made.up." + i, 1);
                        }
                    })
                    .bindTo(simple);
            assertThat(simple.getMeters()).hasSizeLessThan(2100);
            assertThat(log.lines()).hasSize(1);
        }
    }

    @Test
    void a_registry_that_was_closed_is_let_go() {
        LeveeMeters meters = meters(figures.set("a", SIZE, 1));
        meters.bindTo(simple);
        meters.bindTo(prometheus);
        simple.close();
        figures.set("b", SIZE, 1);
        later();
        assertThatCode(prometheus::scrape).doesNotThrowAnyException();
        assertThat(names(prometheus)).hasSize(2);
        assertThat(names(simple)).hasSize(1);
    }

    @Test
    void binding_twice_has_no_effect_and_after_a_close_it_is_refused() {
        LeveeMeters meters = meters(figures.set("a", SIZE, 1));
        meters.bindTo(simple);
        meters.bindTo(simple);
        assertThat(names(simple)).hasSize(1);
        meters.close();
        meters.close();
        assertThatThrownBy(() -> meters.bindTo(simple))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("meters: closed");
        assertThatThrownBy(() -> meters.add(figures)).isInstanceOf(IllegalStateException.class);
        meters.remove(figures);
    }

    @Test
    void names_from_outside_do_not_break_the_text() {
        figures.set("a\"b\\c\nd", SIZE, 1).set("", SIZE, 2).set("日本", SIZE, 3).set("x".repeat(2000), SIZE, 4);
        meters(figures).bindTo(prometheus);

        assertThat(prometheus.scrape())
                .contains("levee_part_size{name=\"a\\\"b\\\\c\\nd\"} 1.0", "levee_part_size{name=\"日本\"} 3.0");
    }
}
