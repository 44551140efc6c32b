package dev.levee.micrometer;

import dev.levee.core.Metric;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** All series of one name; they have the same tag keys. Used by the thread that polls only. */
final class SeriesFamily {
    /** The key of the tag with the name of the policy. */
    static final String NAME_TAG = "name";

    /** The key of the tag with the state. */
    static final String STATE_TAG = "state";

    /** The value of the tags of what has no meter of its own. */
    static final String REST = "_other";

    private static final String PREFIX = "levee.";

    /** The name without the prefix. */
    final String name;

    private final Metric.Kind kind;
    private final Metric.Unit unit;
    private final String description;
    private final List<String> tagKeys;
    private final List<String> states;
    private final Tags commonTags;

    private final Map<String, Map<List<String>, SeriesGroup>> byPolicy = new HashMap<>();
    private final List<SeriesGroup> groups = new ArrayList<>();

    /** How many series have a meter. */
    private int metered;

    /** The sum of those without a meter; made when there is the first. */
    private @Nullable SeriesGroup rest;

    /** The description that was seen first, for a quick comparison; null for figures without one. */
    private final @Nullable Metric metric;

    SeriesFamily(Metric metric, Tags commonTags) {
        this.metric = metric;
        name = metric.name();
        kind = metric.kind();
        unit = metric.unit();
        description = metric.description();
        tagKeys = metric.tags();
        states = metric.states();
        this.commonTags = commonTags;
    }

    /** A gauge of a figure that came without a description. */
    SeriesFamily(String name, Metric.Unit unit, Tags commonTags) {
        metric = null;
        this.name = name;
        this.unit = unit;
        kind = Metric.Kind.GAUGE;
        description = "A figure without a description.";
        tagKeys = List.of();
        states = List.of();
        this.commonTags = commonTags;
    }

    /** Whether figures of a metric can be series of this family. */
    boolean takes(Metric other) {
        return other == metric
                || (kind == other.kind()
                        && unit == other.unit()
                        && tagKeys.equals(other.tags())
                        && states.equals(other.states()));
    }

    boolean takesPlain(Metric.Unit other) {
        return kind == Metric.Kind.GAUGE && unit == other && tagKeys.isEmpty();
    }

    /** Whether it only grows. */
    boolean isCounter() {
        return kind == Metric.Kind.COUNTER || isHistogram();
    }

    boolean isHistogram() {
        return kind == Metric.Kind.HISTOGRAM;
    }

    String description() {
        return description;
    }

    /** Whether figures of several add up; else the largest is that of all. */
    boolean addsUp() {
        return isCounter() || kind == Metric.Kind.STATE || unit == Metric.Unit.NONE || unit == Metric.Unit.BYTES;
    }

    /** Returns the series of a policy, or null if it has none yet. */
    @Nullable SeriesGroup find(String policy, List<String> tags) {
        Map<List<String>, SeriesGroup> byTags = byPolicy.get(policy);
        return byTags == null ? null : byTags.get(tags);
    }

    /** Makes the series of a policy; null if it has another number of tags. */
    @Nullable SeriesGroup add(String policy, List<String> tags, int maxSeries, SeriesChanges changes) {
        if (tags.size() != tagKeys.size()) {
            return null;
        }
        int width = width();
        boolean inRest = metered + width > maxSeries;
        List<String> kept = List.copyOf(tags);
        SeriesGroup group = make(policy, kept, inRest);
        if (inRest) {
            if (rest == null) {
                rest = make(REST, Collections.nCopies(tagKeys.size(), REST), false);
                changes.came(rest);
            }
        } else {
            metered += width;
            changes.came(group);
        }
        byPolicy.computeIfAbsent(policy, any -> new HashMap<>(2)).put(kept, group);
        groups.add(group);
        return group;
    }

    private int width() {
        return kind == Metric.Kind.STATE ? Math.max(1, states.size()) : 1;
    }

