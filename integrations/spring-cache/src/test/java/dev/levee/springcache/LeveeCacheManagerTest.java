package dev.levee.springcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.cache.Cache;
import org.springframework.core.SpringVersion;

class LeveeCacheManagerTest {
    @Test
    void of_known_caches_has_no_others() {
        LeveeCache users = LeveeCache.of("users");
        LeveeCacheManager manager = LeveeCacheManager.of(users, LeveeCache.of("prices"));

        assertThat(manager.getCache("users")).isSameAs(users);
        assertThat(manager.getCache("user")).isNull();
        assertThat(manager.getCacheNames()).containsExactly("prices", "users");
    }

    @Test
    void has_a_name_once() {
        assertThatThrownBy(() -> LeveeCacheManager.of(LeveeCache.of("users"), LeveeCache.of("users")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"users\"");
    }

    @Test
    void makes_caches_on_demand_with_the_same_settings() {
        LeveeCacheManager manager = LeveeCacheManager.creating(c -> c.maxSize(7));

        Cache users = manager.getCache("users");
        assertThat(users).isNotNull().isSameAs(manager.getCache("users"));
        assertThat(users.toString()).contains("of 7");
        assertThat(manager.getCacheNames()).containsExactly("users");
    }

    @Test
    void says_at_once_that_settings_are_wrong() {
        assertThatThrownBy(() -> LeveeCacheManager.creating(c -> c.maxSize(0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void makes_one_cache_for_callers_that_ask_together() throws Exception {
        LeveeCacheManager manager = LeveeCacheManager.creating(c -> {});
        for (int round = 0; round < 100; round++) {
            String name = "cache" + round;
            CyclicBarrier together = new CyclicBarrier(2);
            List<FutureTask<Cache>> calls = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                FutureTask<Cache> call = new FutureTask<>(() -> {
                    together.await();
                    return manager.getCache(name);
                });
                calls.add(call);
                new Thread(call).start();
            }
            assertThat(calls.get(0).get(10, TimeUnit.SECONDS))
                    .isSameAs(calls.get(1).get(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void makes_a_thousand_caches_at_most() {
        LeveeCacheManager manager = LeveeCacheManager.creating(c -> {});
        for (int i = 0; i < 1_000; i++) {
            manager.getCache("cache" + i);
        }

        assertThatThrownBy(() -> manager.getCache("one\nmore"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1000 caches")
                .hasMessageContaining("one\\u000Amore");
        assertThat(manager.getCache("cache7")).isNotNull();
    }

    @Test
    void reports_the_metrics_of_all() {
        LeveeCacheManager manager = LeveeCacheManager.of(LeveeCache.of("users"), LeveeCache.of("prices"));
        manager.getCache("users").put("a", "1");
        List<String> metrics = new ArrayList<>();
        manager.measure((name, metric, value) -> metrics.add(name + ' ' + metric + ' ' + value));

        assertThat(metrics).contains("users cache.size 1.0", "prices cache.size 0.0");
    }

    @Test
    void closes_its_caches() {
        LeveeCacheManager manager = LeveeCacheManager.of(LeveeCache.of("users"));
        Cache users = manager.getCache("users");
        manager.close();

        assertThatThrownBy(() -> users.get("a"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("\"users\"");
    }

    /** The build runs these tests twice. */
    @Test
    void is_tested_on_the_spring_that_is_meant() {
        assertThat(SpringVersion.getVersion()).startsWith(System.getProperty("levee.spring", "7."));
    }
}
