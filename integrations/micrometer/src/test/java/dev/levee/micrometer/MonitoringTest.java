package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.levee.cache.CacheMetrics;
import dev.levee.cache.writebehind.WriteBehindMetrics;
import dev.levee.circuitbreaker.BreakerMetrics;
import dev.levee.core.Environment;
import dev.levee.core.KeyedMetrics;
import dev.levee.core.Metric;
import dev.levee.core.idempotency.IdempotencyMetrics;
import dev.levee.core.policy.PolicyMetrics;
import dev.levee.core.signals.SignalMetrics;
import dev.levee.loadbalancing.BalancerMetrics;
import dev.levee.loadbalancing.strategy.StrategyMetrics;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.concurrency.OverloadMetrics;
import dev.levee.ratelimit.work.WorkMetrics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusNamingConvention;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The alerts, the dashboard and the text of a scrape, as a real Prometheus sees them. */
class MonitoringTest {
    static final Path DOCS = docs();
    static final Path ALERTS = DOCS.resolve("levee-alerts.yml");

    static final List<Metric> CATALOGUE = Stream.of(
                    PolicyMetrics.all(),
                    KeyedMetrics.all(),
                    IdempotencyMetrics.all(),
                    BreakerMetrics.all(),
                    LimiterMetrics.all(),
                    OverloadMetrics.all(),
                    WorkMetrics.all(),
                    BalancerMetrics.all(),
                    StrategyMetrics.all(),
                    CacheMetrics.all(),
                    WriteBehindMetrics.all(),
                    SignalMetrics.all(),
                    MeterMetrics.all())
            .flatMap(List::stream)
            .toList();

