package dev.levee.jdbc;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time of an execution that has a deadline: the query timeout of the driver while it runs, a cancel at the
 * deadline, and an end of the connection if that does not help. Whatever comes from here has come to its end before the
 * execution returns: a cancel never reaches the next statement.
 */
final class StatementTime implements Runnable {
    /** How long after its deadline a statement may still run before its connection is ended. */
    static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final Logger LOG = LoggerFactory.getLogger(GuardedDataSource.class);
    private static final int OVER = -1;

    private final Statement statement;
    private final RoundTrips trips;
    private final Thread thread = Thread.currentThread();

    /** How many cancels and ends are under way; {@link #OVER} once there can be none. */
    private final AtomicInteger acting = new AtomicInteger();

    /** The timer of the end of the connection, once the statement was cancelled. */
    private volatile Scheduler.@Nullable Timer ending;

    private StatementTime(Statement statement, RoundTrips trips) {
        this.statement = statement;
        this.trips = trips;
    }

    static <T> T run(Statement statement, SqlCall<T> call, long left, RoundTrips trips) throws SQLException {
        StatementTime time = new StatementTime(statement, trips);
        Scheduler.Timer timer = trips.environment().schedule(time, left);
        int before = -1;
        try {
            before = narrow(statement, left);
            return call.run();
        } finally {
            timer.cancel();
            time.end();
            widen(statement, before);
        }
    }

    /** Sets the query timeout, if it is longer; returns what it was, or -1 if it was not changed. */
    private static int narrow(Statement statement, long left) {
        try {
            int seconds = (int) Math.min(Integer.MAX_VALUE, (left - 1) / TimeUnit.SECONDS.toNanos(1) + 1);
            int before = statement.getQueryTimeout();
            if (before != 0 && before <= seconds) {
                return -1;
            }
            statement.setQueryTimeout(seconds);
            return before;
        } catch (SQLException unsupported) {
            return -1; // the cancel does it
        }
    }

    private static void widen(Statement statement, int before) {
        if (before >= 0) {
            try {
                statement.setQueryTimeout(before);
            } catch (SQLException broken) {
                // It was closed by its failure, or is not used again.
            }
        }
    }

    /** The deadline has come. */
    @Override
    public void run() {
        Environment environment = trips.environment();
        environment.handOver(() -> act(statement::cancel));
        ending = environment.schedule(() -> environment.handOver(() -> act(this::endConnection)), GRACE_NANOS);
        if (acting.get() == OVER) {
            cancelEnding();
        }
    }

    private interface DriverStep {
        void run() throws SQLException;
    }

    private void endConnection() throws SQLException {
        Connection connection = statement.getConnection();
        SafeLog.warn(
                LOG,
                "{}: a statement has ignored its cancel for {}; its connection is ended",
                trips.subject(),
                Nanos.text(GRACE_NANOS));
        connection.abort(trips.environment().executor());
    }

    private void act(DriverStep step) {
        int seen;
        do {
            seen = acting.get();
            if (seen == OVER) {
                return;
            }
        } while (!acting.compareAndSet(seen, seen + 1));
        try {
            step.run();
        } catch (SQLException | RuntimeException failed) {
            SafeLog.debug(LOG, "{}: a statement could not be cancelled", trips.subject(), failed);
        } finally {
            acting.decrementAndGet();
            LockSupport.unpark(thread);
        }
    }

    /** Waits for what is under way, and keeps the rest from beginning. */
    private void end() {
        boolean interrupted = false;
        while (!acting.compareAndSet(0, OVER)) {
            interrupted |= Thread.interrupted();
            trips.environment().scheduler().park(this, Nanos.NEVER);
        }
        cancelEnding();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void cancelEnding() {
        Scheduler.Timer timer = ending;
        if (timer != null) {
            timer.cancel();
        }
    }
}
