package dev.levee.example.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.HostAndPort;

/** Three servers, of which one is killed, frozen or not ready, with both clients. */
class RedisReadsTest {
    private interface Reads extends AutoCloseable {
        @Nullable String get(String key) throws Exception;

        @Override
        void close();
    }

    private enum Client {
        LETTUCE {
            @Override
            Reads over(List<Integer> ports) {
                List<RedisURI> uris =
                        ports.stream().map(port -> RedisURI.create(HOST, port)).toList();
                LettuceReads reads = new LettuceReads(uris, TIMEOUT);
                return reads(key -> reads.get(key).get(), reads::close);
            }
        },
        JEDIS {
            @Override
            Reads over(List<Integer> ports) {
                List<HostAndPort> addresses =
                        ports.stream().map(port -> new HostAndPort(HOST, port)).toList();
                JedisReads reads = new JedisReads(addresses, TIMEOUT);
                return reads(reads::get, reads::close);
            }
        };

        abstract Reads over(List<Integer> ports);
    }

    private interface Get {
        @Nullable String get(String key) throws Exception;
    }

    private static Reads reads(Get get, Runnable closing) {
        return new Reads() {
            @Override
            public @Nullable String get(String key) throws Exception {
                return get.get(key);
            }

            @Override
            public void close() {
                closing.run();
            }
        };
    }

    /** The first read starts a client, on a machine that may be busy. */
    private static final Duration TIMEOUT = Duration.ofSeconds(16);

    private static final String HOST = InetAddress.getLoopbackAddress().getHostAddress();

    private final List<StubRedis> servers = new ArrayList<>();

    RedisReadsTest() throws IOException {
        for (int i = 0; i < 3; i++) {
            StubRedis server = new StubRedis();
            server.data.put("greeting", "hello");
            servers.add(server);
        }
    }

    @AfterEach
    void stop() {
        servers.forEach(StubRedis::close);
    }

    private int allGets() {
        return servers.stream().mapToInt(server -> server.gets.get()).sum();
    }

    private Reads reads(Client client) {
        return client.over(servers.stream().map(StubRedis::port).toList());
    }

    @ParameterizedTest
    @EnumSource
    void a_read_asks_one_server(Client client) throws Exception {
        try (Reads reads = reads(client)) {
            for (int i = 0; i < 60; i++) {
                assertThat(reads.get("greeting")).isEqualTo("hello");
            }
            assertThat(reads.get("unknown")).isNull();
        }
        assertThat(allGets()).isBetween(61, 63); // a busy machine may cost the first read an attempt
    }

    @ParameterizedTest
    @EnumSource
    void a_server_that_is_killed_is_not_noticed(Client client) throws Exception {
        try (Reads reads = reads(client)) {
            for (int i = 0; i < 100; i++) {
                if (i == 30) {
                    servers.get(0).close();
                }
                assertThat(reads.get("greeting")).isEqualTo("hello");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_server_that_freezes_neither(Client client) throws Exception {
        try (Reads reads = reads(client)) {
            for (int i = 0; i < 30; i++) {
                if (i == 10) {
                    servers.get(1).frozen = true;
                }
                assertThat(reads.get("greeting")).isEqualTo("hello");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_server_that_loads_its_data_neither(Client client) throws Exception {
        servers.get(2).error = "LOADING Redis is loading the dataset in memory";
        try (Reads reads = reads(client)) {
            for (int i = 0; i < 30; i++) {
                assertThat(reads.get("greeting")).isEqualTo("hello");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void an_error_reply_is_an_answer_and_asked_of_one_server(Client client) throws Exception {
        servers.forEach(server -> server.error = "WRONGTYPE Operation against a key");
        try (Reads reads = reads(client)) {
            assertThatThrownBy(() -> reads.get("greeting")).hasStackTraceContaining("WRONGTYPE");
        }
        assertThat(allGets()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void without_any_server_a_read_fails(Client client) throws Exception {
        servers.forEach(StubRedis::close);
        try (Reads reads = reads(client)) {
            assertThatThrownBy(() -> reads.get("greeting")).isNotNull();
        }
    }

    /** What the page shows is what runs here. */
    @Test
    void the_page_shows_this_code() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("docs/redis-reads.md"))) {
            root = root.getParent();
        }
        String sources = "";
        for (String name : List.of("LettuceReads", "JedisReads")) {
            Path source = root.resolve("examples/redis-reads/src/main/java/dev/levee/example/redis/" + name + ".java");
            sources += Files.readString(source).replaceAll("\\s+", " ");
        }
        List<String> snippets = Pattern.compile("```\\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(root.resolve("docs/redis-reads.md")))
                .results()
                .map((MatchResult found) ->
                        found.group(1).replaceAll("\\s+", " ").strip())
                .toList();
        assertThat(snippets).hasSize(4);
        for (String snippet : snippets) {
            assertThat(sources).contains(snippet);
        }
    }
}
