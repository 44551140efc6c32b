package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.testing.ClassPaths;
import dev.levee.jdbc.DoomedProcess.Point;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * Processes that are killed at each point between the claim and the record, and at random moments, while they work on a
 * database server that keeps running: no operation is done or recorded twice, and none whose end its caller has seen is
 * lost.
 */
class KillTest {
    private static final int ROUNDS = Integer.getInteger("levee.kill.rounds", 60);
    private static final int AT_ONCE = 2;

    private static final String CLASS_PATH = ClassPaths.of(
            DoomedProcess.class,
            JdbcIdempotencyStore.class,
            Idempotency.class,
            JdbcDataSource.class,
            LoggerFactory.class);

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void no_operation_is_done_or_recorded_twice_and_none_is_lost() throws Exception {
        Server server = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        Map<Point, Integer> kills = new EnumMap<>(Point.class);
        try {
            List<Future<Map<Point, Integer>>> lanes = new ArrayList<>();
            for (int number = 0; number < AT_ONCE; number++) {
                Lane lane = new Lane(server.getPort(), number);
                lanes.add(threads.submit(lane::run));
            }
            for (Future<Map<Point, Integer>> lane : lanes) {
                lane.get().forEach((point, count) -> kills.merge(point, count, Integer::sum));
            }
        } finally {
            threads.shutdownNow();
            server.stop();
        }
        assertThat(kills.values().stream().mapToInt(it -> it).sum()).isEqualTo(ROUNDS);
        assertThat(kills).containsOnlyKeys(Point.values());
    }

    /** One database, and one process after the other on it. */
    private static final class Lane {
        private final String url;
        private final int number;
        private final Random random;
        private final DataSource dataSource;

        Lane(int port, int number) {
            this.url = "jdbc:h2:tcp://127.0.0.1:" + port + "/mem:kill" + number + ";LOCK_TIMEOUT=20000";
            this.number = number;
            this.random = new Random(number);
            this.dataSource = DoomedProcess.dataSource(url + ";DB_CLOSE_DELAY=-1");
        }

        Map<Point, Integer> run() throws Exception {
            Map<Point, Integer> kills = new EnumMap<>(Point.class);
            try (Connection connection = dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute(JdbcIdempotencyStore.schema(DoomedProcess.TABLE));
                statement.execute("CREATE TABLE effects (id VARCHAR(255) NOT NULL, what VARCHAR(255) NOT NULL)");
            }
            for (int round = number; round < ROUNDS; round += AT_ONCE) {
                // Half of the rounds at planted points, half at random moments.
                Point[] points = Point.values();
                int planted = points.length - 2;
                Point point = round / AT_ONCE % 2 == 0
                        ? points[round / (2 * AT_ONCE) % planted]
                        : points[planted + round / (2 * AT_ONCE) % 2];
                String prefix = "round" + round;
                Map<String, String> heard = kill(prefix, point);
                kills.merge(point, 1, Integer::sum);
                survive(prefix, point, heard);
            }
            return kills;
        }

