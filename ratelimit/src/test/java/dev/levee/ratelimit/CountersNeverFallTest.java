package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Measured;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** No count of calls of a limiter or bulkhead falls: not while calls wait, and not by other settings. */
class CountersNeverFallTest {
    private final ManualTime time = new ManualTime();
    private final List<String> falls = new ArrayList<>();
    private final Map<String, Double> seen = new TreeMap<>();

    private RateLimiter limiter(Limit limit) {
        return RateLimiter.of(
                "l",
                config -> config.limit(limit)
                        .totals(true)
                        .maxWait(Duration.ofSeconds(2))
                        .maxWaiting(3),
                time.environment());
    }

    private Map<String, Double> measure(Measured measured) {
        measured.measure((policy, metric, value) -> {
            boolean counter = (metric.startsWith("limiter.calls.") && !metric.endsWith("waiting"))
                    || metric.startsWith("bulkhead.refused")
                    || metric.equals("bulkhead.drops");
            Double before = seen.put(metric, value);
            if (counter && before != null && value < before) {
                falls.add(metric + " from " + before + " to " + value);
            }
        });
        return seen;
    }

    private CompletableFuture<String> callAsync(Gate gate) {
        return gate.callAsync(() -> CompletableFuture.completedFuture("yes"));
    }

    private void call(RateLimiter limiter, int calls) {
        for (int i = 0; i < calls; i++) {
            limiter.tryAcquire();
            measure(limiter);
        }
    }

    @Test
    void a_call_that_waits_at_the_gate_counts_once_when_its_wait_has_ended() {
        RateLimiter limiter = limiter(Limit.perSecond(1));
        limiter.run(() -> {});
        CompletableFuture<String> waiting = callAsync(limiter);
        assertThat(measure(limiter))
                .containsEntry("limiter.calls.admitted", 1.0)
                .containsEntry("limiter.calls.refused", 0.0)
                .containsEntry("limiter.calls.waiting", 1.0);
        time.advance(Duration.ofSeconds(1));
        assertThat(waiting).isCompletedWithValue("yes");
        assertThat(measure(limiter))
                .containsEntry("limiter.calls.admitted", 2.0)
                .containsEntry("limiter.calls.refused", 0.0);
        assertThat(falls).isEmpty();
    }

    @Test
    void calls_that_are_cancelled_interrupted_or_too_many_in_the_queue_count_as_refused_once() {
        RateLimiter limiter = limiter(Limit.perSecond(1));
        limiter.run(() -> {});
        assertThat(callAsync(limiter).cancel(true)).isTrue();
        assertThat(measure(limiter)).containsEntry("limiter.calls.refused", 1.0);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> limiter.run(() -> {})).isInstanceOf(InterruptedWaitException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(measure(limiter)).containsEntry("limiter.calls.refused", 2.0);
        callAsync(limiter);
        callAsync(limiter);
        assertThat(callAsync(limiter)).isCompletedExceptionally(); // its turn would be in three seconds
        assertThatThrownBy(() -> limiter.run(() -> {})).isInstanceOf(RateLimitedException.class);
        assertThat(measure(limiter)).containsEntry("limiter.calls.refused", 4.0);
        time.advance(Duration.ofSeconds(2));
        assertThat(measure(limiter))
                .containsEntry("limiter.calls.admitted", 3.0)
                .containsEntry("limiter.calls.refused", 4.0);
        assertThat(falls).isEmpty();
    }

    @Property(tries = 200)
    void in_any_history_every_call_counts_once_and_nothing_falls(
            @ForAll @Size(max = 60) List<@IntRange(max = 6) Integer> history) {
        RateLimiter limiter = limiter(Limit.perSecond(1));
        falls.clear();
        seen.clear();
        List<CompletableFuture<String>> calls = new ArrayList<>();
        int permitsAsked = 0;
        for (int what : history) {
            switch (what) {
                case 0, 1, 2 -> calls.add(callAsync(limiter));
                case 3 -> {
                    limiter.tryAcquire();
                    permitsAsked++;
                }
                case 4 -> {
                    if (!calls.isEmpty()) {
                        calls.get(calls.size() - 1).cancel(true);
                    }
                }
                case 5 -> limiter.reconfigure(Limit.perSecond(1 + calls.size() % 3));
                default -> time.advance(Duration.ofMillis(700));
            }
            measure(limiter);
        }
        time.advance(Duration.ofMinutes(1));
        measure(limiter);
        assertThat(falls).isEmpty();
        assertThat(seen.get("limiter.calls.admitted") + seen.get("limiter.calls.refused"))
                .isEqualTo(calls.size() + permitsAsked);
    }

