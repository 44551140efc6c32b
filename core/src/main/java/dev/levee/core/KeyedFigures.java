package dev.levee.core;

import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.SafeLog;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the counters of evicted policies had counted, so that no counter of a {@link ClockKeyed} ever falls: for each
 * key that is measured one by one, and for all others together.
 *
 * <pre>
 *   evicted (under the lock) -> measured (outside) -> its counts are in the base of its group (under the lock)
 *
 *   figure of a key = base of the key + policy that is held now
 *   figure of NAME/* = base of all others + policies of all others that are held now
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>The counts of a policy are in a base or come from the policy itself, never both: a base is replaced and never
 *       changed, and a poll takes the bases and the policies that are held at one moment under the lock.
 *   <li>A policy that was evicted and is held again, because the factory keeps it, is taken out of the base again.
 *   <li>A figure that was told is the least that is told next. So it stands still, and does not fall, while a policy is
 *       between the ring and the base, and for calls that end on a policy after it was evicted and measured.
 *   <li>Of each key that is measured, and of all others, there are at most {@value #MAX_SERIES} series.
 * </ul>
 *
 * <p>Methods that say so are called under the lock of the {@code ClockKeyed}; no user code runs in them. See ADR 120.
 */
final class KeyedFigures<K> {
    private static final Logger LOG = LoggerFactory.getLogger(Keyed.class);

    /** The most series of a group; it is reached by policies that put what comes from outside into tags. */
    private static final int MAX_SERIES = 1_000;

    private final String name;
    private final FigureGroup others = new FigureGroup();
    private final Map<K, FigureGroup> groups = new HashMap<>();

    /** The policies whose counts are in a base, for as long as they live. */
    private final Map<Object, Folded> folded = new HashMap<>();

    /** How many keys hold a policy. */
    private final IdentityHashMap<Measured, Integer> held = new IdentityHashMap<>();

    private final Queue<Evicted> evicted = new ArrayDeque<>();
    private final ReferenceQueue<Object> collected = new ReferenceQueue<>();

    KeyedFigures(String name) {
        this.name = name;
    }

    /** One series of a bridge. */
    private record KeyedSeries(String policy, Metric metric, List<String> tags) {
        @Override
        public int hashCode() {
            return 31 * (31 * policy.hashCode() + metric.toString().hashCode()) + tags.hashCode();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof KeyedSeries series
                    && policy.equals(series.policy)
                    && metric.toString().equals(series.metric.toString()) // two of one name are one series
                    && tags.equals(series.tags);
        }
    }

    /** A policy that is held no more, and not measured since. */
    record Evicted(Measured part, FigureGroup group) {}

    /** Counts, as they were at one moment. Not changed once it is a base. */
    static final class Figures {
        static final Figures NONE = new Figures();

        final Map<KeyedSeries, Double> counters = new HashMap<>();
        final Map<KeyedSeries, LatencyHistogram> histograms = new HashMap<>();

        Figures plus(Figures other, int sign) {
            Figures sum = new Figures();
            sum.add(this, 1);
            sum.add(other, sign);
            return sum;
        }

        private void add(Figures other, int sign) {
            other.counters.forEach((series, value) -> count(series, sign * value));
            other.histograms.forEach((series, histogram) -> {
                if (histograms.containsKey(series) || histograms.size() < MAX_SERIES) {
                    LatencyHistogram sum = histograms.computeIfAbsent(series, none -> new LatencyHistogram());
                    if (sign > 0) {
                        sum.add(histogram);
                    } else {
                        sum.subtract(histogram);
                    }
                }
            });
        }

        void count(KeyedSeries series, double value) {
            if (counters.containsKey(series) || counters.size() < MAX_SERIES) {
                counters.merge(series, value, Double::sum);
            }
        }
    }

    /** The figures of a key, or of all others. */
    static final class FigureGroup {
        /** Guarded by the lock of the {@code ClockKeyed}. */
        private Figures base = Figures.NONE;

        private final ReentrantLock telling = new ReentrantLock();

        /** What was told last. Guarded by the lock above. */
        private final Figures told = new Figures();

        /** Returns a figure, or what was told before if that was more. */
        private double tell(KeyedSeries series, double value) {
            telling.lock();
            try {
                if (told.counters.size() >= MAX_SERIES && !told.counters.containsKey(series)) {
                    return value;
                }
                return told.counters.merge(series, value, Math::max);
            } finally {
                telling.unlock();
            }
        }

        private void tell(KeyedSeries series, LatencyHistogram histogram) {
            telling.lock();
            try {
                if (told.histograms.size() < MAX_SERIES || told.histograms.containsKey(series)) {
                    LatencyHistogram before = told.histograms.computeIfAbsent(series, none -> new LatencyHistogram());
                    before.raiseTo(histogram);
                    histogram.raiseTo(before);
                }
            } finally {
                telling.unlock();
            }
        }
    }

    /** A policy, by identity, whose counts are in the base of a group. */
    private static final class Folded extends WeakReference<Object> {
        final FigureGroup group;
        final Figures figures;
        final int hash;

        Folded(Object policy, FigureGroup group, Figures figures, ReferenceQueue<Object> queue) {
            super(policy, queue);
            this.group = group;
            this.figures = figures;
            hash = System.identityHashCode(policy);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other;
        }
    }

