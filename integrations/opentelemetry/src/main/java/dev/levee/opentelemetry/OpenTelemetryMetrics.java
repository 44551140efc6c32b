package dev.levee.opentelemetry;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.BatchCallback;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableDoubleMeasurement;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import io.opentelemetry.api.metrics.ObservableMeasurement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exports the figures of policies, pipelines, balancers, queues and caches by OpenTelemetry's meter.
 *
 * <pre>{@code
 * OpenTelemetryMetrics metrics = OpenTelemetryMetrics.register(openTelemetry, List.of(payments, cache, balancer));
 * }</pre>
 *
 * <p>All instruments are asynchronous and of one callback: each collection asks each source once, and between
 * collections nothing is done or retained. Names are those of {@link Metric} after {@code levee.}; the attribute
 * {@code name} is the name of the policy, and the tags of a metric are attributes. Counters are counters; what goes up
 * and down is a gauge; a state is an up-down counter with the attribute {@code state} for each of its states, 1 for the
 * present one and else 0, so that a sum over instances counts those in a state. Nanoseconds become seconds ({@code s});
 * other units are {@code By}, {@code {call}} and {@code 1}. A figure that comes without a description is a gauge under
 * its flat name. Histograms go by {@link OpenTelemetryHistograms}, which needs the SDK.
 *
 * <p>A metric that a source passes for the first time during a collection is part of the next one. Two sources of one
 * name would be one series, of which an SDK keeps one figure: give them different names. A source that throws is logged
 * once and left out until it works again. Thread-safe.
 *
 * @since 0.1
 */