    @Test
    void other_limits_keep_the_counts_of_limiters_by_buckets_and_by_windows() {
        List<List<Limit>> limits = List.of(
                List.of(Limit.perSecond(3), Limit.perSecond(1)),
                List.of(Limit.fixedWindow(3, Duration.ofHours(1)), Limit.fixedWindow(1, Duration.ofHours(1))),
                List.of(Limit.slidingWindow(3, Duration.ofHours(1)), Limit.slidingWindow(1, Duration.ofHours(1))));
        for (List<Limit> pair : limits) {
            for (CarriedFill carried : CarriedFill.values()) {
                seen.clear();
                RateLimiter limiter =
                        RateLimiter.of("l", config -> config.limit(pair.get(0)).totals(true), time.environment());
                call(limiter, 5);
                Map<String, Double> before = new TreeMap<>(measure(limiter));
                limiter.reconfigure(pair.get(1), carried);
                assertThat(measure(limiter))
                        .containsEntry("limiter.calls.admitted", before.get("limiter.calls.admitted"))
                        .containsEntry("limiter.calls.refused", before.get("limiter.calls.refused"));
                call(limiter, 5);
                assertThat(seen.get("limiter.calls.admitted") + seen.get("limiter.calls.refused"))
                        .isEqualTo(10);
            }
        }
        assertThat(falls).isEmpty();
    }

    @Test
    void other_settings_keep_the_counts_of_a_shedding_bulkhead() {
        SheddingBulkhead bulkhead = SheddingBulkhead.of("b", 1, time.environment());
        bulkhead.callAsync(CompletableFuture::new);
        for (int i = 0; i < 500; i++) {
            callAsync(bulkhead);
        }
        double before = refusals(bulkhead);
        assertThat(before).isPositive();
        bulkhead.setMaxConcurrent(5);
        bulkhead.setMaxConcurrent(1);
        assertThat(refusals(bulkhead)).isGreaterThanOrEqualTo(before);
        assertThat(falls).isEmpty();
    }

    private double refusals(SheddingBulkhead bulkhead) {
        double sum = 0;
        for (Map.Entry<String, Double> each : measure(bulkhead).entrySet()) {
            sum += each.getKey().startsWith("bulkhead.refused") ? each.getValue() : 0;
        }
        return sum;
    }

    @Test
    void other_settings_keep_the_counts_of_adaptive_bulkheads() {
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("a", time.environment());
        dropsOf(bulkhead, 50);
        assertThat(measure(bulkhead).get("bulkhead.drops")).isPositive();
        double before = seen.get("bulkhead.drops");
        bulkhead.reconfigure(AdaptiveBulkheadConfig.builder()
                .minLimit(2)
                .initialLimit(3)
                .maxLimit(4)
                .build());
        assertThat(measure(bulkhead)).containsEntry("bulkhead.drops", before);
        SheddingBulkhead shedding = SheddingBulkhead.of("s", config -> config.adaptive(a -> {}), time.environment());
        seen.clear();
        dropsOf(shedding, 50);
        measure(shedding);
        shedding.setMaxConcurrent(7);
        measure(shedding);
        assertThat(falls).isEmpty();
    }

    private void dropsOf(Gate gate, int calls) {
        for (int i = 0; i < calls; i++) {
            long start = time.nanoTime();
            long stamp = gate.tryEnter(start);
            time.advance(Duration.ofMillis(20));
            gate.exit(stamp, start, time.nanoTime(), Verdict.THROTTLED, RefusedException.UNKNOWN);
        }
    }

    @Test
    void a_keyed_limiter_keeps_its_counts_when_keys_are_forgotten() {
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                "k", config -> config.limit(Limit.perSecond(1)).totals(true), time.environment());
        for (int i = 0; i < 5; i++) {
            limiter.tryAcquire("a");
            measure(limiter);
        }
        time.advance(Duration.ofHours(1));
        limiter.tryAcquire("b");
        measure(limiter);
        assertThat(seen).containsEntry("limiter.calls.admitted", 2.0).containsEntry("limiter.calls.refused", 4.0);
        assertThat(falls).isEmpty();
    }
}
