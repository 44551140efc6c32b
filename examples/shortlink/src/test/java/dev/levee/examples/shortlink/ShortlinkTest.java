package dev.levee.examples.shortlink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.examples.shortlink.database.DatabaseServer;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.ClickTable;
import dev.levee.examples.shortlink.node.NodeServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.h2.tools.Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole service in one JVM; without timeouts, since a JVM that runs tests may be slow. The smoke test has the
 * processes.
 */
class ShortlinkTest {
    private static final String URL = "https://example.com/a/long/way";

    @TempDir
    Path directory;

    private final HttpClient http = HttpClient.newHttpClient();
    private Server database;
    private WebServer first;
    private WebServer second;
    private WebServer front;

    @BeforeEach
    void start() throws UsageException {
        database = DatabaseServer.open(0, directory);
        first = node("first");
        second = node("second");
        List<URI> nodes = List.of(uri(first, ""), uri(second, ""));
        front = FrontServer.start(0, nodes, Without.TIMEOUT, Environment.system());
    }

    private WebServer node(String name) throws UsageException {
        return NodeServer.start(
                0,
                name,
                Backends.database(DatabaseServer.url(database.getPort())),
                directory.resolve(name),
                Without.TIMEOUT,
                Environment.system());
    }

    @AfterEach
    void stop() {
        front.close();
        first.close();
        second.close();
        database.stop();
    }

    @Test
    void a_url_is_shortened_once_and_resolved() throws Exception {
        HttpResponse<String> created = shorten(URL);
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(shorten(URL).body()).isEqualTo(created.body());

        HttpResponse<String> found = get(URI.create(created.body().strip()), "10.0.0.1");
        assertThat(found.statusCode()).isEqualTo(302);
        assertThat(found.headers().firstValue("Location")).contains(URL);
    }

    @Test
    void a_click_is_counted_behind_its_answer() throws Exception {
        URI link = URI.create(shorten(URL).body().strip());
        for (int i = 0; i < 10; i++) {
            HttpResponse<String> found = get(link, "10.0.2." + i);
            assertThat(found.headers().firstValue(Reply.COUNTED)).contains("true");
        }
        first.close();
        second.close();

        Map<String, Long> clicks = ClickTable.totals(DatabaseServer.url(database.getPort()));
        assertThat(clicks).containsEntry(link.getPath().substring(1), 10L);
        assertThat(clicks.get("")).isLessThan(10);
    }

    @Test
    void what_is_no_url_and_what_is_no_link_is_said() throws Exception {
        assertThat(shorten("nonsense").statusCode()).isEqualTo(400);
        assertThat(shorten("http://example.com/" + "a".repeat(3000)).statusCode())
                .isEqualTo(413);
        assertThat(get("/AAAAAAAA").statusCode()).isEqualTo(404);
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(get("/healthz").statusCode()).isEqualTo(200);
    }

    @Test
    void a_client_that_asks_too_much_is_refused_and_others_are_not() throws Exception {
        HttpResponse<String> last = get("/AAAAAAAA");
        for (int i = 0; i < 1_000 && last.statusCode() != 429; i++) {
            last = get("/AAAAAAAA");
        }

        assertThat(last.statusCode()).isEqualTo(429);
        assertThat(last.headers().firstValue("Retry-After")).isPresent();
        assertThat(last.headers().firstValue("RateLimit")).contains("\"client\";r=0;t=1");
        assertThat(get(uri(front, "/AAAAAAAA"), "10.0.0.2").statusCode()).isEqualTo(404);
    }

    @Test
    void a_node_that_is_gone_is_not_noticed() throws Exception {
        URI link = URI.create(shorten(URL).body().strip());
        first.close();

        for (int i = 0; i < 50; i++) {
            assertThat(get(link, "10.0.1." + i).statusCode()).isEqualTo(302);
        }
    }

