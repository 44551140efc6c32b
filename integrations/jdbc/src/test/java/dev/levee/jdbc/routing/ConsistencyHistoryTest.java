package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.testing.ClassPaths;
import dev.levee.jdbc.routing.VersionHistory.Event;
import dev.levee.loadbalancing.LoadBalancer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.Driver;
import org.slf4j.LoggerFactory;

/**
 * Processes write and read registers on a primary and two replicas that are frozen, paused and killed meanwhile; what
 * they saw is checked afterwards. Long form: {@code -Dlevee.history.seconds=120}.
 */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class ConsistencyHistoryTest {
    private static final int SECONDS = Integer.getInteger("levee.history.seconds", 6);
    private static final int PROCESSES = Integer.getInteger("levee.history.processes", 2);

    private static final String CLASS_PATH = ClassPaths.of(
            HistoryProcess.class,
            RoutingDataSource.class,
            CallContext.class,
            LoadBalancer.class,
            HikariDataSource.class,
            Driver.class,
            LoggerFactory.class);

    @Test
    void the_checker_finds_what_is_wrong() {
        Event write = new Event('W', 1, 1, 5, 10, 20);
        assertThat(wrong(write, new Event('S', 2, 1, 4, 30, 40))).contains("not linearizable");
        assertThat(wrong(write, new Event('S', 2, 1, 4, 15, 40))).isEmpty();
        assertThat(wrong(write, new Event('W', 2, 1, 5, 30, 40)))
                .contains("same version")
                .contains("not linear");
        assertThat(wrong(write, new Event('S', 2, 1, 5, 1, 5))).contains("seen before it was written");
        assertThat(wrong(write, new Event('Q', 1, 1, 4, 30, 40))).contains("own write not read");
        assertThat(wrong(write, new Event('Q', 2, 1, 4, 30, 40))).isEmpty();
        assertThat(wrong(new Event('Q', 1, 1, 5, 1, 2), new Event('Q', 1, 1, 4, 30, 40)))
                .contains("went back");
        assertThat(wrong(write, new Event('B', 2, 1, 4, 119, 125))).isEmpty();
        assertThat(wrong(write, new Event('B', 2, 1, 4, 121, 125))).contains("older than the bound");
    }

    private static String wrong(Event... events) {
        return String.join("; ", VersionHistory.violations(List.of(events), 100));
    }

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void each_choice_keeps_its_promise_while_replicas_fail(@TempDir Path sessions) throws Exception {
        List<String> lines = new ArrayList<>();
        ExecutorService readers = Executors.newFixedThreadPool(PROCESSES);
        try (ReplicatedPostgres servers = ReplicatedPostgres.start(2)) {
            servers.node(0).execute("CREATE TABLE register (id INT PRIMARY KEY, v BIGINT NOT NULL)");
            servers.node(0)
                    .execute("INSERT INTO register SELECT n, 0 FROM generate_series(1, " + HistoryProcess.KEYS + ") n");
            servers.node(1).awaitPosition(servers.node(0).position());
            servers.node(2).awaitPosition(servers.node(0).position());
            List<Future<List<String>>> outputs = new ArrayList<>();
            List<Process> processes = new ArrayList<>();
            try {
                for (int i = 0; i < PROCESSES; i++) {
                    Process process = begin(servers, sessions, i);
                    processes.add(process);
                    outputs.add(readers.submit(() -> read(process)));
                }
                awaitFirst(sessions);
                breakReplicas(servers, processes);
                for (Future<List<String>> output : outputs) {
                    lines.addAll(output.get(5, TimeUnit.MINUTES));
                }
            } finally {
                processes.forEach(Process::destroyForcibly);
            }
        } finally {
            readers.shutdownNow();
        }
        List<Event> history = lines.stream()
                .filter(line -> line.matches("[WSQB] .*"))
                .map(Event::parse)
                .toList();
        assertThat(lines.stream().filter(line -> !line.matches("([WSQBF]|PICKS) .*")))
                .isEmpty();
        assertThat(VersionHistory.violations(history, HistoryProcess.AGE.toNanos()))
                .isEmpty();
        for (String kind : List.of("W", "S", "Q", "B")) {
            assertThat(history.stream().filter(it -> kind.equals("" + it.kind())))
                    .as(kind)
                    .hasSizeGreaterThan(5);
        }
        long[] picks = picks(lines);
        assertThat(picks[1]).as("reads from replicas").isGreaterThan(20);
        long failed = lines.stream().filter(line -> line.startsWith("F ")).count();
        System.out.println("history of " + history.size() + " operations, " + failed + " failed; picks of the primary "
                + picks[0] + ", of replicas " + picks[1]);
    }

    private static long[] picks(List<String> lines) {
        long[] sum = new long[2];
        lines.stream()
                .filter(line -> line.startsWith("PICKS "))
                .map(line -> line.split(" ", -1))
                .forEach(words -> {
                    sum[0] += Long.parseLong(words[1]);
                    sum[1] += Long.parseLong(words[2]);
                });
        return sum;
    }

    private static Process begin(ReplicatedPostgres servers, Path sessions, int number) throws Exception {
        Stream<String> command = Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                CLASS_PATH,
                HistoryProcess.class.getName(),
                sessions.toString(),
                Integer.toString(number),
                Integer.toString(SECONDS));
        Stream<String> urls = servers.nodes().stream().map(ReplicatedPostgres.Node::url);
        return new ProcessBuilder(Stream.concat(command, urls).toList())
                .redirectError(ProcessBuilder.Redirect.INHERIT) // the driver logs connections that break
                .start();
    }

    private static List<String> read(Process process) throws Exception {
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            return reader.lines().filter(line -> !line.startsWith("SLF4J")).toList();
        }
    }

    /** The first operation of all has made a file. */
    private static void awaitFirst(Path sessions) throws Exception {
        for (int i = 0; i < 3_000; i++) {
            try (Stream<Path> files = Files.list(sessions)) {
                if (files.findAny().isPresent()) {
                    return;
                }
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /** One fault after the other, on one replica at a time, until the processes have ended. */
    private static void breakReplicas(ReplicatedPostgres servers, List<Process> processes) throws Exception {
        Random random = new Random(42);
        int round = 0;
        while (processes.stream().anyMatch(Process::isAlive)) {
            ReplicatedPostgres.Node replica = servers.node(1 + round % 2);
            switch (round++ / 2 % 3) {
                case 0 -> {
                    replica.pauseReplay();
                    TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(400));
                    replica.resumeReplay();
                }
                case 1 -> {
                    replica.freeze();
                    TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(700));
                    replica.thaw();
                }
                default -> {
                    replica.kill();
                    TimeUnit.MILLISECONDS.sleep(100);
                    replica.start();
                }
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(200));
        }
    }
}
