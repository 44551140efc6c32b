package dev.levee.jcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Properties;
import javax.cache.Cache;
import javax.cache.CacheException;
import javax.cache.CacheManager;
import javax.cache.Caching;
import javax.cache.configuration.MutableConfiguration;
import javax.cache.configuration.OptionalFeature;
import javax.cache.spi.CachingProvider;
import org.junit.jupiter.api.Test;

class LeveeCachingProviderTest {
    private final CachingProvider provider = new LeveeCachingProvider();

    @Test
    void is_found_by_the_standard() {
        assertThat(Caching.getCachingProvider()).isInstanceOf(LeveeCachingProvider.class);
        assertThat(Caching.getCachingProvider(LeveeCachingProvider.class.getName()))
                .isInstanceOf(LeveeCachingProvider.class);
    }

    @Test
    void has_a_manager_for_each_name_and_class_loader() throws Exception {
        CacheManager usual = provider.getCacheManager();
        assertThat(provider.getCacheManager(provider.getDefaultURI(), provider.getDefaultClassLoader()))
                .isSameAs(usual);
        assertThat(provider.getCacheManager(URI.create("levee:other"), null)).isNotSameAs(usual);
        try (URLClassLoader other = new URLClassLoader(new URL[0])) {
            assertThat(provider.getCacheManager(null, other)).isNotSameAs(usual);
        }
        assertThat(usual.getURI()).isEqualTo(provider.getDefaultURI());
        assertThat(usual.getCachingProvider()).isSameAs(provider);
    }

    @Test
    void gives_a_manager_the_properties_of_its_first_caller() {
        Properties properties = new Properties();
        properties.setProperty("a", "1");

        assertThat(provider.getCacheManager(null, null, properties).getProperties())
                .isEqualTo(properties);
    }

    @Test
    void closes_its_managers_and_makes_others_afterwards() {
        CacheManager first = provider.getCacheManager();
        Cache<String, String> cache = first.createCache("a", new MutableConfiguration<>());
        provider.close();

        assertThat(first.isClosed()).isTrue();
        assertThat(cache.isClosed()).isTrue();
        assertThatThrownBy(() -> first.getCache("a")).isInstanceOf(IllegalStateException.class);
        CacheManager second = provider.getCacheManager();
        assertThat(second).isNotSameAs(first);
        first.close();
        assertThat(provider.getCacheManager()).isSameAs(second);
        provider.close(null, null);
        assertThat(second.isClosed()).isTrue();
    }

    @Test
    void closes_those_of_a_class_loader() throws Exception {
        CacheManager usual = provider.getCacheManager();
        try (URLClassLoader loader = new URLClassLoader(new URL[0])) {
            CacheManager other = provider.getCacheManager(null, loader);
            provider.close(loader);

            assertThat(other.isClosed()).isTrue();
            assertThat(usual.isClosed()).isFalse();
        }
    }

    @Test
    void stores_by_reference_too() {
        assertThat(provider.isSupported(OptionalFeature.STORE_BY_REFERENCE)).isTrue();
    }

    @Test
    void a_manager_has_a_name_once() {
        CacheManager manager = provider.getCacheManager();
        manager.createCache("a", new MutableConfiguration<>());
        assertThatThrownBy(() -> manager.createCache("a", new MutableConfiguration<>()))
                .isInstanceOf(CacheException.class)
                .hasMessageContaining("\"a\"");
        assertThat(manager.getCacheNames()).containsExactly("a");
        manager.destroyCache("a");
        manager.destroyCache("none");

        assertThat(manager.getCacheNames()).isEmpty();
        assertThat(manager.<String, String>getCache("a")).isNull();
    }

    @Test
    void gives_what_it_stands_on() {
        CacheManager manager = provider.getCacheManager();
        Cache<String, String> cache = manager.createCache("a", new MutableConfiguration<>());

        assertThat(cache.unwrap(dev.levee.cache.Cache.class).name()).isEqualTo("a");
        assertThat(manager.unwrap(CacheManager.class)).isSameAs(manager);
        assertThatThrownBy(() -> cache.unwrap(String.class)).isInstanceOf(IllegalArgumentException.class);
    }
}
