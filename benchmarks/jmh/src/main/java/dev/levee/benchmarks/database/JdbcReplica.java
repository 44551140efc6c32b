package dev.levee.benchmarks.database;

import java.sql.SQLException;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code jdbc.replica}: a connection to a replica for one statement, beside a pool of HikariCP alone.
 *
 * <pre>benchmarks/compare '^jdbc.replica$'</pre>
 */
public class JdbcReplica {
    @Benchmark
    public int levee(Databases.OfLevee state) throws SQLException {
        return Databases.ask(state.database.reads());
    }

    @Benchmark
    public int hikaricp(Databases.OfHikari state) throws SQLException {
        return Databases.ask(state.pool);
    }
}
