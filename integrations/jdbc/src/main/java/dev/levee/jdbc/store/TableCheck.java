package dev.levee.jdbc.store;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares a table with what a store expects, by what the database says of itself. */
final class TableCheck {
    private final JdbcStoreConfig<?, ?> config;
    private final StoreSql sql;
    private final DatabaseMetaData meta;
    private final Connection connection;

    private TableCheck(JdbcStoreConfig<?, ?> config, StoreSql sql, Connection connection) throws SQLException {
        this.config = config;
        this.sql = sql;
        this.connection = connection;
        meta = connection.getMetaData();
    }

    /** Returns what is wrong, each with the statement that mends it; empty if nothing is. */
    static List<String> problems(JdbcStoreConfig<?, ?> config, StoreSql sql, Connection connection)
            throws SQLException {
        return new TableCheck(config, sql, connection).problems();
    }

    private List<String> problems() throws SQLException {
        TablePlace place = find();
        if (place == null) {
            return List.of(
                    "there is no table " + sql.table + "; it is made by: " + StoreSql.schema(config, sql.dialect));
        }
        List<String> problems = new ArrayList<>();
        Map<String, Boolean> columns = columns(place);
        Set<String> mapped = new HashSet<>();
        List<StoreColumn<?>> expected = new ArrayList<>(config.keys);
        expected.addAll(config.values);
        if (config.version != null) {
            expected.add(config.version);
        }
        for (StoreColumn<?> column : expected) {
            String stored = stored(column.name());
            mapped.add(stored);
            if (!columns.containsKey(stored)) {
                problems.add("table " + sql.table + " has no column " + column.name() + "; it is made by: ALTER TABLE "
                        + sql.table + " ADD " + column.ddl(sql.dialect));
            }
        }
        columns.forEach((column, needed) -> {
            if (needed && !mapped.contains(column)) {
                problems.add("table " + sql.table + " has a column " + column
                        + " that is not null, has no default and is not written by this store");
            }
        });
        if (problems.isEmpty()) {
            checkIndexes(place, problems);
        }
        return problems;
    }

    private void checkIndexes(TablePlace place, List<String> problems) throws SQLException {
        Set<String> keys = new HashSet<>();
        config.keys.forEach(column -> keys.add(unchecked(column.name())));
        Map<String, Set<String>> indexes = uniqueIndexes(place);
        if (!indexes.containsValue(keys)) {
            String names =
                    JdbcStore.joined(", ", config.keys, column -> column.name().sql(sql.dialect));
            problems.add("table " + sql.table + " has no unique index on exactly (" + names
                    + "); it is made by: CREATE UNIQUE INDEX " + indexName() + " ON " + sql.table + " (" + names + ')');
        }
        if (sql.dialect == SqlDialect.MYSQL) {
            indexes.forEach((name, on) -> {
                if (!on.equals(keys)) {
                    problems.add("table " + sql.table + " has another unique index, " + name
                            + ": ON DUPLICATE KEY UPDATE of MySQL would change the row of another key that meets it");
                }
            });
        }
    }

    private String indexName() {
        SqlName table = config.table.get(config.table.size() - 1);
        return table.text().replaceAll("[^A-Za-z0-9_]", "_").toLowerCase(Locale.ROOT) + "_key_unique";
    }

    /** Returns the table by its name, best the one in the current schema. */
    private @Nullable TablePlace find() throws SQLException {
        boolean catalogs = sql.dialect == SqlDialect.MYSQL && meta.supportsCatalogsInTableDefinitions();
        String schema = config.table.size() > 1 ? stored(config.table.get(0)) : null;
        String catalog = catalogs && schema != null ? schema : connection.getCatalog();
        String table = stored(config.table.get(config.table.size() - 1));
        TablePlace found = null;
        try (ResultSet rows = meta.getTables(catalog, catalogs ? null : pattern(schema), pattern(table), null)) {
            while (rows.next()) {
                String owner = rows.getString("TABLE_SCHEM");
                if (found == null || (owner != null && owner.equals(connection.getSchema()))) {
                    found = new TablePlace(catalog, owner, rows.getString("TABLE_NAME"));
                }
            }
        }
        return found;
    }

    /** Returns the columns, and whether each has to be written. */
    private Map<String, Boolean> columns(TablePlace place) throws SQLException {
        Map<String, Boolean> columns = new LinkedHashMap<>();
        try (ResultSet rows = meta.getColumns(place.catalog, pattern(place.schema), pattern(place.table), "%")) {
            while (rows.next()) {
                String name = rows.getString("COLUMN_NAME");
                boolean filled = rows.getInt("NULLABLE") != DatabaseMetaData.columnNoNulls
                        || rows.getString("COLUMN_DEF") != null
                        || "YES".equals(rows.getString("IS_AUTOINCREMENT"))
                        || "YES".equals(rows.getString("IS_GENERATEDCOLUMN"));
                columns.put(name, !filled);
            }
        }
        return columns;
    }

    private Map<String, Set<String>> uniqueIndexes(TablePlace place) throws SQLException {
        Map<String, Set<String>> indexes = new HashMap<>();
        try (ResultSet rows = meta.getIndexInfo(place.catalog, place.schema, place.table, true, true)) {
            while (rows.next()) {
                String name = rows.getString("INDEX_NAME");
                String column = rows.getString("COLUMN_NAME");
                boolean partial = rows.getString("FILTER_CONDITION") != null;
                if (name != null && column != null && !rows.getBoolean("NON_UNIQUE")) {
                    // Some drivers quote the names that would have to be.
                    String bare = column.length() > 1 && column.charAt(0) == '"' ? column.replace("\"", "") : column;
                    indexes.computeIfAbsent(name, any -> new HashSet<>()).add(partial ? "of some rows" : bare);
                }
            }
        }
        return indexes;
    }

    private String unchecked(SqlName name) {
        try {
            return stored(name);
        } catch (SQLException lost) {
            return name.text();
        }
    }

    /** Returns a name as the database keeps it. */
    private String stored(SqlName name) throws SQLException {
        if (name.quoted()) {
            return name.text();
        }
        if (meta.storesUpperCaseIdentifiers()) {
            return name.text().toUpperCase(Locale.ROOT);
        }
        return meta.storesLowerCaseIdentifiers() ? name.text().toLowerCase(Locale.ROOT) : name.text();
    }

    /** Returns a name as a pattern that only it matches. */
    private @Nullable String pattern(@Nullable String name) throws SQLException {
        String escape = meta.getSearchStringEscape();
        return name == null ? null : name.replace("_", escape + '_').replace("%", escape + '%');
    }

    private record TablePlace(
            @Nullable String catalog, @Nullable String schema, String table) {}
}
