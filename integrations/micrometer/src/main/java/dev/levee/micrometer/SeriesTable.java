package dev.levee.micrometer;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All series, and the sink that fills them. Used by the thread that polls only; others are ignored. */
final class SeriesTable implements Measured.Sink {
    private static final Logger LOG = LoggerFactory.getLogger(LeveeMeters.class);

    /** More names than these are not taken: a source that makes up names must not fill the memory. */
    private static final int MAX_NAMES = 2_000;

    private static final String NANOS = ".nanos";

    private final MetersConfig config;
    private final WarnedSubjects warned;
    private final SeriesChanges changes;
    private final Map<String, SeriesFamily> families = new HashMap<>();
    private final List<SeriesFamily> inOrder = new ArrayList<>();

    /** Families by the flat names of figures without a description. */
    private final Map<String, SeriesFamily> plain = new HashMap<>();

    /** What a source of a histogram fills. */
    private final LatencyHistogram scratch = new LatencyHistogram();

    private long poll;
    private MeterSource source = MeterSource.NONE;
    private volatile @Nullable Thread poller;

    SeriesTable(MetersConfig config, WarnedSubjects warned, SeriesChanges changes) {
        this.config = config;
        this.warned = warned;
        this.changes = changes;
    }

    /** Begins a poll on this thread, and returns its number. */
    long begin() {
        poller = Thread.currentThread();
        return ++poll;
    }

    void from(MeterSource next) {
        source = next;
    }

    void settle() {
        poller = null;
        for (int i = 0; i < inOrder.size(); i++) {
            inOrder.get(i).settle(poll, changes);
        }
    }

    int metered() {
        int sum = 0;
        for (int i = 0; i < inOrder.size(); i++) {
            sum += inOrder.get(i).metered();
        }
        return sum;
    }

    int inRest() {
        int sum = 0;
        for (int i = 0; i < inOrder.size(); i++) {
            sum += inOrder.get(i).inRest();
        }
        return sum;
    }

    void forEachMetered(SeriesChanges to) {
        inOrder.forEach(family -> family.forEachMetered(to));
    }

    @Override
    public void value(String policy, Metric metric, List<String> tags, double value) {
        if (poller != Thread.currentThread()) {
            return;
        }
        SeriesFamily family = familyOf(metric);
        if (family != null && !family.isHistogram()) {
            report(family, policy, tags, value);
        }
    }

    private @Nullable SeriesFamily familyOf(Metric metric) {
        SeriesFamily family = families.get(metric.name());
        if (family == null) {
            return add(metric.name(), new SeriesFamily(metric, config.commonTags()));
        }
        if (family.takes(metric)) {
            return family;
        }
        warnOther(family);
        return null;
    }

    @Override
    public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source counts) {
        if (poller != Thread.currentThread()) {
            return;
        }
        SeriesFamily family = familyOf(metric);
        SeriesGroup group = family == null ? null : groupOf(family, policy, tags);
        if (group != null) {
            counts.read(scratch);
            group.report(scratch);
        }
    }

    @Override
    public void value(String policy, String metric, double value) {
        if (poller != Thread.currentThread()) {
            return;
        }
        SeriesFamily family = plain.get(metric);
        if (family == null) {
            family = addPlain(metric);
        }
        if (family != null) {
            report(family, policy, List.of(), value);
        }
    }

    private @Nullable SeriesFamily addPlain(String metric) {
        boolean nanos = metric.endsWith(NANOS);
        String name = nanos ? metric.substring(0, metric.length() - NANOS.length()) : metric;
        if (name.isBlank()) {
            return null;
        }
        Metric.Unit unit = nanos ? Metric.Unit.NANOSECONDS : Metric.Unit.NONE;
        SeriesFamily family = families.get(name);
        if (family == null) {
            family = add(name, new SeriesFamily(name, unit, config.commonTags()));
        } else if (!family.takesPlain(unit)) {
            warnOther(family);
            return null;
        }
        if (family != null && plain.size() < MAX_NAMES) {
            plain.put(metric, family);
        }
        return family;
    }

    private @Nullable SeriesFamily add(String name, SeriesFamily family) {
        if (families.size() >= MAX_NAMES) {
            if (warned.add("names")) {
                SafeLog.warn(
                        LOG,
                        "meters \"{}\": is beyond the {} names that are taken, as are others after it",
                        Text.printable(name),
                        MAX_NAMES);
            }
            return null;
        }
        families.put(name, family);
        inOrder.add(family);
        return family;
    }

    private void warnOther(SeriesFamily family) {
        if (warned.add("other " + family)) {
            SafeLog.warn(
                    LOG,
                    "meters \"{}\": another metric of this name has another kind, unit or other tags; it is left out",
                    Text.printable(family));
        }
    }

    private void report(SeriesFamily family, String policy, List<String> tags, double value) {
        SeriesGroup group = groupOf(family, policy, tags);
        if (group != null) {
            group.report(value);
        }
    }

    private @Nullable SeriesGroup groupOf(SeriesFamily family, String policy, List<String> tags) {
        SeriesGroup group = family.find(policy, tags);
        if (group == null) {
            group = family.add(policy, tags, config.maxSeries(), changes);
            if (group == null) {
                warnOther(family);
                return null;
            }
        }
        if (group.seenIn == poll) {
            warnTwice(family, policy);
        }
        group.seenIn = poll;
        group.source = source;
        return group;
    }

    private void warnTwice(SeriesFamily family, String policy) {
        String kind = family.name.substring(0, (family.name + ".").indexOf('.'));
        String subject = kind + " \"" + policy + "\"";
        if (warned.add(subject)) {
            SafeLog.warn(
                    LOG,
                    "{} is the name of two that are measured: their meters show the sum, or the larger figure;"
                            + " give them different names",
                    Text.printable(subject));
        }
    }
}
