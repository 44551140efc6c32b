package dev.levee.jcache;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import java.net.URI;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import javax.cache.CacheManager;
import javax.cache.configuration.OptionalFeature;
import javax.cache.spi.CachingProvider;
import org.jspecify.annotations.Nullable;

/**
 * Makes caches of Levee for what asks for those of JSR 107: found by {@code Caching.getCachingProvider()} when this
 * module is on the path.
 *
 * <pre>{@code
 * CacheManager manager = Caching.getCachingProvider(LeveeCachingProvider.class.getName()).getCacheManager();
 * Cache<String, User> users = manager.createCache("users", new LeveeConfiguration<String, User>()
 *         .setExpiryPolicyFactory(ModifiedExpiryPolicy.factoryOf(Duration.FIVE_MINUTES)));
 * }</pre>
 *
 * <p>Use it for frameworks that take a cache by this interface. In code of your own use {@link dev.levee.cache.Cache},
 * and with Spring {@code levee-spring-cache}: this interface has no loader for one call, and so no shared load for a
 * method.
 *
 * <p>What the promises of a cache forbid, or what it does not keep, throws an {@link UnsupportedOperationException}
 * that says so: listeners, beans of statistics and management, expiry by access, and {@code removeAll()} with a
 * {@code CacheWriter}. The page "Spring and JCache" of the documentation has the table.
 *
 * <p>Thread-safe. Managers are held until they are closed, with their class loaders: close them, or the provider, with
 * the application.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class LeveeCachingProvider implements CachingProvider {
    private static final URI DEFAULT_URI = URI.create("levee:default");

    private final ConcurrentHashMap<ManagerPlace, LeveeJCacheManager> managers = new ConcurrentHashMap<>();
    private final Environment environment;

    /** What a manager is one of. */
    private record ManagerPlace(URI uri, ClassLoader loader) {}

    /** Makes a provider, as {@link java.util.ServiceLoader} does. */
    public LeveeCachingProvider() {
        this(Environment.system());
    }

    /**
     * Makes a provider.
     *
     * @param environment the source of time, waiting, threads and jitter of all its caches
     * @throws NullPointerException if it is null
     */
    public LeveeCachingProvider(Environment environment) {
        this.environment = Require.nonNull("environment", environment);
    }

    /**
     * Returns the manager of a URI and a class loader, which is made if there is none that is open.
     *
     * @param uri any name for it; null for the default
     * @param classLoader of keys and values that are copied; null for the default
     * @param properties not used but returned by a manager that is made; null for none
     * @return the manager
     */
    @Override
    public CacheManager getCacheManager(
            @Nullable URI uri, @Nullable ClassLoader classLoader, @Nullable Properties properties) {
        ManagerPlace place = new ManagerPlace(
                Objects.requireNonNullElse(uri, DEFAULT_URI),
                Objects.requireNonNullElse(classLoader, getDefaultClassLoader()));
        return managers.computeIfAbsent(
                place,
                it -> new LeveeJCacheManager(
                        this, it.uri, it.loader, properties == null ? new Properties() : properties, environment));
    }

    @Override
    public CacheManager getCacheManager(@Nullable URI uri, @Nullable ClassLoader classLoader) {
        return getCacheManager(uri, classLoader, null);
    }

    @Override
    public CacheManager getCacheManager() {
        return getCacheManager(null, null, null);
    }

    @Override
    public ClassLoader getDefaultClassLoader() {
        return LeveeCachingProvider.class.getClassLoader();
    }

    @Override
    public URI getDefaultURI() {
        return DEFAULT_URI;
    }

    @Override
    public Properties getDefaultProperties() {
        return new Properties();
    }

    @Override
    public boolean isSupported(OptionalFeature optionalFeature) {
        return optionalFeature == OptionalFeature.STORE_BY_REFERENCE;
    }

    @Override
    public void close() {
        close(place -> true);
    }

    @Override
    public void close(@Nullable ClassLoader classLoader) {
        ClassLoader loader = Objects.requireNonNullElse(classLoader, getDefaultClassLoader());
        close(place -> place.loader.equals(loader));
    }

    @Override
    public void close(@Nullable URI uri, @Nullable ClassLoader classLoader) {
        ManagerPlace closed = new ManagerPlace(
                Objects.requireNonNullElse(uri, DEFAULT_URI),
                Objects.requireNonNullElse(classLoader, getDefaultClassLoader()));
        close(closed::equals);
    }

    private void close(Predicate<ManagerPlace> which) {
        managers.forEach((place, manager) -> {
            if (which.test(place)) {
                manager.close();
            }
        });
    }

    /** Forgets a manager that closes. */
    void forget(LeveeJCacheManager manager) {
        managers.remove(new ManagerPlace(manager.getURI(), manager.getClassLoader()), manager);
    }

    @Override
    public String toString() {
        return "JCache provider of Levee, " + managers.size() + " managers";
    }
}
