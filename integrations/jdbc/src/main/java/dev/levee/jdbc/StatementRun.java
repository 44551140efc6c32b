package dev.levee.jdbc;

import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Unchecked;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One execution of a statement, as policies see it: it runs at most once, whatever they do, because it may be a part of
 * a transaction. A second run has the outcome of the first. That the statement is wrong is an answer of the database,
 * and a result for policies.
 */
final class StatementRun<T> implements Operation<T, SQLException> {
    private final RoundTrips trips;
    private final Statement statement;
    private final SqlCall<T> call;
    private final AtomicBoolean begun = new AtomicBoolean();

    /** Written last, when the run is over. */
    private volatile boolean over;

    private @Nullable T result;

    /** That the statement is wrong. */
    private @Nullable SQLException answer;

    private @Nullable Throwable failure;

    StatementRun(RoundTrips trips, Statement statement, SqlCall<T> call) {
        this.trips = trips;
        this.statement = statement;
        this.call = call;
    }

    @Override
    public T run() throws SQLException {
        long left = trips.leftNanos();
        if (left <= 0) {
            throw trips.tooLate();
        }
        if (!begun.compareAndSet(false, true)) {
            return again();
        }
        try {
            T own = left >= RoundTrips.FOREVER ? call.run() : StatementTime.run(statement, call, left, trips);
            result = own;
            return own;
        } catch (SQLException thrown) {
            if (trips.isAnswer(thrown)) {
                answer = thrown;
                return Unchecked.nullable(null);
            }
            failure = thrown;
            throw thrown;
        } catch (Throwable thrown) {
            failure = thrown;
            throw thrown;
        } finally {
            over = true;
        }
    }

    private T again() throws SQLException {
        if (!over) {
            throw new IllegalStateException(trips.subject() + ": a policy ran a statement again while it is running");
        }
        if (failure instanceof SQLException thrown) {
            throw thrown;
        }
        if (failure instanceof RuntimeException thrown) {
            throw thrown;
        }
        if (failure instanceof Error thrown) {
            throw thrown;
        }
        return Unchecked.nullable(result);
    }

    /**
     * Returns what the caller gets.
     *
     * @param answered what the policy has returned
     */
    T outcome(@Nullable Object answered) throws SQLException {
        if (over && answered == null && answer != null) {
            throw answer;
        }
        T own = result;
        if (!over || own == null || own != answered) {
            throw trips.notAnAnswer(answered, failure);
        }
        return own;
    }

    /** Whether a rule takes an exception for an answer of the database, and not for a failure or a cancel. */
    static boolean isAnswer(OutcomeRule rule, SQLException thrown) {
        Verdict verdict = Outcomes.judge(rule, null, thrown);
        return (verdict == Verdict.IGNORED || verdict == Verdict.SUCCESS)
                && OutcomeRule.standard().judge(null, thrown) == Verdict.FAILURE;
    }
}
