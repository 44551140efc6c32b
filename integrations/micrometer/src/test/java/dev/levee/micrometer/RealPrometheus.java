package dev.levee.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.levee.core.testing.InstalledProgram;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A Prometheus on loopback, and its tool. */
final class RealPrometheus implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final HttpClient client = HttpClient.newHttpClient();
    private final Path folder;
    private final Process process;
    private final int port;

    private RealPrometheus(Path folder, Process process, int port) {
        this.folder = folder;
        this.process = process;
        this.port = port;
    }

    /** Returns the path of a program; without it the test is skipped, and fails in CI. */
    static String program(String name) {
        return InstalledProgram.path("prometheus", name);
    }

    /** Runs the tool in a folder, and returns what it printed; fails if it fails. */
    static String tool(Path folder, String input, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program("promtool")));
        command.addAll(List.of(arguments));
        Path in = Files.createTempFile(folder, "in", ".txt");
        Files.writeString(in, input);
        Path out = Files.createTempFile(folder, "out", ".txt");
        Process tool = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .start();
        boolean ended = tool.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        tool.destroyForcibly();
        String printed = Files.readString(out);
        assertThat(ended).as(printed).isTrue();
        assertThat(tool.exitValue())
                .as(String.join(" ", command) + "\n" + printed)
                .isZero();
        return printed;
    }

    /** Starts a server that scrapes two paths of a port, with the alerts of a file. */
    static RealPrometheus start(Path folder, int target, Path alerts) throws Exception {
        String program = program("prometheus");
        Files.copy(alerts, folder.resolve("alerts.yml"));
        Files.writeString(folder.resolve("prometheus.yml"), """
                global:
                  scrape_interval: 500ms
                  scrape_timeout: 500ms
                  evaluation_interval: 1s
                rule_files:
                  - alerts.yml
                scrape_configs:
                  - job_name: text
                    metrics_path: /text
                    static_configs:
                      - targets: ["127.0.0.1:%1$d"]
                  - job_name: openmetrics
                    metrics_path: /openmetrics
                    static_configs:
                      - targets: ["127.0.0.1:%1$d"]
                """.formatted(target));
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Process process = new ProcessBuilder(
                        program,
                        "--config.file=" + folder.resolve("prometheus.yml"),
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log.txt").toFile())
                .start();
        return new RealPrometheus(folder, process, port);
    }

    /** Asks for a path of the server's API until the answer is as it must be, with a generous end. */
    String await(String path, Predicate<String> good) throws Exception {
        long start = System.nanoTime();
        String last = "";
        while (System.nanoTime() - start < PATIENCE.toNanos()) {
            try {
                last = get(path);
                if (good.test(last)) {
                    return last;
                }
            } catch (IOException notYet) {
                last = notYet.toString();
            }
            if (!process.isAlive()) {
                break;
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        return fail(path + " answers " + last + "\n" + Files.readString(folder.resolve("log.txt")));
    }

    /** Runs a query until it has a result. */
    String query(String promql) throws Exception {
        return await(
                "/api/v1/query?query=" + URLEncoder.encode(promql, StandardCharsets.UTF_8),
                answer -> answer.contains("\"status\":\"error\"")
                        ? fail(promql + ": " + answer)
                        : answer.contains("\"status\":\"success\"") && !answer.contains("\"result\":[]"));
    }

    private String get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(20))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
