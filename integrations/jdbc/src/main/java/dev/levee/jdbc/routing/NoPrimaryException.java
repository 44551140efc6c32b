package dev.levee.jdbc.routing;

import java.sql.SQLTransientConnectionException;

/**
 * No node is known to be the primary, so nothing is written, and nothing read that only a primary can answer: none
 * takes writes, or more than one does. The message names the nodes and says why. SQLSTATE 08001.
 *
 * @since 0.1
 */
public final class NoPrimaryException extends SQLTransientConnectionException {
    private static final long serialVersionUID = 1L;

    NoPrimaryException(String message) {
        super(message, "08001");
    }
}
