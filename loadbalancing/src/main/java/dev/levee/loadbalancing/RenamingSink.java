package dev.levee.loadbalancing;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.histogram.LatencyHistogram;
import java.util.List;

/** Passes figures on under another name. */
final class RenamingSink extends Measured.ForwardingSink {
    private final String name;

    RenamingSink(String name, Measured.Sink target) {
        super(target);
        this.name = name;
    }

    @Override
    public void value(String policy, String metric, double value) {
        super.value(name, metric, value);
    }

    @Override
    public void value(String policy, Metric metric, List<String> tags, double value) {
        super.value(name, metric, tags, value);
    }

    @Override
    public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
        super.histogram(name, metric, tags, source);
    }
}
