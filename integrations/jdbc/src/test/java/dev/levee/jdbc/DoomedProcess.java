package dev.levee.jdbc;

import dev.levee.core.idempotency.Idempotency;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/**
 * A process that works on keys until it is killed. It says on its output what a caller would have heard: {@code DONE
 * key result}; and {@code AT point} when it has reached the point at which it is to be killed, where it stays.
 */
final class DoomedProcess {
    static final String TABLE = "levee_idempotency";
    static final Duration LEASE = Duration.ofMinutes(1);
    static final int KEYS = 20;

    enum Point {
        BEFORE_THE_CLAIM,
        CLAIMED,
        EXECUTING,
        EXECUTED,
        RECORDED,
        IN_THE_TRANSACTION,
        TRANSACTION_COMMITTED,
        ANYWHERE,
        ANYWHERE_IN_TRANSACTIONS;

        boolean isAnywhere() {
            return this == ANYWHERE || this == ANYWHERE_IN_TRANSACTIONS;
        }

        boolean inTransaction() {
            return this == IN_THE_TRANSACTION || this == TRANSACTION_COMMITTED || this == ANYWHERE_IN_TRANSACTIONS;
        }
    }

    private final DataSource dataSource;
    private final Point doom;

    private DoomedProcess(DataSource dataSource, Point doom) {
        this.dataSource = dataSource;
        this.doom = doom;
    }

    public static void main(String[] arguments) throws Exception {
        Point doom = Point.valueOf(arguments[2]);
        new DoomedProcess(dataSource(arguments[0]), doom).work(arguments[1]);
    }

    static DataSource dataSource(String url) {
        JdbcDataSource dataSource = new JdbcDataSource();
        dataSource.setURL(url);
        return dataSource;
    }

    private void work(String prefix) throws Exception {
        try (Connection keepsTheDatabaseOpen = dataSource.getConnection()) {
            keepsTheDatabaseOpen.setAutoCommit(true);
            Idempotency<String> calls = calls(dataSource, Duration.ZERO);
            TransactionalIdempotency<String> transactions =
                    TransactionalIdempotency.of(dataSource, "transactions", ResultCodec.text());
            if (doom.isAnywhere()) {
                say("AT " + doom);
            }
            for (int number = 0; number < KEYS; number++) {
                String key = prefix + "-" + number;
                reach(Point.BEFORE_THE_CLAIM);
                String result = doom.inTransaction()
                        ? transactions.call(key, "p", connection -> {
                            String effect = insertEffect(connection, key, "first run");
                            reach(Point.IN_THE_TRANSACTION);
                            return effect;
                        })
                        : calls.call(key, "p", () -> execute(key));
                say("DONE " + key + " " + result);
                reach(doom.inTransaction() ? Point.TRANSACTION_COMMITTED : Point.RECORDED);
            }
            LockSupport.park();
        }
    }

    private String execute(String key) throws SQLException {
        reach(Point.CLAIMED);
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            String effect = insertEffect(connection, key, "first run");
            reach(Point.EXECUTING);
            connection.commit();
            reach(Point.EXECUTED);
            return effect;
        }
    }

    private void reach(Point point) {
        if (point == doom) {
            say("AT " + point);
            while (true) {
                LockSupport.park();
            }
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** The calls of any process; the check reads the effect. */
    static Idempotency<String> calls(DataSource dataSource, Duration maxWait) {
        return Idempotency.of(
                "calls",
                JdbcIdempotencyStore.of(dataSource, "calls", ResultCodec.text()),
                config -> config.lease(LEASE).maxWait(maxWait).check(key -> {
                    String effect = effect(dataSource, key);
                    return effect == null
                            ? dev.levee.core.idempotency.OutcomeCheck.Finding.notDone()
                            : dev.levee.core.idempotency.OutcomeCheck.Finding.done(effect);
                }));
    }

    static String insertEffect(Connection connection, String key, String by) throws SQLException {
        String effect = by + " of " + key;
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO effects VALUES (?, ?)")) {
            insert.setString(1, key);
            insert.setString(2, effect);
            insert.executeUpdate();
        }
        return effect;
    }

    private static String effect(DataSource dataSource, String key) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT what FROM effects WHERE id = ?")) {
            select.setString(1, key);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next() ? rows.getString(1) : null;
            }
        }
    }
}
