package dev.levee.springcache;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.springframework.cache.Cache;
import org.springframework.cache.transaction.TransactionAwareCacheManagerProxy;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionTemplate;

/** Spring's decorators, which hold changes back until a transaction has ended. */
class TransactionsTest {
    private final Cache bare = LeveeCache.of("users");
    private final Cache cache =
            new TransactionAwareCacheManagerProxy(LeveeCacheManager.of((LeveeCache) bare)).getCache("users");
    private final TransactionTemplate transaction = new TransactionTemplate(new Transactions());

    /** Transactions of nothing. */
    private static final class Transactions extends AbstractPlatformTransactionManager {
        private static final long serialVersionUID = 1L;

        @Override
        protected Object doGetTransaction() {
            return new Object();
        }

        @Override
        protected void doBegin(Object transaction, TransactionDefinition definition) {}

        @Override
        protected void doCommit(DefaultTransactionStatus status) {}

        @Override
        protected void doRollback(DefaultTransactionStatus status) {}
    }

    @Test
    void puts_are_seen_after_the_commit() {
        transaction.executeWithoutResult(status -> {
            cache.put("a", "1");
            assertThat(bare.get("a")).isNull();
        });

        assertThat(bare.get("a").get()).isEqualTo("1");
    }

    @Test
    void evictions_and_clears_come_after_the_commit() {
        bare.put("a", "1");
        bare.put("b", "2");
        transaction.executeWithoutResult(status -> {
            cache.evict("a");
            assertThat(bare.get("a")).isNotNull();
        });
        assertThat(bare.get("a")).isNull();
        transaction.executeWithoutResult(status -> {
            cache.clear();
            assertThat(bare.get("b")).isNotNull();
        });
        assertThat(bare.get("b")).isNull();
    }

    @Test
    void a_rollback_leaves_the_cache_as_it_was() {
        bare.put("a", "1");
        transaction.executeWithoutResult(status -> {
            cache.put("a", "2");
            cache.evict("a");
            status.setRollbackOnly();
        });

        assertThat(bare.get("a").get()).isEqualTo("1");
    }

    @Test
    void what_answers_at_once_changes_at_once() {
        transaction.executeWithoutResult(status -> {
            assertThat(cache.putIfAbsent("a", "1")).isNull();
            assertThat(bare.get("a").get()).isEqualTo("1");
            assertThat(cache.evictIfPresent("a")).isTrue();
            assertThat(bare.get("a")).isNull();
        });
    }

    @Test
    void loads_are_those_of_the_cache() throws Exception {
        transaction.executeWithoutResult(status -> {
            assertThat(cache.get("a", () -> "1")).isEqualTo("1");
            assertThat(bare.get("a").get()).isEqualTo("1");
        });
        assertThat(cache.retrieve("a")).isNotNull();
    }
}
