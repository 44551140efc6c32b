package dev.levee.simulator.report;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A question of a scenario: what is run with which subjects, and what is shown of it.
 *
 * @param id the name of its plot, without {@code .svg}
 * @param title its heading
 * @param prose what is simulated, and how the result is to be read; Markdown
 * @param subjects what it is run with
 * @param measures what is shown, the one that decides first
 * @param runner makes one run
 * @param plot makes the plot; null for the measure that decides, with its intervals
 * @param seeds how many seeds a full run takes
 * @param morePlots further plots by their names, without {@code .svg}
 */
public record Part(
        String id,
        String title,
        String prose,
        List<Subject> subjects,
        List<Measure> measures,
        Runner runner,
        @Nullable Function<Results, String> plot,
        int seeds,
        Map<String, Function<Results, String>> morePlots) {
    /** The usual number of seeds. */
    public static final int SEEDS = 20;

    /** Makes one run. */
    @FunctionalInterface
    public interface Runner {
        /**
         * Runs a subject with a seed.
         *
         * @param scale how long, relative to a full run: from more than 0 to 1
         */
        Figures run(Subject subject, long seed, double scale);
    }

    /** A part with the usual seeds and the usual plot. */
    public static Part of(
            String id, String title, String prose, List<Subject> subjects, List<Measure> measures, Runner runner) {
        return new Part(id, title, prose, subjects, measures, runner, null, SEEDS, Map.of());
    }

    /** This part with a plot of its own. */
    public Part withPlot(Function<Results, String> value) {
        return new Part(id, title, prose, subjects, measures, runner, value, seeds, morePlots);
    }

    /** This part with another number of seeds. */
    public Part withSeeds(int value) {
        return new Part(id, title, prose, subjects, measures, runner, plot, value, morePlots);
    }

    /** This part with one more plot. */
    public Part withMore(String name, Function<Results, String> value) {
        Map<String, Function<Results, String>> more = new TreeMap<>(morePlots);
        more.put(name, value);
        return new Part(id, title, prose, subjects, measures, runner, plot, seeds, more);
    }

    /** The measure that decides. */
    public Measure main() {
        return measures.get(0);
    }
}
