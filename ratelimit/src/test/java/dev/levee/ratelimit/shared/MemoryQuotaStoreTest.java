package dev.levee.ratelimit.shared;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;

class MemoryQuotaStoreTest extends QuotaStoreContract {
    private final ManualTime time = ManualTime.startingAt(1L << 60);
    private final MemoryQuotaStore store =
            new MemoryQuotaStore(time::nanoTime, Duration.ofMinutes(1).toNanos());

    private long ahead;

    @Override
    protected QuotaStore store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        time.advance(duration);
    }

    @Override
    protected boolean forget() {
        store.forgetAll();
        return true;
    }

    @Override
    protected void spoil(String key) {
        store.spoil("api", key, true);
    }

    @Override
    protected boolean moveClock(Duration by) {
        ahead += by.toNanos();
        store.setAhead(ahead);
        return true;
    }
}