    private static Path docs() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.isDirectory(folder.resolve("docs/monitoring"))) {
            folder = folder.getParent();
        }
        return folder.resolve("docs/monitoring");
    }

    /** The queries of the dashboard, for all that is chosen there. */
    static List<String> queries() throws IOException {
        return Pattern.compile("\"expr\": \"((?:[^\"\\\\]|\\\\.)*)\"")
                .matcher(Files.readString(DOCS.resolve("levee-dashboard.json")))
                .results()
                .map(each -> each.group(1).replace("\\\"", "\"").replace("\\\\", "\\"))
                .map(each -> each.replace("$__rate_interval", "1m").replaceAll("\\$(job|instance|name)", ".*"))
                .toList();
    }

    /** The names that Prometheus gets for metrics. */
    static Set<String> namesOf(List<Metric> metrics) {
        PrometheusNamingConvention naming = new PrometheusNamingConvention();
        Set<String> names = new TreeSet<>();
        for (Metric metric : metrics) {
            String base = metric.unit().base().isEmpty() ? null : metric.unit().base();
            Meter.Type type = metric.kind() == Metric.Kind.COUNTER ? Meter.Type.COUNTER : Meter.Type.GAUGE;
            String name = naming.name("levee." + metric.name(), type, base);
            names.add(type == Meter.Type.COUNTER ? name + "_total" : name);
            if (metric.kind() == Metric.Kind.HISTOGRAM) {
                names.addAll(List.of(name + "_bucket", name + "_count", name + "_sum"));
            }
        }
        return names;
    }

    @Test
    void alerts_and_dashboard_name_only_metrics_of_the_catalogue() throws IOException {
        Set<String> known = namesOf(CATALOGUE);
        known.addAll(Set.of("levee_objective_target", "levee_objective_calls_total", "levee_objective_burn"));
        Pattern name = Pattern.compile("\\blevee_[a-z_]+");
        Set<String> used = Stream.concat(queries().stream(), Stream.of(Files.readString(ALERTS)))
                .flatMap(text -> name.matcher(text).results().map(MatchResult::group))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(used).hasSizeGreaterThan(30);
        assertThat(known).containsAll(used);
    }

    @Test
    void each_alert_fires_when_it_must_and_none_while_all_is_well(@TempDir Path folder) throws Exception {
        Files.copy(ALERTS, folder.resolve("levee-alerts.yml"));
        String cases;
        try (var stream = getClass().getResourceAsStream("/levee-alerts-test.yml")) {
            cases = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
        Files.writeString(folder.resolve("test.yml"), cases);

        Pattern.compile("- alert: (\\w+)")
                .matcher(Files.readString(ALERTS))
                .results()
                .forEach(alert -> assertThat(cases).contains("name: " + alert.group(1) + " fires"));
        assertThat(RealPrometheus.tool(folder, "", "check", "rules", "levee-alerts.yml"))
                .contains("SUCCESS");
        assertThat(RealPrometheus.tool(folder, "", "test", "rules", "test.yml")).contains("SUCCESS");
    }

    @Nested
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    class A_prometheus {
        final MonitoredService service = new MonitoredService();
        final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        final LeveeMeters meters =
                LeveeMeters.of(MetersConfig.builder().build(), Environment.system(), service.sources());

        @Nullable HttpServer server;

        @Nullable RealPrometheus prometheus;

        @BeforeAll
        void start(@TempDir Path folder) throws Exception {
            RealPrometheus.program("prometheus");
            registry.throwExceptionOnRegistrationFailure();
            registry.config().commonTags("application", "test");
            meters.bindTo(registry);
            service.work();
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/text", exchange -> scrape(exchange, "text/plain; version=0.0.4; charset=utf-8"));
            server.createContext(
                    "/openmetrics",
                    exchange -> scrape(exchange, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
            server.start();
            prometheus = RealPrometheus.start(
                    Files.createDirectories(folder.resolve("p")),
                    server.getAddress().getPort(),
                    ALERTS);
            prometheus.query("min(count_over_time(up[1m]) > 3)");
        }

        @AfterAll
        void stop() throws Exception {
            if (prometheus != null) {
                prometheus.close();
            }
            if (server != null) {
                server.stop(0);
            }
            meters.close();
            service.close();
        }

        private void scrape(HttpExchange exchange, String contentType) throws IOException {
            try (exchange) {
                service.work();
                byte[] body = registry.scrape(contentType).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", contentType);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } catch (Exception thrown) {
                throw new IOException(thrown);
            }
        }

        @Test
        void takes_the_text_in_both_forms() throws Exception {
            assertThat(prometheus.query("count(up == 1)")).contains("\"2\"]");
            prometheus.await("/api/v1/targets", text -> text.split("\"lastError\":\"\"", -1).length == 3);
            assertThat(prometheus.query("count by (job) ({application=\"test\"})"))
                    .contains("text", "openmetrics");
        }

        @Test
        void knows_kinds_and_meanings() throws Exception {
            prometheus.await(
                    "/api/v1/metadata?metric=levee_breaker_calls_total",
                    text -> text.contains("\"type\":\"counter\"") && text.contains("Calls by their outcome"));
            prometheus.await(
                    "/api/v1/metadata?metric=levee_breaker_state", text -> text.contains("\"type\":\"gauge\""));
            prometheus.await(
                    "/api/v1/metadata?metric=levee_meter_duration_seconds",
                    text -> text.contains("\"type\":\"histogram\""));
        }

        @Test
        void has_a_result_for_every_query_of_the_dashboard() throws Exception {
            assertThat(queries()).hasSizeGreaterThan(30);
            for (String query : queries()) {
                assertThat(query).doesNotContain("$");
                prometheus.query(query);
            }
        }

        @Test
        void adds_the_histograms_of_several_processes() throws Exception {
            prometheus.query(
                    "histogram_quantile(0.99, sum by (le) (rate(levee_meter_duration_seconds_bucket[1m]))) > 0");
            assertThat(prometheus.query("count(count by (le) (levee_meter_duration_seconds_bucket))"))
                    .contains("\"46\"]");
        }

        @Test
        void evaluates_the_alerts() throws Exception {
            String rules = prometheus.await(
                    "/api/v1/rules", text -> text.contains("LeveeBreakerOpen") && !text.contains("\"unknown\""));
            assertThat(rules).doesNotContain("\"health\":\"err\"");
        }

        @Test
        void gets_a_text_that_its_linter_likes(@TempDir Path folder) throws Exception {
            RealPrometheus.tool(folder, registry.scrape(), "check", "metrics");
        }

        @Test
        void gets_every_metric_of_the_catalogue_that_is_measured_by_default() {
            Set<String> there = new TreeSet<>();
            registry.scrape()
                    .lines()
                    .filter(line -> line.startsWith("# TYPE "))
                    .forEach(line -> there.add(line.substring(7, line.indexOf(' ', 7))));

            assertThat(namesOf(CATALOGUE))
                    .containsAll(there.stream()
                            .filter(name -> !name.startsWith("levee_objective"))
                            .toList());
            assertThat(there).hasSizeGreaterThan(80).doesNotHaveDuplicates();
        }
    }
}
