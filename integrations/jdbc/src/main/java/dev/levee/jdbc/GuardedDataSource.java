package dev.levee.jdbc;

import dev.levee.core.CallContext;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * A data source of which each connection that is borrowed, and each statement that is executed, is a call under a
 * policy.
 *
 * <pre>{@code
 * DataSource guarded = GuardedDataSource.of("orders", pool, Pipeline.of(breaker, timeout, bulkhead));
 * JdbcTemplate jdbc = new JdbcTemplate(guarded);
 * }</pre>
 *
 * <p>Use it around a pool, in code that you cannot wrap call by call: {@code JdbcTemplate}, JPA, jOOQ. To repeat a
 * whole transaction, or to answer for one, guard the code that runs it; a policy in here cannot.
 *
 * <p><b>What is a guarded call.</b> {@link #getConnection()}, and each {@code execute}, {@code executeQuery},
 * {@code executeUpdate} and {@code executeBatch} of the statements. What ends a transaction or sets one up
 * ({@code commit}, {@code rollback}, savepoints, {@code setAutoCommit}, isolation, read only), {@code close},
 * {@code cancel} and {@code isValid} go past the policy: an open breaker or a full bulkhead neither keeps a transaction
 * open nor lets a driver commit half of one. So do {@code prepareStatement}, which most drivers do not send, meta data,
 * and the reading of rows: a call is over when its first rows are there. Result sets are those of the driver.
 *
 * <p><b>What is repeated.</b> A retry in the policy may try again to borrow a connection, whatever
 * {@link CallContext#idempotent} says. A statement is run under {@link CallContext#notIdempotent} and at most once,
 * whatever the policy does; what a retry repeats is the wait for gates further in that have refused.
 *
 * <p><b>What policies see.</b> An exception that is the fault of the statement, such as a violated constraint, is an
 * answer of the database: it counts as a success, is not repeated, and reaches the caller as it is. Which ones are, by
 * {@link SqlOutcomes}; policies need no rule of their own.
 *
 * <p><b>Time.</b> A statement that has a deadline, by {@link CallContext} or a timeout in the policy, gets it as its
 * query timeout, unless it has a shorter one; is cancelled by {@link Statement#cancel} when the deadline comes; and if
 * it still runs 5 seconds later, its connection is ended by {@link Connection#abort}. A timeout in the policy also
 * interrupts the thread, as everywhere. A connection that comes too late goes back at once. Permits are held until the
 * driver has returned.
 *
 * <p><b>What is thrown.</b> Code on JDBC expects {@code SQLException}: a refusal is a
 * {@link SQLTransientConnectionException}, a time-out a {@link SQLTimeoutException}, with the exception of the policy
 * as the cause.
 *
 * <p>Thread-safe if the data source inside is. Connections and statements may be used as those inside, and
 * {@code unwrap} leads to them. An execution allocates at most some 100 bytes besides what the policy and the driver
 * need; one with a deadline also costs a timer. Closing the data source inside is left to its owner. See ADR 161.
 *
 * @since 0.1
 */
public final class GuardedDataSource implements DataSource {
    private final DataSource inner;
    private final RoundTrips trips;

    private GuardedDataSource(String name, DataSource inner, Policy policy, OutcomeRule answers) {
        this.inner = inner;
        this.trips = new RoundTrips(name, policy, answers);
    }

    /**
     * Guards a data source. Time comes from the environment of the policy.
     *
     * @param name the name in messages and logs, not blank
     * @param source the source of connections, best a pool; it may not be guarded already
     * @param policy what each call goes through
     * @return the guarded data source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, or the source is guarded already
     */
    public static GuardedDataSource of(String name, DataSource source, Policy policy) {
        return of(name, source, policy, SqlOutcomes.rule());
    }

    /**
     * Guards a data source of which a rule says what its exceptions mean, for states that are a product's own.
     *
     * <pre>{@code
     * GuardedDataSource.of("ledger", pool, policy, SqlOutcomes.rule()
     *     .onError(SQLException.class, e -> e.getErrorCode() == 20001, Verdict.IGNORED));
     * }</pre>
     *
     * @param name the name in messages and logs, not blank
     * @param source the source of connections, best a pool; it may not be guarded already
     * @param policy what each call goes through
     * @param answers an exception that is no failure by this rule is an answer of the database, and a success for the
     *     policy
     * @return the guarded data source
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, or the source is guarded already
     */
    public static GuardedDataSource of(String name, DataSource source, Policy policy, OutcomeRule answers) {
        Require.name(name);
        Require.nonNull("source", source);
        Require.nonNull("policy", policy);
        Require.nonNull("answers", answers);
        if (source instanceof GuardedDataSource) {
            throw new IllegalArgumentException("data source \"" + name + "\": it is guarded already");
        }
        return new GuardedDataSource(name, source, policy, answers);
    }

    /**
     * Borrows a connection, as a call under the policy.
     *
     * @return a connection whose statements are guarded
     * @throws SQLException if the source failed, a policy refused, or the time was up
     */
    @Override
    public Connection getConnection() throws SQLException {
        return new GuardedConnection(trips.borrow(inner::getConnection), trips);
    }

    /**
     * Borrows a connection of a user, as a call under the policy.
     *
     * @param user the user
     * @param password the password, which is passed on
     * @return a connection whose statements are guarded
     * @throws SQLException if the source failed, a policy refused, or the time was up
     */
    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return new GuardedConnection(trips.borrow(() -> inner.getConnection(user, password)), trips);
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return inner.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        inner.setLogWriter(out);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return inner.getLoginTimeout();
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        inner.setLoginTimeout(seconds);
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return inner.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return Unwrapping.unwrap(type, this, inner);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return Unwrapping.isWrapperFor(type, this, inner);
    }

    @Override
    public String toString() {
        return trips.subject() + ": " + trips + "[" + inner + "]";
    }
}
