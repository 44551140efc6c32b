package dev.levee.jdbc;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLInvalidAuthorizationSpecException;
import java.sql.SQLSyntaxErrorException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link SQLException} says about the database: which are evidence against it, and which are the fault of the
 * statement.
 *
 * <table>
 * <caption>What states mean; X stands for anything else</caption>
 * <tr><th>SQLSTATE</th><th>Verdict</th></tr>
 * <tr><td>08001, 08004, 57P03: no connection</td><td>{@link Verdict#NOT_SENT}</td></tr>
 * <tr><td>53300: too many connections</td><td>{@link Verdict#THROTTLED}</td></tr>
 * <tr><td>08, 53, 57, 58, F0, XX: connection, resources, operator, system</td><td>{@link Verdict#FAILURE}</td></tr>
 * <tr><td>40 but 40002, 55P03, 25P03, HYT00, HYT01: deadlocks, conflicts, time-outs</td>
 *     <td>{@link Verdict#FAILURE}</td></tr>
 * <tr><td>22, 23, 42: data, constraints, syntax and access; 40002 and further classes that speak of the
 *     statement</td><td>{@link Verdict#IGNORED}</td></tr>
 * </table>
 *
 * <p>A state that is not known, or none, is judged by the type: a {@code SQLSyntaxErrorException},
 * {@code SQLIntegrityConstraintViolationException}, {@code SQLDataException}, {@code SQLFeatureNotSupportedException}
 * or {@code SQLInvalidAuthorizationSpecException} is {@link Verdict#IGNORED}, everything else a
 * {@link Verdict#FAILURE}.
 *
 * <p>Use the rule for a policy that stands around code on JDBC, such as a retry around a whole transaction; inside of a
 * {@link GuardedDataSource} no policy needs it. Thread-safe; does not allocate. See ADR 162.
 *
 * @since 0.1
 */
public final class SqlOutcomes {
    /** More than any chain that is built on purpose. */
    private static final int MAX_DEPTH = 16;

    private static final Set<String> NOT_SENT = Set.of("08001", "08004", "57P03");

    /** States that are evidence although their classes are not. */
    private static final Set<String> EVIDENCE = Set.of("55P03", "25P03");

    /** Classes of states that speak of the statement, or of how it is used. */
    private static final Set<String> CALLER = Set.of(
            "00", "01", "02", "03", "07", "09", "0A", "0B", "0D", "0E", "0F", "0K", "0L", "0M", "0N", "0P", "0S", "0T",
            "0U", "0V", "0W", "0X", "0Y", "0Z", "10", "20", "21", "22", "23", "24", "25", "26", "27", "28", "2A", "2B",
            "2C", "2D", "2E", "2F", "2H", "30", "33", "34", "35", "36", "37", "38", "39", "3B", "3C", "3D", "3F", "42",
            "44", "45", "46", "54", "55", "P0");

    private SqlOutcomes() {}

    /**
     * Returns the rule. It looks at the first {@link SQLException} among an error and its causes, so that it judges
     * what Spring's {@code JdbcTemplate} throws too; whatever has none is judged by {@link OutcomeRule#standard()}, and
     * so are interrupts and cancels. A refusal of a {@link GuardedDataSource} is {@link Verdict#IGNORED}.
     *
     * @return the rule, always the same one
     */
    public static OutcomeRule rule() {
        return SqlRule.INSTANCE;
    }

    private enum SqlRule implements OutcomeRule {
        INSTANCE;

        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            Verdict standard = OutcomeRule.standard().judge(result, error);
            if (error == null || standard != Verdict.FAILURE || error instanceof Error) {
                return standard;
            }
            SQLException sql = null;
            Throwable at = error;
            for (int depth = 0; depth < MAX_DEPTH && at != null; depth++) {
                if (at instanceof RefusedException) {
                    return Verdict.IGNORED;
                }
                if (sql == null && at instanceof SQLException found) {
                    sql = found;
                }
                at = at.getCause();
            }
            return sql == null ? standard : ofSql(sql);
        }

        @Override
        public String toString() {
            return "SQL";
        }
    }

    private static Verdict ofSql(SQLException sql) {
        Verdict standard = OutcomeRule.standard().judge(null, sql);
        if (standard != Verdict.FAILURE) {
            return standard;
        }
        SQLException at = sql;
        for (int depth = 0; depth < MAX_DEPTH && at != null; depth++) { // a failed batch may say it in the next one
            Verdict verdict = ofState(at.getSQLState());
            if (verdict != null) {
                return verdict;
            }
            if (isOfCaller(at)) {
                return Verdict.IGNORED;
            }
            at = at.getNextException();
        }
        return Verdict.FAILURE;
    }

    private static @Nullable Verdict ofState(@Nullable String state) {
        if (state == null || state.length() < 2) {
            return null;
        }
        if (NOT_SENT.contains(state)) {
            return Verdict.NOT_SENT;
        }
        if (state.equals("53300")) {
            return Verdict.THROTTLED;
        }
        if (EVIDENCE.contains(state)) {
            return Verdict.FAILURE;
        }
        if (state.equals("40002")) {
            return Verdict.IGNORED;
        }
        return switch (state.substring(0, 2)) {
            case "08", "40", "53", "57", "58", "F0", "XX" -> Verdict.FAILURE;
            default -> state.startsWith("HYT") ? Verdict.FAILURE : isOfCaller(state) ? Verdict.IGNORED : null;
        };
    }

    private static boolean isOfCaller(String state) {
        return CALLER.contains(state.substring(0, 2));
    }

    private static boolean isOfCaller(SQLException sql) {
        return sql instanceof SQLSyntaxErrorException
                || sql instanceof SQLIntegrityConstraintViolationException
                || sql instanceof SQLDataException
                || sql instanceof SQLFeatureNotSupportedException
                || sql instanceof SQLInvalidAuthorizationSpecException;
    }
}
