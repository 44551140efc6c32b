package dev.levee.examples.shortlink.node;

import dev.levee.cache.Cache;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.Codec;
import dev.levee.cache.StoreException;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.Without;
import dev.levee.redis.cache.RedisTier;
import dev.levee.redis.cache.TwoTierCache;
import io.lettuce.core.RedisClient;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Every policy of a node, and why it is there. From the outside in:
 *
 * <pre>fallback(cache(breaker(timeout(bulkhead(statement)))))</pre>
 */
final class NodeGuards implements Measured {
    /** More at once would not make the database any faster, and would leave no thread for what is in the cache. */
    static final int STATEMENTS_AT_ONCE = 6;

    /**
     * A statement takes a millisecond or two. One that takes this long is cancelled, so that there is time to ask three
     * nodes; one whose request has less time left, when that is over.
     */
    private static final Duration STATEMENT = Duration.ofMillis(50);

    private static final int REHEARSED_FAILURES = 100;

    /** Short, because a probe costs next to nothing and each moment without the database is a moment of refusals. */
    private static final Duration DATABASE_OPEN = Duration.ofMillis(50);

    private final Fallback unavailable;
    private final Policy database;
    private final Cache<String, String> links;

    NodeGuards(Without without, Environment environment) {
        this("database", without, null, false, environment);
    }

    /**
     * Guards of a node.
     *
     * @param without what is taken out
     * @param redis keeps links for all nodes, or null for nothing like it
     * @param replicas whether links are read from a replica that may be behind
     * @param environment for all policies
     */
    NodeGuards(Without without, @Nullable RedisClient redis, boolean replicas, Environment environment) {
        this("database", without, redis, replicas, environment);
    }

    private NodeGuards(
            String name, Without without, @Nullable RedisClient redis, boolean replicas, Environment environment) {
        unavailable = Fallback.of(
                "database",
                NodeGuards::isOfTheDatabase,
                failure -> Reply.of(503, "the database cannot be asked now").with("Retry-After", 1),
                environment);
        // The breaker answers at once what the timeout would answer after 50 ms, and leaves a database alone that
        // struggles.
        // The bulkhead is inside the timeout: its permit is held until the statement has really ended.
        database = without.pipeline(
                CircuitBreaker.of(
                        name,
                        config -> config.totals(true)
                                .countWindow(50)
                                .minCalls(20)
                                .failureRate(0.5)
                                .openFor(DATABASE_OPEN)
                                .openJitter(0.5)
                                .halfOpenCalls(3),
                        environment),
                Timeout.of("statement", STATEMENT, environment),
                Bulkhead.of("statements", config -> config.maxConcurrent(STATEMENTS_AT_ONCE), environment));
        // A link never changes, so that a cached one is right for as long as it is kept.
        Duration kept = without == Without.CACHE ? Duration.ofNanos(1) : Duration.ofHours(1);
        Consumer<CacheConfig.Builder<String, String>> near =
                config -> config.maxSize(50_000).expireAfter(kept).totals(true);
        links = redis == null || without == Without.CACHE
                ? Cache.of("links", near, environment)
                : TwoTierCache.over("links", tier(redis, replicas), NodeGuards::ownLoad, near, environment);
    }

    /**
     * One load for all nodes, and a node that starts finds what the others have loaded. What is near stays when Redis
     * goes, since it never changes; what is not is read from the database then, within the bulkhead of statements.
     */
    private static RedisTier<String, String> tier(RedisClient redis, boolean replicas) {
        RedisTier.Builder<String, String> tier = RedisTier.builder(redis, Codec.strings(), Codec.strings())
                .expireAfter(Duration.ofHours(1))
                .maxStaleWhenSuspect(Duration.ofHours(1))
                // Both are less than a request has: then there is time for the database.
                .timeout(Duration.ofMillis(20))
                .maxWait(Duration.ofMillis(20))
                .leaseLife(Duration.ofSeconds(1))
                .retryAfter(Duration.ofMillis(200));
        return (replicas ? tier.replicaLag(LinkTable.MAX_LAG) : tier).build();
    }

    private static String ownLoad(String code) {
        throw new IllegalStateException("code " + code + " is loaded by the request that reads it");
    }

    /**
     * Lets guards like these meet a database that fails, before the node serves: the first failure of a JVM loads
     * hundreds of classes and runs code that is not compiled yet, and a node that does this while a crowd waits is
     * late. Takes as long as a few statements that time out.
     */
    static void rehearse(Without without) throws SQLException {
        try (Environment own = Environment.builder().build()) {
            NodeGuards guards = new NodeGuards("rehearsal", without, null, false, own);
            List<CompletableFuture<Reply>> silent = new ArrayList<>();
            for (int i = 0; without != Without.TIMEOUT && i < 2 * STATEMENTS_AT_ONCE; i++) {
                silent.add(guards.database.callAsync(CompletableFuture<Reply>::new));
            }
            for (CompletableFuture<Reply> call : silent) {
                guards.orUnavailable(() -> guards.database(() -> call));
            }
            for (int i = 0; i < REHEARSED_FAILURES; i++) {
                CompletableFuture<Reply> failed = CompletableFuture.failedFuture(new SQLTimeoutException("rehearsal"));
                guards.orUnavailable(() -> guards.database(() -> failed));
            }
        }
    }

    /** Passes the figures on, from the outside in. */
    @Override
    public void measure(Sink sink) {
        unavailable.measure(sink);
        links.measure(sink);
        if (database instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** The links that were asked for lately. */
    Cache<String, String> links() {
        return links;
    }

    /** Runs a statement. The calling thread waits, but never longer than {@link #STATEMENT}. */
    <T> T database(Supplier<CompletableFuture<T>> statement) throws SQLException {
        try {
            return database.callAsync(statement).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof SQLException failure) {
                throw failure;
            }
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw e;
        }
    }

    /** Answers 503 if the database is what failed; a mistake of ours stays one. */
    Reply orUnavailable(Operation<Reply, SQLException> answer) throws SQLException {
        return unavailable.call(answer);
    }

    private static boolean isOfTheDatabase(Throwable failure) {
        Throwable cause = failure instanceof StoreException ? failure.getCause() : failure;
        return cause instanceof SQLException
                || cause instanceof TimedOutException
                || cause instanceof TimeoutException // of a load that another request had begun
                || cause instanceof RefusedException;
    }
}
