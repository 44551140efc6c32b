package dev.levee.benchmarks.database;

import java.sql.SQLException;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code jdbc.primary}: a connection to the primary for one statement, beside a pool of HikariCP alone.
 *
 * <pre>benchmarks/compare '^jdbc.primary$'</pre>
 */
public class JdbcPrimary {
    @Benchmark
    public int levee(Databases.OfLevee state) throws SQLException {
        return Databases.ask(state.database);
    }

    @Benchmark
    public int hikaricp(Databases.OfHikari state) throws SQLException {
        return Databases.ask(state.pool);
    }
}
