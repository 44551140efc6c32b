package dev.levee.examples.shortlink.database;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Parent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.h2.api.ErrorCode;
import org.h2.tools.Server;

/** H2 on disk, served over TCP on the loopback interface. */
public final class DatabaseServer {
    /**
     * The file stays open while no node is connected; without a write delay what was committed survives a SIGKILL; errors are for the
     * client and for no file of their own.
     */
    private static final String SETTINGS = ";DB_CLOSE_DELAY=-1;WRITE_DELAY=0;TRACE_LEVEL_FILE=0";

    private DatabaseServer() {}

    /**
     * Serves until the process ends.
     *
     * @param port the port, 0 for any
     * @param directory where the file is
     */
    public static void run(int port, Path directory) {
        try {
            Parent.ready(open(port, directory).getPort(), SlowTrigger::obey);
        } catch (UsageException e) {
            Parent.failed(String.valueOf(e.getMessage()));
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
        return "jdbc:h2:tcp://127.0.0.1:" + port + "/./links";
    }

    private static void prepare(Path directory) throws SQLException {
        String url = "jdbc:h2:file:" + directory.toAbsolutePath().resolve("links") + SETTINGS;
        try (Connection connection = DriverManager.getConnection(url, "sa", "");
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE IF NOT EXISTS link (code VARCHAR(8) PRIMARY KEY, url VARCHAR(2048) NOT NULL)");
            statement.execute("DROP TRIGGER IF EXISTS slow");
            statement.execute(
                    "CREATE TRIGGER slow BEFORE SELECT, INSERT ON link CALL '" + SlowTrigger.class.getName() + "'");
        }
    }
}
