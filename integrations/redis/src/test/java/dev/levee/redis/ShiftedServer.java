package dev.levee.redis;

import dev.levee.core.Environment;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A server for the tests of a class, empty before each, with a clock that a test can set: for scripts that are made
 * here, the time of the server plus an offset.
 */
final class ShiftedServer implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
    private static final String OFFSET = "test:offset";

    private RedisServer server;
    private RedisClient client;
    private Duration ahead = Duration.ZERO;
    StatefulRedisConnection<String, String> connection;

    @Override
    public void beforeAll(ExtensionContext context) {
        if (isNested(context)) {
            return;
        }
        server = RedisServer.start();
        client = RedisClient.create(server.uri());
        connection = client.connect();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        connection.sync().flushall();
        ahead = Duration.ZERO;
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (!isNested(context)) {
            client.shutdown();
            server.close();
        }
    }

    private static boolean isNested(ExtensionContext context) {
        return context.getParent().flatMap(ExtensionContext::getTestClass).isPresent();
    }

    private static String shifted(String script) {
        String shifted = script.replace(
                "local now = redis.call('TIME')",
                "local now = redis.call('TIME')\n" + "now[1] = now[1] + tonumber(redis.call('GET', '" + OFFSET
                        + "') or '0')");
        if (shifted.equals(script)) {
            throw new AssertionError("the script has another way to ask for the time");
        }
        return shifted;
    }

    /** A store of which a shard that is new starts full. */
    RedisQuotaStore store(Environment environment) {
        return new RedisQuotaStore(connection, config(), environment, shifted(RedisQuotaStore.SCRIPT));
    }

    /** A store of which a shard that is new starts full. */
    RedisPermitStore permits(Environment environment) {
        return new RedisPermitStore(connection, config(), environment, shifted(RedisPermitStore.SCRIPT));
    }

    private static RedisLimitConfig config() {
        return RedisLimitConfig.builder().startFull(true).build();
    }

    boolean moveClock(Duration by) {
        ahead = ahead.plus(by);
        connection.sync().set(OFFSET, Long.toString(ahead.toSeconds()));
        return true;
    }

    static void pass(Duration duration) {
        try {
            Thread.sleep(duration.toMillis() + 1);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    boolean forget() {
        connection.sync().flushall();
        return moveClock(Duration.ZERO);
    }
}
