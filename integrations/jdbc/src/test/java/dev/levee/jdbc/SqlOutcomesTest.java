package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.NanoClock;
import dev.levee.core.Verdict;
import java.io.IOException;
import java.net.ConnectException;
import java.sql.BatchUpdateException;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLInvalidAuthorizationSpecException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLSyntaxErrorException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SqlOutcomesTest {
    private static Verdict judge(Throwable error) {
        return SqlOutcomes.rule().judge(null, error);
    }

    private static void judged(Verdict verdict, String... states) {
        for (String state : states) {
            assertThat(judge(new SQLException("x", state))).as(state).isEqualTo(verdict);
        }
    }

    @Test
    void connections_resources_operators_and_the_system_are_evidence() {
        judged(Verdict.FAILURE, "08000", "08003", "08006", "08007", "08S01", "53000", "53100", "53200", "57014");
        judged(Verdict.FAILURE, "57P01", "57P02", "58000", "58030", "F0000", "XX000", "XX001");
    }

    @Test
    void deadlocks_conflicts_and_time_outs_are_evidence() {
        judged(Verdict.FAILURE, "40001", "40P01", "40003", "55P03", "25P03", "HYT00", "HYT01");
    }

    @Test
    void what_never_had_a_connection_was_not_sent() {
        judged(Verdict.NOT_SENT, "08001", "08004", "57P03");
        assertThat(judge(new SQLException("x", "HY000", new ConnectException())))
                .isEqualTo(Verdict.NOT_SENT);
    }

    @Test
    void too_many_connections_are_throttled() {
        judged(Verdict.THROTTLED, "53300");
    }

    @Test
    void data_constraints_syntax_and_access_are_the_fault_of_the_statement() {
        judged(Verdict.IGNORED, "22001", "22012", "23000", "23502", "23505", "23P01", "42000", "42P01", "42S02");
        judged(Verdict.IGNORED, "0A000", "21000", "24000", "25006", "25P02", "28P01", "3D000", "40002", "44000");
        judged(Verdict.IGNORED, "45000", "54001", "55000", "P0001", "01004", "02000");
    }

    @Test
    void without_a_state_that_is_known_the_type_decides() {
        for (SQLException fault : List.of(
                new SQLSyntaxErrorException("x"),
                new SQLIntegrityConstraintViolationException("x"),
                new SQLDataException("x", "90999"),
                new SQLFeatureNotSupportedException("x"),
                new SQLInvalidAuthorizationSpecException("x"))) {
            assertThat(judge(fault)).isEqualTo(Verdict.IGNORED);
        }
        for (SQLException failure : List.of(
                new SQLException("x"),
                new SQLException("x", ""),
                new SQLException("x", "9"),
                new SQLException("x", "HY000"),
                new SQLTimeoutException("x"),
                new SQLTransientConnectionException("x"),
                new SQLNonTransientConnectionException("x", "90067"),
                new SQLRecoverableException("x"))) {
            assertThat(judge(failure)).as(failure.toString()).isEqualTo(Verdict.FAILURE);
        }
    }

    @Test
    void a_failed_batch_may_say_it_in_the_next_exception() {
        BatchUpdateException batch = new BatchUpdateException("x", null, 0, new int[0]);
        assertThat(judge(batch)).isEqualTo(Verdict.FAILURE);
        batch.setNextException(new SQLException("x", "23505"));
        assertThat(judge(batch)).isEqualTo(Verdict.IGNORED);
    }

    @Test
    void what_a_framework_wraps_is_judged_by_what_it_wraps() {
        assertThat(judge(new IllegalStateException(new SQLException("x", "23505"))))
                .isEqualTo(Verdict.IGNORED);
        assertThat(judge(new IllegalStateException(new SQLException("x", "08001"))))
                .isEqualTo(Verdict.NOT_SENT);
        assertThat(judge(new IllegalStateException(new SQLException("x", new ConnectException()))))
                .isEqualTo(Verdict.NOT_SENT);
    }

    @Test
    void what_has_no_sql_is_judged_by_the_standard_rule() {
        assertThat(judge(new IOException("x"))).isEqualTo(Verdict.FAILURE);
        assertThat(judge(new ConnectException("x"))).isEqualTo(Verdict.NOT_SENT);
        assertThat(judge(new OutOfMemoryError("x"))).isEqualTo(Verdict.FAILURE);
        assertThat(SqlOutcomes.rule().judge("row", null)).isEqualTo(Verdict.SUCCESS);
    }

    @Test
    void an_interrupt_is_no_evidence_until_the_deadline_has_passed() {
        SQLException interrupted = new SQLException("x", "08001", new InterruptedException());
        assertThat(judge(interrupted)).isEqualTo(Verdict.IGNORED);
        Deadline passed = Deadline.after(Duration.ZERO, NanoClock.system());
        Verdict late = CallContext.current().withDeadline(passed).call(() -> judge(new SQLException("x", "22001")));
        assertThat(late).isEqualTo(Verdict.IGNORED);
    }

    @Test
    void a_circle_of_causes_and_of_next_exceptions_ends() {
        SQLException a = new SQLException("a");
        SQLException b = new SQLException("b", a);
        a.initCause(b);
        a.setNextException(b);
        assertThat(judge(a)).isEqualTo(Verdict.FAILURE);
    }
}
