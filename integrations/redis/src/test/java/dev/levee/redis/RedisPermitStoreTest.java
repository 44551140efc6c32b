package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.ratelimit.shared.PermitStore;
import dev.levee.ratelimit.shared.PermitStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The contract of stores of leases, on a real server. */
class RedisPermitStoreTest extends PermitStoreContract {
    private static ShiftedServer server;
    private RedisPermitStore store;
    private Duration ahead = Duration.ZERO;

    @BeforeAll
    static void start() {
        server = new ShiftedServer();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void flush() {
        server.connection.sync().flushall();
        RedisLimitConfig config = RedisLimitConfig.builder().startFull(true).build();
        store = server.permits(config, Environment.system());
    }

    @Override
    protected PermitStore store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        try {
            Thread.sleep(duration.toMillis() + 1);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected boolean forget() {
        server.forget();
        return true;
    }

    @Override
    protected boolean moveClock(Duration by) {
        ahead = ahead.plus(by);
        server.setClock(ahead);
        return true;
    }
}
