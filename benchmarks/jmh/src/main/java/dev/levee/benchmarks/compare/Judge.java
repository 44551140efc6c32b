package dev.levee.benchmarks.compare;

import java.util.List;
import java.util.Optional;

/**
 * Decides which targets a run has missed. A figure above its bound is a miss only if it is so by more than the errors
 * of both, which are taken as independent; each belongs to the same run, so that a slow machine moves the figure and
 * the bound together. See ADR 82.
 */
final class Judge {
    /** What became of a target. */
    enum Verdict {
        NOT_MEASURED("not measured"),
        REACHED("reached"),
        /** Above its bound, but by no more than the error: a run cannot tell. */
        WITHIN_ERROR("**not reached**, by less than the error"),
        /** Above its bound, and no further than the list of accepted misses allows. */
        ACCEPTED("**not reached**, which is accepted"),
        MISSED("**not reached**");

        final String words;

        Verdict(String words) {
            this.words = words;
        }
    }

    private static final double MARGIN = 1.25;

    private final List<AcceptedMiss> accepted;

    /**
     * Makes a judge.
     *
     * @param accepted the misses that fail no run
     */
    Judge(List<AcceptedMiss> accepted) {
        this.accepted = List.copyOf(accepted);
    }

    Verdict verdict(Target target, Rows rows) {
        Optional<Row> levee = rows.levee(target.question(), target.threads());
        Optional<Double> bound = target.bound(rows);
        if (levee.isEmpty() || bound.isEmpty()) {
            return Verdict.NOT_MEASURED;
        }
        if (levee.get().ns() <= bound.get()) {
            return Verdict.REACHED;
        }
        double boundError = target.boundError(rows);
        if (!isAbove(levee.get(), bound.get(), boundError)) {
            return Verdict.WITHIN_ERROR;
        }
        boolean isAccepted = accepted.stream()
                .filter(miss -> miss.covers(target))
                .anyMatch(miss -> !isAbove(levee.get(), miss.times() * bound.get(), miss.times() * boundError));
        return isAccepted ? Verdict.ACCEPTED : Verdict.MISSED;
    }

    private static boolean isAbove(Row levee, double bound, double boundError) {
        return levee.ns() - bound > Math.hypot(levee.error(), boundError);
    }

    /** The targets that are missed, and not accepted. */
    List<Target> missed(Rows rows) {
        return Target.ALL.stream()
                .filter(target -> verdict(target, rows) == Verdict.MISSED)
                .toList();
    }

    /**
     * The targets that fail a run: missed by more than the error and a quarter of the bound. JMH's error is that of the
     * forks of one run; from one run to the next a figure moves by more.
     */
    List<Target> failed(Rows rows) {
        return missed(rows).stream()
                .filter(target -> {
                    double figure = rows.levee(target.question(), target.threads())
                            .map(Row::ns)
                            .orElse(0.0);
                    return figure > MARGIN * target.bound(rows).orElse(figure);
                })
                .toList();
    }

    /** The targets of which a run cannot tell, because the error is more than a quarter of the bound. */
    List<Target> unclear(Rows rows) {
        return Target.ALL.stream()
                .filter(target -> verdict(target, rows) == Verdict.WITHIN_ERROR)
                .filter(target -> {
                    double levee = rows.levee(target.question(), target.threads())
                            .map(Row::error)
                            .orElse(0.0);
                    return Math.hypot(levee, target.boundError(rows))
                            > target.bound(rows).orElse(0.0) / 4;
                })
                .toList();
    }

    /** The accepted misses that are none in this run: all that they cover was reached. */
    List<AcceptedMiss> reached(Rows rows) {
        return accepted.stream()
                .filter(miss -> Target.ALL.stream()
                        .filter(miss::covers)
                        .allMatch(target -> verdict(target, rows) == Verdict.REACHED))
                .toList();
    }
}
