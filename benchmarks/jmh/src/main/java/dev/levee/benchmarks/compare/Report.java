package dev.levee.benchmarks.compare;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Makes the Markdown and the JSON of a run. */
final class Report {
    private Report() {}

    /**
     * The tables that a person reads.
     *
     * @param rows the figures
     * @param threadCounts at which they were taken
     * @param setting where and how they were taken, a sentence each
     * @param judge says which targets were reached
     */
    static String markdown(Rows rows, List<Integer> threadCounts, List<String> setting, Judge judge) {
        StringBuilder text = new StringBuilder("# Levee beside its peers\n\n");
        setting.forEach(line -> text.append("- ").append(line).append('\n'));
        text.append("\n## Figures\n\n");
        text.append("| question | threads | subject | ns | B/op | levee ÷ this |\n");
        text.append("|---|---:|---|---:|---:|---:|\n");
        for (Question question : Question.values()) {
            for (int threads : threadCounts) {
                rows.of(question, threads).forEach(row -> text.append(figure(rows, row)));
            }
        }
        return text.append("\n## Targets\n\n")
                .append(targets(rows, judge))
                .append(allocation(rows))
                .toString();
    }

    private static String figure(Rows rows, Row row) {
        boolean fastest = rows.fastestPeer(row.question(), row.threads())
                .filter(row::equals)
                .isPresent();
        String ratio = row.isPeer()
                ? rows.levee(row.question(), row.threads())
                        .map(levee -> ratio(levee, row))
                        .orElse("")
                : "";
        return String.format(
                Locale.ROOT,
                "| %s | %d | %s | %s ± %s%s | %s | %s |%n",
                row.question(),
                row.threads(),
                fastest ? "**" + row.subject() + "**" : row.subject(),
                nanos(row.ns()),
                nanos(row.error()),
                row.question().unit.equals("ns") ? "" : " " + row.question().unit,
                plain(row.bytes()),
                fastest && !ratio.isEmpty() ? "**" + ratio + "**" : ratio);
    }

    /** A quotient and its error; the errors of the two rows are taken as independent. */
    private static String ratio(Row above, Row below) {
        double ratio = above.ns() / below.ns();
        double error = ratio * Math.hypot(above.error() / above.ns(), below.error() / below.ns());
        return String.format(Locale.ROOT, "%.3f ± %.3f", ratio, error);
    }

    private static String targets(Rows rows, Judge judge) {
        List<Target> asked = Target.ALL.stream()
                .filter(target -> !rows.of(target.question(), target.threads()).isEmpty())
                .toList();
        if (asked.isEmpty()) {
            return "None for these questions.\n";
        }
        StringBuilder text = new StringBuilder("| question | threads | at most | is | levee ns | |\n");
        text.append("|---|---:|---|---:|---:|---|\n");
        for (Target target : asked) {
            Optional<Row> levee = rows.levee(target.question(), target.threads());
            Optional<Double> bound = target.bound(rows);
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %d | %s | %s | %s | %s |%n",
                    target.question(),
                    target.threads(),
                    target.words(),
                    bound.map(Report::nanos).orElse("-"),
                    levee.map(Row::ns).map(Report::nanos).orElse("-"),
                    judge.verdict(target, rows).words));
        }
        return text.toString();
    }

    private static String allocation(Rows rows) {
        List<Row> levee = rows.all().stream().filter(Row::isOwn).toList();
        List<Row> allocating = rows.allocating();
        if (levee.isEmpty()) {
            return "\nNo levee row was measured.\n";
        }
        if (allocating.isEmpty()) {
            return "\nThe promised B/op on every levee row (" + levee.size() + "; " + promises() + "): reached.\n";
        }
        return "\nThe promised B/op on every levee row (" + promises() + "): **not reached**: " + names(allocating)
                + ".\n";
    }

    /** Such as {@code 0, timeout.blocking at most 64}. */
    private static String promises() {
        return Arrays.stream(Question.values())
                .filter(question -> question.mostBytes > 0)
                .map(question -> question
                        + (Double.isInfinite(question.mostBytes) ? " none" : " at most " + plain(question.mostBytes)))
                .collect(Collectors.joining(", ", "0, but ", ""));
    }

    /** Such as {@code bulkhead.call at 2 threads (16 B)}. */
    static String names(List<Row> rows) {
        return rows.stream()
                .map(row -> row.question() + " at " + row.threads() + " thread" + (row.threads() == 1 ? "" : "s") + " ("
                        + plain(row.bytes()) + " B)")
                .collect(Collectors.joining(", "));
    }

    static String json(Rows rows) {
        return rows.all().stream()
                .map(row -> String.format(
                        Locale.ROOT,
                        "  {\"question\": \"%s\", \"subject\": \"%s\", \"threads\": %d, \"ns\": %s,"
                                + " \"error\": %s, \"bytes\": %s}",
                        row.question(),
                        row.subject(),
                        row.threads(),
                        rounded(row.ns()),
                        rounded(row.error()),
                        plain(row.bytes())))
                .collect(Collectors.joining(",\n", "[\n", "\n]\n"));
    }

    private static String rounded(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    /** As many digits as mean something. */
    static String nanos(double value) {
        int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    /** Without digits that say nothing: 2, 0.35, 376.1. */
    static String plain(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
