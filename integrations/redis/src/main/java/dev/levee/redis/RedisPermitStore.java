package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.shared.PermitLease;
import dev.levee.ratelimit.shared.PermitRequest;
import dev.levee.ratelimit.shared.PermitStore;
import io.lettuce.core.api.StatefulConnection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Keeps the leases of bulkheads that several processes share in Redis or Valkey, through a connection of Lettuce that
 * the application has.
 *
 * <pre>
 * PermitStore store = RedisPermitStore.of(client.connect());
 * SharedBulkhead bulkhead = SharedBulkhead.of("payments", 20, store);
 * </pre>
 *
 * <p>A renewal is one script, by the time of the server, with the same mark of a shard and the same care for clocks
 * that jump as in {@link RedisQuotaStore}, and the same connection will do. All leases of a bulkhead are in one key,
 * which has no end: names of bulkheads come from the code, so there are few.
 *
 * <p><b>When the server loses its data</b>, or a prefix is used for the first time, there are no permits for the life
 * of a lease but those that processes say they hold, since others may hold some of which the server knows nothing;
 * {@link RedisLimitConfig.Builder#startFull} says otherwise for the first time. A fail-over to a replica that has not
 * heard of a lease yet may give its permits away a second time, until that lease ends.
 *
 * <p>Failures are {@link RedisLimitException}s, which say what is wrong. Thread-safe; never blocks. The connection is
 * never closed.
 *
 * @since 0.1
 */
public final class RedisPermitStore implements PermitStore {
    static final String SCRIPT = RedisScript.text("mark.lua", "permits.lua");

    private static final long NANOS_PER_MICRO = 1000;

    private final String label;
    private final StatefulConnection<?, ?> connection;
    private final RedisLimitConfig config;
    private final RedisScript script;
    private final RedisKeys keys;
    private final ShardTimes times;

    RedisPermitStore(
            StatefulConnection<?, ?> connection, RedisLimitConfig config, Environment environment, String script) {
        this.connection = Require.nonNull("connection", connection);
        this.config = Require.nonNull("config", config);
        this.label = "redis \"" + config.prefix() + "\"";
        this.script = new RedisScript(script);
        this.keys = new RedisKeys(config);
        this.times = new ShardTimes(config.shards(), Require.nonNull("environment", environment));
    }

    /**
     * Makes a store with the default settings, in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @return the store
     * @throws NullPointerException if {@code connection} is null
     */
    public static RedisPermitStore of(StatefulConnection<?, ?> connection) {
        return of(connection, RedisLimitConfig.builder().build(), Environment.system());
    }

    /**
     * Makes a store in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param configure sets what differs from the defaults
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static RedisPermitStore of(
            StatefulConnection<?, ?> connection, Consumer<? super RedisLimitConfig.Builder> configure) {
        return of(connection, configure, Environment.system());
    }

    /**
     * Makes a store.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param configure sets what differs from the defaults
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static RedisPermitStore of(
            StatefulConnection<?, ?> connection,
            Consumer<? super RedisLimitConfig.Builder> configure,
            Environment environment) {
        return of(connection, RedisLimitConfig.of(configure), environment);
    }

    /**
     * Makes a store.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param config the settings
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     */
    public static RedisPermitStore of(
            StatefulConnection<?, ?> connection, RedisLimitConfig config, Environment environment) {
        return new RedisPermitStore(connection, config, environment, SCRIPT);
    }

    @Override
    public CompletableFuture<PermitLease> renew(PermitRequest request) {
        int shard = keys.shard(request.bulkhead(), "");
        ShardTimes.TimeClaim claim = times.claim(shard, RedisQuotaStore.MAX_NUMBER);
        CompletableFuture<String> run = script.run(
                connection,
                List.of(keys.mark(shard), keys.bulkhead(shard, request.bulkhead())),
                List.of(
                        RedisKeys.node(request.node()),
                        RedisQuotaStore.ordered(request.sequence()),
                        RedisQuotaStore.number(claim.micros()),
                        config.startFull() && claim.isFirst() ? "1" : "0",
                        "0",
                        RedisQuotaStore.ordered(request.revision()),
                        Integer.toString(request.limit()),
                        RedisQuotaStore.number((request.lifeNanos() - 1) / NANOS_PER_MICRO + 1),
                        Integer.toString(request.held()),
                        Integer.toString(request.needed()),
                        Integer.toString(request.wanted())));
        CompletableFuture<PermitLease> lease = new CompletableFuture<>();
        run.whenComplete((answer, error) -> {
            try {
                if (error != null) {
                    lease.completeExceptionally(RedisLimitException.of(label, error));
                } else {
                    lease.complete(read(answer, shard, claim));
                }
            } catch (RuntimeException notUnderstood) {
                lease.completeExceptionally(RedisLimitException.answer(label, answer, notUnderstood));
            }
        });
        lease.whenComplete((done, error) -> {
            if (lease.isCancelled()) {
                run.cancel(false);
            }
        });
        return lease;
    }

    private PermitLease read(String answer, int shard, ShardTimes.TimeClaim claim) {
        int semicolon = answer.indexOf(';');
        String[] words = answer.substring(semicolon + 1).split(" ", -1);
        PermitLease lease = new PermitLease(
                Integer.parseInt(words[0]),
                Integer.parseInt(words[1]),
                Integer.parseInt(words[2]),
                Integer.parseInt(words[3]),
                Math.multiplyExact(Long.parseLong(words[4]), NANOS_PER_MICRO),
                RedisQuotaStore.unordered(words[5]),
                words[6].equals("2"));
        times.learn(shard, Long.parseLong(answer.substring(0, semicolon)), claim);
        return lease;
    }

    @Override
    public String toString() {
        return label;
    }
}
