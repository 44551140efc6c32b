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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisDataException;

/** Reads with Jedis: blocking, a pool of connections to each server. */
public final class JedisReads implements AutoCloseable {
    // An error reply is an answer, and would be the same elsewhere; a server that is loading its data is not ready.
    private static final OutcomeRule OUTCOMES = OutcomeRule.standard()
            .onError(JedisDataException.class, Verdict.IGNORED)
            .onError(JedisDataException.class, JedisReads::isLoading, Verdict.FAILURE);

    private final Map<HostAndPort, RedisClient> pools = new ConcurrentHashMap<>();
    private final JedisClientConfig bounds;
    private final LoadBalancer<HostAndPort> servers;
    private final Pipeline reads;

    /**
     * Reads from servers that have the same data.
     *
     * @param addresses the servers
     * @param timeout of a read with all its attempts, each of which has a quarter of it
     */
    public JedisReads(List<HostAndPort> addresses, Duration timeout) {
        // Jedis blocks in a socket, which no interrupt ends: these bound an attempt, and not a Timeout.
        int attemptMillis = (int) timeout.dividedBy(4).toMillis();
        bounds = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(attemptMillis)
                .socketTimeoutMillis(attemptMillis)
                .build();
        servers = LoadBalancer.of(
                "redis",
                BalancingStrategy.leastTime(),
                EndpointSource.ofAddresses(addresses),
                balancer -> balancer.gatePerEndpoint(
                        server -> CircuitBreaker.of("redis/" + server.id(), breaker -> breaker.outcomes(OUTCOMES))));
        reads = Pipeline.of(
                Timeout.of("redis", timeout),
                Retry.of("redis", retry -> retry.maxAttempts(3).idempotent(true).outcomes(OUTCOMES)));
    }

    /**
     * Reads a value.
     *
     * @param key the key
     * @return the value, or null if there is none
     */
    public @Nullable String get(String key) {
        return reads.call(servers.<@Nullable String, RuntimeException>operation(
                server -> pool(server).get(key)));
    }

    private static boolean isLoading(JedisDataException reply) {
        String message = reply.getMessage();
        return message != null && message.startsWith("LOADING");
    }

    private RedisClient pool(HostAndPort server) {
        return pools.computeIfAbsent(
                server,
                address -> RedisClient.builder()
                        .hostAndPort(address)
                        .clientConfig(bounds)
                        .build());
    }

    @Override
    public void close() {
        servers.close();
        pools.values().forEach(RedisClient::close);
    }
}
