package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** How the recorder measures; that it is a gate is in {@link ServerLoadGateTest}. */
class ServerLoadRecorderTest {
    private static final long MS = 1_000_000;

    private final ManualTime time = new ManualTime();
    private final ServerLoadRecorder recorder =
            ServerLoadRecorder.of("server", OutcomeRule.standard(), time.environment());

    private void alone(long millis, Verdict verdict) {
        long start = time.environment().clock().nanoTime();
        long stamp = recorder.tryEnter(start);
        time.advance(Duration.ofMillis(millis));
        recorder.exit(stamp, start, time.environment().clock().nanoTime(), verdict, RefusedException.UNKNOWN);
    }

    /** This many at once, all of which take this long. */
    private void together(int count, long millis) {
        long start = time.environment().clock().nanoTime();
        long[] stamps = new long[count];
        for (int i = 0; i < count; i++) {
            stamps[i] = recorder.tryEnter(start);
        }
        time.advance(Duration.ofMillis(millis));
        for (long stamp : stamps) {
            recorder.exit(
                    stamp, start, time.environment().clock().nanoTime(), Verdict.SUCCESS, RefusedException.UNKNOWN);
        }
    }

    @Test
    void a_server_that_has_done_nothing_does_not_know_how_fast_it_is() {
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, ServerLoad.UNKNOWN));
    }

    @Test
    void the_latency_is_the_median_of_requests_that_found_as_many_in_flight() {
        for (long millis : new long[] {10, 90, 20}) {
            alone(millis, Verdict.SUCCESS);
        }
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 20 * MS));
        alone(40, Verdict.SUCCESS);
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 30 * MS));
    }

    @Test
    void it_is_that_at_the_number_in_flight_now() {
        alone(10, Verdict.SUCCESS);
        together(6, 60); // found 0 to 5 others
        together(1, 10);
        together(1, 10);
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 10 * MS));
        for (int i = 0; i < 5; i++) {
            recorder.tryEnter(0);
        }
        assertThat(recorder.load()).isEqualTo(new ServerLoad(5, 60 * MS));
        for (int i = 0; i < 20; i++) {
            recorder.tryEnter(0); // no request has ever found this many
        }
        assertThat(recorder.load()).isEqualTo(new ServerLoad(25, 60 * MS));
    }

    @Test
    void only_the_last_32_of_a_level_count() {
        for (int i = 0; i < 100; i++) {
            alone(500, Verdict.SUCCESS);
        }
        for (int i = 0; i < 17; i++) {
            alone(3, Verdict.SUCCESS);
        }
        assertThat(recorder.load().latencyNanos()).isEqualTo(3 * MS);
    }

    @Test
    void what_is_old_counts_only_if_there_is_nothing_else() {
        together(2, 80); // one found none, one found one
        time.advance(Duration.ofSeconds(11));
        assertThat(recorder.load().latencyNanos()).isEqualTo(80 * MS);
        long waiting = recorder.tryEnter(0);
        alone(7, Verdict.SUCCESS); // finds one
        recorder.exit(waiting, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 7 * MS));
    }

    @Test
    void failures_and_what_says_nothing_are_no_latency() {
        alone(20, Verdict.SUCCESS);
        for (Verdict verdict : Verdict.values()) {
            if (verdict != Verdict.SUCCESS) {
                for (int i = 0; i < 20; i++) {
                    alone(1, verdict);
                }
            }
        }
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 20 * MS));
    }

    @Test
    void calls_blocking_and_asynchronous_in_a_pipeline_are_counted() {
        Pipeline pipeline = Pipeline.of(recorder);
        CompletableFuture<String> pending = new CompletableFuture<>();
        CompletableFuture<String> answer = pipeline.callAsync(() -> pending);
        assertThat(recorder.load().inFlight()).isEqualTo(1);
        assertThat(pipeline.<Integer, RuntimeException>call(
                        () -> recorder.load().inFlight()))
                .isEqualTo(2);
        time.advance(Duration.ofMillis(5));
        pending.complete("yes");
        assertThat(answer).isCompletedWithValue("yes");
        assertThat(recorder.load()).isEqualTo(new ServerLoad(0, 5 * MS));
    }

    @Test
    void a_clock_that_goes_back_is_a_latency_of_nothing() {
        recorder.exit(recorder.tryEnter(100), 100, 50, Verdict.SUCCESS, RefusedException.UNKNOWN);
        assertThat(recorder.load().latencyNanos()).isZero();
    }

    @Test
    void times_may_wrap() {
        LatencyByInFlight latencies = new LatencyByInFlight();
        latencies.record(3, 40, Long.MAX_VALUE - 5);
        latencies.record(2, 70, Long.MAX_VALUE - LatencyByInFlight.FRESH_NANOS);
        assertThat(latencies.near(2, Long.MIN_VALUE + 10, new long[32])).isEqualTo(40);
    }

    @Test
    void an_exit_too_many_or_too_many_requests_break_nothing() {
        recorder.exit(1, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        assertThat(recorder.load().inFlight()).isZero();
        assertThat(recorder.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        MedianRecorder full =
                new MedianRecorder("full", OutcomeRule.standard(), time.environment(), Integer.MAX_VALUE - 1L);
        for (int i = 0; i < 3; i++) {
            full.exit(full.tryEnter(0), 0, 10, Verdict.SUCCESS, RefusedException.UNKNOWN);
            full.tryEnter(0);
        }
        assertThat(full.load()).isEqualTo(new ServerLoad(Integer.MAX_VALUE, 10));
    }

    @Test
    void it_never_refuses_and_says_so() {
        assertThatThrownBy(recorder::refusal)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("server load recorder \"server\" never refuses");
        assertThat(recorder).hasToString("server(server load)");
    }

    @Test
    void both_numbers_can_be_measured() {
        alone(10, Verdict.SUCCESS);
        recorder.tryEnter(0);
        Map<String, Double> figures = new HashMap<>();
        recorder.measure((policy, metric, value) -> figures.put(policy + " " + metric, value));
        assertThat(figures)
                .containsOnly(Map.entry("server server.in.flight", 1.0), Map.entry("server server.latency.nanos", 1e7));
    }

    @Test
    void levels_are_exact_below_32_and_grow_by_an_eighth_above() {
        int last = -1;
        for (int inFlight = 0; inFlight < 70_000; inFlight++) {
            int level = LatencyByInFlight.level(inFlight);
            assertThat(level).isBetween(last, last + 1);
            assertThat(inFlight >= 32 || level == inFlight).isTrue();
            last = level;
        }
        assertThat(LatencyByInFlight.level(Integer.MAX_VALUE)).isEqualTo(last).isEqualTo(119);
    }

    @Test
    void threads_lose_no_request() throws Exception {
        List<Thread> threads = new ArrayList<>();
        CountDownLatch start = new CountDownLatch(1);
        for (int t = 0; t < 4; t++) {
            int seed = t;
            threads.add(new Thread(() -> {
                Random random = new Random(seed);
                try {
                    start.await();
                } catch (InterruptedException e) {
                    return;
                }
                for (int i = 0; i < 20_000; i++) {
                    long stamp = recorder.tryEnter(0);
                    long latency = 1_000L + random.nextInt(1_000);
                    recorder.exit(stamp, 0, latency, Verdict.SUCCESS, RefusedException.UNKNOWN);
                    long seen = recorder.load().latencyNanos();
                    if (seen < 1_000 || seen >= 2_000) {
                        throw new AssertionError("a latency that was never recorded: " + seen);
                    }
                }
            }));
        }
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        for (Thread thread : threads) {
            thread.setUncaughtExceptionHandler((dead, error) -> thrown.add(error));
            thread.start();
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(thrown).isEmpty();
        assertThat(recorder.load().inFlight()).isZero();
    }

    /** Requests begin and end at random in random order; the plain model keeps everything. */
    @Property(tries = 200)
    void it_says_what_a_model_says_that_keeps_everything(@ForAll long seed) {
        Random random = new Random(seed);
        ManualTime time = new ManualTime();
        ServerLoadRecorder recorder = ServerLoadRecorder.of("server", OutcomeRule.standard(), time.environment());
        Map<Integer, Deque<long[]>> model = new HashMap<>();
        List<long[]> open = new ArrayList<>();
        int most = 1 + random.nextInt(50);
        for (int step = 0; step < 300; step++) {
            long now = time.environment().clock().nanoTime();
            if (open.isEmpty() || (open.size() < most && random.nextBoolean())) {
                open.add(new long[] {recorder.tryEnter(now), now, open.size()});
            } else {
                long[] request = open.remove(random.nextInt(open.size()));
                Verdict verdict = random.nextInt(4) == 0 ? Verdict.FAILURE : Verdict.SUCCESS;
                recorder.exit(request[0], request[1], now, verdict, RefusedException.UNKNOWN);
                if (verdict == Verdict.SUCCESS) {
                    Deque<long[]> ring = model.computeIfAbsent(level((int) request[2]), level -> new ArrayDeque<>());
                    ring.addLast(new long[] {now - request[1], now});
                    if (ring.size() > 32) {
                        ring.removeFirst();
                    }
                }
            }
            time.advance(Duration.ofMillis(random.nextInt(random.nextInt(40) == 0 ? 12_000 : 50)));
            long later = time.environment().clock().nanoTime();
            assertThat(recorder.load()).isEqualTo(new ServerLoad(open.size(), expected(model, open.size(), later)));
        }
    }

    private static long expected(Map<Integer, Deque<long[]>> model, int inFlight, long now) {
        for (boolean any : new boolean[] {false, true}) {
            for (int distance = 0; distance < 200; distance++) {
                for (int level : new int[] {level(inFlight) + distance, level(inFlight) - distance}) {
                    List<Long> found = new ArrayList<>();
                    model.entrySet().stream()
                            .filter(entry -> entry.getKey() == level)
                            .flatMap(entry -> entry.getValue().stream())
                            .filter(sample -> any || now - sample[1] <= 10_000_000_000L)
                            .forEach(sample -> found.add(sample[0]));
                    if (!found.isEmpty()) {
                        Collections.sort(found);
                        int size = found.size();
                        return size % 2 == 1
                                ? found.get(size / 2)
                                : found.get(size / 2 - 1) + (found.get(size / 2) - found.get(size / 2 - 1)) / 2;
                    }
                }
            }
        }
        return ServerLoad.UNKNOWN;
    }

    private static int level(int inFlight) {
        return inFlight < 32 ? inFlight : 32 + (inFlight - 32) / 4; // as far as the model goes, 63
    }
}
