package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.signals.Ending;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** No counter of keyed policies falls, whatever is evicted, comes back, or is measured meanwhile. */
class KeyedCountersTest {
    private static final Duration IDLE = Duration.ofNanos(10);
    private static final Metric COUNT = Metric.counter("counted.calls", "Calls that were counted", "way");
    private static final Metric LEVEL = Metric.gauge("counted.level", "A number that goes up and down");
    private static final String OTHERS = "keys/*";

    private final ManualTime time = new ManualTime();

    /** A policy with a counter of two ways and a gauge. */
    private static class Counted implements Measured {
        private final String name;
        final AtomicLong calls = new AtomicLong();

        Counted(Object key) {
            name = "key-" + key;
        }

        @Override
        public void measure(Sink sink) {
            long now = calls.get();
            sink.value(name, COUNT, List.of("good"), (double) now);
            sink.value(name, COUNT, List.of("bad"), 2.0 * now);
            sink.value(name, LEVEL, 5);
        }
    }

    /** Remembers counters from poll to poll. */
    private static final class Monitor implements Measured.Sink {
        private final Map<String, Double> counters = new TreeMap<>();
        private final Map<String, Double> gauges = new HashMap<>();
        private final Map<String, LatencyHistogram> histograms = new HashMap<>();
        private final List<String> falls = new ArrayList<>();

        @Override
        public void value(String policy, String metric, double value) {
            gauges.put(policy + ' ' + metric, value);
        }

        @Override
        public void value(String policy, Metric metric, List<String> tags, double value) {
            String series = policy + ' ' + metric.name() + (tags.isEmpty() ? "" : tags);
            if (metric.name().startsWith("keyed.")) {
                gauges.put(series, value);
            } else if (metric.kind() == Metric.Kind.COUNTER) {
                Double before = counters.put(series, value);
                if (before != null && before > value) {
                    falls.add(series + " from " + before + " to " + value);
                }
            } else {
                gauges.put(series, value);
            }
        }

        @Override
        public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
            LatencyHistogram before = histograms.computeIfAbsent(policy + tags, none -> new LatencyHistogram());
            LatencyHistogram now = new LatencyHistogram();
            source.read(now);
            for (int i = 0; i < LatencyHistogram.bounds(); i++) {
                if (now.countUpTo(i) < before.countUpTo(i)) {
                    falls.add(policy + tags + " up to bound " + i);
                }
            }
            if (now.sumNanos() < before.sumNanos() || now.count() < before.count()) {
                falls.add(policy + tags);
            }
            source.read(before);
        }

