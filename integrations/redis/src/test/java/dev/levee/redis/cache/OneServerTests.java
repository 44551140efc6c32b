package dev.levee.redis.cache;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Loader;
import dev.levee.redis.RedisServer;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** Tests of two tiers over one server, which each of them finds empty. */
abstract class OneServerTests {
    static RedisServer server;
    Tiers tiers;

    @BeforeAll
    static void startServer() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void openTiers() {
        tiers = new Tiers();
        tiers.commands(server).flushall();
    }

    @AfterEach
    void closeTiers() {
        tiers.close();
    }

    /** Returns a cache that hears of changes. */
    TwoTierCache<String, String> cache() {
        return cache(tier -> {}, near -> {}, tiers.new Rows());
    }

    /** Returns a cache that hears of changes. */
    TwoTierCache<String, String> cache(
            Consumer<RedisTier.Builder<String, String>> tier,
            Consumer<CacheConfig.Builder<String, String>> near,
            Loader<String, String> loader) {
        TwoTierCache<String, String> cache = tiers.cache(server.port(), tier, near, loader);
        Tiers.trusted(cache);
        return cache;
    }
}
