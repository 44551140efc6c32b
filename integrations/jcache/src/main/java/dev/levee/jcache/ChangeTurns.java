package dev.levee.jcache;

import dev.levee.core.Scheduler;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.parts.KeyTurns;
import java.util.function.Supplier;
import javax.cache.CacheException;
import org.jspecify.annotations.Nullable;

/**
 * Turns of keys: one thread at a time changes a key through the interface of JSR 107, or runs an entry processor on it.
 * A thread within a loader goes on without one. See ADR 177.
 */
final class ChangeTurns<K> extends KeyTurns<K> {
    /** Set on a thread that runs a loader. */
    private static final ThreadLocal<@Nullable Boolean> LOADING = new ThreadLocal<>();

    private final String cache;

    ChangeTurns(String cache, Scheduler scheduler) {
        super(scheduler);
        this.cache = cache;
    }

    /**
     * Does work in the turn of a key.
     *
     * @throws CacheException if the thread is interrupted while it waits for its turn, which leaves its flag set; if
     *     the deadline of the call passes before, or the wait would have no end
     */
    <T extends @Nullable Object> T in(K key, Supplier<T> work) {
        if (LOADING.get() != null) {
            return work.get();
        }
        KeyPlace own = take(key);
        try {
            return work.get();
        } finally {
            end(key, own);
        }
    }

    /** Runs code of a loader, which waits for no turn: what has the turn may wait for the load. */
    static <T extends @Nullable Object> T whileLoading(Supplier<T> load) {
        Boolean before = LOADING.get();
        LOADING.set(Boolean.TRUE);
        try {
            return load.get();
        } finally {
            if (before == null) {
                LOADING.remove();
            }
        }
    }

    @Override
    protected RuntimeException interrupted() {
        return new CacheException(
                "cache \"" + cache + "\": interrupted during another change of the key", new InterruptedException());
    }

    @Override
    protected RuntimeException late() {
        return new CacheException("cache \"" + cache + "\": the deadline passed during another change of the key");
    }

    @Override
    protected RuntimeException endless(K key) {
        return new CacheException("cache \"" + cache + "\" cannot change key " + Text.printable(key)
                + ": the change that it waits for has to wait for it");
    }
}
