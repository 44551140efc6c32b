package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.histogram.LatencyHistogram;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MetricTest {
    private final List<String> flat = new ArrayList<>();
    private final Measured.Sink sink = (policy, metric, value) -> flat.add(policy + " " + metric + " " + value);

    @Test
    void a_plain_sink_gets_flat_names() {
        sink.value("p", Metric.counter("retry.repeated", "Attempts."), 3);
        sink.value("p", Metric.gauge("hedge.delay", Metric.Unit.NANOSECONDS, "Time."), 5e6);
        sink.value("p", Metric.counter("breaker.calls", "Calls.", "verdict"), List.of("failed"), 2);
        sink.value("p", Metric.gauge("throttle.p", Metric.Unit.RATIO, "Share.", "c"), List.of("critical-plus"), 0.5);
        sink.value("b", Metric.gauge("endpoint.in.flight", "Calls.", Metric.ENDPOINT), List.of("10.0.0.1:80"), 7);
        assertThat(flat)
                .containsExactly(
                        "p retry.repeated 3.0",
                        "p hedge.delay.nanos 5000000.0",
                        "p breaker.calls.failed 2.0",
                        "p throttle.p.critical.plus 0.5",
                        "b/10.0.0.1:80 endpoint.in.flight 7.0");
    }

    @Test
    void a_figure_in_its_base_unit_is_in_seconds() {
        Metric delay = Metric.gauge("hedge.delay", Metric.Unit.NANOSECONDS, "Time.");
        assertThat(delay.unit().base()).isEqualTo("seconds");
        assertThat(delay.inBaseUnit(2.5e9)).isEqualTo(2.5);
        Metric bytes = Metric.gauge("queue.size", Metric.Unit.BYTES, "Bytes.");
        assertThat(bytes.unit().base()).isEqualTo("bytes");
        assertThat(bytes.inBaseUnit(7)).isEqualTo(7);
        assertThat(Metric.gauge("a", "A.").unit().base()).isEmpty();
    }

    @Test
    void a_state_has_the_constants_of_its_type_in_lower_case() {
        Metric state = Metric.state("breaker.state", "State.", TimeUnit.class);
        assertThat(state.kind()).isEqualTo(Metric.Kind.STATE);
        assertThat(state.states()).hasSize(TimeUnit.values().length).startsWith("nanoseconds");
        assertThat(state.tags()).isEmpty();
        assertThat(Metric.counter("a", "A.").states()).isEmpty();
    }

    @Test
    void bad_input_is_named() {
        assertThatThrownBy(() -> Metric.counter("Retry.repeated", "A."))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Retry.repeated");
        assertThatThrownBy(() -> Metric.counter("retry..repeated", "A.")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Metric.counter("retry.repeated", " "))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("retry.repeated");
        assertThatThrownBy(() -> Metric.gauge("a", (Metric.Unit) null, "A."))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("unit");
        assertThatThrownBy(() -> Metric.state("a", "A.", null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("states");
    }

    @Test
    void a_forwarding_sink_passes_everything_on_but_what_is_overridden() {
        List<String> got = new ArrayList<>();
        Measured.Sink target = new Measured.Sink() {
            @Override
            public void value(String policy, String metric, double value) {
                got.add(policy + " " + metric + " " + value);
            }

            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                got.add(policy + " " + metric + tags + " " + value);
            }

            @Override
            public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
                got.add(policy + " " + metric + tags);
            }
        };
        Measured.Sink doubling = new Measured.ForwardingSink(target) {
            @Override
            public void value(String policy, String metric, double value) {
                super.value(policy, metric, 2 * value);
            }
        };
        doubling.value("p", "own.figure", 3);
        doubling.value("p", Metric.counter("retry.repeated", "Attempts."), 3);
        doubling.value("p", Metric.counter("breaker.calls", "Calls.", "verdict"), List.of("failed"), 2);
        doubling.histogram("p", Metric.histogram("meter.duration", "Time.", "outcome"), List.of("success"), into -> {});
        assertThat(got)
                .containsExactly(
                        "p own.figure 6.0",
                        "p retry.repeated[] 3.0",
                        "p breaker.calls[failed] 2.0",
                        "p " + Metric.histogram("meter.duration", "Time.", "outcome") + "[success]");
        assertThatThrownBy(() -> new Measured.ForwardingSink(null) {})
                .isInstanceOf(NullPointerException.class)
                .hasMessage("target");
    }
}
