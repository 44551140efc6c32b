package dev.levee.simulator.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Runs scenarios and writes their pages and plots. */
public final class Simulate {
    private static final double QUICK_SCALE = 0.2;
    private static final int QUICK_SEEDS = 3;

    private final Path folder;
    private final Study study;
    private final StringBuilder summary = new StringBuilder();

    private Simulate(Path folder, Study study) {
        this.folder = folder;
        this.study = study;
    }

    /**
     * Runs what the arguments say.
     *
     * @return the exit code: 0, or 2 if they make no sense
     */
    public static int run(List<Scenario> scenarios, String... arguments) {
        List<Scenario> chosen = new ArrayList<>();
        boolean all = false;
        boolean quick = false;
        Path folder = Path.of("docs", "simulation");
        int threads = Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            switch (argument) {
                case "--all" -> all = true;
                case "--quick" -> quick = true;
                case "--out" -> folder = Path.of(arguments[++i]);
                case "--threads" -> threads = Integer.parseInt(arguments[++i]);
                default -> {
                    List<Scenario> named =
                            scenarios.stream().filter(it -> it.is(argument)).toList();
                    if (named.isEmpty()) {
                        System.err.println("simulate: there is no " + argument + "; there are "
                                + scenarios.stream().map(Scenario::id).toList());
                        return 2;
                    }
                    chosen.addAll(named);
                }
            }
        }
        if (chosen.isEmpty()) {
            all = true;
        }
        Study study = quick ? new Study(threads, QUICK_SCALE, QUICK_SEEDS) : new Study(threads, 1, Integer.MAX_VALUE);
        Simulate simulate = new Simulate(folder, study);
        for (Scenario scenario : all ? scenarios : chosen) {
            simulate.run(scenario);
        }
        if (all) {
            simulate.write("who-wins.md", simulate.summary());
        }
        return 0;
    }

    private void run(Scenario scenario) {
        Page page = new Page(scenario);
        for (Part part : scenario.parts()) {
            long start = System.nanoTime();
            Results results = study.run(part);
            page.add(part, results);
            write(part.id() + ".svg", plot(part, results));
            part.morePlots().forEach((name, more) -> write(name + ".svg", more.apply(results)));
            summarise(scenario, part, results);
            System.err.printf(Locale.ROOT, "%s in %.1f s%n", part.id(), (System.nanoTime() - start) / 1e9);
        }
        write(scenario.id() + ".md", page.toString());
    }

    private static String plot(Part part, Results results) {
        return part.plot() == null
                ? DotPlot.of(part.title(), results, part.main())
                : part.plot().apply(results);
    }

    private void summarise(Scenario scenario, Part part, Results results) {
        List<Subject> best = results.best(part.main());
        List<Subject> worse = results.worseThanRandom(part.main());
        summary.append("| [")
                .append(part.title())
                .append("](")
                .append(scenario.id())
                .append(".md) | ");
        summary.append(part.main().name()).append(" | ");
        if (best.isEmpty()) {
            summary.append("- | - | - | - |\n");
            return;
        }
        Subject winner = best.get(0);
        summary.append(winner.name()).append(": ");
        summary.append(part.main().format(results.interval(winner, part.main()).mean()));
        summary.append(" | ").append(best.size() > 1 ? Page.names(best.subList(1, best.size())) : "-");
        double gap = results.gapClosed(winner, part.main());
        summary.append(" | ").append(Double.isFinite(gap) ? Math.round(gap) + " %" : "-");
        summary.append(" | ").append(worse.isEmpty() ? "-" : Page.names(worse)).append(" |\n");
    }

    private String summary() {
        return """
                # Who wins where

                Written by `benchmarks/simulate --all`. A tie is one whose paired difference from the best cannot be told from 0.

                | Question | decided by | best | ties with it | its way from random to the oracle | worse than random |
                |---|---|---|---|---:|---|
                """ + summary;
    }

    private void write(String name, String content) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
