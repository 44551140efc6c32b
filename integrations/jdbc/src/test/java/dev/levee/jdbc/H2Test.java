package dev.levee.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;

class H2Test extends JdbcStoreContract {
    private static final HikariDataSource POOL = pool("jdbc:h2:mem:idempotency;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000");

    static HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(1);
        return new HikariDataSource(config);
    }

    @Override
    DataSource dataSource() {
        return POOL;
    }

    @AfterAll
    static void close() {
        POOL.close();
    }
}
