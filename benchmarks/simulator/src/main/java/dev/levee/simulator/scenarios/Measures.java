package dev.levee.simulator.scenarios;

import dev.levee.simulator.Recorder;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import java.util.List;

/** Figures that most scenarios show. */
final class Measures {
    static final Measure SUCCESS = Measure.more("success, %", 3);
    static final Measure MEAN = Measure.less("mean, ms", 2);
    static final Measure P50 = Measure.less("p50, ms", 1);
    static final Measure P99 = Measure.less("p99, ms", 1);
    static final Measure P999 = Measure.less("p99.9, ms", 1);

    /** All of them, latency first. */
    static final List<Measure> LATENCY_FIRST = List.of(P99, P999, MEAN, P50, SUCCESS);

    private Measures() {}

    /** The figures of a phase. */
    static Figures of(Recorder.Phase phase) {
        return new Figures()
                .put(SUCCESS, phase.successPercent())
                .put(MEAN, phase.latencies().meanMillis())
                .put(P50, phase.latencies().quantileMillis(0.5))
                .put(P99, phase.latencies().quantileMillis(0.99))
                .put(P999, phase.latencies().quantileMillis(0.999));
    }
}
