package dev.levee.jdbc;

import dev.levee.core.Operation;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The connections that the attempts of one call have borrowed: one goes to the caller, all others go back, also those
 * that come when the call is over, as after a time-out.
 */
final class BorrowedConnections implements Operation<Connection, SQLException> {
    private final SqlCall<Connection> source;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Connection> borrowed = new ArrayList<>(1);
    private boolean over;

    BorrowedConnections(SqlCall<Connection> source) {
        this.source = source;
    }

    @Override
    public Connection run() throws SQLException {
        Connection connection = source.run();
        if (!keep(connection)) {
            giveBack(connection);
        }
        return connection;
    }

    private boolean keep(Connection connection) {
        lock.lock();
        try {
            return !over && borrowed.add(connection);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the call.
     *
     * @param chosen what the policy has returned; null if it has thrown
     * @return the connection of the caller; null if the policy has returned something else
     */
    @Nullable Connection choose(@Nullable Object chosen) {
        lock.lock();
        try {
            over = true;
        } finally {
            lock.unlock();
        }
        Connection own = null;
        for (Connection each : borrowed) { // nothing is added any more
            if (each == chosen && own == null) {
                own = each;
            } else {
                giveBack(each);
            }
        }
        return own;
    }

    private static void giveBack(Connection connection) {
        Connections.giveBack(connection, false, false);
    }
}
