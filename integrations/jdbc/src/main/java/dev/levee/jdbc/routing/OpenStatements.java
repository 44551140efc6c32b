package dev.levee.jdbc.routing;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * How many statements of a physical connection were made and have not ended, by a close or with their last result.
 * Confined to the thread that uses the connection.
 */
final class OpenStatements {
    private final List<RoutedStatement> ending = new ArrayList<>(0);
    private int open;

    void opened() {
        open++;
    }

    void ended(RoutedStatement statement) {
        open--;
        ending.remove(statement);
    }

    /** It is closed when its results are, and nothing tells of that. */
    void endsByItself(RoutedStatement statement) {
        if (!ending.contains(statement)) {
            ending.add(statement);
        }
    }

    boolean areNone() throws SQLException {
        for (RoutedStatement each : List.copyOf(ending)) {
            each.endIfClosed();
        }
        return open == 0;
    }
}