        /** What the callers of the process have heard before its end. */
        private Map<String, String> kill(String prefix, Point point) throws Exception {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-Xshare:auto",
                            "-Xmx128m",
                            "-cp",
                            CLASS_PATH,
                            DoomedProcess.class.getName(),
                            url,
                            prefix,
                            point.name())
                    .redirectErrorStream(true)
                    .start();
            Map<String, String> heard = new HashMap<>();
            List<String> lines = new ArrayList<>();
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                boolean killed = false;
                for (String line; (line = reader.readLine()) != null; ) {
                    lines.add(line);
                    if (line.startsWith("DONE ")) {
                        String[] words = line.split(" ", 3);
                        heard.put(words[1], words[2]);
                    } else if (line.equals("AT " + point)) {
                        if (point.isAnywhere()) {
                            TimeUnit.MICROSECONDS.sleep(random.nextInt(40_000));
                        }
                        process.toHandle().destroyForcibly(); // SIGKILL; the process itself would close the stream
                        killed = true;
                    }
                }
                assertThat(killed)
                        .as("it was killed at %s; it said %s", point, lines)
                        .isTrue();
            } finally {
                process.destroyForcibly();
            }
            assertThat(process.waitFor()).as("by SIGKILL").isEqualTo(128 + 9);
            return heard;
        }

        /** Another process comes and repeats every call. */
        private void survive(String prefix, Point point, Map<String, String> heard) throws Exception {
            try (Connection connection = dataSource.getConnection()) {
                awaitEndOfSessions(connection);
                Idempotency<String> calls = DoomedProcess.calls(dataSource, Duration.ZERO);
                if (point == Point.CLAIMED || point == Point.EXECUTING || point == Point.EXECUTED) {
                    assertThatThrownBy(() -> repeat(calls, prefix + "-0", point))
                            .as("as long as the lease lasts")
                            .isInstanceOf(IdempotencyRefusedException.class);
                }
                JdbcStoreContract.age(dataSource, DoomedProcess.TABLE, DoomedProcess.LEASE);
                for (int key = 0; key < (point.isAnywhere() ? DoomedProcess.KEYS : 1); key++) {
                    check(connection, calls, prefix + "-" + key, point, heard);
                }
            }
        }

        /**
         * What the server had received is done, and what was not committed is rolled back. The lease must be longer
         * than that takes.
         */
        private static void awaitEndOfSessions(Connection connection) throws Exception {
            try (Statement statement = connection.createStatement()) {
                for (int attempt = 0; attempt < 10_000; attempt++) {
                    try (ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SESSIONS")) {
                        rows.next();
                        if (rows.getInt(1) == 1) {
                            return;
                        }
                    }
                    TimeUnit.MILLISECONDS.sleep(1);
                }
            }
            throw new IllegalStateException("the sessions of the dead process do not end");
        }

        private void check(
                Connection connection, Idempotency<String> calls, String key, Point point, Map<String, String> heard)
                throws SQLException {
            List<String> before = effects(connection, key);
            boolean wasRecorded = isRecorded(connection, key);
            assertThat(before.size()).isLessThanOrEqualTo(1);
            if (heard.containsKey(key)) {
                assertThat(wasRecorded)
                        .as("what its caller has heard of is recorded")
                        .isTrue();
            }

            String first = repeat(calls, key, point);
            String second = repeat(calls, key, point);

            assertThat(first).isEqualTo(second);
            assertThat(effects(connection, key)).as("done once").containsExactly(first);
            if (!before.isEmpty()) {
                assertThat(first).as("what was done is what is recorded").isEqualTo(before.get(0));
            }
            if (heard.containsKey(key)) {
                assertThat(first).isEqualTo(heard.get(key));
            }
            assertThat(isRecorded(connection, key)).isTrue();
            if (point.inTransaction()) {
                assertThat(wasRecorded).as("both or neither").isEqualTo(!before.isEmpty());
            }
        }

        private String repeat(Idempotency<String> calls, String key, Point point) throws SQLException {
            if (point.inTransaction()) {
                TransactionalIdempotency<String> transactions =
                        TransactionalIdempotency.of(dataSource, "transactions", ResultCodec.text());
                return transactions.call(
                        key, "p", connection -> DoomedProcess.insertEffect(connection, key, "second run"));
            }
            return calls.call(key, "p", () -> {
                try (Connection connection = dataSource.getConnection()) {
                    return DoomedProcess.insertEffect(connection, key, "second run");
                }
            });
        }

        private static List<String> effects(Connection connection, String key) throws SQLException {
            try (PreparedStatement select = connection.prepareStatement("SELECT what FROM effects WHERE id = ?")) {
                select.setString(1, key);
                List<String> effects = new ArrayList<>();
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        effects.add(rows.getString(1));
                    }
                }
                return effects;
            }
        }

        private static boolean isRecorded(Connection connection, String key) throws SQLException {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT COUNT(*) FROM " + DoomedProcess.TABLE + " WHERE id = ? AND state = 'R'")) {
                select.setString(1, key);
                try (ResultSet rows = select.executeQuery()) {
                    rows.next();
                    assertThat(rows.getInt(1)).isLessThanOrEqualTo(1);
                    return rows.getInt(1) == 1;
                }
            }
        }
    }
}
