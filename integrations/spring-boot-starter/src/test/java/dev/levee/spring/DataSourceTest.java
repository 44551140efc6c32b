package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitOpenException;
import dev.levee.core.Environment;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import dev.levee.jdbc.GuardedDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/** Data sources that are guarded by a line of configuration. */
class DataSourceTest {
    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(LeveeAutoConfiguration.class, LeveeDataSourceAutoConfiguration.class))
            .withUserConfiguration(Shop.class);

    private static final String[] BREAKER = {
        "levee.policies.db-breaker.consecutive-failures=3",
        "levee.policies.db-breaker.open-for=30s",
        "levee.policies.db-bulkhead.max-concurrent=5",
        "levee.pipelines.db=breaker,bulkhead",
        "levee.data-sources.dataSource.pipeline=db"
    };

    @Configuration
    @EnableTransactionManagement
    static class Shop {
        @Bean
        ManualTime time() {
            return new ManualTime();
        }

        @Bean
        Environment timeOfPolicies(ManualTime time) {
            return time.environment();
        }

        @Bean
        Outages dataSource() {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl("jdbc:h2:mem:shop");
            pool.setMaximumPoolSize(3);
            return new Outages(pool);
        }

        @Bean
        DataSource other() {
            return new HikariDataSource();
        }

        @Bean
        JdbcTemplate jdbc(DataSource dataSource) {
            JdbcTemplate jdbc = new JdbcTemplate(dataSource);
            jdbc.execute("DROP ALL OBJECTS");
            jdbc.execute("CREATE TABLE orders (id INT PRIMARY KEY)");
            return jdbc;
        }

        @Bean
        PlatformTransactionManager transactions(DataSource dataSource) {
            return new DataSourceTransactionManager(dataSource);
        }

        @Bean
        Orders orders(JdbcTemplate jdbc) {
            return new Orders(jdbc);
        }
    }

    /** A pool whose database can be down. */
    static class Outages extends AbstractDataSource implements AutoCloseable {
        final HikariDataSource pool;
        volatile boolean down;

        Outages(HikariDataSource pool) {
            this.pool = pool;
        }

        @Override
        public Connection getConnection() throws SQLException {
            if (down) {
                throw new SQLException("down", "08001");
            }
            return pool.getConnection();
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            return getConnection();
        }

        @Override
        public void close() {
            pool.close();
        }
    }

    static class Orders {
        private final JdbcTemplate jdbc;

        Orders(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Transactional
        public void place(int id, Runnable between) {
            jdbc.update("INSERT INTO orders VALUES (?)", id);
            between.run();
            jdbc.update("INSERT INTO orders VALUES (?)", id + 1);
        }

        int count() {
            Integer count = jdbc.queryForObject("SELECT COUNT(*) FROM orders", Integer.class);
            return count == null ? -1 : count;
        }
    }

    private static Outages outages(DataSource guarded) {
        try {
            return guarded.unwrap(Outages.class);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void the_breaker_of_a_data_source_opens_and_closes() {
        APP.withPropertyValues(BREAKER).run(context -> {
            DataSource source = context.getBean("dataSource", DataSource.class);
            assertThat(source).isInstanceOf(GuardedDataSource.class);
            assertThat(context.getBean("other")).isInstanceOf(HikariDataSource.class);
            JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
            Orders orders = context.getBean(Orders.class);
            CircuitBreaker breaker = context.getBean(CircuitBreaker.class);

            orders.place(1, () -> {});
            assertThat(orders.count()).isEqualTo(2);
            for (int i = 0; i < 10; i++) {
                assertThatThrownBy(() -> jdbc.update("INSERT INTO orders VALUES (1)"))
                        .isInstanceOf(DuplicateKeyException.class);
            }
            assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.CLOSED);

            outages(source).down = true;
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(orders::count).isInstanceOf(CannotGetJdbcConnectionException.class);
            }
            assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.OPEN);
            outages(source).down = false;
            assertThatThrownBy(orders::count)
                    .isInstanceOf(CannotGetJdbcConnectionException.class)
                    .hasRootCauseInstanceOf(CircuitOpenException.class);
            assertThatThrownBy(() -> orders.place(7, () -> {})).isInstanceOf(CannotCreateTransactionException.class);

            context.getBean(ManualTime.class).advance(Duration.ofSeconds(30));
            for (int i = 0; i < 20; i++) {
                assertThat(orders.count()).isEqualTo(2);
            }
            assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.CLOSED);
            assertThat(context.getBean(Bulkhead.class).inFlight()).isZero();
        });
    }

    @Test
    void a_breaker_that_opens_within_a_transaction_rolls_it_back() {
        APP.withPropertyValues(BREAKER).run(context -> {
            Orders orders = context.getBean(Orders.class);
            CircuitBreaker breaker = context.getBean(CircuitBreaker.class);
            assertThatThrownBy(() -> orders.place(1, breaker::forceOpen))
                    .isInstanceOf(TransientDataAccessResourceException.class)
                    .hasCauseInstanceOf(SQLTransientConnectionException.class)
                    .hasRootCauseInstanceOf(CircuitOpenException.class);
            breaker.reset();
            assertThat(orders.count()).isZero();

            TransactionTemplate template = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
            JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
            template.executeWithoutResult(status -> {
                jdbc.update("INSERT INTO orders VALUES (5)");
                breaker.forceOpen(); // the work is done: its commit is not refused
            });
            breaker.reset();
            assertThat(orders.count()).isEqualTo(1);
            HikariDataSource pool = outages(context.getBean("dataSource", DataSource.class)).pool;
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        });
    }

    @Test
    void settings_change_while_it_runs_and_the_pipeline_does_not() {
        Map<String, Object> changes = new HashMap<>();
        APP.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource("changes", changes)))
                .withPropertyValues(BREAKER)
                .run(context -> {
                    DataSource source = context.getBean("dataSource", DataSource.class);
                    Orders orders = context.getBean(Orders.class);
                    changes.put("levee.policies.db-breaker.consecutive-failures", "1");
                    context.publishEvent(new EnvironmentChangeEvent(Set.copyOf(changes.keySet())));
                    outages(source).down = true;
                    assertThatThrownBy(orders::count).isInstanceOf(CannotGetJdbcConnectionException.class);
                    assertThat(context.getBean(CircuitBreaker.class).state()).isEqualTo(CircuitBreaker.State.OPEN);

                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    changes.put("levee.data-sources.dataSource.pipeline", "db-breaker");
                    assertThatThrownBy(policies::reload)
                            .hasMessageContaining("levee.data-sources.dataSource.pipeline = \"db-breaker\"")
                            .hasMessageContaining("needs a restart");
                    changes.remove("levee.data-sources.dataSource.pipeline");
                    changes.put("levee.data-sources.other.pipeline", "db");
                    assertThatThrownBy(policies::reload)
                            .hasMessageContaining("levee.data-sources.other: cannot be added while running");
                });
    }

    private static void fails(String expected, String... properties) {
        APP.withPropertyValues(BREAKER).withPropertyValues(properties).run(context -> {
            assertThat(context).hasFailed();
            assertThat(wrong(context.getStartupFailure())).hasMessageContaining(expected);
        });
    }

    private static LeveeConfigurationException wrong(Throwable failure) {
        Throwable at = failure;
        while (!(at instanceof LeveeConfigurationException) && at.getCause() != null) {
            at = at.getCause();
        }
        assertThat(at).isInstanceOf(LeveeConfigurationException.class);
        return (LeveeConfigurationException) at;
    }

    @Test
    void mistakes_fail_the_start_and_name_the_property() {
        fails(
                "levee.data-sources.dataSource.pipeline = \"bd\": names no pipeline, no policy and no bean;"
                        + " did you mean \"db\"?",
                "levee.data-sources.dataSource.pipeline=bd");
        fails(
                "levee.data-sources.datasorce: names no bean that is a DataSource, only [dataSource, other];"
                        + " did you mean \"dataSource\"?",
                "levee.data-sources.datasorce.pipeline=db");
        fails("levee.data-sources.jdbc: names no bean that is a DataSource", "levee.data-sources.jdbc.pipeline=db");
        fails("levee.data-sources.other.pipelin = \"db\": is no property", "levee.data-sources.other.pipelin=db");
        fails("levee.data-sources.other.pipeline: must be set", "levee.data-sources.other.pipelin=db");
        fails("levee.data-sources = \"db\": has no value of its own", "levee.data-sources=db");
        fails(
                "levee.data-sources.other.pipeline = \"tenant-bulkhead\": is one policy for each key",
                "levee.policies.tenant-bulkhead.keys.max=10",
                "levee.data-sources.other.pipeline=tenant-bulkhead");
        fails(
                "levee.data-sources.other.pipeline = \"jdbc\": there is no policy \"jdbc\"",
                "levee.data-sources.other.pipeline=jdbc");
        fails("levee.data-source.x.pipeline = \"db\": is no property of levee", "levee.data-source.x.pipeline=db");
    }

    @Test
    void without_levee_jdbc_the_start_fails_only_if_a_data_source_is_named() {
        ApplicationContextRunner without = new ApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(LeveeAutoConfiguration.class, LeveeDataSourceAutoConfiguration.class))
                .withClassLoader(new FilteredClassLoader(GuardedDataSource.class));
        without.run(
                context -> assertThat(context).hasNotFailed().doesNotHaveBean(LeveeDataSourceAutoConfiguration.class));
        without.withPropertyValues("levee.pipelines.db=bulkhead", "levee.data-sources.main.pipeline=db")
                .run(context -> assertThat(wrong(context.getStartupFailure()))
                        .hasMessage("levee.data-sources.main: needs levee-jdbc among the dependencies"));
    }

    @Test
    void names_of_beans_may_be_written_in_kebab_case() {
        APP.withPropertyValues("levee.pipelines.db=bulkhead", "levee.data-sources.data-source.pipeline=db")
                .run(context -> assertThat(context.getBean("dataSource")).isInstanceOf(GuardedDataSource.class));
    }

    @Test
    void a_variable_of_the_process_sets_it_too() {
        APP.withPropertyValues("levee.pipelines.db=bulkhead")
                .withSystemProperties("levee.data-sources.datasource.pipeline=db")
                .run(context -> assertThat(context.getBean("dataSource")).isInstanceOf(GuardedDataSource.class));
    }
}
