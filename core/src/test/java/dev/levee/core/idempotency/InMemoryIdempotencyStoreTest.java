package dev.levee.core.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class InMemoryIdempotencyStoreTest extends IdempotencyStoreContract {
    private static final long LEASE = Duration.ofMinutes(1).toNanos();

    private final ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 1);
    private final IdempotencyStore<String> store = IdempotencyStore.inMemory(1_000, KEEP, time.environment());

    @Override
    protected IdempotencyStore<String> store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        time.advance(duration);
    }

    @Nested
    class When_full {
        private final IdempotencyStore<String> small = IdempotencyStore.inMemory(3, KEEP, time.environment());

        private Status claim(String key) {
            return small.claim(key, "", "owner of " + key, LEASE).status();
        }

        private void record(String key) {
            claim(key);
            small.record(key, "owner of " + key, key, null);
            time.advance(Duration.ofSeconds(1));
        }

        @Test
        void the_key_recorded_first_goes() {
            record("a");
            record("b");
            record("c");

            assertThat(claim("d")).isEqualTo(Status.OWNED);

            assertThat(claim("b")).isEqualTo(Status.RECORDED);
            assertThat(claim("c")).isEqualTo(Status.RECORDED);
            assertThat(figures()).containsEntry("idempotency.keys.evictions", 1.0);
        }

        @Test
        void a_key_in_progress_or_unknown_never_goes() {
            claim("a");
            claim("b");
            small.unknown("b", "owner of b");
            record("c");
            assertThat(claim("d")).isEqualTo(Status.OWNED);

            assertThat(claim("e")).isEqualTo(Status.FULL);

            assertThat(small.record("a", "owner of a", "done", null)).isTrue();
            assertThat(claim("e")).isEqualTo(Status.OWNED);
            assertThat(claim("b")).isEqualTo(Status.OWNED_UNKNOWN);
        }

        @Test
        void keys_known_already_are_answered() {
            claim("a");
            claim("b");
            record("c");

            assertThat(claim("c")).isEqualTo(Status.RECORDED);
            assertThat(small.claim("a", "", "z", LEASE).status()).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void what_has_expired_makes_room() {
            claim("a");
            claim("b");
            claim("c");
            time.advance(Duration.ofNanos(LEASE).plus(KEEP));

            assertThat(claim("d")).isEqualTo(Status.OWNED);
            assertThat(figures())
                    .containsEntry("idempotency.keys.owned", 1.0)
                    .containsEntry("idempotency.keys.unknown", 0.0)
                    .containsEntry("idempotency.keys.evictions", 0.0);
        }

        private Map<String, Double> figures() {
            Map<String, Double> figures = new HashMap<>();
            small.measure("s", (policy, metric, value) -> figures.put(metric, value));
            return figures;
        }
    }

    @Test
    void wrong_settings_are_refused() {
        assertThatThrownBy(() -> IdempotencyStore.inMemory(0, KEEP, time.environment()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxKeys must be at least 1, but was 0");
        assertThatThrownBy(() -> IdempotencyStore.inMemory(1, Duration.ZERO, time.environment()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("keep");
    }
}
