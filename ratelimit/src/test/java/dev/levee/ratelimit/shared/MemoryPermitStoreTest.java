package dev.levee.ratelimit.shared;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;

class MemoryPermitStoreTest extends PermitStoreContract {
    private final ManualTime time = new ManualTime();
    private final MemoryPermitStore store = new MemoryPermitStore(time::nanoTime);

    @Override
    protected PermitStore store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        time.advance(duration);
    }

    @Override
    protected boolean forget() {
        store.forget();
        return true;
    }
}
