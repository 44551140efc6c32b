package dev.levee.example.redis;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisLoadingException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.StringCodec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Reads with Lettuce: asynchronous, one connection to each server. */
public final class LettuceReads implements AutoCloseable {
    // An error reply is an answer, and would be the same elsewhere; a server that is loading its data is not ready.
    private static final OutcomeRule OUTCOMES = OutcomeRule.standard()
            .onError(RedisCommandExecutionException.class, Verdict.IGNORED)
            .onError(RedisLoadingException.class, Verdict.FAILURE);

    private final RedisClient client = RedisClient.create();
    private final Map<RedisURI, CompletableFuture<StatefulRedisConnection<String, String>>> connections =
            new ConcurrentHashMap<>();
    private final LoadBalancer<RedisURI> servers;
    private final Pipeline reads;

    /**
     * Reads from servers that have the same data.
     *
     * @param uris the servers
     * @param timeout of a read with all its attempts, each of which has a quarter of it
     */
    public LettuceReads(List<RedisURI> uris, Duration timeout) {
        client.setOptions(ClientOptions.builder()
                // Otherwise commands wait for a server that is gone, and the balancer never hears of it.
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(timeout.dividedBy(4))
                        .build())
                .build());
        servers = LoadBalancer.of(
                "redis",
                BalancingStrategy.leastTime(),
                EndpointSource.ofAddresses(uris),
                balancer -> balancer.gatePerEndpoint(
                        server -> CircuitBreaker.of("redis/" + server.id(), breaker -> breaker.outcomes(OUTCOMES))));
        reads = Pipeline.of(
                Timeout.of("redis", timeout),
                Retry.of("redis", retry -> retry.maxAttempts(3).idempotent(true).outcomes(OUTCOMES)),
                Timeout.of("redis-attempt", timeout.dividedBy(4)));
    }

    /**
     * Reads a value.
     *
     * @param key the key
     * @return completes with the value, or null if there is none
     */
    public CompletableFuture<@Nullable String> get(String key) {
        return reads.callAsync(servers.<@Nullable String>operationAsync(
                server -> connection(server).thenCompose(redis -> redis.async().get(key))));
    }

    private CompletableFuture<StatefulRedisConnection<String, String>> connection(RedisURI server) {
        CompletableFuture<StatefulRedisConnection<String, String>> connection = connections.computeIfAbsent(
                server, uri -> client.connectAsync(StringCodec.UTF8, uri).toCompletableFuture());
        if (connection.isCompletedExceptionally()) { // the next call tries again
            connections.remove(server, connection);
        }
        return connection;
    }

    @Override
    public void close() {
        servers.close();
        client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
}
