package dev.levee.examples.shortlink.engines;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Parent;
import dev.levee.examples.shortlink.node.ClickTable;
import dev.levee.examples.shortlink.node.ConnectionPool;
import dev.levee.examples.shortlink.node.LinkTable;
import dev.levee.jdbc.JdbcIdempotencyStore;
import dev.levee.jdbc.ResultCodec;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL on the loopback interface: a primary, or a replica that streams from one. What was committed is on disk,
 * as PostgreSQL does by default.
 *
 * <p>It lets in two roles from this machine, without a password: {@code shortlink}, which owns the tables and nothing
 * else, and one that replicates. Its superuser cannot connect at all.
 */
public final class PostgresEngine {
    /** The database, and the role that owns it. */
    private static final String NAME = "shortlink";

    private static final String REPLICATOR = "replicator";

    /** As in the H2 of {@link dev.levee.examples.shortlink.database.DatabaseServer}, and for its reason. */
    private static final int LOCK_MILLIS = 40;

    /** The file that says that we have made a database, and made it whole. */
    private static final String OURS = "shortlink.whole";

    /** The file that says that a database is a replica. */
    private static final String STANDBY = "standby.signal";

    /** Run in single-user mode, which no other process can reach; a line is a statement. */
    private static final String INIT = """
            CREATE ROLE %1$s LOGIN
            CREATE ROLE %2$s LOGIN REPLICATION
            GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO %1$s
            CREATE DATABASE %1$s OWNER %1$s
            """.formatted(NAME, REPLICATOR);

    private static final String ACCESS = """
            host %1$s %1$s 127.0.0.1/32 trust
            host replication %2$s 127.0.0.1/32 trust
            """.formatted(NAME, REPLICATOR);

    private static final String LINKS =
            "CREATE TABLE IF NOT EXISTS link (code VARCHAR(8) PRIMARY KEY, url VARCHAR(2048) NOT NULL)";

    private PostgresEngine() {}

    /**
     * Serves until the process ends.
     *
     * @param wanted the port, 0 for any
     * @param directory where the files are; of a primary that is not there one is made
     * @param primary the port of the primary of a replica, or 0 for a primary
     * @param copy whether the replica begins with a fresh copy of the primary
     */
    public static void run(int wanted, Path directory, int primary, boolean copy) {
        try {
            int port = wanted == 0 ? KeptServer.freePort() : wanted;
            String user = Programs.isRoot() ? unprivileged() : null;
            Path log = log(directory);
            if (copy && Files.exists(directory.resolve(STANDBY))) {
                delete(directory);
            }
            if (isEmpty(directory)) {
                make(directory, user);
                if (primary == 0) {
                    initialize(directory, user, log);
                } else {
                    KeptServer.run(copyOf(primary, directory), user, null, log);
                }
            }
            requireComplete(directory, primary == 0 ? OURS : STANDBY);
            KeptServer server = KeptServer.start("postgres", postgres(port, directory), user, log);
            server.await(() -> answers(port));
            if (primary == 0) {
                prepare(url(port));
            }
            server.serve(port);
        } catch (UsageException e) {
            Parent.failed(String.valueOf(e.getMessage()));
        } catch (IOException | SQLException e) {
            Parent.failed("cannot prepare PostgreSQL in " + directory + ": " + e.getMessage());
        }
    }

    /**
     * How to reach it.
     *
     * @param port where it serves
     * @return a JDBC URL
     */
    public static String url(int port) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + NAME + "?user=" + NAME
                + "&connectTimeout=1&options=-c%20lock_timeout=" + LOCK_MILLIS;
    }

    /** Files that are not ours, or half of ours, are for the user to look at: nothing of them is deleted. */
    private static void requireComplete(Path directory, String mark) throws UsageException {
        if (!Files.exists(directory.resolve(mark))) {
            throw new UsageException(directory + " is no database of shortlink, or was left half made: delete it, or"
                    + " choose another folder with --data");
        }
    }

    private static boolean isEmpty(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return true;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }

    /**
     * Lets a replica take up what its primary has done, or lets it fall behind.
     *
     * @param port of the replica
     * @param replays whether it takes that up
     * @throws SQLException if it cannot be told
     */
    public static void setReplayed(int port, boolean replays) throws SQLException {
        try (Connection connection = ConnectionPool.dataSource(url(port)).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(replays ? "SELECT pg_wal_replay_resume()" : "SELECT pg_wal_replay_pause()");
        }
    }

    /** A folder of one user alone, as PostgreSQL wants it. */
    private static void make(Path directory, @Nullable String user) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        if (user != null) {
            Files.setOwner(
                    directory,
                    FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(user));
        }
    }

    private static void initialize(Path directory, @Nullable String user, Path log) throws IOException, UsageException {
        Path programs = Programs.postgres();
        KeptServer.run(
                List.of(
                        programs.resolve("initdb").toString(),
                        "-D",
                        directory.toString(),
                        "-U",
                        "postgres",
                        "--auth=reject",
                        "--encoding=UTF8",
                        "--no-locale"),
                user,
                null,
                log);
        Path script = Files.createTempFile("shortlink", ".sql");
        try {
            Files.writeString(script, INIT);
            KeptServer.run(
                    List.of(
                            programs.resolve("postgres").toString(),
                            "--single",
                            "-D",
                            directory.toString(),
                            "-c",
                            "exit_on_error=on",
                            "template1"),
                    user,
                    script,
                    log);
        } finally {
            Files.delete(script);
        }
        Files.writeString(directory.resolve("pg_hba.conf"), ACCESS);
        Files.writeString(directory.resolve(OURS), "");
    }

    private static List<String> copyOf(int primary, Path directory) throws UsageException {
        return List.of(
                Programs.postgres().resolve("pg_basebackup").toString(),
                "-h",
                "127.0.0.1",
                "-p",
                String.valueOf(primary),
                "-U",
                REPLICATOR,
                "--no-password",
                "-D",
                directory.toString(),
                "--write-recovery-conf",
                "--checkpoint=fast");
    }

    private static List<String> postgres(int port, Path directory) throws UsageException {
        List<String> command = new ArrayList<>(List.of(
                Programs.postgres().resolve("postgres").toString(),
                "-D",
                directory.toString(),
                "-p",
                String.valueOf(port)));
        for (String setting : List.of(
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=200",
                "shared_buffers=32MB",
                // What a replica that was away for some minutes has missed.
                "wal_keep_size=256MB",
                "wal_retrieve_retry_interval=200ms")) {
            command.add("-c");
            command.add(setting);
        }
        return command;
    }

    private static boolean answers(int port) {
        try (Connection connection = ConnectionPool.dataSource(url(port)).getConnection()) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }

    private static void prepare(String url) throws SQLException {
        DataSource database = ConnectionPool.dataSource(url);
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(LINKS);
            statement.execute(JdbcIdempotencyStore.schema(JdbcIdempotencyStore.TABLE));
            statement.execute(ClickTable.SCHEMA);
            // Keys whose day is over go when the database starts, as in H2.
            JdbcIdempotencyStore.of(database, LinkTable.SCOPE, ResultCodec.text())
                    .purge();
        }
    }

    /** As whom PostgreSQL runs if we are root, which it refuses. */
    private static String unprivileged() {
        for (String user : List.of("postgres", "daemon")) {
            try {
                FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(user);
                return user;
            } catch (IOException e) {
                // the next one
            }
        }
        return "daemon";
    }

    private static Path log(Path directory) throws IOException {
        Path log = directory.resolveSibling(directory.getFileName() + ".log").toAbsolutePath();
        Files.createDirectories(Objects.requireNonNull(log.getParent()));
        return log;
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