        double counter(String series) {
            return counters.getOrDefault(series, -1.0);
        }
    }

    private Keyed<Integer, Counted> keyed(int maxKeys, int maxMeasured) {
        return Keyed.of("keys", maxKeys, IDLE, Counted::new, maxMeasured, time.environment());
    }

    /** What is done with a key. */
    private enum What {
        CALL,
        CALL_LATE,
        REMOVE,
        MEASURE,
        SIZE,
        WAIT
    }

    record Step(What what, int key) {}

    @Provide
    Arbitrary<Step> steps() {
        return Combinators.combine(
                        Arbitraries.frequency(
                                Tuple.of(8, What.CALL),
                                Tuple.of(2, What.CALL_LATE),
                                Tuple.of(2, What.REMOVE),
                                Tuple.of(5, What.MEASURE),
                                Tuple.of(1, What.SIZE),
                                Tuple.of(1, What.WAIT)),
                        Arbitraries.integers().between(0, 9))
                .as(Step::new);
    }

    @Property(tries = 500)
    void in_any_history_no_counter_falls_and_no_call_is_counted_twice_or_lost(
            @ForAll @Size(max = 120) List<@From("steps") Step> history,
            @ForAll @IntRange(min = 1, max = 6) int maxKeys,
            @ForAll @IntRange(max = 4) int maxMeasured) {
        Keyed<Integer, Counted> keyed = keyed(maxKeys, maxMeasured);
        Monitor monitor = new Monitor();
        Counted last = null;
        int calls = 0;
        boolean late = false;
        for (Step step : history) {
            switch (step.what()) {
                case CALL -> {
                    last = keyed.get(step.key());
                    last.calls.incrementAndGet();
                    calls++;
                }
                case CALL_LATE -> { // on a policy that may have been evicted
                    if (last != null) {
                        last.calls.incrementAndGet();
                        late = true;
                    }
                }
                case REMOVE -> keyed.remove(step.key());
                case MEASURE -> keyed.measure(monitor);
                case SIZE -> keyed.size();
                case WAIT -> time.advance(IDLE);
            }
        }
        for (int key = 0; key < 10; key++) { // each key once more, so that each series is told
            keyed.get(key);
            keyed.measure(monitor);
        }
        assertThat(monitor.falls).isEmpty();
        assertThat(monitor.counters).hasSizeLessThanOrEqualTo(2 * (maxMeasured + 1));
        if (!late) {
            double told = monitor.counters.entrySet().stream()
                    .filter(each -> each.getKey().endsWith("[good]"))
                    .mapToDouble(Map.Entry::getValue)
                    .sum();
            assertThat(told).isEqualTo(calls);
        }
    }

    @Test
    void a_key_that_comes_back_goes_on_with_its_counts() {
        Keyed<Integer, Counted> keyed = keyed(10, 5);
        Monitor monitor = new Monitor();
        keyed.get(1).calls.set(7);
        keyed.measure(monitor);
        time.advance(IDLE);
        keyed.size();
        monitor.counters.clear();
        keyed.measure(monitor);
        assertThat(monitor.counters.keySet()).noneMatch(series -> series.startsWith("key-1"));
        keyed.get(1).calls.set(2);
        keyed.measure(monitor);
        assertThat(monitor.counter("key-1 counted.calls[good]")).isEqualTo(9);
        assertThat(monitor.counter("key-1 counted.calls[bad]")).isEqualTo(18);
    }

    @Test
    void keys_that_are_not_measured_have_one_series_together_of_counters_alone() {
        Keyed<Integer, Counted> keyed = keyed(3, 0);
        Monitor monitor = new Monitor();
        for (int key = 0; key < 100; key++) {
            keyed.get(key).calls.incrementAndGet();
        }
        keyed.measure(monitor);
        assertThat(monitor.counters)
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of(OTHERS + " counted.calls[good]", 100.0, OTHERS + " counted.calls[bad]", 200.0));
        assertThat(monitor.gauges).containsOnlyKeys("keys keyed.size", "keys keyed.evictions", "keys keyed.unmeasured");
    }

    @Test
    void a_hundred_thousand_keys_stay_under_the_bound_and_none_is_lost() {
        Keyed<Integer, Counted> keyed = keyed(1_000, 10);
        Monitor monitor = new Monitor();
        for (int key = 0; key < 100_000; key++) {
            keyed.get(key).calls.incrementAndGet();
            if (key % 20_000 == 10) {
                keyed.measure(monitor);
            }
        }
        keyed.measure(monitor);
        assertThat(monitor.falls).isEmpty();
        assertThat(monitor.counters).hasSize(2 * (10 + 1));
        double told = monitor.counters.entrySet().stream()
                .filter(each -> each.getKey().endsWith("[good]"))
                .mapToDouble(Map.Entry::getValue)
                .sum();
        assertThat(told).isEqualTo(100_000);
    }

    @Test
    void a_policy_that_the_factory_keeps_is_counted_once_whether_its_key_is_measured_or_not() {
        for (int maxMeasured : new int[] {0, 5}) {
            Map<Integer, Counted> kept = new HashMap<>();
            Keyed<Integer, Counted> keyed = Keyed.of(
                    "keys", 2, IDLE, key -> kept.computeIfAbsent(key, Counted::new), maxMeasured, time.environment());
            Monitor monitor = new Monitor();
            for (int round = 0; round < 10; round++) {
                for (int key = 0; key < 5; key++) {
                    keyed.get(key).calls.incrementAndGet();
                    keyed.measure(monitor);
                }
            }
            assertThat(monitor.falls).isEmpty();
            double told = monitor.counters.entrySet().stream()
                    .filter(each -> each.getKey().endsWith("[good]"))
                    .mapToDouble(Map.Entry::getValue)
                    .sum();
            assertThat(told).isEqualTo(50);
        }
    }

    @Test
    void a_policy_that_keys_share_is_counted_once() {
        Counted shared = new Counted("shared");
        Keyed<Integer, Counted> keyed = Keyed.of("keys", 2, IDLE, key -> shared, 0, time.environment());
        Monitor monitor = new Monitor();
        for (int key = 0; key < 20; key++) {
            keyed.get(key).calls.incrementAndGet();
            keyed.measure(monitor);
        }
        keyed.remove(19);
        keyed.measure(monitor);
        assertThat(monitor.falls).isEmpty();
        assertThat(monitor.counter(OTHERS + " counted.calls[good]")).isEqualTo(20);
    }

    @Test
    void members_of_pipelines_are_counted_each_for_itself() {
        CallMeter all = CallMeter.of("all", time.environment());
        Keyed<Integer, Pipeline> keyed = Keyed.of(
                "keys",
                1,
                IDLE,
                key -> Pipeline.of(all, CallMeter.of("meter-" + key, time.environment())),
                2,
                time.environment());
        Monitor monitor = new Monitor();
        for (int round = 0; round < 6; round++) {
            for (int key = 0; key < 2; key++) {
                keyed.get(key).run(() -> time.advance(Duration.ofNanos(1)));
                keyed.measure(monitor);
            }
        }
        assertThat(monitor.falls).isEmpty();
        assertThat(monitor.counter("all meter.calls[success]")).isEqualTo(12);
        assertThat(monitor.counter("meter-0 meter.calls[success]")).isEqualTo(6);
        assertThat(monitor.histograms.get("meter-1[success]").count()).isEqualTo(6);
        assertThat(monitor.histograms.get("meter-1[success]").sumNanos()).isEqualTo(6);
        assertThat(all.ended(Ending.SUCCESS)).isEqualTo(12);
    }

    @Test
    void measure_of_a_policy_is_not_called_under_the_lock_and_may_use_the_keyed_object() {
        List<Keyed<Integer, Counted>> self = new ArrayList<>();
        int[] measures = {0};
        Keyed<Integer, Counted> keyed = Keyed.of(
                "keys",
                2,
                IDLE,
                key -> new Counted(key) {
                    @Override
                    public void measure(Sink sink) {
                        measures[0]++;
                        Thread other = new Thread(() -> self.get(0).remove(1_000));
                        other.start();
                        try {
                            other.join();
                        } catch (InterruptedException interrupt) {
                            throw new AssertionError(interrupt);
                        }
                        super.measure(sink);
                    }
                },
                1,
                time.environment());
        self.add(keyed);
        for (int key = 0; key < 6; key++) {
            keyed.get(key);
        }
        keyed.measure(new Monitor());
        keyed.remove(5);
        time.advance(IDLE);
        assertThat(keyed.size()).isZero();
        assertThat(measures[0]).isGreaterThanOrEqualTo(6);
    }

    @Test
    void a_poll_between_an_eviction_and_its_end_sees_no_counter_fall() {
        for (int maxMeasured : new int[] {0, 5}) {
            List<Keyed<Integer, Counted>> self = new ArrayList<>();
            Monitor monitor = new Monitor();
            boolean[] evicting = {false};
            Keyed<Integer, Counted> keyed = Keyed.of(
                    "keys",
                    2,
                    IDLE,
                    key -> new Counted(key) {
                        @Override
                        public void measure(Sink sink) {
                            if (evicting[0]) { // it is in the ring no more, and in no base yet
                                evicting[0] = false;
                                self.get(0).get(1).calls.incrementAndGet();
                                self.get(0).measure(monitor);
                            }
                            super.measure(sink);
                        }
                    },
                    maxMeasured,
                    time.environment());
            self.add(keyed);
            keyed.get(1).calls.set(10);
            keyed.measure(monitor);
            evicting[0] = true;
            assertThat(keyed.remove(1)).isTrue();
            keyed.measure(monitor);
            assertThat(monitor.falls).isEmpty();
            assertThat(monitor.counter((maxMeasured == 0 ? OTHERS : "key-1") + " counted.calls[good]"))
                    .isEqualTo(11);
        }
    }

    @Test
    void a_policy_whose_measure_throws_when_it_is_evicted_fails_no_call_of_another_key() {
        Keyed<Integer, Measured> keyed = Keyed.of(
                "keys",
                1,
                IDLE,
                key -> sink -> {
                    throw new IllegalStateException("measure");
                },
                0,
                time.environment());
        for (int key = 0; key < 5; key++) {
            assertThat(keyed.get(key)).isNotNull();
        }
        assertThat(keyed.remove(4)).isTrue();
    }

    @Test
    void tags_without_a_bound_do_not_fill_the_sum_of_all_others() {
        Keyed<Integer, Measured> keyed = Keyed.of(
                "keys",
                1,
                IDLE,
                key -> sink -> sink.value("key-" + key, COUNT, List.of("way-" + key), 1),
                0,
                time.environment());
        for (int key = 0; key < 3_000; key++) {
            keyed.get(key);
        }
        Monitor monitor = new Monitor();
        keyed.measure(monitor);
        assertThat(monitor.counters).hasSizeLessThanOrEqualTo(1_001);
    }

    @Test
    void while_threads_call_and_evict_no_counter_falls() throws InterruptedException {
        Keyed<Integer, Counted> keyed = Keyed.of("keys", 4, Duration.ofDays(1), Counted::new, 3, Environment.system());
        AtomicBoolean stopped = new AtomicBoolean();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread caller = new Thread(() -> {
                while (!stopped.get()) {
                    keyed.get(ThreadLocalRandom.current().nextInt(8)).calls.incrementAndGet();
                }
            });
            callers.add(caller);
            caller.start();
        }
        Monitor monitor = new Monitor();
        for (int i = 0; i < 3_000; i++) {
            keyed.measure(monitor);
        }
        stopped.set(true);
        for (Thread caller : callers) {
            caller.join();
        }
        keyed.measure(monitor);
        assertThat(monitor.falls).isEmpty();
        assertThat(monitor.counter(OTHERS + " counted.calls[good]")).isPositive();
    }
}
