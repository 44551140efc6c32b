package dev.levee.jdbc.limits;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.jdbc.store.SqlDialect;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A real PostgreSQL; its files come in a jar, for this architecture only. */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class PostgresQuotaTest extends JdbcQuotaContract {
    private static EmbeddedPostgres postgres;
    private static HikariDataSource pool;

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPGStartupWait(Duration.ofMinutes(1))
                .start();
        pool = QuotaNode.pool(postgres.getJdbcUrl("postgres", "postgres"), 16);
    }

    @Override
    DataSource dataSource() {
        return pool;
    }

    @Override
    SqlDialect dialect() {
        return SqlDialect.POSTGRESQL;
    }

    @AfterAll
    static void stop() throws IOException {
        pool.close();
        postgres.close();
    }
}
