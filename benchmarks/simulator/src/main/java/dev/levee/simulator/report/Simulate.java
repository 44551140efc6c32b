package dev.levee.simulator.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Runs scenarios and writes their pages and plots. */
public final class Simulate {
    private static final double QUICK_SCALE = 0.2;
    private static final int QUICK_SEEDS = 3;
    private static final String SUMMARY = "who-wins.md";

    private final Path folder;
    private final Study study;
    private final List<Scenario> scenarios;

    /** Of the summary, by scenario. */
    private final Map<String, String> rows = new HashMap<>();

    private Simulate(Path folder, Study study, List<Scenario> scenarios) {
        this.folder = folder;
        this.study = study;
        this.scenarios = scenarios;
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
        Simulate simulate = new Simulate(folder, study, scenarios);
        for (Scenario scenario : all ? scenarios : chosen) {
            simulate.run(scenario);
        }
        if (scenarios.size() > 1) { // not for a profile alone
            simulate.write(SUMMARY, simulate.summary());
        }
        return 0;
    }

    private void run(Scenario scenario) {
        Page page = new Page(scenario);
        rows.put(scenario.id(), "");
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
        if (best.isEmpty()) {
            return;
        }
        Subject winner = best.get(0);
        List<Subject> worse = results.worseThanRandom(part.main());
        double gap = results.gapClosed(winner, part.main());
        String row = String.join(
                " | ",
                "| [" + part.title() + "](" + scenario.id() + ".md)",
                part.main().name(),
                winner.name() + ": "
                        + part.main()
                                .format(results.interval(winner, part.main()).mean()),
                best.size() > 1 ? Page.names(best.subList(1, best.size())) : "-",
                Double.isFinite(gap) ? Math.round(gap) + " %" : "-",
                (worse.isEmpty() ? "-" : Page.names(worse)) + " |\n");
        rows.merge(scenario.id(), row, String::concat);
    }

    /** With the rows that an earlier run wrote of scenarios that this one did not run. */
    private String summary() {
        Map<String, String> earlier = new HashMap<>();
        for (String line : read(SUMMARY).lines().toList()) {
            for (Scenario scenario : scenarios) {
                if (line.startsWith("| [") && line.contains("](" + scenario.id() + ".md)")) {
                    earlier.merge(scenario.id(), line + "\n", String::concat);
                }
            }
        }
        StringBuilder summary = new StringBuilder("""
                # Which strategy wins where

                Written by `benchmarks/simulate`. A tie is one whose paired difference from the best cannot be told from
                0.

                | Question | decided by | best | ties with it | its way from random to the oracle | worse than random |
                |---|---|---|---|---:|---|
                """);
        for (Scenario scenario : scenarios) {
            summary.append(rows.getOrDefault(scenario.id(), earlier.getOrDefault(scenario.id(), "")));
        }
        return summary.toString();
    }

    private String read(String name) {
        try {
            Path file = folder.resolve(name);
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
