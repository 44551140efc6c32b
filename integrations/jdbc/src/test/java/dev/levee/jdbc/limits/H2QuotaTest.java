package dev.levee.jdbc.limits;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.jdbc.store.SqlDialect;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;

class H2QuotaTest extends JdbcQuotaContract {
    private static final HikariDataSource POOL =
            QuotaNode.pool("jdbc:h2:mem:limits;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000", 16);

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
