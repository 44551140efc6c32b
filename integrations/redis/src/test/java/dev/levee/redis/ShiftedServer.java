package dev.levee.redis;

import dev.levee.core.Environment;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;

/** A server with a clock that a test can set: for scripts that are made here, the time of the server plus an offset. */
final class ShiftedServer implements AutoCloseable {
    private static final String OFFSET = "test:offset";

    final RedisServer server;
    private final RedisClient client;
    final StatefulRedisConnection<String, String> connection;

    ShiftedServer() {
        server = RedisServer.start();
        client = RedisClient.create(server.uri());
        connection = client.connect();
    }

    static String shifted(String script) {
        String shifted = script.replace(
                "local now = redis.call('TIME')",
                "local now = redis.call('TIME')\n" + "now[1] = now[1] + tonumber(redis.call('GET', '" + OFFSET
                        + "') or '0')");
        if (shifted.equals(script)) {
            throw new AssertionError("the script has another way to ask for the time");
        }
        return shifted;
    }

    RedisQuotaStore store(RedisLimitConfig config, Environment environment) {
        return new RedisQuotaStore(connection, config, environment, shifted(RedisQuotaStore.SCRIPT));
    }

    RedisPermitStore permits(RedisLimitConfig config, Environment environment) {
        return new RedisPermitStore(connection, config, environment, shifted(RedisPermitStore.SCRIPT));
    }

    void setClock(Duration offset) {
        connection.sync().set(OFFSET, Long.toString(offset.toSeconds()));
    }

    void forget() {
        String offset = connection.sync().get(OFFSET);
        connection.sync().flushall();
        if (offset != null) {
            connection.sync().set(OFFSET, offset);
        }
    }

    @Override
    public void close() {
        client.shutdown();
        server.close();
    }
}