    /** Finds a {@link Folded} in a map, which asks this object and not the one in it. */
    private record Identity(Object policy) {
        @Override
        public int hashCode() {
            return System.identityHashCode(policy);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Folded entry && entry.refersTo(policy);
        }
    }

    /** Returns the parts of what is held for a key that have figures. Calls user code. */
    static List<Measured> parts(Object value) {
        List<Measured> parts = new ArrayList<>();
        if (value instanceof Pipeline pipeline) {
            for (Policy member : pipeline.policies()) {
                if (member instanceof Measured measured) {
                    parts.add(measured);
                }
            }
        } else if (value instanceof Measured measured) {
            parts.add(measured);
        }
        return parts;
    }

    /** Tells the figures of a policy to a sink, those that were counted before included. Calls user code. */
    static void measure(Measured part, FigureGroup group, Figures base, Measured.Sink sink) {
        part.measure(new Measured.ForwardingSink(sink) {
            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                if (metric.kind() == Metric.Kind.COUNTER) {
                    KeyedSeries series = new KeyedSeries(policy, metric, tags);
                    double sum = value + base.counters.getOrDefault(series, 0.0);
                    sink.value(policy, metric, tags, group.tell(series, sum));
                } else {
                    sink.value(policy, metric, tags, value);
                }
            }

            @Override
            public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
                KeyedSeries series = new KeyedSeries(policy, metric, tags);
                LatencyHistogram before = base.histograms.get(series);
                sink.histogram(policy, metric, tags, into -> {
                    source.read(into);
                    if (before != null) {
                        into.add(before);
                    }
                    group.tell(series, into);
                });
            }
        });
    }

    /** Returns the counts of a policy; of one that throws, none. Calls user code. */
    private Figures counts(Measured part, boolean apart) {
        Figures figures = new Figures();
        try {
            part.measure(new Measured.Sink() {
                @Override
                public void value(String policy, String metric, double value) {}

                @Override
                public void value(String policy, Metric metric, List<String> tags, double value) {
                    if (metric.kind() == Metric.Kind.COUNTER) {
                        figures.count(new KeyedSeries(apart ? policy : others(), metric, tags), value);
                    }
                }

                @Override
                public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
                    if (apart && figures.histograms.size() < MAX_SERIES) {
                        source.read(figures.histograms.computeIfAbsent(
                                new KeyedSeries(policy, metric, tags), none -> new LatencyHistogram()));
                    }
                }
            });
        } catch (Throwable thrown) { // a call of another key must not fail for it
            SafeLog.warn(LOG, "keyed \"{}\": a policy that was evicted could not be measured", name, thrown);
        }
        return figures;
    }

    private String others() {
        return name + "/*";
    }

    /** Tells the sums of the counters of all keys that are not measured one by one. Calls user code. */
    void measureOthers(List<Measured> held, Figures base, Measured.Sink sink) {
        Figures sum = new Figures();
        sum.add(base, 1);
        for (Measured part : held) {
            sum.add(counts(part, false), 1);
        }
        sum.counters.forEach(
                (series, value) -> sink.value(series.policy, series.metric, series.tags, others.tell(series, value)));
    }

    /** Returns the counts in the base of a group. Under the lock. */
    static Figures base(FigureGroup group) {
        return group.base;
    }

    /** Returns the counts in the base of all others. Under the lock. */
    Figures base() {
        return others.base;
    }

    /** Returns the group of a key that is measured one by one, or that of all others. Under the lock. */
    FigureGroup group(K key, boolean isMeasured) {
        return isMeasured ? groups.computeIfAbsent(key, none -> new FigureGroup()) : others;
    }

    /** Notes that policies are held, and takes what they have counted out of the base. Under the lock. */
    void add(List<Measured> parts) {
        for (Measured part : parts) {
            held.merge(part, 1, Integer::sum);
            Folded known = folded.remove(new Identity(part));
            if (known != null) {
                known.group.base = known.group.base.plus(known.figures, -1);
            }
        }
    }

    /** Notes that the policies of a key are not held any more. Under the lock; {@link #poll} is to follow. */
    void remove(List<Measured> parts, K key, boolean isMeasured) {
        for (Measured part : parts) {
            if (held.merge(part, -1, KeyedFigures::sumUnlessZero) == null) {
                evicted.add(new Evicted(part, group(key, isMeasured)));
            }
        }
    }

    private static @Nullable Integer sumUnlessZero(Integer some, Integer more) {
        return some + more == 0 ? null : some + more;
    }

    /** Returns an evicted policy that is to be measured, or null. Under the lock. */
    @Nullable Evicted poll() {
        return evicted.poll();
    }

    /** Measures an evicted policy. Calls user code. */
    Figures counts(Evicted gone) {
        return counts(gone.part, gone.group != others);
    }

    /** Adds the counts of an evicted policy to the base of its group. Under the lock. */
    void fold(Evicted gone, Figures figures) {
        for (Object dead = collected.poll(); dead != null; dead = collected.poll()) {
            folded.remove(dead);
        }
        if (held.containsKey(gone.part) || folded.containsKey(new Identity(gone.part))) {
            return; // it is held again, or another thread was faster
        }
        Folded entry = new Folded(gone.part, gone.group, figures, collected);
        folded.put(entry, entry);
        gone.group.base = gone.group.base.plus(figures, 1);
    }
}
