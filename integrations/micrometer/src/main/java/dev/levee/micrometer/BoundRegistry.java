package dev.levee.micrometer;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The meters that one registry has of all series. Used by the thread that polls only. */
final class BoundRegistry implements SeriesChanges {
    private static final Logger LOG = LoggerFactory.getLogger(LeveeMeters.class);

    final MeterRegistry registry;
    private final Function<Series, ToDoubleFunction<Series>> readings;
    private final IdentityHashMap<Series, Meter> meters = new IdentityHashMap<>();

    /** How many series a meter was returned for: more than one if a filter of the registry maps them to one name. */
    private final IdentityHashMap<Meter, Integer> shares = new IdentityHashMap<>();

    private final HistogramMeters histograms;
    private final WarnedSubjects warned = new WarnedSubjects();

    BoundRegistry(MeterRegistry registry, Function<Series, ToDoubleFunction<Series>> readings) {
        this.registry = registry;
        this.readings = readings;
        this.histograms = new HistogramMeters(registry);
    }

    /** Whether it is of no use any more; also looks for what has changed of the registry itself. */
    boolean isOver() {
        if (registry.isClosed()) {
            return true;
        }
        try {
            histograms.followComposite();
        } catch (RuntimeException thrown) {
            warnRefused("histograms", thrown);
        }
        return false;
    }

    @Override
    public void came(SeriesGroup group) {
        for (Series each : group.series) {
            add(each);
        }
    }

    @Override
    public void gone(SeriesGroup group) {
        for (Series each : group.series) {
            remove(each);
        }
    }

    private void add(Series series) {
        Meter meter;
        try {
            if (series instanceof HistogramSeries histogram) {
                histograms.add(histogram, readings.apply(series));
                return;
            }
            meter = series.family.register(series, readings.apply(series), registry);
        } catch (RuntimeException thrown) {
            warnRefused(series.family.toString(), thrown);
            return;
        }
        meters.put(series, meter);
        if (shares.merge(meter, 1, Integer::sum) > 1 && warned.add(series.family.toString())) {
            SafeLog.warn(
                    LOG,
                    "meters \"{}\": a filter of the registry makes one meter of several; it shows the first of them",
                    Text.printable(series.family));
        }
    }

    private void warnRefused(String what, RuntimeException thrown) {
        if (warned.add(what)) {
            SafeLog.warn(LOG, "meters \"{}\": the registry does not take them", Text.printable(what), thrown);
        }
    }

    private void remove(Series series) {
        if (series instanceof HistogramSeries histogram) {
            histograms.remove(histogram);
            return;
        }
        Meter meter = meters.remove(series);
        if (meter == null) {
            return;
        }
        registry.remove(meter);
        Integer shared = shares.remove(meter);
        if (shared != null && shared > 1) {
            List<Series> others = new ArrayList<>();
            meters.forEach((other, its) -> {
                if (its == meter) {
                    others.add(other);
                }
            });
            others.forEach(this::add);
        }
    }

    void close() {
        histograms.close();
        meters.values().forEach(registry::remove);
        meters.clear();
        shares.clear();
    }
}
