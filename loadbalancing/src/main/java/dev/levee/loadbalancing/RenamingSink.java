package dev.levee.loadbalancing;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import java.util.List;

/** Passes figures on under another name. */
record RenamingSink(String name, Measured.Sink sink) implements Measured.Sink {
    @Override
    public void value(String policy, String metric, double value) {
        sink.value(name, metric, value);
    }

    @Override
    public void value(String policy, Metric metric, List<String> tags, double value) {
        sink.value(name, metric, tags, value);
    }
}
