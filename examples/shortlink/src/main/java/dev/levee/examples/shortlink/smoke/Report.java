package dev.levee.examples.shortlink.smoke;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The figures of a run, in order, and what is wrong with them. */
final class Report {
    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> excused = new ArrayList<>();

    /** Adds a figure: a number, a boolean, or a word that needs no escape in JSON. */
    void put(String name, Object value) {
        figures.put(name, value);
    }

    double get(String name) {
        return ((Number) Objects.requireNonNull(figures.get(name), name)).doubleValue();
    }

    /** States what must be so. */
    void require(boolean condition, String otherwise) {
        if (!condition) {
            problems.add(otherwise);
        }
    }

    /**
     * States what must be so of all that happened. If it is so only of what happened while the machine did not stall,
     * or if it stalled all the time, the run is inconclusive.
     *
     * @param condition what must be so
     * @param undisturbed the figures of the latter
     * @param otherwise what is wrong if it is not so
     */
    void requireInTime(Predicate<Report> condition, Report undisturbed, String otherwise) {
        if (!condition.test(this)) {
            (condition.test(undisturbed) ? excused : problems).add(otherwise);
        }
    }

    boolean passed() {
        return problems.isEmpty() && excused.isEmpty();
    }

    /** Whether all that is wrong may be due to stalls of the machine. */
    boolean inconclusive() {
        return problems.isEmpty() && !excused.isEmpty();
    }

    void printTable(PrintStream out) {
        figures.forEach((name, value) -> out.printf("  %-30s %10s%n", name, value));
        problems.forEach(problem -> out.println("  NOT AS IT MUST BE: " + problem));
        excused.forEach(problem -> out.println("  not as it must be, while the machine stalled: " + problem));
    }

    String toJson() {
        return figures.entrySet().stream()
                .map(figure -> '"' + figure.getKey() + "\": "
                        + (figure.getValue() instanceof String word ? '"' + word + '"' : figure.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }
}
