package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The description of a figure: its name, kind, unit, meaning and tags.
 *
 * <p>Each module lists those that it has, such as {@code PolicyMetrics.all()}. A bridge to a metrics library gets the
 * description with each figure ({@link Measured.Sink#value(String, Metric, List, double)}) and needs no list.
 *
 * <p><b>Names</b> are lower-case words, every word separated by a dot, without the unit. <b>Tags</b> are few, and so
 * are the values of each: no key, path or message of a caller is one. Where a metric has tags, the sum over all of
 * their values is a figure too.
 *
 * <p>A figure is given in the unit of {@link #unit()}; {@link #inBaseUnit} makes seconds of nanoseconds for libraries
 * that count in base units, as Prometheus and OpenTelemetry do. Immutable; two of one name are not equal.
 *
 * @since 0.1
 */
public final class Metric {
    private static final Pattern NAME = Pattern.compile("[a-z]+(\\.[a-z]+)*");

    /** The tag of an endpoint; its value is a part of the name where a sink has no tags. */
    public static final String ENDPOINT = "endpoint";

    /** How the figures of a metric relate to each other over time. */
    public enum Kind {
        /** Only grows, for as long as the object that has it lives. */
        COUNTER,
        /** Goes up and down. */
        GAUGE,
        /** One of several states; the figure is the index of it in {@link Metric#states}. */
        STATE,
        /** Durations in buckets, whose counts only grow; passed to {@link Measured.Sink#histogram} and nowhere else. */
        HISTOGRAM
    }

    /** The unit of a figure. */
    public enum Unit {
        /** A count, of what the name says. */
        NONE("", "", 1),
        /** A share, mostly from 0 to 1. */
        RATIO("", "", 1),
        /** Bytes. */
        BYTES("bytes", "", 1),
        /** Nanoseconds; the base unit is seconds. */
        NANOSECONDS("seconds", ".nanos", 1e-9);

        private final String base;
        private final String suffix;
        private final double factor;

        Unit(String base, String suffix, double factor) {
            this.base = base;
            this.suffix = suffix;
            this.factor = factor;
        }

        /**
         * Returns the base unit, as metrics libraries call it.
         *
         * @return {@code seconds} or {@code bytes}; empty for a count or a ratio
         */
        public String base() {
            return base;
        }
    }

    private final String name;
    private final Kind kind;
    private final Unit unit;
    private final String description;
    private final List<String> tags;
    private final List<String> states;

    /** The name for a sink without tags. */
    private final String flat;

    private Metric(String name, Kind kind, Unit unit, String description, List<String> tags, List<String> states) {
        if (!NAME.matcher(Require.nonNull("name", name)).matches()) {
            throw new IllegalArgumentException("name must be lower-case words with dots between, was: " + name);
        }
        if (Require.nonNull("description", description).isBlank()) {
            throw new IllegalArgumentException("description of " + name + " is blank");
        }
        this.name = name;
        this.kind = kind;
        this.unit = Require.nonNull("unit", unit);
        this.description = description;
        this.tags = List.copyOf(tags);
        this.states = states;
        this.flat = name + unit.suffix;
    }

    /**
     * Returns the description of a counter of events.
     *
     * @param name the name
     * @param description one sentence
     * @param tags the names of the tags
     * @return the description
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric counter(String name, String description, String... tags) {
        return new Metric(name, Kind.COUNTER, Unit.NONE, description, List.of(tags), List.of());
    }

    /**
     * Returns the description of a counter with a unit.
     *
     * @param name the name, without the unit
     * @param unit the unit
     * @param description one sentence
     * @param tags the names of the tags
     * @return the description
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric counter(String name, Unit unit, String description, String... tags) {
        return new Metric(name, Kind.COUNTER, unit, description, List.of(tags), List.of());
    }

    /**
     * Returns the description of a number that goes up and down.
     *
     * @param name the name
     * @param description one sentence
     * @param tags the names of the tags
     * @return the description
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric gauge(String name, String description, String... tags) {
        return new Metric(name, Kind.GAUGE, Unit.NONE, description, List.of(tags), List.of());
    }

    /**
     * Returns the description of a figure with a unit that goes up and down.
     *
     * @param name the name, without the unit
     * @param unit the unit
     * @param description one sentence
     * @param tags the names of the tags
     * @return the description
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric gauge(String name, Unit unit, String description, String... tags) {
        return new Metric(name, Kind.GAUGE, unit, description, List.of(tags), List.of());
    }

    /**
     * Returns the description of a state. Its figure is the index of the state.
     *
     * @param name the name
     * @param description one sentence
     * @param states the type of the states, in the order of their figures
     * @return the description; the states are in lower case, as {@code half_open}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric state(String name, String description, Class<? extends Enum<?>> states) {
        List<String> values = Arrays.stream(
                        Objects.requireNonNull(Require.nonNull("states", states).getEnumConstants()))
                .map(each -> each.name().toLowerCase(Locale.ROOT))
                .toList();
        return new Metric(name, Kind.STATE, Unit.NONE, description, List.of(), values);
    }

    /**
     * Returns the description of a histogram of durations. It is counted in nanoseconds.
     *
     * @param name the name, without the unit
     * @param description one sentence
     * @param tags the names of the tags
     * @return the description
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not lower-case words with dots between, or the description blank
     */
    public static Metric histogram(String name, String description, String... tags) {
        return new Metric(name, Kind.HISTOGRAM, Unit.NANOSECONDS, description, List.of(tags), List.of());
    }

    /**
     * Returns the name, without the unit.
     *
     * @return lower-case words with dots between, such as {@code breaker.failure.rate}
     */
    public String name() {
        return name;
    }

    /**
     * Returns how figures of this metric relate to each other over time.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns the unit of a figure.
     *
     * @return the unit
     */
    public Unit unit() {
        return unit;
    }

    /**
     * Returns what the figure means.
     *
     * @return one sentence in plain text
     */
    public String description() {
        return description;
    }

    /**
     * Returns the names of the tags.
     *
     * @return the names, mostly none; immutable
     */
    public List<String> tags() {
        return tags;
    }

    /**
     * Returns the values of a {@link Kind#STATE}.
     *
     * @return the values, the figure being the index; empty for other kinds; immutable
     */
    public List<String> states() {
        return states;
    }

    /**
     * Returns a figure in the base unit of this metric.
     *
     * @param value the figure as a sink gets it
     * @return the figure in seconds if it was in nanoseconds; else the same
     */
    public double inBaseUnit(double value) {
        return value * unit.factor;
    }

    /** Returns the name for a sink without tags: name, values of the tags but the endpoint, unit. */
    String flatName(List<String> values) {
        if (values.isEmpty()) {
            return flat;
        }
        StringBuilder flat = new StringBuilder(name);
        for (int i = 0; i < values.size(); i++) {
            if (!tags.get(i).equals(ENDPOINT)) {
                flat.append('.').append(values.get(i).replace('-', '.').replace('_', '.'));
            }
        }
        return flat.append(unit.suffix).toString();
    }

    /** Returns the name of what is measured for a sink without tags: that of the policy, and the endpoint if any. */
    String flatPolicy(String policy, List<String> values) {
        int endpoint = values.isEmpty() ? -1 : tags.indexOf(ENDPOINT);
        return endpoint < 0 ? policy : policy + '/' + values.get(endpoint);
    }

    @Override
    public String toString() {
        return flat;
    }
}
