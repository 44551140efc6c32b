package dev.levee.benchmarks.monitoring;

import dev.levee.benchmarks.Work;
import dev.levee.core.Pipeline;
import dev.levee.core.signals.CallMeter;
import dev.levee.micrometer.LeveeMeters;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.circuitbreaker.CircuitBreakerRegistry;
import io.github.resilience4j.micrometer.tagged.TaggedCircuitBreakerMetrics;
import io.github.resilience4j.micrometer.tagged.TaggedRetryMetrics;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code micrometer.call}: a call through a retry and a breaker whose calls are counted and timed, with a histogram, in
 * Micrometer's registry for Prometheus. Levee has a meter in front and its figures bound; Resilience4j its module for
 * Micrometer, whose timers have no histogram unless it is asked for; and Micrometer's own timer, with buckets, stands
 * around the bare work.
 *
 * <pre>benchmarks/compare '^micrometer.call$'</pre>
 */
public class MicrometerCall {
    private static MeterRegistry registry() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final Pipeline pipeline = Pipeline.of(
                CallMeter.of("m"),
                dev.levee.core.policy.Retry.of("r"),
                dev.levee.circuitbreaker.CircuitBreaker.of("b", config -> config.countWindow(100)));
        final MeterRegistry registry = registry();
        final Work work = new Work();

        public LeveeState() {
            LeveeMeters.of(pipeline).bindTo(registry);
        }
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.pipeline.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final MeterRegistry registry = registry();
        final CircuitBreakerRegistry breakers = CircuitBreakerRegistry.ofDefaults();
        final RetryRegistry retries = RetryRegistry.ofDefaults();
        final Supplier<String> guarded;

        public Resilience4jState() {
            CircuitBreaker breaker = breakers.circuitBreaker(
                    "b",
                    CircuitBreakerConfig.custom()
                            .slidingWindow(100, 100, SlidingWindowType.COUNT_BASED)
                            .writableStackTraceEnabled(false)
                            .build());
            Retry retry = retries.retry("r");
            TaggedCircuitBreakerMetrics.ofCircuitBreakerRegistry(breakers).bindTo(registry);
            TaggedRetryMetrics.ofRetryRegistry(retries).bindTo(registry);
            guarded = Retry.decorateSupplier(retry, CircuitBreaker.decorateSupplier(breaker, new Work()));
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class TimerState {
        final MeterRegistry registry = registry();
        final Timer timer = Timer.builder("calls").publishPercentileHistogram().register(registry);
        final Work work = new Work();
    }

    @Benchmark
    public String timerHistogram(TimerState state) {
        return state.timer.record((Supplier<String>) state.work);
    }
}
