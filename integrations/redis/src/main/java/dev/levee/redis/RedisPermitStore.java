package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.shared.PermitLease;
import dev.levee.ratelimit.shared.PermitRequest;
import dev.levee.ratelimit.shared.PermitStore;
import io.lettuce.core.api.StatefulConnection;
import java.nio.charset.StandardCharsets;
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

    private final String label;
    private final StatefulConnection<?, ?> connection;
    private final RedisLimitConfig config;
    private final Environment environment;
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
        this.environment = Require.nonNull("environment", environment);
        this.times = new ShardTimes(config.shards(), environment);
    }

    /**
     * Makes a store with the default settings, in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @return the store
     * @throws NullPointerException if {@code connection} is null
     */
    public static RedisPermitStore of(StatefulConnection<?, ?> connection) {
        return of(connection, Environment.system());
    }

    /**
     * Makes a store with the default settings.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     */
    public static RedisPermitStore of(StatefulConnection<?, ?> connection, Environment environment) {
        return of(connection, RedisLimitConfig.builder().build(), environment);
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
        ShardTimes.TimeClaim claim = times.claim(shard, PackedBytes.MAX_NUMBER);
        CompletableFuture<ScriptReply> run = script.run(
                connection, new byte[][] {keys.mark(shard), keys.bulkhead(shard, request.bulkhead())}, new byte[][] {
                    PackedBytes.head(request.node(), request.sequence(), claim, config.startFull(), 0, environment),
                    PackedBytes.orderedText(request.revision()),
                    text(request.limit()),
                    text((request.lifeNanos() - 1) / ShardTimes.NANOS_PER_MICRO + 1),
                    text(request.held()),
                    text(request.needed()),
                    text(request.wanted())
                });
        CompletableFuture<PermitLease> lease = new CompletableFuture<>();
        run.whenComplete((answer, error) -> {
            try {
                if (error != null) {
                    lease.completeExceptionally(RedisLimitException.of(label, error));
                } else {
                    lease.complete(read(answer, shard, claim));
                }
            } catch (RuntimeException notUnderstood) {
                lease.completeExceptionally(RedisLimitException.answer(label, String.valueOf(answer), notUnderstood));
            }
        });
        lease.whenComplete((done, error) -> {
            if (lease.isCancelled()) {
                run.cancel(false);
            }
        });
        return lease;
    }

    private static byte[] text(long number) {
        return Long.toString(Math.min(number, PackedBytes.MAX_NUMBER)).getBytes(StandardCharsets.US_ASCII);
    }

    private PermitLease read(ScriptReply answer, int shard, ShardTimes.TimeClaim claim) {
        long time = answer.number();
        int permits = Math.toIntExact(answer.number());
        int share = Math.toIntExact(answer.number());
        int sharers = Math.toIntExact(answer.number());
        int limit = Math.toIntExact(answer.number());
        long life = Math.multiplyExact(answer.number(), ShardTimes.NANOS_PER_MICRO);
        boolean isConflict = answer.number() == 2;
        PermitLease lease =
                new PermitLease(permits, share, sharers, limit, life, PackedBytes.unordered(answer.text()), isConflict);
        answer.end();
        times.learn(shard, time, claim);
        return lease;
    }

    @Override
    public String toString() {
        return label;
    }
}
