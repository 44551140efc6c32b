package dev.levee.jdbc.routing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * A process that counts up and reads registers for sessions that hop between processes, and says what it saw:
 * {@code kind session key version start end}, times by the clock that all processes of the machine share. A session is
 * a file with its header, locked while one of its operations runs.
 */
final class HistoryProcess {
    static final int KEYS = 4;
    static final int SESSIONS = 6;
    static final Duration AGE = Duration.ofMillis(1500);
    private static final int THREADS = 3;

    /** However slow the machine is. */
    private static final int MIN_OPERATIONS = 150;

    private static final AtomicInteger DONE = new AtomicInteger();
    private static final int MAX_HEADER = 4096;

    private HistoryProcess() {}

    /** Arguments: directory of the sessions, seed, seconds, addresses of the nodes. */
    public static void main(String[] arguments) throws Exception {
        Path sessions = Path.of(arguments[0]);
        long seed = Long.parseLong(arguments[1]);
        Map<String, DataSource> nodes = new LinkedHashMap<>();
        for (int i = 3; i < arguments.length; i++) {
            nodes.put("node" + (i - 3), pool(arguments[i]));
        }
        try (RoutingDataSource routing = RoutingDataSource.of(
                "db",
                nodes,
                config -> config.closesNodes(true)
                        .probeEvery(Duration.ofMillis(50))
                        .probeTimeout(Duration.ofMillis(600))
                        .sessionWait(Duration.ofMillis(20))
                        .slowStart(Duration.ofMillis(200)))) {
            warmUp(routing);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[2]));
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(seed * 31 + i);
                Thread thread = new Thread(() -> {
                    while (System.nanoTime() - end < 0 || DONE.get() < MIN_OPERATIONS) {
                        step(routing, sessions, random);
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            double[] picks = new double[2];
            routing.measure((policy, metric, value) -> {
                if (metric.equals("routing.picks")) {
                    picks[policy.endsWith("node0") ? 0 : 1] += value;
                }
            });
            say("PICKS " + (long) picks[0] + " " + (long) picks[1]);
        }
    }

    /** Waits until all is loaded and the primary known. */
    private static void warmUp(RoutingDataSource routing) throws InterruptedException {
        for (int i = 0; i < 600; i++) {
            try {
                value(routing, 1, false);
                return;
            } catch (SQLException notYet) {
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
    }

    private static DataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url + "&connectTimeout=2&socketTimeout=2");
        config.setMaximumPoolSize(6);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(1_000);
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    private static void step(RoutingDataSource routing, Path sessions, Random random) {
        int number = random.nextInt(SESSIONS);
        Path file = sessions.resolve("session" + number);
        synchronized (LOCKS[number]) { // a file lock is the process's, not the thread's
            try (FileChannel channel = FileChannel.open(
                            file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
                    FileLock lock = channel.tryLock()) {
                if (lock == null) {
                    return; // another process has it; waiting for it may look like a deadlock to the system
                }
                Session session = Session.parse(read(channel));
                operate(routing, session, number, random);
                write(channel, session.toHeader());
            } catch (IOException failed) {
                throw new IllegalStateException(failed);
            }
        }
    }

    private static final Object[] LOCKS = new Object[SESSIONS];

    static {
        for (int i = 0; i < SESSIONS; i++) {
            LOCKS[i] = new Object();
        }
    }

    private static String read(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(MAX_HEADER);
        channel.read(bytes, 0);
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }

    private static void write(FileChannel channel, String header) throws IOException {
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(header.getBytes(StandardCharsets.US_ASCII)), 0);
    }

    private static void operate(RoutingDataSource routing, Session session, int number, Random random) {
        int key = 1 + random.nextInt(KEYS);
        int draw = random.nextInt(100);
        char kind = draw < 25 ? 'W' : draw < 35 ? 'T' : draw < 50 ? 'S' : draw < 85 ? 'Q' : 'B';
        Consistency choice =
                kind == 'S' ? Consistency.strong() : kind == 'B' ? Consistency.bounded(AGE) : Consistency.session();
        long start = System.nanoTime();
        try {
            long version = CallContext.current()
                    .withSession(session)
                    .withConsistency(choice)
                    .call(() -> kind == 'W' || kind == 'T'
                            ? increment(routing, key, kind == 'T')
                            : value(routing.reads(), key, random.nextBoolean()));
            DONE.incrementAndGet();
            say((kind == 'T' ? 'W' : kind) + " " + number + " " + key + " " + version + " " + start + " "
                    + System.nanoTime());
        } catch (SQLException failed) {
            say("F " + kind + " " + failed.getClass().getSimpleName() + " "
                    + failed.getMessage().replace('\n', ' '));
        }
    }

    private static long increment(DataSource source, int key, boolean transaction) throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection.setAutoCommit(!transaction);
            long version;
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE register SET v = v + 1 WHERE id = ? RETURNING v")) {
                update.setInt(1, key);
                try (ResultSet row = update.executeQuery()) {
                    row.next();
                    version = row.getLong(1);
                }
            }
            if (transaction) {
                connection.commit();
            }
            return version;
        }
    }

    private static long value(DataSource source, int key, boolean transaction) throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection.setAutoCommit(!transaction);
            long version;
            try (PreparedStatement select = connection.prepareStatement("SELECT v FROM register WHERE id = ?")) {
                select.setInt(1, key);
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    version = row.getLong(1);
                }
            }
            if (transaction) {
                connection.commit();
            }
            return version;
        }
    }

    private static void say(String line) {
        synchronized (LOCKS) {
            System.out.println(line);
        }
    }
}