    private SeriesGroup make(String policy, List<String> tags, boolean inRest) {
        Tags all = commonTags.and(NAME_TAG, policy);
        for (int i = 0; i < tagKeys.size(); i++) {
            all = all.and(tagKeys.get(i), tags.get(i));
        }
        Series[] series = new Series[width()];
        for (int i = 0; i < series.length; i++) {
            series[i] = isHistogram()
                    ? new HistogramSeries(this, all)
                    : new Series(this, kind == Metric.Kind.STATE ? all.and(Tag.of(STATE_TAG, states.get(i))) : all);
        }
        return new SeriesGroup(policy, series, inRest);
    }

    /** Ends a poll: shows what was reported, and forgets what was not, unless its source has failed. */
    void settle(long poll, SeriesChanges changes) {
        SeriesGroup sum = rest;
        boolean anyInRest = false;
        for (int i = groups.size() - 1; i >= 0; i--) {
            SeriesGroup group = groups.get(i);
            boolean seen = group.seenIn == poll;
            if (seen || group.source.hasFailed()) {
                anyInRest |= group.inRest;
                if (group.inRest && sum != null) {
                    settleInto(sum, group, seen);
                } else if (seen) {
                    for (Series each : group.series) {
                        each.settle();
                    }
                }
            } else {
                forget(i, group, changes);
            }
        }
        if (sum != null && !isCounter()) {
            for (Series each : sum.series) {
                if (!anyInRest) {
                    each.report(0);
                }
                each.settle();
            }
        }
    }

    private void settleInto(SeriesGroup sum, SeriesGroup group, boolean seen) {
        for (int i = 0; i < group.series.length; i++) {
            if (group.series[i] instanceof HistogramSeries one && sum.series[i] instanceof HistogramSeries all) {
                if (seen) {
                    one.settleInto(all);
                }
                continue;
            }
            double growth = seen ? group.series[i].settle() : 0;
            if (isCounter()) {
                sum.series[i].grow(growth);
            } else {
                sum.series[i].report(group.series[i].shown());
            }
        }
    }

    private void forget(int index, SeriesGroup group, SeriesChanges changes) {
        SeriesGroup moved = groups.remove(groups.size() - 1);
        if (moved != group) {
            groups.set(index, moved);
        }
        Map<List<String>, SeriesGroup> byTags = byPolicy.get(group.policy);
        if (byTags != null) {
            byTags.values().remove(group);
            if (byTags.isEmpty()) {
                byPolicy.remove(group.policy);
            }
        }
        if (!group.inRest) {
            metered -= group.series.length;
            changes.gone(group);
        }
    }

    /** Passes all that have meters. */
    void forEachMetered(SeriesChanges to) {
        for (SeriesGroup group : groups) {
            if (!group.inRest) {
                to.came(group);
            }
        }
        if (rest != null) {
            to.came(rest);
        }
    }

    int metered() {
        return metered + (rest == null ? 0 : width());
    }

    int inRest() {
        return groups.size() - metered / width();
    }

    /** Makes the meter of a series. The registry holds the function, and so what it reads, strongly. */
    Meter register(Series series, ToDoubleFunction<Series> reading, MeterRegistry registry) {
        String base = unit.base().isEmpty() ? null : unit.base();
        double parts = unit == Metric.Unit.NANOSECONDS ? 1e9 : 1;
        if (isCounter()) {
            return FunctionCounter.builder(PREFIX + name, series, any -> reading.applyAsDouble(series) / parts)
                    .tags(series.tags)
                    .description(description)
                    .baseUnit(base)
                    .register(registry);
        }
        return Gauge.builder(PREFIX + name, series, each -> reading.applyAsDouble(each) / parts)
                .strongReference(true)
                .tags(series.tags)
                .description(description)
                .baseUnit(base)
                .register(registry);
    }

    @Override
    public String toString() {
        return PREFIX + name;
    }
}
