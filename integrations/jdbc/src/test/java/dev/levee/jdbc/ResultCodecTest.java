package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.idempotency.IdempotencyStore.Status;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Codecs that give null, which would be read as a result that is null. */
class ResultCodecTest {
    private static final long LEASE = 60_000_000_000L;

    private final JdbcDataSource database = new JdbcDataSource();
    private final ResultCodec<String> nothing = new ResultCodec<>() {
        @Override
        public byte[] encode(String result) {
            return null;
        }

        @Override
        public String decode(byte[] bytes) {
            return "text";
        }

        @Override
        public Throwable decodeFailure(byte[] bytes) {
            return null;
        }
    };

    @BeforeEach
    void table() throws SQLException {
        database.setURL("jdbc:h2:mem:codecs;DB_CLOSE_DELAY=-1");
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP ALL OBJECTS");
            statement.execute(JdbcIdempotencyStore.schema(JdbcIdempotencyStore.TABLE));
        }
    }

    @Test
    void a_result_without_bytes_is_not_recorded_as_null() {
        JdbcIdempotencyStore<String> store = JdbcIdempotencyStore.of(database, "s", nothing);
        store.claim("k", "p", "a", LEASE);
        assertThatThrownBy(() -> store.record("k", "a", "receipt", null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("idempotency \"s\": bytes of a result");
        assertThat(store.claim("k", "p", "b", LEASE).status()).isEqualTo(Status.IN_PROGRESS);

        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(database, "t", nothing);
        assertThatThrownBy(() -> orders.call("k", "p", connection -> "receipt"))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("idempotency \"t\": bytes of a result");
        TransactionalIdempotency<String> again = TransactionalIdempotency.of(database, "t", ResultCodec.text());
        assertThat(again.call("k", "p", connection -> "once")).isEqualTo("once");
    }

    @Test
    void a_failure_that_is_read_as_null_is_not_answered_as_a_result() {
        JdbcIdempotencyStore<String> store = JdbcIdempotencyStore.of(database, "s", nothing);
        store.claim("k", "p", "a", LEASE);
        store.record("k", "a", null, new IOException("refused by the bank"));
        assertThatThrownBy(() -> store.claim("k", "p", "b", LEASE))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("idempotency \"s\": failure that was read");
    }
}
