package dev.levee.benchmarks.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Measures Levee and its peers in one run: {@code compare [--quick] [--out DIRECTORY] [--accepted FILE] [REGEX]}.
 *
 * <p>Exits with 0, or 1 if a levee row allocates more than is promised or a target is missed, or 2 if the arguments are
 * wrong or a subject could not be measured. What seems missed is asked again with more JVMs before it is.
 */
public final class Compare {
    private static final List<Integer> THREADS = List.of(1, 2);

    /** How many targets are asked again: if more seem missed, it is no accident of one of them, and time matters. */
    private static final int MAX_AGAIN = 10;

    /** The same for those that are still missed then. */
    private static final int MAX_ONCE_MORE = 4;

    private Compare() {}

    /**
     * Runs it.
     *
     * @param arguments see the class
     * @throws IOException if the results cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        Measurement measurement = Measurement.FULL;
        Path directory = Path.of("target");
        Pattern pattern = Pattern.compile("");
        Judge judge = new Judge(List.of());
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--quick")) {
                measurement = Measurement.QUICK;
            } else if (arguments[i].equals("--out") && i + 1 < arguments.length) {
                directory = Path.of(arguments[++i]);
            } else if (arguments[i].equals("--accepted") && i + 1 < arguments.length) {
                try {
                    judge = new Judge(AcceptedMiss.parse(Files.readAllLines(Path.of(arguments[++i]))));
                } catch (IllegalArgumentException malformed) {
                    throw usage("accepted misses: " + malformed.getMessage());
                }
            } else if (arguments[i].startsWith("-")) {
                throw usage("unknown option " + arguments[i]);
            } else {
                try {
                    pattern = Pattern.compile(arguments[i]);
                } catch (PatternSyntaxException malformed) {
                    throw usage("not a regular expression: " + arguments[i]);
                }
            }
        }
        System.exit(run(measurement, directory, questions(pattern), judge));
    }

    private static Set<Question> questions(Pattern pattern) {
        EnumSet<Question> asked = EnumSet.noneOf(Question.class);
        for (Question question : Question.values()) {
            if (pattern.matcher(question.id).find()) {
                asked.add(question);
            }
        }
        if (asked.isEmpty()) {
            throw usage("no question matches " + pattern + "; there are " + List.of(Question.values()));
        }
        return Target.withBases(asked);
    }

    private static int run(Measurement measurement, Path directory, Set<Question> questions, Judge judge)
            throws IOException {
        Files.createDirectories(directory);
        Rows rows = new Rows();
        List<String> missing = new ArrayList<>();
        long start = System.nanoTime();
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        Path logFile = directory.resolve("compare.log");
        try (PrintStream log = new PrintStream(Files.newOutputStream(logFile), true, StandardCharsets.UTF_8)) {
            for (Question question : questions) {
                for (int threads : THREADS) {
                    if (!question.isAskedAt(threads)) {
                        continue;
                    }
                    System.err.printf("%s, %d thread%s%n", question, threads, threads == 1 ? "" : "s");
                    List<Row> taken = measurement.take(question, threads, log);
                    rows.addAll(taken);
                    List<String> answered = taken.stream().map(Row::subject).toList();
                    question.subjects().stream()
                            .filter(subject -> !answered.contains(subject))
                            .forEach(subject -> missing.add(question + " " + subject + " at " + threads));
                }
            }
            List<Target> doubtful = new ArrayList<>(judge.missed(rows));
            doubtful.addAll(judge.unclear(rows));
            askAgain(doubtful, measurement.again(), rows, log);
            // What would fail the run was perhaps measured while the machine did something else.
            List<Target> failed = judge.failed(rows);
            if (failed.size() <= MAX_ONCE_MORE) {
                askAgain(failed, measurement.again(), rows, log);
            }
            askAgainForBytes(rows.allocating(), measurement.again(), rows, log);
            askAgainForBytes(rows.allocating(), measurement.again(), rows, log);
        } catch (RunnerException failure) {
            System.err.println("compare: JMH could not run: " + failure.getMessage());
            return 2;
        }
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        String markdown = Report.markdown(rows, THREADS, setting(measurement, rows, elapsed, load), judge);
        Files.writeString(directory.resolve("compare.md"), markdown);
        Files.writeString(directory.resolve("compare.json"), Report.json(rows));
        new PrintStream(System.out, true, StandardCharsets.UTF_8).print(markdown);

        if (!missing.isEmpty()) {
            System.err.println("compare: failed, see " + logFile + ": " + String.join(", ", missing));
            return 2;
        }
        if (!rows.allocating().isEmpty()) {
            System.err.println("compare: these allocate more than is promised: " + Report.names(rows.allocating()));
        }
        judge.reached(rows)
                .forEach(miss -> System.err.println("compare: an accepted miss that is reached now, drop it: " + miss));
        List<Target> unclear = judge.unclear(rows);
        unclear.forEach(target -> System.err.println("compare: too large an error to tell: " + target.sentence(rows)));
        List<Target> missed = judge.missed(rows);
        missed.forEach(
                target -> System.err.println("compare: missed by more than the error: " + target.sentence(rows)));
        return rows.allocating().isEmpty() && judge.failed(rows).isEmpty() ? 0 : 1;
    }

    private static void askAgain(List<Target> targets, Measurement measurement, Rows rows, PrintStream log)
            throws RunnerException {
        for (Target target : targets.stream().limit(MAX_AGAIN).toList()) {
            System.err.println("not reached, asked again: " + target.sentence(rows));
            askAgain(target, measurement, rows, log);
        }
    }

    /**
     * Measures rows that allocate too much with more JVMs. JMH counts what all threads of the JVM allocate, so that a
     * compiler or a cache's cleaner that is late counts, too; what a call allocates itself, it allocates each time.
     */
    private static void askAgainForBytes(List<Row> allocating, Measurement measurement, Rows rows, PrintStream log)
            throws RunnerException {
        for (Row row : allocating.stream().limit(MAX_ONCE_MORE).toList()) {
            System.err.println("allocates more than is promised, asked again: " + Report.names(List.of(row)));
            rows.replace(measurement.take(row.question(), List.of(row.subject()), row.threads(), log));
        }
    }

