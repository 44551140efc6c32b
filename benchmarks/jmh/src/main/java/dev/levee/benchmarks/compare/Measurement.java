package dev.levee.benchmarks.compare;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * How figures are taken.
 *
 * @param forks JVMs a row
 * @param warmups iterations that are thrown away, in each fork
 * @param iterations iterations that count, in each fork
 * @param millis how long an iteration lasts
 */
record Measurement(int forks, int warmups, int iterations, int millis) {
    /** For a table that is published. */
    static final Measurement FULL = new Measurement(2, 5, 10, 500);

    /** For every change: all questions of the family in some minutes. */
    static final Measurement QUICK = new Measurement(1, 6, 4, 140);

    /** The same for every subject; a fixed heap, so that growing it is not measured. */
    private static final String[] JVM_ARGUMENTS = {"-Xms1g", "-Xmx1g", "-XX:+UseG1GC"};

    /** How many blocks of calls are measured side by side: enough for each to be compiled, and for its error. */
    private static final int BLOCKS_PER_FORK = 50;

    private static final String ALLOCATION = "gc.alloc.rate.norm";

    /**
     * More JVMs for a figure that must be sure: what differs from one to the next is the largest error of a quick run.
     */
    Measurement again() {
        return new Measurement(3 * forks, warmups, iterations, millis);
    }

    /**
     * Asks all subjects of one question, one after the other, so that they meet the same machine.
     *
     * @param log receives what JMH prints
     * @return a row for each subject that could be measured
     */
    List<Row> take(Question question, int threads, PrintStream log) throws RunnerException {
        return take(question, question.subjects(), threads, log);
    }

    /**
     * Asks some subjects of one question.
     *
     * @param subjects which, as {@link Question#subjects()} names them
     * @param log receives what JMH prints
     * @return a row for each subject that could be measured
     */
    List<Row> take(Question question, Collection<String> subjects, int threads, PrintStream log)
            throws RunnerException {
        if (!question.programSubjects.isEmpty()) {
            return Program.rows(question, question.benchmark, threads, List.copyOf(subjects), JVM_ARGUMENTS, log);
        }
        if (question.mode == Mode.SampleTime) {
            return SideBySide.take(question, subjects, threads, forks * BLOCKS_PER_FORK, JVM_ARGUMENTS, log);
        }
        Options options = new OptionsBuilder()
                .include("^" + Pattern.quote(question.benchmark.getName()) + "\\.("
                        + String.join("|", question.methods(subjects)) + ")$")
                .mode(question.mode)
                .timeUnit(TimeUnit.NANOSECONDS)
                .threads(threads)
                .forks(forks)
                .warmupIterations(warmups)
                .warmupTime(TimeValue.milliseconds(millis))
                .measurementIterations(iterations)
                .measurementTime(TimeValue.milliseconds(millis))
                .jvmArgs(JVM_ARGUMENTS)
                .addProfiler(GCProfiler.class)
                .build();
        Collection<RunResult> results =
                new Runner(options, OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL)).run();
        List<Row> rows = new ArrayList<>();
        for (RunResult result : results) {
            rows.add(row(question, threads, result));
        }
        return rows;
    }

    private static Row row(Question question, int threads, RunResult result) {
        String method = result.getParams().getBenchmark();
        double[] iterations = result.getBenchmarkResults().stream()
                .flatMap(fork -> fork.getIterationResults().stream())
                .mapToDouble(iteration -> iteration.getPrimaryResult().getScore())
                .sorted()
                .toArray();
        double error = result.getPrimaryResult().getScoreError();
        return new Row(
                question,
                Question.subject(method.substring(method.lastIndexOf('.') + 1)),
                threads,
                median(iterations),
                Double.isNaN(error) ? (iterations[iterations.length - 1] - iterations[0]) / 2 : error,
                bytes(result));
    }

    /** Of values that are sorted. */
    static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double bytes(RunResult result) {
        for (Result<?> secondary : result.getSecondaryResults().values()) {
            if (secondary.getLabel().endsWith(ALLOCATION)) {
                double bytes = secondary.getScore();
                return bytes < Row.NOISE ? 0 : Math.round(bytes * 10) / 10.0;
            }
        }
        throw new IllegalStateException("JMH's gc profiler did not report " + ALLOCATION);
    }

    /** One sentence for the table. */
    String words() {
        return String.format(
                "JMH average time: %d fork%s a row, each with %d warm-up and %d measured iterations of %d ms;"
                        + " http.client:"
                        + " the p50 of blocks of 100 ms, the subjects in turn in one JVM; JVM options %s.",
                forks,
                forks == 1 ? "" : "s",
                warmups,
                iterations,
                millis,
                String.join(" ", Arrays.asList(JVM_ARGUMENTS)));
    }
}
