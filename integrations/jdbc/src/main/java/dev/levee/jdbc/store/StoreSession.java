package dev.levee.jdbc.store;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One use of a connection: takes it, begins and ends the transaction where it is the store's, and says of a failure
 * whether anything may have been written. See ADR 154.
 */
final class StoreSession {
    private static final int TRIES = 5;

    /**
     * States in which a statement, or a commit, has surely had no effect: the database has answered, and refused it.
     */
    private static final Set<String> REFUSED_CLASSES = Set.of("0A", "21", "22", "23", "25", "42", "44", "54", "55");

    private static final Set<String> ROW_CLASSES = Set.of("0A", "21", "22", "23", "42", "44");
    private static final Set<String> REFUSED = Set.of("57014", "HYT00");
    private static final String UNKNOWN_COMPLETION = "40003";

    private final Connection connection;
    private final StatementWatch watch;

    private StoreSession(Connection connection, StatementWatch watch) {
        this.connection = connection;
        this.watch = watch;
    }

    interface SessionBody<R extends @Nullable Object> {
        R run(StoreSession session) throws SQLException;
    }

    interface StatementWork<R extends @Nullable Object> {
        R run(PreparedStatement statement) throws SQLException;
    }

    /** What a use of a connection is for. */
    enum StoreUse {
        READ,
        WRITE,
        WRITE_TOGETHER
    }

    /** What stays the same for all uses. */
    record Site(
            String name, DataSource dataSource, @Nullable StoreTransactions transactions, Environment environment) {
        /** How the store is named in texts: its kind and its name in quotes. */
        String subject() {
            return "store \"" + name + '"';
        }
    }

    /** Runs statements on a connection; again if the database has rolled them back because of others. */
    static <R extends @Nullable Object> R call(Site site, StoreUse use, String what, SessionBody<R> body)
            throws JdbcStoreException {
        for (int attempt = 1; ; attempt++) {
            Deadline deadline = CallContext.current().deadline();
            if (deadline != null && deadline.isExpired()) {
                throw DeadlineExpiredException.shared("store", site.name).detached();
            }
            Connection connection = connect(site, what);
            Transaction transaction = new Transaction(site, use, connection);
            try {
                return transaction.run(body);
            } catch (SQLException thrown) {
                boolean again = isRolledBack(thrown) && transaction.ends && attempt < TRIES;
                if (!again) {
                    throw transaction.failure(what, thrown);
                }
            } finally {
                transaction.close();
            }
        }
    }

    private static Connection connect(Site site, String what) throws JdbcStoreException {
        try {
            return site.dataSource.getConnection();
        } catch (SQLException thrown) {
            throw JdbcStoreException.notSent(site.subject(), what, thrown);
        }
    }

    /** Runs one statement. */
    <R extends @Nullable Object> R execute(String sql, StatementWork<R> work) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            return watch.execute(statement, () -> work.run(statement));
        }
    }

    Connection connection() {
        return connection;
    }

    /** Whether the database has rolled everything back because of others, so that a repeat may succeed. */
    static boolean isRolledBack(SQLException thrown) {
        String state = state(thrown);
        return state.startsWith("40") && !state.equals(UNKNOWN_COMPLETION);
    }

    /** Whether the database has answered that it does not do what a statement asks for. */
    static boolean isRefused(SQLException thrown) {
        String state = state(thrown);
        return REFUSED.contains(state) || (state.length() == 5 && REFUSED_CLASSES.contains(state.substring(0, 2)));
    }

    /** Whether that may be because of one row, so that others can be written. */
    static boolean isOfRow(SQLException thrown) {
        String state = state(thrown);
        return state.length() == 5 && ROW_CLASSES.contains(state.substring(0, 2));
    }

    static boolean isDuplicate(SQLException thrown) {
        return state(thrown).startsWith("23");
    }

    private static String state(SQLException thrown) {
        SQLException at = thrown;
        while (at.getSQLState() == null && at.getNextException() != null) {
            at = at.getNextException();
        }
        return at.getSQLState() == null ? "" : at.getSQLState();
    }

    /** The transaction around the statements of one use. */
    private static final class Transaction {
        private final Site site;
        private final StoreUse use;
        private final Connection connection;

        /** Whether it is ours to end. */
        private boolean ends;

        /** Whether it is ended by a commit, so that nothing can be there before. */
        private boolean explicit;

        private boolean restores;
        private boolean began;
        private boolean committing;
        private boolean done;

        Transaction(Site site, StoreUse use, Connection connection) {
            this.site = site;
            this.use = use;
            this.connection = connection;
        }

        <R extends @Nullable Object> R run(SessionBody<R> body) throws SQLException {
            boolean auto = connection.getAutoCommit();
            if (!auto && site.transactions == null) {
                throw new JdbcStoreException(
                        site.subject()
                                + ": a connection came without auto-commit: say by transactions(JOIN) that it is in"
                                + " a transaction of the caller, or by transactions(OWN) that the pool is set so",
                        null);
            }
            ends = auto || site.transactions == StoreTransactions.OWN;
            explicit = ends && (!auto || use == StoreUse.WRITE_TOGETHER);
            try (StatementWatch watch = StatementWatch.of(connection, site.environment)) {
                if (explicit && auto) {
                    connection.setAutoCommit(false);
                    restores = true;
                }
                began = true;
                R result = body.run(new StoreSession(connection, watch));
                if (explicit) {
                    committing = true;
                    connection.commit();
                }
                done = true;
                return result;
            }
        }

        JdbcStoreException failure(String what, SQLException thrown) {
            if (thrown instanceof JdbcStoreException known) {
                return known;
            }
            boolean answered = committing
                    ? isRolledBack(thrown) || isDuplicate(thrown)
                    : isRolledBack(thrown) || isRefused(thrown);
            boolean certain = use == StoreUse.READ || !began || answered || (explicit && !committing);
            boolean unsent = use != StoreUse.READ && certain && !answered;
            return unsent || !began
                    ? JdbcStoreException.notSent(site.subject(), what, thrown)
                    : new JdbcStoreException(site.subject(), what, thrown, !certain);
        }

        /** Rolls back what has not ended: a connection that is closed before may be committed by its driver. */
        void close() {
            boolean clean = true;
            if (explicit && !done) {
                try {
                    connection.rollback();
                } catch (SQLException | RuntimeException failed) {
                    clean = false;
                    abort(); // so that nothing commits it later
                }
            }
            try (connection) {
                if (restores && clean) {
                    connection.setAutoCommit(true);
                }
            } catch (SQLException | RuntimeException lost) {
                // The pool checks its connections itself, and what was done is committed or has thrown.
            }
        }

        private void abort() {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException | RuntimeException | AbstractMethodError unsupported) {
                // Then its end is up to the pool.
            }
        }
    }
}
