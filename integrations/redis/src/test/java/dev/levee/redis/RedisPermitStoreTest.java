package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.ratelimit.shared.PermitStore;
import dev.levee.ratelimit.shared.PermitStoreContract;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract of stores of leases, on a real server. */
class RedisPermitStoreTest extends PermitStoreContract {
    @RegisterExtension
    private static final ShiftedServer SERVER = new ShiftedServer();

    private RedisPermitStore store;

    @BeforeEach
    void make() {
        store = SERVER.permits(Environment.system());
    }

    @Override
    protected PermitStore store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        ShiftedServer.pass(duration);
    }

    @Override
    protected boolean forget() {
        return SERVER.forget();
    }

    @Override
    protected boolean moveClock(Duration by) {
        return SERVER.moveClock(by);
    }
}
