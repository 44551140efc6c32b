package dev.levee.jdbc.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;

class H2StoreTest extends TableStoreContract {
    private static final HikariDataSource POOL = pool("jdbc:h2:mem:stores;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000", 8);

    static HikariDataSource pool(String url, int size) {
        return pool(url, size, 5_000);
    }

    static HikariDataSource pool(String url, int size, long timeoutMillis) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(timeoutMillis);
        return new HikariDataSource(config);
    }

    @Override
    DataSource dataSource() {
        return POOL;
    }

    @Override
    SqlDialect dialect() {
        return SqlDialect.H2;
    }

    @AfterAll
    static void stop() {
        POOL.close();
    }
}
