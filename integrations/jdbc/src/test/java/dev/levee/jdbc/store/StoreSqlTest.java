package dev.levee.jdbc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.cache.Codec;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** The text of the statements in each dialect. */
class StoreSqlTest {
    private static JdbcStoreConfig<String, Item> config(boolean versioned) {
        JdbcStoreConfig.Builder<String, Item> config = JdbcStoreConfig.<String, Item>builder()
                .table("app.items")
                .key("tenant", "VARCHAR(20)", key -> key.substring(0, 1))
                .key("\"Order\"", "VARCHAR(64)", key -> key)
                .readKey(row -> row.getString("Order"))
                .value("name", "VARCHAR(20)", Item::name)
                .value("payload", "BIGINT", Item::version)
                .readValue(row -> new Item(row.getString("name"), 0));
        return (versioned ? config.version("version", Item::version) : config).build();
    }

    private static StoreSql sql(SqlDialect dialect) {
        return new StoreSql(config(false), dialect);
    }

    @Test
    void mysql_upserts_by_duplicate_key() {
        StoreSql sql = sql(SqlDialect.MYSQL);

        assertThat(sql.upsert)
                .isEqualTo("INSERT INTO app.items (tenant, `Order`, name, payload) VALUES (?, ?, ?, ?)"
                        + " ON DUPLICATE KEY UPDATE name = VALUES(name), payload = VALUES(payload)");
        assertThat(sql.select)
                .isEqualTo("SELECT tenant, `Order`, name, payload FROM app.items WHERE tenant = ? AND `Order` = ?");
        assertThat(sql.selectMany(2))
                .isEqualTo("SELECT tenant, `Order`, name, payload FROM app.items"
                        + " WHERE (tenant, `Order`) IN ((?, ?), (?, ?))");
        assertThat(sql.delete).isEqualTo("DELETE FROM app.items WHERE tenant = ? AND `Order` = ?");
        assertThat(new StoreSql(config(true), SqlDialect.MYSQL).updateNewer)
                .isEqualTo("UPDATE app.items SET name = ?, payload = ?, version = ?"
                        + " WHERE tenant = ? AND `Order` = ? AND version < ?");
    }

    @Test
    void postgres_upserts_on_conflict() {
        assertThat(sql(SqlDialect.POSTGRESQL).upsert)
                .isEqualTo("INSERT INTO app.items AS levee_row (tenant, \"Order\", name, payload) VALUES (?, ?, ?, ?)"
                        + " ON CONFLICT (tenant, \"Order\") DO UPDATE SET name = EXCLUDED.name,"
                        + " payload = EXCLUDED.payload");
        assertThat(new StoreSql(config(true), SqlDialect.POSTGRESQL).upsert)
                .endsWith("version = EXCLUDED.version WHERE levee_row.version < EXCLUDED.version");
    }

    @Test
    void h2_merges() {
        assertThat(sql(SqlDialect.H2).upsert)
                .isEqualTo("MERGE INTO app.items (tenant, \"Order\", name, payload) KEY (tenant, \"Order\")"
                        + " VALUES (?, ?, ?, ?)");
    }

    @Test
    void schemas_have_the_types_of_the_dialect() {
        assertThat(StoreSql.schema(config(true), SqlDialect.MYSQL))
                .isEqualTo("CREATE TABLE IF NOT EXISTS app.items (tenant VARCHAR(20) NOT NULL,"
                        + " `Order` VARCHAR(64) NOT NULL, name VARCHAR(20), payload BIGINT, version BIGINT NOT NULL,"
                        + " PRIMARY KEY (tenant, `Order`))");
        JdbcStoreConfig<String, byte[]> bytes = JdbcStoreConfig.<String, byte[]>builder()
                .table("b")
                .key("id", "VARCHAR(20)", String.class)
                .value("payload", Codec.bytes())
                .build();
        assertThat(StoreSql.schema(bytes, SqlDialect.MYSQL)).contains("payload LONGBLOB");
        assertThat(StoreSql.schema(bytes, SqlDialect.H2)).contains("payload BLOB");
        assertThat(StoreSql.schema(bytes, SqlDialect.POSTGRESQL)).contains("payload BYTEA");
    }

    @Test
    void the_dialect_is_that_of_the_product() throws SQLException {
        assertThat(SqlDialect.of(named("MySQL"))).isEqualTo(SqlDialect.MYSQL);
        assertThat(SqlDialect.of(named("MariaDB"))).isEqualTo(SqlDialect.MYSQL);
        assertThat(SqlDialect.of(named("PostgreSQL"))).isEqualTo(SqlDialect.POSTGRESQL);
        assertThat(SqlDialect.of(named("H2"))).isEqualTo(SqlDialect.H2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SqlDialect.of(named("Oracle")))
                .withMessageContaining("\"Oracle\"");
    }

    private static Connection named(String product) {
        Object meta = Proxy.newProxyInstance(
                StoreSqlTest.class.getClassLoader(),
                new Class<?>[] {DatabaseMetaData.class},
                (self, method, arguments) -> product);
        return (Connection) Proxy.newProxyInstance(
                StoreSqlTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (self, method, arguments) -> meta);
    }

    @Test
    void what_is_missing_or_twice_is_said() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcStoreConfig.builder().build())
                .withMessage("table must be set");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcStoreConfig.builder().table("t").build())
                .withMessageContaining("at least one column");
        assertThatNullPointerException()
                .isThrownBy(() -> JdbcStoreConfig.<String, String>builder()
                        .table("t")
                        .key("id", "INT", String::length)
                        .value("v", "INT", String::length)
                        .build())
                .withMessage("readKey");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcStoreConfig.<String, String>builder()
                        .table("t")
                        .key("id", "INT", String.class)
                        .value("id", "INT", String.class)
                        .build())
                .withMessageContaining("differ");
    }
}
