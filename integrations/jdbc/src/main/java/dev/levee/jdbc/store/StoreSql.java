package dev.levee.jdbc.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The statements on the table of a store, in one dialect. */
final class StoreSql {
    final SqlDialect dialect;
    final String table;

    /** Reads the row of a key. */
    final String select;

    /** Reads the version of the row of a key. */
    final String selectVersion;

    /** Writes a row whatever is there; with a version, in PostgreSQL, only over a lower one. Keys, values, version. */
    final String upsert;

    /** Writes over a row of a lower version. Values, version, keys, version. */
    final String updateNewer;

    /** Writes a row that is not there. Keys, values, version. */
    final String insert;

    final String delete;

    private final List<String> keys;
    private final String columns;

    StoreSql(JdbcStoreConfig<?, ?> config, SqlDialect dialect) {
        this.dialect = dialect;
        table = JdbcStore.joined(".", config.table, name -> name.sql(dialect));
        keys = config.keys.stream().map(column -> column.name().sql(dialect)).toList();
        List<String> written = new ArrayList<>(
                config.values.stream().map(column -> column.name().sql(dialect)).toList());
        String version = config.version == null ? "" : config.version.name().sql(dialect);
        if (!version.isEmpty()) {
            written.add(version);
        }
        List<String> all = new ArrayList<>(keys);
        all.addAll(written);
        columns = String.join(", ", all);
        String where = " WHERE " + keys.stream().map(key -> key + " = ?").collect(Collectors.joining(" AND "));
        select = "SELECT " + columns + " FROM " + table + where;
        selectVersion = "SELECT " + (version.isEmpty() ? "0" : version) + " FROM " + table + where;
        delete = "DELETE FROM " + table + where;
        insert = "INSERT INTO " + table + " (" + columns + ") VALUES (" + marks(all.size()) + ')';
        updateNewer = "UPDATE " + table + " SET "
                + written.stream().map(column -> column + " = ?").collect(Collectors.joining(", ")) + where + " AND "
                + version + " < ?";
        upsert = switch (dialect) {
            case H2 ->
                "MERGE INTO " + table + " (" + columns + ") KEY (" + String.join(", ", keys) + ") VALUES ("
                        + marks(all.size()) + ')';
            case POSTGRESQL ->
                "INSERT INTO " + table + " AS levee_row (" + columns + ") VALUES (" + marks(all.size())
                        + ") ON CONFLICT (" + String.join(", ", keys) + ") DO UPDATE SET "
                        + written.stream()
                                .map(column -> column + " = EXCLUDED." + column)
                                .collect(Collectors.joining(", "))
                        + (version.isEmpty() ? "" : " WHERE levee_row." + version + " < EXCLUDED." + version);
            case MYSQL ->
                "INSERT INTO " + table + " (" + columns + ") VALUES (" + marks(all.size())
                        + ") ON DUPLICATE KEY UPDATE "
                        + written.stream()
                                .map(column -> column + " = VALUES(" + column + ')')
                                .collect(Collectors.joining(", "));
        };
    }

    /** Reads the rows of several keys: all columns of the first, then all of the second, and so on. */
    String selectMany(int count) {
        if (keys.size() == 1) {
            return "SELECT " + columns + " FROM " + table + " WHERE " + keys.get(0) + " IN (" + marks(count) + ')';
        }
        String one = '(' + marks(keys.size()) + ')';
        return "SELECT " + columns + " FROM " + table + " WHERE (" + String.join(", ", keys) + ") IN ("
                + String.join(", ", java.util.Collections.nCopies(count, one)) + ')';
    }

    private static String marks(int count) {
        return String.join(", ", java.util.Collections.nCopies(count, "?"));
    }

    static String schema(JdbcStoreConfig<?, ?> config, SqlDialect dialect) {
        List<String> lines = new ArrayList<>();
        config.keys.forEach(column -> lines.add(column.ddl(dialect) + (isNotNull(column.type()) ? "" : " NOT NULL")));
        config.values.forEach(column -> lines.add(column.ddl(dialect)));
        if (config.version != null) {
            lines.add(config.version.ddl(dialect));
        }
        lines.add("PRIMARY KEY ("
                + JdbcStore.joined(", ", config.keys, column -> column.name().sql(dialect)) + ')');
        return "CREATE TABLE IF NOT EXISTS " + JdbcStore.joined(".", config.table, name -> name.sql(dialect)) + " ("
                + String.join(", ", lines) + ')';
    }

    private static boolean isNotNull(String type) {
        return type.toUpperCase(Locale.ROOT).contains("NOT NULL");
    }
}
