package dev.levee.jdbc;

import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Takes what goes to the database through a policy, and makes of its exceptions what code on JDBC expects. */
final class RoundTrips {
    static final long FOREVER = Nanos.NEVER;

    private final String subject;
    private final Policy policy;
    private final OutcomeRule rule;
    private final Environment environment;
    private final DeadlineExpiredException tooLate;

    /** The policy, within the deadline of the call: a wait for a connection has no other end. */
    private final Policy borrowing;

    RoundTrips(String name, Policy policy, OutcomeRule rule) {
        this.subject = "data source \"" + Text.printable(name) + '"';
        this.policy = policy;
        this.rule = rule;
        this.environment = policy.environment();
        this.tooLate = DeadlineExpiredException.shared("data source", name);
        this.borrowing = Pipeline.of(Timeout.of(name, Deadline.FOREVER, environment), policy);
    }

    String subject() {
        return subject;
    }

    Environment environment() {
        return environment;
    }

    boolean isAnswer(SQLException thrown) {
        return StatementRun.isAnswer(rule, thrown);
    }

    /** Returns how much time the call on this thread has; zero or less if none is left. */
    long leftNanos() {
        CallState state = CallState.current();
        return state.clock() instanceof NanoClock clock ? state.deadlineNanos() - clock.nanoTime() : FOREVER;
    }

    DeadlineExpiredException tooLate() {
        return tooLate;
    }

    /** Borrows a connection; whatever a retry may do, it may do here. */
    Connection borrow(SqlCall<Connection> source) throws SQLException {
        BorrowedConnections borrowed = new BorrowedConnections(source);
        Object answered;
        try {
            answered = inContext(true, borrowing, borrowed);
        } catch (Throwable thrown) {
            borrowed.choose(null);
            throw asSql(thrown);
        }
        Connection own = borrowed.choose(answered);
        if (own == null) {
            throw notAnAnswer(answered, null);
        }
        return own;
    }

    /** Executes a statement, at most once. */
    <T> T run(Statement statement, SqlCall<T> call) throws SQLException {
        StatementRun<T> run = new StatementRun<>(this, statement, call);
        Object answered;
        try {
            answered = inContext(false, policy, run);
        } catch (Throwable thrown) {
            throw asSql(thrown);
        }
        return run.outcome(answered);
    }

    /** Returns any object, since a fallback may answer for the operation. */
    @SuppressWarnings("unchecked")
    private static @Nullable Object inContext(boolean idempotent, Policy policy, Operation<?, SQLException> operation)
            throws SQLException {
        CallState state = CallState.current();
        long marks = state.marks();
        Object snapshot = state.snapshot();
        state.mark(idempotent);
        try {
            return policy.call((Operation<@Nullable Object, SQLException>) operation);
        } finally {
            state.restoreMarks(marks, snapshot);
        }
    }

    private SQLException asSql(Throwable thrown) {
        if (thrown instanceof SQLException sql) {
            return sql;
        }
        if (thrown instanceof RefusedException refused) {
            return new RefusedSqlException(subject + ": " + refused.getMessage(), refused);
        }
        if (thrown instanceof TimedOutException timedOut) {
            return new SQLTimeoutException(subject + ": " + timedOut.getMessage(), timedOut);
        }
        if (thrown instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new SQLException(subject + ": " + thrown.getMessage(), thrown); // of faults that are switched on
    }

    SQLException notAnAnswer(@Nullable Object answered, @Nullable Throwable failure) {
        return new SQLException(
                subject + ": its policy answered with "
                        + (answered == null
                                ? "null"
                                : "a " + answered.getClass().getName())
                        + ", which did not come from the database; a fallback belongs around the call",
                failure);
    }

    @Override
    public String toString() {
        return policy.toString();
    }
}
