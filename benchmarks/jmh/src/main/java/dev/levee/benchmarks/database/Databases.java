package dev.levee.benchmarks.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.levee.jdbc.routing.NodeReading;
import dev.levee.jdbc.routing.NodeStatus;
import dev.levee.jdbc.routing.ReplicationProbe;
import dev.levee.jdbc.routing.RoutingDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A pool over a database in memory, alone and behind a routing data source with a primary and a replica. */
public class Databases {
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private Databases() {}

    static HikariDataSource pool() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:h2:mem:bench" + NUMBERS.incrementAndGet());
        config.setMaximumPoolSize(8);
        return new HikariDataSource(config);
    }

    /** Takes a connection, asks one statement that is prepared, and gives the connection back. */
    static int ask(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement statement = connection.prepareStatement("VALUES 1");
                ResultSet row = statement.executeQuery()) {
            return row.next() ? row.getInt(1) : 0;
        }
    }

    /** The pool alone. */
    @State(Scope.Benchmark)
    public static class OfHikari {
        final HikariDataSource pool = pool();

        @TearDown
        public void close() {
            pool.close();
        }
    }

    /** A primary, and a replica that is never behind. */
    @State(Scope.Benchmark)
    public static class OfLevee {
        private final HikariDataSource primary = pool();
        private final HikariDataSource replica = pool();
        final RoutingDataSource database = RoutingDataSource.of(
                "bench", Map.of("primary", primary, "replica", replica), config -> config.probe(new Roles()));

        public OfLevee() {
            while (database.nodes().stream().noneMatch(NodeStatus::primary)
                    || database.nodes().stream().noneMatch(each -> each.readable() && !each.primary())) {
                LockSupport.parkNanos(1_000_000);
            }
        }

        @TearDown
        public void close() {
            database.close();
            primary.close();
            replica.close();
        }

        /** Says that one database takes writes, and that both are as new. */
        private final class Roles implements ReplicationProbe {
            @Override
            public NodeReading read(Connection connection) throws SQLException {
                String mine = connection.getMetaData().getURL();
                return new NodeReading(mine.equals(primary.getJdbcUrl()), 1);
            }

            @Override
            public long position(Connection connection) {
                return 1;
            }
        }
    }
}
