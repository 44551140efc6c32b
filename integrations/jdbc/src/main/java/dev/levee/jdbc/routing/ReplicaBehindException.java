package dev.levee.jdbc.routing;

import java.sql.SQLTransientException;

/**
 * The replica that a connection reads from cannot give what the call asks for, and the connection cannot move to
 * another node, because it has statements or a transaction there. The statement has given no result; repeat the work on
 * a new connection. SQLSTATE 25000.
 *
 * @since 0.1
 */
public final class ReplicaBehindException extends SQLTransientException {
    private static final long serialVersionUID = 1L;

    ReplicaBehindException(String message) {
        super(message, "25000");
    }
}
