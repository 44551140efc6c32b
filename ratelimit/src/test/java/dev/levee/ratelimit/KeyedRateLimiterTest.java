package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class KeyedRateLimiterTest {
    private static final long MILLI = 1_000_000;
    private static final TokenBucketLimit LIMIT = Limit.perSecond(100).burst(3);

    private final ManualTime time = new ManualTime();
    private final KeyedRateLimiter<String> limiter = KeyedRateLimiter.of("api", LIMIT, time.environment());

    private KeyedRateLimiter<String> withRoomFor(int keys) {
        return KeyedRateLimiter.of(
                "api", config -> config.limit(LIMIT).maxKeys(keys).totals(true), time.environment());
    }

    private static Map<String, Double> figures(KeyedRateLimiter<?> measured) {
        Map<String, Double> figures = new HashMap<>();
        measured.measure((policy, metric, value) -> {
            assertThat(policy).isEqualTo("api");
            figures.put(metric, value);
        });
        return figures;
    }

    @Nested
    class Settings {
        @Test
        void can_be_given_as_a_configuration_and_are_copied_to_a_builder() {
            KeyedRateLimiterConfig<Object> config = KeyedRateLimiterConfig.builder()
                    .limit(LIMIT)
                    .maxKeys(7)
                    .totals(true)
                    .build();
            assertThat(KeyedRateLimiter.<String>of("api", config))
                    .hasToString("limiter \"api\" [100 per 1s, burst 3; 0 of 7 keys]");
            assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
        }

        @Test
        void must_not_be_null() {
            assertThatThrownBy(
                            () -> KeyedRateLimiter.of("api", (Consumer<KeyedRateLimiterConfig.Builder<String>>) null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("configure");
        }
    }

    @Nested
    class AskedForABoolean {
        @Test
        void takes_a_permit_of_the_key_or_none() {
            assertThat(limiter.tryAcquire("a")).isTrue();
            assertThat(limiter.tryAcquire("a", 2)).isTrue();
            assertThat(limiter.tryAcquire("a")).isFalse();
            assertThat(limiter.tryAcquire("b", 4)).as("more than the burst").isFalse();
            assertThat(limiter.tryAcquire("b", 3)).isTrue();
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.tryAcquire("a", 2)).isFalse();
            assertThat(limiter.tryAcquire("a")).isTrue();
        }

        @Test
        void refuses_what_is_no_key_and_no_number_of_permits() {
            assertThatThrownBy(() -> limiter.tryAcquire(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("key");
            assertThatThrownBy(() -> limiter.tryAcquire("a", 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("permits must be at least 1, but was 0");
        }
    }

    @Nested
    class EachKey {
        @Test
        void has_a_bucket_of_its_own() {
            assertThat(limiter.tryAcquireOrWaitNanos("a", 3)).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("a")).isEqualTo(10 * MILLI);
            assertThat(limiter.tryAcquireOrWaitNanos("b")).isZero();
            assertThat(limiter.availablePermits("a")).isZero();
            assertThat(limiter.availablePermits("b")).isEqualTo(2);
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.tryAcquireOrWaitNanos("a")).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("a", 2)).isEqualTo(20 * MILLI);
        }

        @Test
        void that_was_never_seen_has_a_full_bucket_and_is_not_held_after_being_read() {
            assertThat(limiter.availablePermits("a")).isEqualTo(3);
            assertThat(limiter.size()).isZero();
        }

        @Test
        void is_the_one_that_equals_it() {
            limiter.tryAcquireOrWaitNanos("abc", 3);
            assertThat(limiter.tryAcquireOrWaitNanos(
                            new StringBuilder("cba").reverse().toString()))
                    .isEqualTo(10 * MILLI);
        }

        @Test
        void can_never_have_more_than_the_bucket_holds() {
            assertThat(limiter.tryAcquireOrWaitNanos("a", 4)).isEqualTo(KeyedRateLimiter.NEVER);
            assertThat(limiter.size()).as("nothing to remember").isZero();
            assertThatThrownBy(() -> limiter.tryAcquireOrWaitNanos("a", 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("permits must be at least 1, but was 0");
        }

        @Test
        void must_not_be_null() {
            assertThatThrownBy(() -> limiter.tryAcquireOrWaitNanos(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("key");
            assertThatThrownBy(() -> limiter.tryAcquireOrWaitNanos(null, 1)).hasMessage("key");
            assertThatThrownBy(() -> limiter.availablePermits(null)).hasMessage("key");
        }
    }

    @Nested
    class Dropping {
        @Test
        void a_key_with_a_full_bucket_again_is_dropped() {
            limiter.tryAcquireOrWaitNanos("a", 2);
            limiter.tryAcquireOrWaitNanos("b", 1);
            assertThat(limiter.size()).isEqualTo(2);
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.size()).isEqualTo(1);
            assertThat(limiter.availablePermits("a")).isEqualTo(2);
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.size()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("a", 3)).isZero();
        }

        @Test
        void a_key_that_goes_on_asking_is_not() {
            limiter.tryAcquireOrWaitNanos("a", 1);
            time.advance(Duration.ofMillis(9));
            limiter.tryAcquireOrWaitNanos("a", 2);
            time.advance(Duration.ofMillis(20));
            assertThat(limiter.size()).isEqualTo(1);
            assertThat(limiter.availablePermits("a")).isEqualTo(2);
            time.advance(Duration.ofMillis(1));
            assertThat(limiter.size()).isZero();
        }

        @Test
        void new_keys_push_out_those_that_are_full_again() {
            KeyedRateLimiter<String> small = withRoomFor(100);
            for (int key = 0; key < 100; key++) {
                small.tryAcquireOrWaitNanos("old" + key);
            }
            time.advance(Duration.ofMillis(10));
            for (int key = 0; key < 100; key++) {
                assertThat(small.tryAcquireOrWaitNanos("new" + key)).isZero();
            }
            assertThat(figures(small)).containsEntry("limiter.keys", 100.0).containsEntry("limiter.keys.forgiven", 0.0);
        }

        @Test
        void a_call_whose_key_was_dropped_meanwhile_is_charged_when_it_is_served() {
            List<Runnable> meanwhile = new ArrayList<>();
            SettableClock clock = new SettableClock(0) {
                @Override
                public long nanoTime() {
                    long reading = super.nanoTime();
                    if (!meanwhile.isEmpty()) {
                        meanwhile.remove(0).run();
                    }
                    return reading;
                }
            };
            KeyedRateLimiter<String> late =
                    KeyedRateLimiter.of("api", config -> config.limit(LIMIT).maxKeys(1), clock.environment());
            assertThat(late.tryAcquireOrWaitNanos("a")).isZero();
            meanwhile.add(() -> {
                assertThat(late.tryAcquireOrWaitNanos("a", 2)).isZero();
                clock.set(30 * MILLI);
                assertThat(late.tryAcquireOrWaitNanos("b")).as("pushes a out").isZero();
                clock.set(40 * MILLI);
            });
            assertThat(late.tryAcquireOrWaitNanos("a", 3)).isZero();
            assertThat(late.tryAcquireOrWaitNanos("a")).isEqualTo(10 * MILLI);
            assertThat(figures(late)).containsEntry("limiter.keys.forgiven", 0.0);
        }

        @Test
        void the_longest_rest_changes_nothing() {
            SettableClock clock = new SettableClock(-7);
            KeyedRateLimiter<String> resting = KeyedRateLimiter.of("api", LIMIT, clock.environment());
            resting.tryAcquireOrWaitNanos("a", 3);
            clock.set(Long.MAX_VALUE - 8);
            assertThat(resting.tryAcquireOrWaitNanos("a", 3)).isZero();
            assertThat(resting.tryAcquireOrWaitNanos("a")).isEqualTo(10 * MILLI);
        }
    }

    @Nested
    class AfterAFlood {
        private final KeyedRateLimiter<Integer> large =
                KeyedRateLimiter.of("api", config -> config.limit(LIMIT).maxKeys(5_000), time.environment());

        @BeforeEach
        void flood() {
            for (int key = 0; key < 5_000; key++) {
                large.tryAcquireOrWaitNanos(key);
            }
            time.advance(Duration.ofMillis(10));
            assertThat(large.toString()).contains("5000 of 5000 keys");
        }

        @Test
        void new_keys_push_the_old_ones_out_faster_than_they_come() {
            for (int key = 0; key < 450; key++) {
                large.tryAcquireOrWaitNanos(-key - 1);
            }
            assertThat(large.size()).isEqualTo(450);
            long held = Long.parseLong(large.toString().replaceAll(".* (\\d+) of 5000 keys]", "$1"));
            assertThat(held).isBetween(450L, 4_400L);
        }

        @Test
        void the_size_is_that_of_the_keys_in_debt() {
            assertThat(large.size()).isZero();
        }

        @Test
        void as_many_other_keys_find_room_without_a_debt_forgiven() {
            for (int round = 0; round < 5; round++) {
                for (int key = 0; key < 5_000; key++) {
                    assertThat(large.tryAcquireOrWaitNanos(-key - 1 - round * 5_000))
                            .isZero();
                }
                assertThat(large.size()).isEqualTo(5_000);
                time.advance(Duration.ofMillis(10));
            }
            assertThat(figures(large)).containsEntry("limiter.keys.forgiven", 0.0);
        }
    }

    @Nested
    class WhenAllKeysAreInDebt {
        private final KeyedRateLimiter<String> small = withRoomFor(3);

        @Test
        void the_one_that_is_closest_to_full_is_forgiven() {
            small.tryAcquireOrWaitNanos("one", 1);
            small.tryAcquireOrWaitNanos("three", 3);
            small.tryAcquireOrWaitNanos("two", 2);
            assertThat(small.tryAcquireOrWaitNanos("new", 3)).isZero();
            assertThat(small.availablePermits("one")).as("forgiven").isEqualTo(3);
            assertThat(small.availablePermits("two")).isEqualTo(1);
            assertThat(small.availablePermits("three")).isZero();
            assertThat(small.availablePermits("new")).isZero();
            assertThat(figures(small)).containsEntry("limiter.keys", 3.0).containsEntry("limiter.keys.forgiven", 1.0);
        }

        @Test
        void what_was_taken_since_a_key_came_counts() {
            small.tryAcquireOrWaitNanos("first", 1);
            small.tryAcquireOrWaitNanos("second", 2);
            small.tryAcquireOrWaitNanos("third", 2);
            small.tryAcquireOrWaitNanos("first", 2);
            small.tryAcquireOrWaitNanos("second", 1);
            small.tryAcquireOrWaitNanos("new");
            assertThat(small.availablePermits("first")).isZero();
            assertThat(small.availablePermits("second")).isZero();
            assertThat(small.availablePermits("third")).as("forgiven").isEqualTo(3);
        }

        @Test
        void all_that_was_taken_since_all_keys_came_counts() {
            for (int least = 0; least < 8; least++) {
                assertForgivenOf(8, least);
            }
        }

        @Test
        void all_that_is_held_is_compared_up_to_16_keys() {
            for (int least = 0; least < 16; least++) {
                assertForgivenOf(16, least);
            }
        }

        @Test
        void of_many_the_least_in_debt_of_two_sets_is_forgiven() {
            KeyedRateLimiter<Integer> full =
                    KeyedRateLimiter.of("api", config -> config.limit(LIMIT).maxKeys(1_000), time.environment());
            for (int key = 0; key < 1_000; key++) {
                full.tryAcquireOrWaitNanos(key, key % 3 == 0 ? 1 : 3);
            }
            for (int key = 1_000; key < 1_100; key++) {
                assertThat(full.tryAcquireOrWaitNanos(key, 3)).isZero();
            }
            int forgivenLight = 0;
            int forgivenHeavy = 0;
            for (int key = 0; key < 1_100; key++) {
                boolean isHeavy = key % 3 != 0 || key >= 1_000;
                boolean isForgiven = full.availablePermits(key) == 3;
                forgivenHeavy += isForgiven && isHeavy ? 1 : 0;
                forgivenLight += isForgiven && !isHeavy ? 1 : 0;
            }
            assertThat(forgivenLight + forgivenHeavy).isEqualTo(100);
            assertThat(forgivenHeavy).as("there was no light one in both sets").isLessThan(10);
            assertThat(full.size()).isEqualTo(1_000);
        }

        private void assertForgivenOf(int keys, int least) {
            KeyedRateLimiter<Integer> full =
                    KeyedRateLimiter.of("api", config -> config.limit(LIMIT).maxKeys(keys), time.environment());
            for (int key = 0; key < keys; key++) {
                full.tryAcquireOrWaitNanos(key, 1);
            }
            for (int key = 0; key < keys; key++) {
                full.tryAcquireOrWaitNanos(key, key == least ? 1 : 2);
            }
            full.tryAcquireOrWaitNanos(keys, 3);
            for (int key = 0; key <= keys; key++) {
                assertThat(full.availablePermits(key)).isEqualTo(key == least ? 3 : 0);
            }
        }

        @Test
        void a_flood_of_new_keys_is_served_forgives_itself_and_leaves_heavy_debts_alone() {
            small.tryAcquireOrWaitNanos("heavy", 3);
            for (int key = 0; key < 10_000; key++) {
                assertThat(small.tryAcquireOrWaitNanos("flood" + key)).isZero();
                assertThat(small.size()).isLessThanOrEqualTo(3);
            }
            assertThat(small.tryAcquireOrWaitNanos("heavy")).isEqualTo(10 * MILLI);
            assertThat(figures(small)).containsEntry("limiter.keys.forgiven", 9_998.0);
        }

        @Test
        void it_is_logged_once() {
            try (CapturedLog log = new CapturedLog(KeyedRateLimiter.class)) {
                for (int key = 0; key < 3; key++) {
                    small.tryAcquireOrWaitNanos("key" + key);
                }
                assertThat(log.lines()).isEmpty();
                for (int key = 3; key < 10; key++) {
                    small.tryAcquireOrWaitNanos("key" + key);
                }
                assertThat(log.lines())
                        .containsExactly(
                                "WARN limiter \"api\" has room for 3 keys, finds none that is not in debt to drop it"
                                        + " for a new one, and begins to forgive the smallest debts");
            }
        }

        @Test
        void a_key_that_insists_is_limited_although_it_came_late() {
            small.tryAcquireOrWaitNanos("a", 3);
            small.tryAcquireOrWaitNanos("b", 3);
            small.tryAcquireOrWaitNanos("c", 3);
            int admitted = 0;
            for (int call = 0; call < 100; call++) {
                admitted += small.tryAcquireOrWaitNanos("late") == 0 ? 1 : 0;
            }
            assertThat(admitted).isEqualTo(3);
        }
    }

    @Nested
    class Observers {
        @Test
        void each_refusal_is_heard_once() {
            List<String> heard = new ArrayList<>();
            Environment listening = time.environment().toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onRefused(Policy.Kind kind, String policy) {
                            heard.add(policy);
                            throw new IllegalStateException("bad listener");
                        }
                    })
                    .build();
            KeyedRateLimiter<String> observed = KeyedRateLimiter.of("api", LIMIT, listening);
            observed.tryAcquireOrWaitNanos("a", 3);
            assertThat(heard).isEmpty();
            observed.tryAcquireOrWaitNanos("a");
            observed.tryAcquireOrWaitNanos("b", 4);
            assertThat(heard).containsExactly("api", "api");
        }

        @Test
        void totals_count_the_calls_of_all_keys_if_asked_for() {
            KeyedRateLimiter<String> counting = withRoomFor(10);
            counting.tryAcquireOrWaitNanos("a", 2);
            counting.tryAcquireOrWaitNanos("a", 2);
            counting.tryAcquireOrWaitNanos("b");
            counting.tryAcquireOrWaitNanos("b", 9);
            assertThat(figures(counting))
                    .containsEntry("limiter.calls.admitted", 2.0)
                    .containsEntry("limiter.calls.refused", 2.0)
                    .hasSize(5);
            assertThat(figures(limiter))
                    .containsOnlyKeys("limiter.keys", "limiter.keys.added", "limiter.keys.forgiven");
        }

        @Test
        void it_has_a_name_and_prints_its_limit() {
            assertThat(limiter.name()).isEqualTo("api");
            assertThat(limiter).hasToString("limiter \"api\" [100 per 1s, burst 3; 0 of 100000 keys]");
        }
    }

    @Nested
    class Configuration {
        @Test
        void a_limit_must_be_set() {
            assertThatThrownBy(() -> KeyedRateLimiter.of("l", config -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limiter \"l\": limit must be set");
        }

        @Test
        void the_number_of_keys_has_bounds() {
            assertThatThrownBy(() -> withRoomFor(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limiter \"api\": maxKeys must be from 1 to 16777216, but was 0");
            assertThatThrownBy(() -> withRoomFor(1 << 25)).hasMessageContaining("but was 33554432");
        }

        @Test
        void settings_can_be_taken_over() {
            KeyedRateLimiterConfig<Object> config = KeyedRateLimiterConfig.builder()
                    .limit(LIMIT)
                    .maxKeys(7)
                    .totals(true)
                    .build();
            KeyedRateLimiterConfig<Object> copy = config.toBuilder().build();
            assertThat(copy.limit()).isEqualTo(LIMIT);
            assertThat(copy.maxKeys()).isEqualTo(7);
            assertThat(copy.totals()).isTrue();
        }
    }
}