public final class OpenTelemetryMetrics implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OpenTelemetryMetrics.class);
    private static final String NAME = "name";
    private static final String STATE = "state";

    private final Meter meter;
    private final List<Measured> sources;
    private final Recorder recorder = new Recorder();

    /** By the name of the metric. */
    private final Map<String, Instrument> instruments = new ConcurrentHashMap<>();

    /** Sources that have thrown at the last collection. */
    private final Set<Measured> failing = ConcurrentHashMap.newKeySet();

    /** Whether there are instruments that are not observed yet. */
    private final AtomicBoolean grown = new AtomicBoolean();

    /** Of what follows; no code of users runs under it. */
    private final ReentrantLock lock = new ReentrantLock();

    private @Nullable BatchCallback callback;
    private boolean closed;

    private OpenTelemetryMetrics(OpenTelemetry telemetry, List<? extends Measured> sources) {
        this.meter = Require.nonNull("telemetry", telemetry).getMeter(Tracing.SCOPE);
        this.sources = List.copyOf(Require.nonNull("sources", sources));
    }

    /**
     * Begins to export.
     *
     * @param telemetry the application's
     * @param sources what is measured; asked for their figures once at once, and then by each collection
     * @return what ends it again
     * @throws NullPointerException if an argument is null, or a source
     */
    public static OpenTelemetryMetrics register(OpenTelemetry telemetry, List<? extends Measured> sources) {
        OpenTelemetryMetrics metrics = new OpenTelemetryMetrics(telemetry, sources);
        metrics.collect();
        return metrics;
    }

    /** Ends the export; figures that were exported stay with the SDK until its next collection. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            closeCallback();
        } finally {
            lock.unlock();
        }
    }

    private void closeCallback() {
        BatchCallback last = callback;
        callback = null;
        if (last != null) {
            last.close();
        }
    }

    private void collect() {
        for (Measured source : sources) {
            try {
                source.measure(recorder);
                failing.remove(source);
            } catch (Throwable thrown) {
                if (failing.add(source)) {
                    SafeLog.warn(LOG, "metrics of {}: it threw, and is left out until it works again", source, thrown);
                }
            }
        }
        if (grown.getAndSet(false)) {
            observeAll();
        }
    }

    /** A callback is for the instruments that it was made with; an SDK takes a new one during a collection too. */
    private void observeAll() {
        lock.lock();
        try {
            if (!closed) {
                observe();
            }
        } finally {
            lock.unlock();
        }
    }

    private void observe() {
        closeCallback();
        List<Instrument> all = List.copyOf(instruments.values());
        ObservableMeasurement[] rest =
                all.stream().skip(1).map(Instrument::measurement).toArray(ObservableMeasurement[]::new);
        callback = meter.batchCallback(this::collect, all.get(0).measurement(), rest);
        all.forEach(each -> each.observed = true);
    }

    /** Returns the attributes of a figure. */
    static AttributesBuilder attributes(String policy, Metric metric, List<String> tags) {
        AttributesBuilder attributes = Attributes.builder().put(NAME, policy);
        for (int i = 0; i < tags.size(); i++) {
            attributes.put(metric.tags().get(i), tags.get(i));
        }
        return attributes;
    }

    /** What figures of a metric go to: one of the two. */
    private static final class Instrument {
        private final @Nullable ObservableLongMeasurement whole;
        private final @Nullable ObservableDoubleMeasurement real;

        /** Whether it is part of the callback. */
        volatile boolean observed;

        Instrument(@Nullable ObservableLongMeasurement whole, @Nullable ObservableDoubleMeasurement real) {
            this.whole = whole;
            this.real = real;
        }

        ObservableMeasurement measurement() {
            return whole == null ? Objects.requireNonNull(real) : whole;
        }

        void record(double value, Attributes attributes) {
            if (!observed || Double.isNaN(value)) {
                return;
            }
            if (whole != null) {
                whole.record((long) value, attributes);
            } else if (real != null) {
                real.record(value, attributes);
            }
        }
    }

    private final class Recorder implements Measured.Sink {
        @Override
        public void value(String policy, String metric, double value) {
            Instrument instrument = find(
                    metric,
                    () -> new Instrument(
                            null, meter.gaugeBuilder("levee." + metric).buildObserver()));
            instrument.record(value, Attributes.builder().put(NAME, policy).build());
        }

        @Override
        public void value(String policy, Metric metric, List<String> tags, double value) {
            Instrument instrument = find(metric.name(), () -> of(metric));
            AttributesBuilder attributes = attributes(policy, metric, tags);
            if (metric.kind() == Metric.Kind.STATE) {
                List<String> states = metric.states();
                for (int i = 0; i < states.size(); i++) {
                    attributes.put(STATE, states.get(i));
                    instrument.record(i == (int) value ? 1 : 0, attributes.build());
                }
            } else {
                instrument.record(metric.inBaseUnit(value), attributes.build());
            }
        }
    }

    private Instrument find(String name, Supplier<Instrument> maker) {
        Instrument known = instruments.get(name);
        if (known == null) {
            known = instruments.computeIfAbsent(name, absent -> maker.get());
            grown.set(true);
        }
        return known;
    }

    private Instrument of(Metric metric) {
        String name = "levee." + metric.name();
        String unit = unitOf(metric);
        String description = metric.description();
        boolean whole = metric.unit() == Metric.Unit.NONE || metric.unit() == Metric.Unit.BYTES;
        if (metric.kind() == Metric.Kind.STATE) {
            var states = meter.upDownCounterBuilder(name).setDescription(description);
            return new Instrument(states.setUnit(unit).buildObserver(), null);
        }
        if (metric.kind() == Metric.Kind.GAUGE) {
            var gauge = meter.gaugeBuilder(name).setDescription(description);
            return new Instrument(null, gauge.setUnit(unit).buildObserver());
        }
        var counter = meter.counterBuilder(name).setUnit(unit).setDescription(description);
        return whole
                ? new Instrument(counter.buildObserver(), null)
                : new Instrument(null, counter.ofDoubles().buildObserver());
    }

    private static String unitOf(Metric metric) {
        return switch (metric.unit()) {
            case NANOSECONDS -> "s";
            case BYTES -> "By";
            case NONE -> metric.name().contains(".calls") ? "{call}" : "1";
            case RATIO -> "1";
        };
    }
}
