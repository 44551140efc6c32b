package dev.levee.jdbc.routing;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What was set at a connection, for each physical one that it takes; null where nothing was. */
final class WantedSettings {
    @Nullable Boolean autoCommit;

    @Nullable Integer isolation;

    @Nullable Integer holdability;

    @Nullable String catalog;

    @Nullable String schema;

    /** Sets the same at a physical connection; the mode of commits last, so that nothing begins a transaction. */
    void apply(PhysicalConnection to) throws SQLException {
        if (isolation != null) {
            to.setIsolation(isolation);
        }
        if (holdability != null) {
            to.setHoldability(holdability);
        }
        if (catalog != null) {
            to.setCatalog(catalog);
        }
        if (schema != null) {
            to.setSchema(schema);
        }
        if (autoCommit != null) {
            to.setAutoCommit(autoCommit);
        }
    }
}
