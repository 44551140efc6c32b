package dev.levee.jdbc.limits;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A process that takes permits of one key in several threads, and says for each grant when it was and of how many. */
final class QuotaNode {
    static final Limit LIMIT = Limit.of(200, Duration.ofSeconds(1)).burst(50);

    static final String TABLE = "limits_under_test";

    private QuotaNode() {}

    static HikariDataSource pool(String url, int size) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        return new HikariDataSource(config);
    }

    /** Arguments: URL, a name of letters and digits, how often each of four threads asks. */
    public static void main(String[] arguments) throws Exception {
        try (HikariDataSource pool = pool(arguments[0], 4);
                JdbcQuotaStore store = JdbcQuotaStore.of(
                        "node", pool, c -> c.table(TABLE).expireEvery(Deadline.FOREVER), Environment.system())) {
            long count = Long.parseLong(arguments[2]);
            Thread[] threads = new Thread[4];
            for (int i = 0; i < threads.length; i++) {
                String node = arguments[1] + "t" + i;
                threads[i] = new Thread(() -> work(store, node, count));
                threads[i].start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private static void work(JdbcQuotaStore store, String node, long count) {
        for (long sequence = 1; sequence <= count; sequence++) {
            QuotaRequest request = new QuotaRequest(
                    "api",
                    "hot",
                    new QuotaTerms(LIMIT, 0, 0),
                    0,
                    Long.MAX_VALUE,
                    1,
                    1,
                    1 + sequence % 3,
                    Long.MAX_VALUE);
            CompletableFuture<List<QuotaGrant>> answer = store.take(new QuotaBatch(node, sequence, List.of(request)));
            QuotaGrant grant = answer.orTimeout(30, TimeUnit.SECONDS).join().get(0);
            if (grant.permits() > 0) {
                say("GRANT " + grant.storeNanos() + " " + grant.permits());
            }
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
