package dev.levee.jdbc.limits;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.FaultProxy;
import dev.levee.jdbc.limits.QuotaHistories.Grant;
import dev.levee.jdbc.store.SqlDialect;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.h2.tools.Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Several processes on one key, and connections that are cut in the middle of statements. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class QuotaFaultsTest {
    private static final int CUTS = Integer.getInteger("levee.jdbc.cuts", 30);
    private static final long TAKES = Long.getLong("levee.jdbc.takes", 60);
    private static final int PROCESSES = Integer.getInteger("levee.jdbc.processes", 2);
    private static final Limit LARGE = Limit.of(1_000_000, Duration.ofDays(10_000));

    private static EmbeddedPostgres postgres;

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPGStartupWait(Duration.ofMinutes(1))
                .start();
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
    }

    private static void history(String url, SqlDialect dialect) throws Exception {
        try (HikariDataSource pool = QuotaNode.pool(url, 2)) {
            JdbcQuotaContract.makeTable(pool, dialect);
            List<Process> processes = new ArrayList<>();
            try {
                for (int i = 0; i < PROCESSES; i++) {
                    processes.add(QuotaHistories.start(url, "p" + i, TAKES));
                }
                List<Grant> grants = QuotaHistories.read(processes);
                assertThat(grants).isNotEmpty();
                QuotaHistories.check(grants, QuotaNode.LIMIT);
            } finally {
                processes.forEach(Process::destroyForcibly);
            }
        }
    }

    @Test
    void no_window_of_several_processes_on_postgres_has_more_than_its_bound() throws Exception {
        history(postgres.getJdbcUrl("postgres", "postgres"), SqlDialect.POSTGRESQL);
    }

    @Test
    void no_window_of_several_processes_on_h2_has_more_than_its_bound() throws Exception {
        Server server = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
        try {
            history(
                    "jdbc:h2:tcp://127.0.0.1:" + server.getPort() + "/mem:history;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000",
                    SqlDialect.H2);
        } finally {
            server.stop();
        }
    }

    private static HikariDataSource through(int port) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&connectTimeout=5");
        config.setMaximumPoolSize(6);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(5_000);
        return new HikariDataSource(config);
    }

    /** Sends batches until each is answered, by the same sequence; returns how many permits it was given. */
    private static long takeAll(JdbcQuotaStore store, String node, AtomicBoolean ends) {
        long given = 0;
        for (long sequence = 1; !ends.get(); sequence++) {
            QuotaBatch batch = new QuotaBatch(
                    node,
                    sequence,
                    List.of(
                            JdbcQuotaContract.request("cut", LARGE, 1, 1, 1),
                            JdbcQuotaContract.request("cut" + node, LARGE, 0, 1, 1)));
            List<QuotaGrant> grants = null;
            while (grants == null) {
                try {
                    grants = JdbcQuotaContract.await(store.take(batch));
                } catch (CompletionException lost) {
                    LockSupport.parkNanos(1_000_000);
                }
            }
            assertThat(grants.get(0).permits()).isEqualTo(1);
            given += grants.get(0).permits();
        }
        return given;
    }

    private interface Fault {
        void strike(Connection other, FaultProxy proxy, Random random) throws SQLException;
    }

    private static void faults(Fault fault) throws Exception {
        try (HikariDataSource direct = QuotaNode.pool(postgres.getJdbcUrl("postgres", "postgres"), 2);
                FaultProxy proxy = FaultProxy.to(postgres.getPort());
                HikariDataSource pool = through(proxy.port());
                JdbcQuotaStore store = JdbcQuotaStore.of(
                        "cut",
                        pool,
                        c -> c.table(QuotaNode.TABLE)
                                .timeout(Duration.ofSeconds(2))
                                .expireEvery(Deadline.FOREVER),
                        Environment.system())) {
            JdbcQuotaContract.makeTable(direct, SqlDialect.POSTGRESQL);
            int threads = 3;
            long[] given = new long[threads];
            AtomicBoolean failed = new AtomicBoolean();
            AtomicBoolean ends = new AtomicBoolean();
            List<Thread> workers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int number = i;
                Thread worker = new Thread(() -> given[number] = takeAll(store, "node" + number, ends));
                worker.setUncaughtExceptionHandler((thread, thrown) -> failed.set(true));
                worker.start();
                workers.add(worker);
            }
            Random random = new Random(7);
            try (Connection other = direct.getConnection()) {
                for (int strike = 0; strike < CUTS; strike++) {
                    LockSupport.parkNanos(random.nextInt(20_000_000));
                    fault.strike(other, proxy, random);
                }
            } finally {
                ends.set(true);
            }
            for (Thread worker : workers) {
                worker.join();
            }
            assertThat(failed).isFalse();
            long taken = 0;
            for (long each : given) {
                taken += each;
            }
            assertThat(taken).isPositive();
            // Each batch used one and took one: nothing twice, nothing lost.
            QuotaGrant left = JdbcQuotaContract.await(store.take(
                            new QuotaBatch("last", 1, List.of(JdbcQuotaContract.request("cut", LARGE, 0, 0, 0)))))
                    .get(0);
            assertThat(left.remaining()).isBetween(1_000_000 - 2 * taken, 1_000_000 - 2 * taken + 1);
        }
    }

    @Test
    void batches_whose_connections_are_cut_are_charged_once() throws Exception {
        faults((other, proxy, random) -> proxy.cut());
    }

    @Test
    void batches_whose_answers_are_halved_are_charged_once() throws Exception {
        faults((other, proxy, random) -> {
            proxy.halveAnswers(true);
            LockSupport.parkNanos(1_000_000);
            proxy.halveAnswers(false);
        });
    }

    @Test
    void batches_whose_sessions_are_ended_by_the_server_are_charged_once() throws Exception {
        faults((other, proxy, random) -> {
            try (Statement statement = other.createStatement()) {
                statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        + " WHERE datname = 'postgres' AND pid <> pg_backend_pid() AND client_port IS NOT NULL");
            }
        });
    }
}
