package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ScrapeTest {
    private static final Metric EVENTS = Metric.counter("churn.events", "Events.");
    private static final Metric LEVEL = Metric.gauge("churn.level", "Level.");

    @Test
    void a_poll_that_finds_the_same_series_allocates_nothing_here() {
        List<Measured> sources = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            sources.add(Bulkhead.of("bulkhead-" + i, 5));
            sources.add(Retry.of("retry-" + i));
        }
        AtomicInteger polls = new AtomicInteger();
        sources.add(sink -> polls.incrementAndGet());
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        LeveeMeters.of(MetersConfig.builder().build(), Environment.system(), sources)
                .bindTo(registry);
        Gauge gauge = registry.get("levee.bulkhead.limit").gauge();
        read(gauge, 10_000);

        int before = polls.get();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadAllocatedBytes();
        read(gauge, 1_000);
        long bytes = threads.getCurrentThreadAllocatedBytes() - start;

        assertThat(polls.get() - before)
                .as("each read is a scrape of one meter")
                .isEqualTo(1_000);
        assertThat(bytes).as("bytes of 1000 polls of 100 policies").isLessThan(100_000);
    }

    private static void read(Gauge gauge, int times) {
        for (int i = 0; i < times; i++) {
            gauge.value();
        }
    }

    @Test
    void counters_rise_and_meters_are_exact_while_threads_scrape_and_series_come_and_go() throws Exception {
        AtomicLong events = new AtomicLong();
        AtomicLong round = new AtomicLong();
        Measured source = sink -> {
            long now = round.incrementAndGet();
            sink.value("steady", EVENTS, (double) events.addAndGet(3));
            for (long key = now; key < now + 3; key++) {
                sink.value("key" + key % 11, EVENTS, 1);
                sink.value("key" + key % 11, LEVEL, (double) key);
            }
        };
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        LeveeMeters meters = LeveeMeters.of(MetersConfig.builder().build(), Environment.system(), List.of(source));
        meters.bindTo(prometheus);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                running.add(threads.submit(() -> {
                    double last = 0;
                    for (int scrape = 0; scrape < 200; scrape++) {
                        double now = steady(prometheus.scrape());
                        assertThat(now).isGreaterThanOrEqualTo(last);
                        last = now;
                    }
                }));
            }
            running.add(threads.submit(() -> {
                for (int i = 0; i < 50; i++) {
                    Measured more = sink -> sink.value("more", LEVEL, 1);
                    meters.add(more);
                    meters.remove(more);
                }
                meters.bindTo(simple);
            }));
            for (Future<?> each : running) {
                each.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        meters.add(sink -> {}); // polls, now that no other thread does
        Set<Meter.Id> inBoth = ids(prometheus.getMeters());
        assertThat(ids(simple.getMeters())).isEqualTo(inBoth);
        assertThat(inBoth).hasSize(1 + 3 + 3 + MeterMetrics.all().size());
        meters.close();
        assertThat(prometheus.getMeters()).isEmpty();
        assertThat(simple.getMeters()).isEmpty();
    }

    private static Set<Meter.Id> ids(List<Meter> meters) {
        Set<Meter.Id> ids = new HashSet<>();
        meters.forEach(meter -> ids.add(meter.getId()));
        return ids;
    }

    private static double steady(String text) {
        String start = "levee_churn_events_total{name=\"steady\"} ";
        return text.lines()
                .filter(line -> line.startsWith(start))
                .map(line -> Double.parseDouble(line.substring(start.length())))
                .findFirst()
                .orElseThrow();
    }
}
