package dev.levee.jdbc.store;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ends the statements of one call at its deadline: it asks the database to cancel what runs, again until it has ended,
 * and sets a time-out on the connection a little later, for a database that does not answer at all.
 *
 * <p>{@code Statement.setQueryTimeout} is not used: it counts in seconds, and in H2 it stays with the connection.
 */
final class StatementWatch implements AutoCloseable {
    private static final long GRACE_MILLIS = 1_000;
    private static final long AGAIN_NANOS = 50_000_000L;

    /** The state of a statement that was cancelled, in SQL as PostgreSQL and H2 have it. */
    private static final String CANCELED = "57014";

    private final Connection connection;
    private final Environment environment;
    private int networkTimeout = -1;
    private volatile @Nullable Statement running;
    private volatile boolean over;
    private volatile boolean closed;
    private Scheduler.@Nullable Timer timer;

    private StatementWatch(Connection connection, Environment environment) {
        this.connection = connection;
        this.environment = environment;
    }

    /** Watches a connection until the deadline of the current call, if it has one. */
    static StatementWatch of(Connection connection, Environment environment) {
        StatementWatch watch = new StatementWatch(connection, environment);
        Deadline deadline = CallContext.current().deadline();
        long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
        if (left < Nanos.NEVER) {
            watch.timer = environment.schedule(() -> environment.handOver(watch::expire), left);
            watch.limitNetwork(TimeUnit.NANOSECONDS.toMillis(left) + GRACE_MILLIS);
        }
        return watch;
    }

    private void limitNetwork(long millis) {
        try {
            int before = connection.getNetworkTimeout();
            if (millis < (before == 0 ? Integer.MAX_VALUE : before)) {
                connection.setNetworkTimeout(Runnable::run, (int) millis);
                networkTimeout = before;
            }
        } catch (SQLException | UnsupportedOperationException | AbstractMethodError unsupported) {
            // then the deadline depends on the answer to the cancel
        }
    }

    interface Execution<R> {
        R run() throws SQLException;
    }

    /** Executes a statement, unless the deadline has passed. */
    <R> R execute(Statement statement, Execution<R> execution) throws SQLException {
        running = statement;
        try {
            if (over) {
                throw new SQLTimeoutException("the deadline of the call has passed", CANCELED);
            }
            return execution.run();
        } finally {
            running = null;
        }
    }

    private void expire() {
        over = true;
        Statement statement = running;
        if (closed || statement == null) {
            return;
        }
        try {
            statement.cancel();
        } catch (SQLException | RuntimeException | Error lost) { // whatever a driver throws
            // tried again
        }
        if (!closed) {
            environment.schedule(() -> environment.handOver(this::expire), AGAIN_NANOS);
        }
    }

    @Override
    public void close() {
        closed = true;
        if (timer != null) {
            timer.cancel();
        }
        if (networkTimeout >= 0) {
            try {
                connection.setNetworkTimeout(Runnable::run, networkTimeout);
            } catch (SQLException | RuntimeException lost) {
                // the pool checks its connections itself
            }
        }
    }
}
