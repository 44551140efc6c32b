package dev.levee.examples.shortlink.node;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.time.Duration;
import javax.sql.DataSource;

/** A pool of connections that notices soon when the database goes, and as soon when it is back. */
public final class ConnectionPool {
    /** The pool allows no less; the timeout around it is shorter. */
    private static final int MIN_WAIT_MILLIS = 250;

    /**
     * Connects as soon as that is possible. The pool alone waits longer and longer between its tries, up to five
     * seconds, which is too long to notice that the database is back; and it need not, since the breaker sees to it
     * that few ask. Without a budget, which would end a task that must go on.
     */
    private static final Retry RECONNECT = Retry.of(
            "reconnect",
            config -> config.maxAttempts(Integer.MAX_VALUE)
                    .backoff(Backoff.exponential(Duration.ofMillis(20), Duration.ofMillis(200)))
                    .budget(RetryBudget.unlimited()));

    /** The pool does not know H2's codes for a broken connection, and would lend one that is busy again and again. */
    private static final SQLExceptionOverride EVICT_BROKEN = new SQLExceptionOverride() {
        @java.lang.Override
        public SQLExceptionOverride.Override adjudicate(SQLException failure) {
            return failure instanceof SQLNonTransientConnectionException
                    ? SQLExceptionOverride.Override.MUST_EVICT
                    : SQLExceptionOverride.Override.CONTINUE_EVICT;
        }
    };

    private ConnectionPool() {}

    static HikariDataSource open(String url, int connections) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(RECONNECT.wrap(DataSource.class, dataSource(url)));
        config.setExceptionOverride(EVICT_BROKEN);
        config.setMaximumPoolSize(connections);
        config.setConnectionTimeout(MIN_WAIT_MILLIS);
        config.setValidationTimeout(MIN_WAIT_MILLIS);
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    /**
     * The database itself, without a pool.
     *
     * @param url where it is
     * @return connects anew each time
     */
    public static DataSource dataSource(String url) {
        return Dialect.of(url).dataSource(url);
    }
}
