package dev.levee.simulator.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The figures of all subjects and seeds of one part of a scenario. */
public final class Results {
    private final Map<Subject, List<Figures>> bySubject = new LinkedHashMap<>();

    /** Adds the runs of a subject, in the order of the seeds. */
    public void put(Subject subject, List<Figures> runs) {
        bySubject.put(subject, List.copyOf(runs));
    }

    /** The subjects, in the order in which they were added. */
    public List<Subject> subjects() {
        return List.copyOf(bySubject.keySet());
    }

    /** How many seeds there were. */
    public int seeds() {
        return bySubject.values().stream().mapToInt(List::size).max().orElse(0);
    }

    /** A figure of a subject for each seed. */
    public double[] values(Subject subject, Measure measure) {
        return runs(subject).stream().mapToDouble(run -> run.get(measure)).toArray();
    }

    /** A figure of a subject. */
    public Interval interval(Subject subject, Measure measure) {
        return Interval.of(values(subject, measure));
    }

    /** A curve of a subject, point by point. */
    public Interval[] curve(Subject subject, String name) {
        List<Figures> runs = runs(subject);
        Interval[] curve = new Interval[runs.get(0).curve(name).length];
        for (int i = 0; i < curve.length; i++) {
            int point = i;
            curve[i] = Interval.of(
                    runs.stream().mapToDouble(run -> run.curve(name)[point]).toArray());
        }
        return curve;
    }

    private List<Figures> runs(Subject subject) {
        List<Figures> runs = bySubject.get(subject);
        if (runs == null) {
            throw new IllegalArgumentException("no runs of " + subject);
        }
        return runs;
    }

    /** How much of the way from random to the oracle a subject has gone, in per cent; not a number without both. */
    public double gapClosed(Subject subject, Measure measure) {
        Subject random = find(Subject.Role.RANDOM);
        Subject oracle = find(Subject.Role.ORACLE);
        if (random == null || oracle == null || !better(oracle, random, measure) || equal(oracle, random, measure)) {
            return Double.NaN; // there is no gap
        }
        double from = interval(random, measure).mean();
        return 100
                * (interval(subject, measure).mean() - from)
                / (interval(oracle, measure).mean() - from);
    }

    private @Nullable Subject find(Subject.Role role) {
        return bySubject.keySet().stream()
                .filter(subject -> subject.role() == role)
                .findFirst()
                .orElse(null);
    }

    /**
     * The best of those that ship, and those that do not differ from it significantly: the paired differences hold 0.
     * Best first.
     */
    public List<Subject> best(Measure measure) {
        List<Subject> shipped = bySubject.keySet().stream()
                .filter(subject -> subject.role() == Subject.Role.SHIPPED)
                .filter(subject -> !Double.isNaN(interval(subject, measure).mean()))
                .toList();
        Subject first = null;
        for (Subject subject : shipped) {
            if (first == null || better(subject, first, measure)) {
                first = subject;
            }
        }
        List<Subject> best = new ArrayList<>();
        if (first != null && measure.direction() != 0) {
            best.add(first);
            for (Subject subject : shipped) {
                if (!subject.equals(first) && equal(subject, first, measure)) {
                    best.add(subject);
                }
            }
        }
        return best;
    }

    /** Those that ship and are worse than random, as far as the seeds show. */
    public List<Subject> worseThanRandom(Measure measure) {
        List<Subject> worse = new ArrayList<>();
        for (Subject random : bySubject.keySet()) {
            for (Subject subject : bySubject.keySet()) {
                if (random.role() == Subject.Role.RANDOM
                        && subject.role() == Subject.Role.SHIPPED
                        && better(random, subject, measure)
                        && !equal(random, subject, measure)) {
                    worse.add(subject);
                }
            }
        }
        return worse;
    }

    private boolean better(Subject one, Subject other, Measure measure) {
        double difference =
                interval(one, measure).mean() - interval(other, measure).mean();
        return difference * measure.direction() > 0;
    }

    private boolean equal(Subject one, Subject other, Measure measure) {
        return Interval.ofDifferences(values(one, measure), values(other, measure))
                .holdsZero();
    }
}
