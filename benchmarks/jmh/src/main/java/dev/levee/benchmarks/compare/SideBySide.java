package dev.levee.benchmarks.compare;

import com.sun.management.ThreadMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Asks the subjects of a question in turn, a block of a tenth of a second each, in one JVM: for round trips, whose
 * latency differs more from one JVM to the next than between the subjects. A figure is the median of the p50s of the
 * blocks. Runs the methods and states of the JMH class, without JMH.
 */
final class SideBySide {
    private static final int BLOCK_MILLIS = 100;
    /** Of a thread in a block. */
    private static final int MAX_CALLS = 1 << 16;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** The middle of Student's distribution with 40 degrees of freedom that has 99.9 %. */
    private static final double T_999 = 3.55;

    private SideBySide() {}

    /** One subject, with its state. */
    private record Subject(String name, Method method, Object benchmark, Object state) {
        void call() throws Exception {
            method.invoke(benchmark, state);
        }

        void stop() throws ReflectiveOperationException {
            for (Method each : state.getClass().getMethods()) {
                if (each.isAnnotationPresent(TearDown.class)) {
                    each.invoke(state);
                }
            }
        }
    }

    /**
     * Asks in a JVM of its own.
     *
     * @param log receives what the JVM prints
     * @return a row for each subject that could be measured
     */
    static List<Row> take(
            Question question, Collection<String> subjects, int threads, int blocks, String[] jvm, PrintStream log) {
        List<String> arguments =
                new ArrayList<>(List.of(question.name(), String.valueOf(threads), String.valueOf(blocks)));
        arguments.addAll(subjects);
        return Program.rows(question, SideBySide.class, threads, arguments, jvm, log);
    }

    /**
     * Measures, and prints a line for each subject.
     *
     * @param arguments question, threads, blocks, subjects
     * @throws Exception of a subject
     */
    public static void main(String[] arguments) throws Exception {
        Question question = Question.valueOf(arguments[0]);
        int threads = Integer.parseInt(arguments[1]);
        int blocks = Integer.parseInt(arguments[2]);
        List<Subject> subjects = new ArrayList<>();
        for (String name : List.of(arguments).subList(3, arguments.length)) {
            subjects.add(subject(question, name));
        }
        double[][] middles = new double[subjects.size()][blocks];
        double[] bytes = new double[subjects.size()];
        for (int block = -blocks; block < blocks; block++) { // as many to warm up
            for (int i = 0; i < subjects.size(); i++) {
                Block measured = block(subjects.get(i), threads);
                if (block >= 0) {
                    bytes[i] += measured.bytesPerCall / blocks;
                    middles[i][block] = measured.p50;
                }
            }
        }
        for (int i = 0; i < subjects.size(); i++) {
            Arrays.sort(middles[i]);
            double error = T_999 * deviation(middles[i]) / Math.sqrt(blocks);
            System.out.printf(
                    Locale.ROOT,
                    "row %s %.0f %.0f %.0f%n",
                    subjects.get(i).name(),
                    Measurement.median(middles[i]),
                    error,
                    bytes[i]);
            subjects.get(i).stop();
        }
        System.exit(0);
    }

    private static Subject subject(Question question, String name) throws ReflectiveOperationException {
        for (Method method : question.benchmark.getDeclaredMethods()) {
            if (method.isAnnotationPresent(Benchmark.class)
                    && Question.subject(method.getName()).equals(name)) {
                return new Subject(
                        name,
                        method,
                        question.benchmark.getConstructor().newInstance(),
                        method.getParameterTypes()[0].getConstructor().newInstance());
            }
        }
        throw new IllegalArgumentException(question + " has no subject " + name);
    }

    private static Block block(Subject subject, int threads) throws InterruptedException {
        List<Caller> callers = new ArrayList<>();
        long before = allocatedByOthers();
        for (int i = 0; i < threads; i++) {
            Caller caller = new Caller(subject);
            callers.add(caller);
            caller.start();
        }
        for (Caller caller : callers) {
            caller.join();
        }
        long bytes = allocatedByOthers() - before;
        int calls = 0;
        for (Caller caller : callers) {
            if (caller.failure != null) {
                throw new IllegalStateException(subject.name() + " failed", caller.failure);
            }
            calls += caller.calls;
            bytes += caller.bytes;
        }
        double[] latencies = callers.stream()
                .flatMapToDouble(caller -> Arrays.stream(caller.latencies, 0, caller.calls))
                .sorted()
                .toArray();
        return new Block(Measurement.median(latencies), (double) bytes / calls);
    }

    /** What the threads that live have allocated; callers, which do not live before and after, are not among them. */
    private static long allocatedByOthers() {
        return Arrays.stream(THREADS.getThreadAllocatedBytes(THREADS.getAllThreadIds()))
                .filter(bytes -> bytes > 0)
                .sum();
    }

    private record Block(double p50, double bytesPerCall) {}

    /** Calls a subject for the time of a block. */
    private static final class Caller extends Thread {
        private final Subject subject;
        /** In nanoseconds. */
        private final double[] latencies = new double[MAX_CALLS];

        private int calls;
        private long bytes;
        private @Nullable Throwable failure;

        private Caller(Subject subject) {
            super("caller");
            this.subject = subject;
        }

        @Override
        public void run() {
            long start = System.nanoTime();
            long end = start + TimeUnit.MILLISECONDS.toNanos(BLOCK_MILLIS);
            long before = THREADS.getThreadAllocatedBytes(threadId());
            try {
                while (start - end < 0 && calls < MAX_CALLS) {
                    subject.call();
                    long now = System.nanoTime();
                    latencies[calls++] = now - start;
                    start = now;
                }
            } catch (Exception thrown) {
                failure = thrown;
            }
            bytes = THREADS.getThreadAllocatedBytes(threadId()) - before;
        }

        private static long threadId() {
            return Thread.currentThread().getId();
        }
    }

    private static double deviation(double[] values) {
        double mean = Arrays.stream(values).average().orElse(0);
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        return Math.sqrt(squares / (values.length - 1));
    }
}
