package dev.levee.examples.shortlink.database;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Parent;
import dev.levee.examples.shortlink.node.ClickTable;
import dev.levee.examples.shortlink.node.ConnectionPool;
import dev.levee.examples.shortlink.node.LinkTable;
import dev.levee.jdbc.JdbcIdempotencyStore;
import dev.levee.jdbc.ResultCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.h2.api.ErrorCode;
import org.h2.tools.Server;

/** H2 on disk, served over TCP on the loopback interface. */
public final class DatabaseServer {
    /**
     * How long a request with an idempotency key waits for another one with the same key. Less than the timeout of a
     * statement: then the client hears that the other one is in progress, and no breaker that the database has failed.
     */
    private static final int LOCK_MILLIS = 40;

    /**
     * The file stays open while no node is connected; without a write delay what was committed survives a SIGKILL;
     * errors are for the client and for no file of their own.
     */
    private static final String SETTINGS = ";DB_CLOSE_DELAY=-1;WRITE_DELAY=0;TRACE_LEVEL_FILE=0";

    private static final String KEYS = JdbcIdempotencyStore.TABLE;

    private static final int REHEARSED = 300;

    private DatabaseServer() {}

    /**
     * Serves until the process ends.
     *
     * @param port the port, 0 for any
     * @param directory where the file is
     */
    public static void run(int port, Path directory) {
        try {
            Server server = open(port, directory);
            rehearse(url(server.getPort()));
            Parent.ready(server.getPort(), SlowTrigger::obey);
        } catch (UsageException e) {
            Parent.failed(String.valueOf(e.getMessage()));
        } catch (SQLException e) {
            Parent.failed("the database does not answer: " + e.getMessage());
        }
    }

    /** The first statements of a JVM take longer than a node waits: not before it says that it is there. */
    private static void rehearse(String url) throws SQLException {
        try (Connection connection = ConnectionPool.dataSource(url).getConnection()) {
            for (int i = 0; i < REHEARSED; i++) {
                try (PreparedStatement statement = connection.prepareStatement("SELECT url FROM link WHERE code = ?")) {
                    statement.setString(1, "none " + i);
                    statement.executeQuery().close();
                }
            }
        }
    }

    /**
     * Opens the database and serves it.
     *
     * @param port the port, 0 for any
     * @param directory where the file is
     * @return the server; to be stopped by the caller
     * @throws UsageException if the directory or the port cannot be used
     */
    public static Server open(int port, Path directory) throws UsageException {
        try {
            Files.createDirectories(directory);
            prepare(directory);
            return Server.createTcpServer("-tcpPort", String.valueOf(port), "-baseDir", directory.toString())
                    .start();
        } catch (SQLException e) {
            boolean inUse = e.getErrorCode() == ErrorCode.DATABASE_ALREADY_OPEN_1;
            throw new UsageException("cannot open the database in " + directory + ": "
                    + (inUse ? "another shortlink has it open" : e.getMessage()));
        } catch (IOException e) {
            throw new UsageException("cannot make the directory " + directory);
        }
    }

    /**
     * How to reach the database.
     *
     * @param port where it serves
     * @return a JDBC URL
     */
    public static String url(int port) {
        return "jdbc:h2:tcp://127.0.0.1:" + port + "/./links;LOCK_TIMEOUT=" + LOCK_MILLIS;
    }

    private static void prepare(Path directory) throws SQLException {
        String url = "jdbc:h2:file:" + directory.toAbsolutePath().resolve("links") + SETTINGS;
        DataSource database = ConnectionPool.dataSource(url);
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE IF NOT EXISTS link (code VARCHAR(8) PRIMARY KEY, url VARCHAR(2048) NOT NULL)");
            statement.execute(JdbcIdempotencyStore.schema(KEYS));
            statement.execute(ClickTable.SCHEMA);
            slow(statement, "slow", "link");
            slow(statement, "slow_keys", KEYS);
            slow(statement, "slow_clicks", "click");
            // Keys whose day is over go when the database starts; a key that comes again is replaced at once.
            JdbcIdempotencyStore.of(database, LinkTable.SCOPE, ResultCodec.text())
                    .purge();
        }
    }

    /** Updates are not slow: they come in one transaction with an insert that was. */
    private static void slow(Statement statement, String trigger, String table) throws SQLException {
        statement.execute("DROP TRIGGER IF EXISTS " + trigger);
        statement.execute("CREATE TRIGGER " + trigger + " BEFORE SELECT, INSERT ON " + table + " CALL '"
                + SlowTrigger.class.getName() + "'");
    }
}
