package dev.levee.benchmarks.signals;

import dev.levee.benchmarks.Work;
import dev.levee.core.signals.CallMeter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code meter.call}: a call that is counted and timed, with a histogram that Prometheus can aggregate.
 *
 * <pre>benchmarks/compare '^meter.call$'</pre>
 */
public class MeterCall {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final CallMeter meter = CallMeter.of("catalog");
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.meter.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class MicrometerState {
        final Timer timer = Timer.builder("catalog")
                .publishPercentileHistogram()
                .register(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        final Supplier<String> work = new Work();
    }

    /** Knows no failures apart: a second timer, chosen by the outcome, would come on top. */
    @Benchmark
    public String micrometer(MicrometerState state) {
        return state.timer.record(state.work);
    }
}
