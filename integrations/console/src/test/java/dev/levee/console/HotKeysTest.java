package dev.levee.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Cache;
import dev.levee.core.testing.ManualTime;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HotKeysTest {
    private final ManualTime time = new ManualTime();
    private final HotKeys keys = new HotKeys(time.environment().clock());

    @Test
    void a_key_with_a_large_share_is_found_among_a_hundred_thousand() {
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            keys.count(i % 5 == 0 ? "greedy" : i % 10 == 1 ? "second" : "key-" + random.nextInt(100_000));
        }

        assertThat(keys.hottest(2)).extracting(HotKeys.Hot::key).containsExactly("greedy", "second");
        assertThat(keys.hottest(2).get(0).share()).isBetween(0.19, 0.23);
        assertThat(keys.hottest(1000)).hasSize(HotKeys.MAX_KEYS);
    }

    @Test
    void what_was_hot_is_forgotten() {
        for (int i = 0; i < 1000; i++) {
            keys.count("old");
        }
        time.advance(Duration.ofSeconds(40));
        for (int i = 0; i < 1000; i++) {
            keys.count("new");
        }
        assertThat(keys.hottest(1)).extracting(HotKeys.Hot::key).containsExactly("new");
        time.advance(Duration.ofDays(3650));
        assertThat(keys.hottest(5)).isEmpty();
    }

    @Test
    void hostile_keys_are_short_and_escaped() throws IOException {
        try (Console console = Console.start(0)) {
            console.hotKeys("clients").count("<script>\n" + "x".repeat(10_000));
            console.show("clients", sink -> sink.value("clients", "limiter.keys", 1));
            RawHttp http = new RawHttp(console.address());

            String page = http.send("GET", "/api/snapshot", "", "Host: " + http.host())
                    .body();

            assertThat(page)
                    .hasSizeLessThan(1500)
                    .contains("\\u003cscript\\u003e\\\\u000Axxx")
                    .doesNotContain("<");
        }
    }

    @Test
    void a_limit_and_a_cache_that_are_made_so_tell_their_busiest_keys_themselves() throws Exception {
        try (Console console = Console.start(0)) {
            HotKeys clients = console.hotKeys("clients");
            HotKeys misses = console.hotKeys("misses");
            KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                    "clients",
                    config -> config.limit(Limit.perSecond(1)).keyBy(client -> {
                        clients.count(client);
                        return client;
                    }));
            Cache<String, String> cache = Cache.over("misses", key -> {
                misses.count(key);
                return key;
            });
            for (int i = 0; i < 3; i++) {
                limiter.tryAcquire("busy");
                cache.get("missed");
            }
            limiter.tryAcquire("quiet");

            assertThat(clients.hottest(8))
                    .containsExactly(new HotKeys.Hot("busy", 0.75), new HotKeys.Hot("quiet", 0.25));
            assertThat(misses.hottest(8)).containsExactly(new HotKeys.Hot("missed", 1));
        }
    }
}
