package dev.levee.simulator.report;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The Markdown of a scenario. */
final class Page {
    private static final int MAX_LINE = 120;

    /** What would be markup at the beginning of a line. */
    private static final Set<String> SIGNS = Set.of("-", "+", "*", "=", "#", "|", ">");

    private final StringBuilder text = new StringBuilder();

    Page(Scenario scenario) {
        text.append("# ").append(scenario.title()).append("\n\nWritten by `benchmarks/simulate ");
        text.append(scenario.id()).append("`; how to read it: [README](README.md).\n");
    }

    void add(Part part, Results results) {
        text.append("\n## ").append(part.title()).append("\n\n");
        text.append(filled(part.prose())).append("\n\n");
        text.append("![").append(part.title()).append("](").append(part.id()).append(".svg)\n\n");
        for (String more : part.morePlots().keySet()) {
            text.append("![").append(more).append("](").append(more).append(".svg)\n\n");
        }
        table(part, results);
        text.append('\n').append(filled(verdict(part, results))).append('\n');
    }

    /** Breaks paragraphs, which are separated by empty lines, into lines that are as long as they may be. */
    static String filled(String paragraphs) {
        return Stream.of(paragraphs.strip().split("\n{2,}", -1))
                .map(Page::paragraph)
                .collect(Collectors.joining("\n\n"));
    }

    private static String paragraph(String words) {
        StringBuilder filled = new StringBuilder();
        int column = 0;
        for (String word : words.strip().split("\\s+", -1)) {
            if (column + 1 + word.length() > MAX_LINE && !SIGNS.contains(word)) {
                filled.append('\n');
                column = 0;
            } else if (column > 0) {
                filled.append(' ');
                column++;
            }
            filled.append(word);
            column += word.length();
        }
        return filled.toString();
    }

    private void table(Part part, Results results) {
        boolean gap = results.subjects().stream().anyMatch(it -> it.role() == Subject.Role.ORACLE)
                && results.subjects().stream().anyMatch(it -> it.role() == Subject.Role.RANDOM);
        text.append("| |");
        for (Measure measure : part.measures()) {
            text.append(' ').append(measure.name()).append(" |");
        }
        text.append(gap ? " way to the oracle |\n|---|" : "\n|---|");
        text.append("---:|".repeat(part.measures().size() + (gap ? 1 : 0))).append('\n');
        for (Subject subject : results.subjects()) {
            text.append("| ").append(subject.name()).append(" |");
            for (Measure measure : part.measures()) {
                text.append(' ')
                        .append(cell(results.interval(subject, measure), measure))
                        .append(" |");
            }
            if (gap) {
                text.append(' ')
                        .append(gapCell(results.gapClosed(subject, part.main())))
                        .append(" |");
            }
            text.append('\n');
        }
        text.append("\nMeans over ").append(results.seeds()).append(results.seeds() == 1 ? " seed" : " seeds");
        text.append(results.seeds() > 1 ? ", ± half a 95 % interval.\n" : ".\n");
    }

    private static String cell(Interval interval, Measure measure) {
        if (Double.isNaN(interval.mean())) {
            return "-";
        }
        String mean = measure.format(interval.mean());
        return interval.half() == 0 ? mean : mean + " ± " + measure.format(interval.half());
    }

    private static String gapCell(double gap) {
        return Double.isFinite(gap) ? Math.round(gap) + " %" : "-";
    }

    /** The best, those that do not differ from it significantly, and those that are worse than random. */
    static String verdict(Part part, Results results) {
        List<Subject> best = results.best(part.main());
        if (best.isEmpty()) {
            return "";
        }
        StringBuilder verdict = new StringBuilder("**Best by ")
                .append(part.main().name())
                .append(":** ")
                .append(best.get(0).name());
        if (best.size() > 1) {
            verdict.append("; not to be told from it: ").append(names(best.subList(1, best.size())));
        }
        verdict.append('.');
        List<Subject> worse = results.worseThanRandom(part.main());
        if (!worse.isEmpty()) {
            verdict.append(" **Worse than random:** ").append(names(worse)).append('.');
        }
        return verdict.toString();
    }

    static String names(List<Subject> subjects) {
        return subjects.stream().map(Subject::name).collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
