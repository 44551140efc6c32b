package dev.levee.jcache;

import dev.levee.cache.CacheConfig;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;
import javax.cache.configuration.CompleteConfiguration;
import javax.cache.configuration.MutableConfiguration;

/**
 * The settings of a cache that JSR 107 has, and those of Levee beside them.
 *
 * <pre>{@code
 * Cache<String, User> users = manager.createCache("users", new LeveeConfiguration<String, User>()
 *         .settings(c -> c.maxSize(100_000).expireAfter(ofMinutes(5)))
 *         .setStoreByValue(false));
 * }</pre>
 *
 * <p>Use it where the defaults of Levee do not fit: a bounded number of values, which is 10,000 here too. An expiry
 * policy of JSR 107 that is not the eternal one decides how long values live, and what is set here for that does not.
 * There is no jitter unless it is set here.
 *
 * <p>Not thread-safe. A cache copies it.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class LeveeConfiguration<K, V> extends MutableConfiguration<K, V> {
    private static final long serialVersionUID = 1L;

    private transient Consumer<? super CacheConfig.Builder<K, V>> settings = builder -> {};

    /** Makes settings with the defaults of JSR 107: eternal, by value, without a loader or writer. */
    public LeveeConfiguration() {}

    LeveeConfiguration(CompleteConfiguration<K, V> copied) {
        super(copied);
        if (copied instanceof LeveeConfiguration<K, V> other) {
            settings = other.settings;
        }
    }

    /**
     * Sets what differs from the defaults of Levee. Whether the cache writes its store is set by
     * {@link #setWriteThrough}. Not kept by serialization.
     *
     * @param configure called once for each cache that is created
     * @return this
     * @throws NullPointerException if it is null
     */
    public LeveeConfiguration<K, V> settings(Consumer<? super CacheConfig.Builder<K, V>> configure) {
        settings = Require.nonNull("configure", configure);
        return this;
    }

    /** Applies what was set. */
    void applyTo(CacheConfig.Builder<K, V> builder) {
        settings.accept(builder);
    }

    /** Compares what JSR 107 compares; what was set here is code, and has no equality. */
    @Override
    public boolean equals(Object other) {
        return super.equals(other);
    }

    @Override
    public int hashCode() {
        return super.hashCode();
    }

    /**
     * Replaces what was read.
     *
     * @return a configuration with the settings of JSR 107, and none of its own
     */
    private Object readResolve() {
        return new LeveeConfiguration<>(this);
    }
}
