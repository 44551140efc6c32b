package dev.levee.examples.shortlink.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.levee.core.consistency.Session;
import dev.levee.examples.shortlink.Engines;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.Without;
import dev.levee.examples.shortlink.engines.Programs;
import dev.levee.examples.shortlink.node.ClickTable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole service with its processes, on a real Redis and a PostgreSQL with a replica. Without timeouts, since a
 * machine that runs tests may be slow; the smoke test has them.
 */
@Timeout(300)
class EnginesTest {
    private static final String URL = "https://example.com/a/long/way";
    private static final Engines BOTH = new Engines(true, true);

    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @TempDir
    Path data;

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void links_clicks_and_limits_outlive_redis_and_the_replica_and_nothing_is_left_in_the_end() throws Exception {
        requirePrograms();
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx--x--x"));
        try (Cluster cluster =
                Cluster.start(0, data, List.of("https://example.com/"), Without.TIMEOUT, BOTH, new Events(NOWHERE))) {
            URI first = cluster.fronts().get(0);
            URI second = cluster.fronts().get(1);

            // A replica that is late shows a client its own link all the same.
            cluster.setReplayed(false);
            HttpResponse<String> made = shorten(first, URL);
            String code = code(made);
            String session = made.headers().firstValue(Session.HEADER).orElse("");
            assertThat(made.statusCode()).isEqualTo(201);
            assertThat(session).isNotEmpty();
            assertThat(get(second, code, "10.0.0.1", session).statusCode()).isEqualTo(302);
            assertThat(shorten(second, URL).body()).contains(code);
            cluster.setReplayed(true);
            assertThat(get(first, code, "10.0.0.1", "nonsense").statusCode()).isEqualTo(400);

            // Both fronts together admit what one would.
            long start = System.nanoTime();
            long admitted = admitted(first, second, code, "10.0.0.2");
            double seconds = (System.nanoTime() - start) / 1e9;
            assertThat((double) admitted).isLessThanOrEqualTo(60 + 15 * seconds);
            cluster.killRedis();
            assertThat(get(first, code, "10.0.0.3", "").statusCode()).isEqualTo(302);
            cluster.startRedis();

            cluster.killReplica();
            String other = code(shorten(second, URL + "/other"));
            assertThat(get(first, other, "10.0.0.4", session).statusCode()).isEqualTo(302);
            HttpResponse<String> followed = get(first, code, "10.0.0.5", "");
            assertThat(followed.headers().firstValue(Reply.COUNTED)).contains("true");
            cluster.startReplica();
            assertThat(get(second, code, "10.0.0.6", session).statusCode()).isEqualTo(302);
            awaitClicks(cluster, other);
            assertThat(kept()).hasSize(3);
        }
        assertThat(kept()).isEmpty();
    }

    private static void awaitClicks(Cluster cluster, String code) throws Exception {
        while (ClickTable.totals(cluster.database()).getOrDefault(code, 0L) < 1) {
            Thread.sleep(50);
        }
    }

    /** Asks both in turn until both refuse. */
    private long admitted(URI first, URI second, String code, String client) throws Exception {
        long admitted = 0;
        for (int refused = 0, i = 0; refused < 4 && i < 1_000; i++) {
            HttpRequest request = request(i % 2 == 0 ? first : second, code, client, "");
            int status = http.send(request, BodyHandlers.ofString()).statusCode();
            admitted += status == 429 ? 0 : 1;
            refused = status == 429 ? refused + 1 : 0;
        }
        return admitted;
    }

    /** The servers that are no JVM, by their process ids. */
    private static Set<Long> kept() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info()
                        .command()
                        .filter(command -> command.matches(".*/(redis|valkey)-[a-z-]+|.*/postgres"))
                        .isPresent())
                .filter(process -> process.parent()
                        .flatMap(parent -> parent.info().command())
                        .filter(command -> command.endsWith("/java"))
                        .isPresent())
                .map(ProcessHandle::pid)
                .collect(Collectors.toSet());
    }

    private static void requirePrograms() {
        try {
            Programs.require(BOTH);
        } catch (UsageException missing) {
            if ("true".equals(System.getenv("CI"))) {
                fail(missing.getMessage() + "; .ci/servers installs it");
            }
            Assumptions.abort(missing.getMessage());
        }
    }

    private static String code(HttpResponse<String> made) {
        String link = made.body().strip();
        return link.substring(link.lastIndexOf('/') + 1);
    }

    private HttpResponse<String> shorten(URI front, String url) throws IOException, InterruptedException {
        return answer(HttpRequest.newBuilder(front.resolve("/shorten"))
                .POST(BodyPublishers.ofString(url))
                .build());
    }

    private HttpResponse<String> get(URI front, String code, String client, String session)
            throws IOException, InterruptedException {
        return answer(request(front, code, client, session));
    }

    /** A service that cannot answer now says so, and is asked again. */
    private HttpResponse<String> answer(HttpRequest request) throws IOException, InterruptedException {
        while (true) {
            HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
            if (answer.statusCode() != 503 && answer.statusCode() != 429) {
                return answer;
            }
            Thread.sleep(50);
        }
    }

    private static HttpRequest request(URI front, String code, String client, String session) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(front.resolve("/" + code)).header("X-Forwarded-For", client);
        if (!session.isEmpty()) {
            request.header(Session.HEADER, session);
        }
        return request.build();
    }
}
