package dev.levee.benchmarks.compare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The figures of one run. Filled and read by one thread. */
final class Rows {
    private final List<Row> rows = new ArrayList<>();

    void addAll(List<Row> more) {
        rows.addAll(more);
    }

    /** Adds figures in place of those that the same subjects had before. */
    void replace(List<Row> anew) {
        for (Row row : anew) {
            rows.removeIf(old -> old.question() == row.question()
                    && old.threads() == row.threads()
                    && old.subject().equals(row.subject()));
        }
        rows.addAll(anew);
    }

    List<Row> all() {
        return List.copyOf(rows);
    }

    /** The rows of a question: levee first, then the others, fastest first. */
    List<Row> of(Question question, int threads) {
        return rows.stream()
                .filter(row -> row.question() == question && row.threads() == threads)
                .sorted(Comparator.comparing(Row::isLevee).reversed().thenComparingDouble(Row::ns))
                .toList();
    }

    Optional<Row> of(Question question, int threads, String subject) {
        return of(question, threads).stream()
                .filter(row -> row.subject().equals(subject))
                .findFirst();
    }

    Optional<Row> levee(Question question, int threads) {
        return of(question, threads, Row.LEVEE);
    }

    Optional<Row> fastestPeer(Question question, int threads) {
        return of(question, threads).stream().filter(Row::isPeer).findFirst();
    }

    /** Levee rows that allocate more than their question promises. */
    List<Row> allocating() {
        return rows.stream()
                .filter(Row::isOwn)
                .filter(row -> row.bytes() > row.question().mostBytes + Row.NOISE)
                .toList();
    }
}