    @Test
    void without_a_database_the_cached_links_go_on_and_the_others_are_unavailable() throws Exception {
        URI link = URI.create(shorten(URL).body().strip());
        assertThat(get(link, "10.0.0.1").statusCode()).isEqualTo(302);
        database.stop();

        assertThat(get(link, "10.0.0.1").statusCode()).isEqualTo(302);
        HttpResponse<String> cold = get("/AAAAAAAA");
        assertThat(cold.statusCode()).isEqualTo(503);
        assertThat(cold.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void a_request_with_a_key_is_done_once_and_then_answered_from_the_record() throws Exception {
        HttpResponse<String> created = shorten(front, "key", URL);
        HttpResponse<String> again = shorten(front, "key", URL);

        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(created.headers().firstValue(Reply.REPLAYED)).isEmpty();
        assertThat(again.statusCode()).isEqualTo(201);
        assertThat(again.body()).isEqualTo(created.body());
        assertThat(again.headers().firstValue("Location"))
                .isEqualTo(created.headers().firstValue("Location"));
        assertThat(again.headers().firstValue(Reply.REPLAYED)).contains("true");
        assertThat(get(URI.create(created.body().strip()), "10.0.0.1").statusCode())
                .isEqualTo(302);
    }

    @Test
    void every_node_knows_the_key_and_so_does_the_next_one() throws Exception {
        assertThat(shorten(first, "key", URL).headers().firstValue(Reply.REPLAYED))
                .isEmpty();
        assertThat(shorten(second, "key", URL).headers().firstValue(Reply.REPLAYED))
                .contains("true");
        WebServer third = node("third");
        try {
            assertThat(shorten(third, "key", URL).headers().firstValue(Reply.REPLAYED))
                    .contains("true");
        } finally {
            third.close();
        }
    }

    @Test
    void a_key_is_for_one_url_and_a_url_may_have_many_keys() throws Exception {
        HttpResponse<String> created = shorten(front, "key", URL);

        assertThat(shorten(front, "key", URL + "/other").statusCode()).isEqualTo(422);
        HttpResponse<String> other = shorten(front, "another key", URL);
        assertThat(other.statusCode()).isEqualTo(201);
        assertThat(other.body()).isEqualTo(created.body());
        assertThat(other.headers().firstValue(Reply.REPLAYED)).isEmpty();
        assertThat(shorten(URL + "/other").statusCode()).isEqualTo(201);
    }

    @Test
    void a_key_that_is_none_is_said_and_a_url_that_is_none_uses_no_key_up() throws Exception {
        assertThat(shorten(front, "", URL).statusCode()).isEqualTo(400);
        assertThat(shorten(front, "k".repeat(256), URL).statusCode()).isEqualTo(400);
        assertThat(shorten(front, "k".repeat(255), URL).statusCode()).isEqualTo(201);
        assertThat(shorten(front, "key", "nonsense").statusCode()).isEqualTo(400);
        assertThat(shorten(front, "key", URL).statusCode()).isEqualTo(201);
    }

    @Test
    void of_many_requests_with_one_key_at_the_same_time_one_is_done() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            all.add(http.sendAsync(request(i % 2 == 0 ? first : second, "key", URL), BodyHandlers.ofString()));
        }

        List<HttpResponse<String>> answers =
                all.stream().map(CompletableFuture::join).toList();
        assertThat(answers).extracting(HttpResponse::statusCode).contains(201).isSubsetOf(201, 409);
        assertThat(answers)
                .filteredOn(answer -> answer.statusCode() == 201)
                .filteredOn(
                        answer -> answer.headers().firstValue(Reply.REPLAYED).isEmpty())
                .hasSize(1);
    }

    @Test
    void without_a_database_a_key_does_not_help() throws Exception {
        assertThat(shorten(front, "key", URL).statusCode()).isEqualTo(201);
        database.stop();

        HttpResponse<String> answer = shorten(front, "key", URL);
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void a_node_does_not_begin_what_nobody_waits_for() throws Exception {
        assertThat(getWithin("0n").statusCode()).isEqualTo(503);
        assertThat(getWithin("1M").statusCode()).isEqualTo(404);
        assertThat(getWithin("soon").statusCode()).isEqualTo(400);
    }

    private HttpResponse<String> getWithin(String deadline) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(uri(first, "/AAAAAAAA"))
                        .header(Deadline.HEADER, deadline)
                        .build(),
                BodyHandlers.ofString());
    }

    private HttpResponse<String> shorten(WebServer server, String key, String url)
            throws IOException, InterruptedException {
        return http.send(request(server, key, url), BodyHandlers.ofString());
    }

    private static HttpRequest request(WebServer server, String key, String url) {
        return HttpRequest.newBuilder(uri(server, "/shorten"))
                .header(Reply.IDEMPOTENCY_KEY, key)
                .POST(BodyPublishers.ofString(url))
                .build();
    }

    private HttpResponse<String> shorten(String url) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(uri(front, "/shorten"))
                        .POST(BodyPublishers.ofString(url))
                        .build(),
                BodyHandlers.ofString());
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return get(uri(front, path), "10.0.0.1");
    }

    private HttpResponse<String> get(URI uri, String client) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(uri).header("X-Forwarded-For", client).build(), BodyHandlers.ofString());
    }

    private static URI uri(WebServer server, String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }
}
