package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightTest {
    private static Cache<Integer, String> weighed(long maxWeight) {
        return Cache.over("texts", key -> "x".repeat(key), c -> c.maxWeight(maxWeight, (key, text) -> text.length()));
    }

    private static int held(Cache<Integer, String> cache, int keys) {
        int weight = 0;
        for (int key = 1; key <= keys; key++) {
            String text = cache.getIfPresent(key);
            weight += text == null ? 0 : text.length();
        }
        return weight;
    }

    @Test
    void what_is_held_weighs_at_most_so_much() {
        Cache<Integer, String> cache = weighed(100);
        for (int key = 1; key <= 50; key++) {
            cache.get(key);
            cache.put(key, "y".repeat(key));
        }
        assertThat(held(cache, 50)).isBetween(1, 100);
        assertThat(cache.toString()).contains("100");
    }

    @Test
    void a_value_that_is_heavier_than_all_is_given_and_not_kept() {
        Cache<Integer, String> cache = weighed(10);
        assertThat(cache.get(11)).hasSize(11);
        assertThat(cache.getIfPresent(11)).isNull();
        assertThat(cache.get(10)).hasSize(10);
        assertThat(cache.getIfPresent(10)).hasSize(10);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void a_weight_below_one_is_an_error_with_the_key_and_the_weight(int weight) {
        Cache<String, String> cache = Cache.over("texts", key -> key, c -> c.maxWeight(10, (key, value) -> weight));
        assertThatThrownBy(() -> cache.get("a"))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("cache \"texts\": weight of key a must be at least 1, but was " + weight);
        assertThatThrownBy(() -> cache.put("a", "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("weight of key a must be at least 1, but was " + weight);
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void the_function_is_not_called_under_a_lock_and_once_for_each_entry() {
        AtomicInteger calls = new AtomicInteger();
        AtomicReference<Cache<String, String>> self = new AtomicReference<>();
        Cache<String, String> cache = Cache.over(
                "texts",
                key -> key,
                c -> c.maxWeight(10, (key, value) -> {
                    calls.incrementAndGet();
                    if (!key.equals("other")) {
                        self.get().invalidate(key);
                        self.get().get("other");
                    }
                    return 1;
                }));
        self.set(cache);
        assertThat(cache.get("a")).isEqualTo("a");
        assertThat(calls).hasValue(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1})
    void a_bound_below_one_is_an_error(long bound) {
        assertThatThrownBy(() -> weighed(bound))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxWeight must be at least 1, but was " + bound);
    }

    @Test
    void weight_and_size_cannot_both_be_the_bound() {
        assertThatThrownBy(() -> Cache.of("both", c -> c.maxSize(10).maxWeight(10, (key, value) -> 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxSize")
                .hasMessageContaining("maxWeight");
    }
}
