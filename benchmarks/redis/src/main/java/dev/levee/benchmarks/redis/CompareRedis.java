package dev.levee.benchmarks.redis;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures limits and caches on Redis and their peers in one run: {@code [--quick] --out DIRECTORY [REGEX]}; the server
 * must run, see {@link Server}. Prints a table of microseconds a call, and writes it to {@code compare-redis.md}.
 */
public final class CompareRedis {
    private static final List<Question> QUESTIONS = List.of(
            new Question("redis.hotkey", "accept", HotkeyAccept.class, List.of(1, 16)),
            new Question("redis.hotkey", "reject", HotkeyReject.class, List.of(1, 16)),
            new Question("redis.1000keys", "", Keys1000.class, List.of(1, 16)),
            new Question("redis.cache.nearhit", "", CacheNearhit.class, List.of(1, 2)),
            new Question("redis.cache.remotehit", "", CacheRemotehit.class, List.of(1, 16)));

    private CompareRedis() {}

    /** A question: what is asked, how, and by how many threads. */
    private record Question(String name, String answer, Class<?> benchmark, List<Integer> threads) {
        String id(int count) {
            return name + "." + count + "threads" + (answer.isEmpty() ? "" : "." + answer);
        }
    }

    /** A figure of one subject, in microseconds a call as all threads together make them. */
    private record Figure(double micros, double error, double bytes) {}

    /**
     * Runs it.
     *
     * @param arguments see the class
     * @throws IOException if the table cannot be written
     * @throws RunnerException if a subject cannot be measured
     */
    public static void main(String[] arguments) throws IOException, RunnerException {
        boolean quick = false;
        Path directory = Path.of("target");
        Pattern pattern = Pattern.compile("");
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--quick")) {
                quick = true;
            } else if (arguments[i].equals("--out") && i + 1 < arguments.length) {
                directory = Path.of(arguments[++i]);
            } else {
                pattern = Pattern.compile(arguments[i]);
            }
        }
        Files.createDirectories(directory);
        StringBuilder table = new StringBuilder(heading(quick));
        try (PrintStream log = new PrintStream(
                Files.newOutputStream(directory.resolve("compare-redis.log")), true, StandardCharsets.UTF_8)) {
            for (Question question : QUESTIONS) {
                for (int threads : question.threads()) {
                    if (pattern.matcher(question.id(threads)).find()) {
                        System.err.println(question.id(threads));
                        append(table, question.id(threads), threads, take(question, threads, quick, log));
                    }
                }
            }
        }
        if (pattern.matcher("redis.cache.stampede").find()) {
            System.err.println("redis.cache.stampede");
            table.append(CacheStampede.table());
        }
        Files.writeString(directory.resolve("compare-redis.md"), table);
        System.out.print(table);
    }

    private static Map<String, Figure> take(Question question, int threads, boolean quick, PrintStream log)
            throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + Pattern.quote(question.benchmark().getName()) + "\\..*$")
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.MICROSECONDS)
                .threads(threads)
                .forks(quick ? 1 : 2)
                .warmupIterations(quick ? 2 : 4)
                .warmupTime(TimeValue.milliseconds(500))
                .measurementIterations(quick ? 4 : 8)
                .measurementTime(TimeValue.milliseconds(500))
                .jvmArgs("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-D" + Server.PORT + "=" + Server.port())
                .addProfiler(GCProfiler.class);
        Collection<RunResult> results =
                new Runner(options.build(), OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL)).run();
        Map<String, Figure> figures = new LinkedHashMap<>();
        for (RunResult result : results) {
            String method = result.getParams().getBenchmark();
            double bytes = result.getSecondaryResults().values().stream()
                    .filter(each -> each.getLabel().endsWith("gc.alloc.rate.norm"))
                    .mapToDouble(each -> each.getScore())
                    .findFirst()
                    .orElse(Double.NaN);
            figures.put(
                    method.substring(method.lastIndexOf('.') + 1),
                    new Figure(
                            result.getPrimaryResult().getScore(),
                            result.getPrimaryResult().getScoreError(),
                            bytes));
        }
        return figures;
    }

    private static String heading(boolean quick) {
        return "Redis on loopback, one server, all subjects in one run; JMH average time"
                + (quick ? ", quick" : "")
                + ". A call is one decision or one read of one thread; the rate is that of all threads.\n\n"
                + "| question | subject | µs a call | ± | calls/s, all threads | B/call |\n"
                + "|---|---|---:|---:|---:|---:|\n";
    }

    private static void append(StringBuilder table, String id, int threads, Map<String, Figure> figures) {
        List<String> names = new ArrayList<>(figures.keySet());
        names.sort(
                (a, b) -> Double.compare(figures.get(a).micros(), figures.get(b).micros()));
        for (String name : names) {
            Figure figure = figures.get(name);
            table.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %.3f | %.3f | %,.0f | %.0f |%n",
                    id,
                    name,
                    figure.micros(),
                    figure.error(),
                    threads * 1e6 / figure.micros(),
                    figure.bytes()));
        }
    }
}