    /** Measures what a target compares, one beside the other, with more JVMs. */
    private static void askAgain(Target target, Measurement measurement, Rows rows, PrintStream log)
            throws RunnerException {
        Optional<Row> base = target.base(rows);
        if (base.isPresent()) {
            rows.replace(
                    measurement.take(target.baseQuestion(), List.of(base.get().subject()), target.threads(), log));
        }
        rows.replace(measurement.take(target.question(), List.of(Row.LEVEE), target.threads(), log));
    }

    private static List<String> setting(Measurement measurement, Rows rows, Duration elapsed, double load) {
        return List.of(
                String.format(
                        Locale.ROOT,
                        "%s %s, %s %s, %d processors, load %.1f before the run; %d rows in %d s.",
                        System.getProperty("java.vm.name"),
                        System.getProperty("java.vm.version"),
                        System.getProperty("os.name"),
                        System.getProperty("os.arch"),
                        Runtime.getRuntime().availableProcessors(),
                        load,
                        rows.all().size(),
                        elapsed.toSeconds()),
                measurement.words(),
                "ns is the median of the iterations of all forks, ± JMH's 99.9 % error (half the range where it has"
                        + " none); all threads share one object.",
                String.format(
                        Locale.ROOT,
                        "B/op is JMH's gc.alloc.rate.norm; below %s it is the harness's own and shown as 0.",
                        Report.plain(Row.NOISE)),
                "The fastest peer is bold. Figures of different runs cannot be compared; ratios in one run can.");
    }

    private static IllegalArgumentException usage(String problem) {
        System.err.println("compare: " + problem + "\nusage: compare [--quick] [REGEX of question ids]");
        System.exit(2);
        return new IllegalArgumentException(problem);
    }
}
