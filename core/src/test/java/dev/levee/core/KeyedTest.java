package dev.levee.core;

import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyedTest {
    private static final int IDLE = 10;

    private final ManualTime time = new ManualTime();

    /** What is held for a key; no two are equal. */
    private static final class Held implements Measured {
        private final Object key;

        Held(Object key) {
            this.key = key;
        }

        Object key() {
            return key;
        }

        @Override
        public void measure(Sink sink) {
            sink.value(key.toString(), "held", 1);
        }
    }

    private static <K> Keyed<K, Held> keyed(ManualTime time, int maximum) {
        return Keyed.of("keys", maximum, ofNanos(IDLE), Held::new, 10_000, time.environment());
    }

    private <K> Keyed<K, Held> keyed(int maximum) {
        return keyed(time, maximum);
    }

    private static Map<String, Double> metrics(Keyed<?, ?> keyed) {
        Map<String, Double> values = new LinkedHashMap<>();
        keyed.measure((policy, metric, value) -> values.put(policy + " " + metric, value));
        return values;
    }

    private static Set<Object> heldBy(Keyed<?, ?> keyed) {
        Set<Object> keys = new HashSet<>();
        metrics(keyed).keySet().stream()
                .filter(it -> it.endsWith(" held"))
                .forEach(it -> keys.add(Integer.valueOf(it.substring(0, it.indexOf(' ')))));
        return keys;
    }

    // A random history beside a model.

    /** Gets or removes a key, or lets time pass: 0..19 get, 20..39 remove, 40.. advance. */
    @Provide
    Arbitrary<List<Integer>> histories() {
        Arbitrary<Integer> step = Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(8, Arbitraries.integers().between(0, 19)),
                net.jqwik.api.Tuple.of(1, Arbitraries.integers().between(20, 39)),
                net.jqwik.api.Tuple.of(2, Arbitraries.integers().between(40, 40 + IDLE)));
        return step.list().ofMinSize(1).ofMaxSize(200);
    }

    private record Used(Held held, long at) {}

    @Property
    void holds_exactly_the_keys_in_use_while_there_is_room(
            @ForAll("histories") List<Integer> history, @ForAll long origin) {
        ManualTime time = ManualTime.startingAt(origin);
        Keyed<Integer, Held> keyed = keyed(time, 20);
        Map<Integer, Used> model = new HashMap<>();
        for (int step : history) {
            long now = time.nanoTime();
            model.values().removeIf(used -> now - used.at >= IDLE);
            if (step < 20) {
                Held held = keyed.get(step);
                assertThat(held.key()).isEqualTo(step);
                Used before = model.put(step, new Used(held, now));
                assertThat(before == null || before.held == held).isTrue();
            } else if (step < 40) {
                assertThat(keyed.remove(step - 20)).isEqualTo(model.remove(step - 20) != null);
            } else {
                time.advance(ofNanos(step - 40));
            }
        }
        long now = time.nanoTime();
        model.values().removeIf(used -> now - used.at >= IDLE);
        assertThat(keyed.size()).isEqualTo(model.size());
        assertThat(heldBy(keyed)).isEqualTo(model.keySet());
    }

    @Property
    void never_holds_more_than_its_maximum_and_never_a_key_that_was_idle(
            @ForAll("histories") List<Integer> history, @ForAll @IntRange(min = 1, max = 8) int maximum) {
        ManualTime time = new ManualTime();
        Keyed<Integer, Held> keyed = keyed(time, maximum);
        Map<Integer, Used> lastUse = new HashMap<>();
        int made = 0;
        for (int step : history) {
            long now = time.nanoTime();
            if (step < 20) {
                Held held = keyed.get(step);
                Used before = lastUse.put(step, new Used(held, now));
                if (before == null || before.held != held) {
                    made++;
                } else {
                    assertThat(now - before.at).isLessThan(IDLE);
                }
                assertThat(keyed.get(step)).isSameAs(held);
            } else if (step < 40) {
                if (keyed.remove(step - 20)) {
                    made--;
                }
            } else {
                time.advance(ofNanos(step - 40));
            }
            assertThat(keyed)
                    .asString()
                    .isIn(IntStream.rangeClosed(0, maximum)
                            .mapToObj(size -> "keyed \"keys\" [" + size + " of " + maximum + "]")
                            .toList());
        }
        assertThat(keyed.size()).isBetween(0, maximum);
        assertThat(metrics(keyed))
                .containsEntry("keys keyed.size", (double) keyed.size())
                .containsEntry("keys keyed.evictions", (double) (made - keyed.size()));
    }

    @Property
    void keys_that_are_used_survive_any_number_of_keys_that_come_once(
            @ForAll @IntRange(min = 2, max = 40) int maximum, @ForAll @Size(min = 1, max = 5) Set<Integer> hot) {
        Keyed<Integer, Held> keyed = keyed(new ManualTime(), maximum);
        List<Integer> used = hot.stream().limit(maximum / 2).toList();
        Map<Integer, Held> first = new HashMap<>();
        used.forEach(key -> first.put(key, keyed.get(key)));

        for (int i = 0; i < 5 * maximum; i++) {
            used.forEach(keyed::get);
            keyed.get(Integer.MIN_VALUE / 2 + i);
        }

        used.forEach(key -> assertThat(keyed.get(key)).isSameAs(first.get(key)));
    }

    @Nested
    class Bounds {
        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3, 5, 7, 10, 100, 1000})
        void make_those_go_that_were_not_used_for_longest(int maximum) {
            Keyed<Integer, Held> keyed = keyed(maximum);

            for (int i = 0; i < 3 * maximum; i++) {
                keyed.get(i);
            }

            // One key may have been spared by the place at which the hand began.
            assertThat(heldBy(keyed))
                    .hasSize(maximum)
                    .allMatch(key -> (Integer) key >= 2 * maximum - 1, "one of the last")
                    .contains(3 * maximum - 1);
        }

        @Test
        void of_one_key_hold_the_last() {
            Keyed<String, Held> keyed = keyed(1);
            Held a = keyed.get("a");

            assertThat(keyed.get("a")).isSameAs(a);
            keyed.get("b");

            assertThat(keyed.size()).isEqualTo(1);
            assertThat(keyed.get("a")).isNotSameAs(a);
        }
    }

    @Nested
    class IdleKeys {
        @Test
        void are_forgotten_after_the_idle_time_and_not_before() {
            Keyed<String, Held> keyed = keyed(10);
            Held a = keyed.get("a");

            time.advance(ofNanos(IDLE - 1));
            assertThat(keyed.get("a")).isSameAs(a);
            time.advance(ofNanos(IDLE - 1));
            assertThat(keyed.size()).isEqualTo(1);
            time.advance(ofNanos(1));

            assertThat(keyed.size()).isZero();
            assertThat(keyed.get("a")).isNotSameAs(a);
        }

        @Test
        void are_replaced_by_get_without_anybody_asking_for_the_size() {
            Keyed<String, Held> keyed = keyed(10);
            Held a = keyed.get("a");

            time.advance(ofNanos(IDLE));

            assertThat(keyed.get("a")).isNotSameAs(a);
            assertThat(keyed.remove("a")).isTrue();
        }

        @Test
        void do_not_count_as_held_when_they_are_removed() {
            Keyed<String, Held> keyed = keyed(10);
            keyed.get("a");

            time.advance(ofNanos(IDLE));

            assertThat(keyed.remove("a")).isFalse();
            assertThat(keyed).hasToString("keyed \"keys\" [0 of 10]");
        }

        @Test
        void go_bit_by_bit_as_new_keys_come() {
            Keyed<Integer, Held> keyed = keyed(1000);
            IntStream.range(0, 100).forEach(keyed::get);
            time.advance(ofNanos(IDLE));

            IntStream.range(100, 140).forEach(keyed::get);

            assertThat(keyed).hasToString("keyed \"keys\" [40 of 1000]");
        }

        @Test
        void are_never_idle_if_the_time_is_huge() {
            Keyed<String, Held> keyed = Keyed.of("keys", 10, ofSeconds(Long.MAX_VALUE), Held::new, time.environment());
            Held a = keyed.get("a");

            time.advance(Duration.ofDays(365 * 100));

            assertThat(keyed.get("a")).isSameAs(a);
        }
    }

    @Nested
    class EvictedEntries {
        @Test
        void can_be_used_further_and_do_no_harm() {
            Keyed<String, Held> keyed = keyed(1);
            Held old = keyed.get("a");
            keyed.get("b");
            Held fresh = keyed.get("a");

            assertThat(old.key()).isEqualTo("a");
            assertThat(keyed.get("a")).isSameAs(fresh).isNotSameAs(old);
        }

        @Test
        void take_their_metrics_with_them() {
            Keyed<String, Held> keyed = keyed(2);
            keyed.get("a");
            keyed.get("b");
            assertThat(metrics(keyed))
                    .containsOnlyKeys(
                            "keys keyed.size", "keys keyed.evictions", "keys keyed.unmeasured", "a held", "b held");

            keyed.remove("a");
            assertThat(metrics(keyed))
                    .containsOnlyKeys("keys keyed.size", "keys keyed.evictions", "keys keyed.unmeasured", "b held");
            time.advance(ofNanos(IDLE));

            assertThat(metrics(keyed))
                    .isEqualTo(
                            Map.of("keys keyed.size", 0.0, "keys keyed.evictions", 1.0, "keys keyed.unmeasured", 0.0));
        }
    }

    @Nested
    class Factories {
        @Test
        void may_ask_for_another_key() {
            List<Keyed<Integer, String>> self = new ArrayList<>();
            Function<Integer, String> chain =
                    key -> key == 0 ? "end" : key + " " + self.get(0).get(key - 1);
            self.add(Keyed.of("keys", 10, ofNanos(IDLE), chain, time.environment()));

            assertThat(self.get(0).get(5)).isEqualTo("5 4 3 2 1 end");

            assertThat(self.get(0).size()).isEqualTo(6);
        }

        @Test
        void may_ask_for_another_key_even_if_only_one_is_held() {
            List<Keyed<Integer, String>> self = new ArrayList<>();
            Function<Integer, String> chain =
                    key -> key == 0 ? "end" : key + " " + self.get(0).get(key - 1);
            self.add(Keyed.of("keys", 1, ofNanos(IDLE), chain, time.environment()));

            assertThat(self.get(0).get(3)).isEqualTo("3 2 1 end");

            assertThat(self.get(0).size()).isEqualTo(1);
        }

        @Test
        void run_without_a_lock() throws Exception {
            CompletableFuture<String> slow = new CompletableFuture<>();
            CompletableFuture<Void> began = new CompletableFuture<>();
            Keyed<String, String> keyed = Keyed.of(
                    "keys",
                    10,
                    ofNanos(IDLE),
                    key -> {
                        if (key.equals("slow")) {
                            began.complete(null);
                            return slow.join();
                        }
                        return key;
                    },
                    time.environment());
            CompletableFuture<String> waiting = CompletableFuture.supplyAsync(() -> keyed.get("slow"));
            began.get(10, TimeUnit.SECONDS);

            CompletableFuture<Integer> others = CompletableFuture.supplyAsync(() -> {
                keyed.get("quick");
                keyed.remove("quick");
                keyed.measure((policy, metric, value) -> {});
                return keyed.size();
            });

            assertThat(others.get(10, TimeUnit.SECONDS)).isZero();
            slow.complete("done");
            assertThat(waiting.get(10, TimeUnit.SECONDS)).isEqualTo("done");
        }

        @Test
        void that_throw_leave_nothing() {
            RuntimeException failure = new RuntimeException("no policy");
            boolean[] fails = {true};
            Keyed<String, String> keyed = Keyed.of(
                    "keys",
                    1,
                    ofNanos(IDLE),
                    key -> {
                        if (fails[0] && key.equals("bad")) {
                            throw failure;
                        }
                        return key;
                    },
                    time.environment());
            keyed.get("good");

            assertThatThrownBy(() -> keyed.get("bad")).isSameAs(failure);

            assertThat(keyed.remove("bad")).isFalse();
            assertThat(keyed.size()).isEqualTo(1);
            fails[0] = false;
            assertThat(keyed.get("bad")).isEqualTo("bad");
        }

        @Test
        void that_return_null_are_named() {
            Keyed<String, String> keyed = Keyed.of("keys", 1, ofNanos(IDLE), key -> null, time.environment());

            assertThatNullPointerException()
                    .isThrownBy(() -> keyed.get("a"))
                    .withMessage("policy that the factory made");
            assertThat(keyed.size()).isZero();
        }
    }

    @Nested
    class Threads {
        private static final int THREADS = 4;

        @Test
        void that_ask_at_once_get_one_instance_though_each_made_one() {
            CyclicBarrier barrier = new CyclicBarrier(THREADS);
            Keyed<String, Held> keyed = Keyed.of(
                    "keys",
                    10,
                    ofNanos(IDLE),
                    key -> {
                        awaitAt(barrier);
                        return new Held(key);
                    },
                    time.environment());

            List<CompletableFuture<Held>> answers = IntStream.range(0, THREADS)
                    .mapToObj(
                            i -> CompletableFuture.supplyAsync(() -> keyed.get("a"), task -> new Thread(task).start()))
                    .toList();

            List<Held> held = answers.stream().map(CompletableFuture::join).toList();
            assertThat(held).hasSize(THREADS).containsOnly(keyed.get("a"));
        }

        @RepeatedTest(5)
        void that_come_with_many_keys_keep_the_bound_and_the_books() {
            int maximum = 16;
            Keyed<Integer, Held> keyed = keyed(maximum);
            CyclicBarrier barrier = new CyclicBarrier(THREADS);

            List<CompletableFuture<Void>> ends = IntStream.range(0, THREADS)
                    .mapToObj(thread -> CompletableFuture.runAsync(
                            () -> {
                                awaitAt(barrier);
                                for (int i = 0; i < 2_000; i++) {
                                    int key = (i * 31 + thread * 7) % 40;
                                    assertThat(keyed.get(key).key()).isEqualTo(key);
                                    if (i % 5 == thread) {
                                        keyed.remove(key);
                                    }
                                    if (i % 50 == thread) {
                                        assertThat(keyed.size()).isLessThanOrEqualTo(maximum);
                                        time.advance(ofNanos(1));
                                    }
                                }
                            },
                            task -> new Thread(task).start()))
                    .toList();
            ends.forEach(CompletableFuture::join);

            assertThat(heldBy(keyed)).hasSize(keyed.size());
            IntStream.range(100, 100 + maximum).forEach(keyed::get);
            IntStream.range(200, 200 + maximum).forEach(keyed::get);
            assertThat(keyed.size()).isEqualTo(maximum);
            time.advance(ofNanos(IDLE));
            assertThat(keyed.size()).isZero();
        }

        private void awaitAt(CyclicBarrier barrier) {
            try {
                barrier.await(10, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Nested
    class Arguments {
        @Test
        void out_of_range_name_what_is_wrong() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> keyed(0))
                    .withMessage("maxKeys must be from 1 to 16777216, but was 0");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> keyed((1 << 24) + 1))
                    .withMessageContaining("16777217");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Keyed.of("keys", 1, Duration.ZERO, Held::new))
                    .withMessage("idle must be more than zero, but was 0s");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Keyed.of(" ", 1, ofNanos(1), Held::new))
                    .withMessageContaining("name");
        }

        @Test
        void that_are_null_are_named() {
            Keyed<String, Held> keyed = keyed(1);

            assertThatNullPointerException().isThrownBy(() -> keyed.get(null)).withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> keyed.remove(null))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> keyed.measure(null))
                    .withMessage("sink");
            assertThatNullPointerException()
                    .isThrownBy(() -> Keyed.of("keys", 1, ofNanos(1), null))
                    .withMessage("factory");
            assertThatNullPointerException()
                    .isThrownBy(() -> Keyed.of("keys", 1, null, Held::new))
                    .withMessage("idle");
            assertThatNullPointerException()
                    .isThrownBy(() -> Keyed.of("keys", 1, ofNanos(1), Held::new, null))
                    .withMessage("environment");
        }

        @Test
        void may_leave_the_environment_to_the_system() {
            Keyed<String, Held> keyed = Keyed.of("keys", 1, ofSeconds(60), Held::new);

            assertThat(keyed.get("a")).isSameAs(keyed.get("a"));
        }
    }

    @Nested
    class Names {
        private Keyed<String, Policy> named(int maximum, Function<String, Policy> factory) {
            return Keyed.of("hosts", maximum, ofNanos(IDLE), factory, time.environment());
        }

        private Policy gate(String name) {
            return Bulkhead.of(name, config -> config.maxConcurrent(1), time.environment());
        }

        @Test
        void two_policies_of_one_name_are_refused_and_the_first_stays() {
            Keyed<String, Policy> keyed = named(8, key -> gate("host"));
            Policy first = keyed.get("a");

            assertThatThrownBy(() -> keyed.get("b"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("keyed \"hosts\" holds another policy that is called bulkhead \"host\","
                            + " so it cannot hold the one of key b: put the key into the name");
            assertThat(keyed.get("a")).isSameAs(first);
            assertThat(keyed.size()).isEqualTo(1);
        }

        @Test
        void so_are_members_of_pipelines() {
            Keyed<String, Policy> keyed = named(8, key -> Pipeline.of(gate("outer-" + key), gate("inner")));
            keyed.get("a");

            assertThatThrownBy(() -> keyed.get("b")).hasMessageContaining("bulkhead \"inner\"");
        }

        @Test
        void a_name_is_free_again_when_its_key_is_idle_however_many_keys_there_are() {
            Keyed<String, Policy> keyed = named(100, key -> gate(key.replace("new ", "")));
            for (int i = 0; i < 20; i++) {
                keyed.get("key " + i);
            }
            time.advance(ofNanos(IDLE));

            assertThat(keyed.get("new key 10").name()).isEqualTo("key 10");
        }

        @Test
        void a_name_is_free_again_when_its_key_is_forgotten() {
            Keyed<String, Policy> keyed = named(2, key -> gate(key.substring(0, 1)));
            keyed.get("a1");
            assertThat(keyed.remove("a1")).isTrue();
            keyed.get("a2");
            time.advance(ofNanos(IDLE));
            assertThat(keyed.size()).isZero();
            keyed.get("a3");
            keyed.get("b");
            keyed.get("c"); // evicts a3
            keyed.get("d");

            assertThat(keyed.get("a4").name()).isEqualTo("a");
        }

        @Test
        void one_policy_may_serve_several_keys_and_its_name_is_held_as_long_as_one_of_them() {
            Policy shared = gate("shared");
            Keyed<String, Policy> keyed = named(8, key -> key.equals("other") ? gate("shared") : shared);
            keyed.get("a");
            keyed.get("b");
            keyed.remove("a");

            assertThatThrownBy(() -> keyed.get("other")).isInstanceOf(IllegalStateException.class);
            keyed.remove("b");
            assertThat(keyed.get("other")).isNotSameAs(shared);
        }

        @Test
        void the_same_key_may_have_its_name_again() {
            Keyed<String, Policy> keyed = named(8, this::gate);
            Policy first = keyed.get("a");
            time.advance(ofNanos(IDLE));

            assertThat(keyed.get("a")).isNotSameAs(first);
        }
    }

    @Nested
    class Measures {
        private final Set<String> series = new HashSet<>();

        private double measure(Keyed<?, ?> keyed, String metric) {
            double[] found = {-1};
            keyed.measure((policy, name, value) -> {
                series.add(policy + " " + name);
                found[0] = name.equals(metric) ? value : found[0];
            });
            return found[0];
        }

        @Test
        void a_bounded_number_of_series_however_many_keys_come_and_go() {
            Keyed<Integer, Held> keyed = Keyed.of("keys", 1_000, ofNanos(IDLE), Held::new, time.environment());
            for (int key = 0; key < 50_000; key++) {
                keyed.get(key);
                if (key % 500 == 0) {
                    measure(keyed, "");
                }
            }
            assertThat(measure(keyed, "keyed.unmeasured")).isGreaterThan(900);
            assertThat(series).hasSizeLessThanOrEqualTo(Keyed.MAX_MEASURED + 3);
        }

        @Test
        void a_key_that_was_measured_once_always_is() {
            Keyed<Integer, Held> keyed = Keyed.of("keys", 5, ofNanos(IDLE), Held::new, 2, time.environment());
            keyed.get(1);
            keyed.get(2);
            assertThat(measure(keyed, "keyed.unmeasured")).isZero();
            keyed.remove(1);
            keyed.get(3);
            assertThat(measure(keyed, "keyed.unmeasured")).isEqualTo(1);
            keyed.get(1);
            series.clear();
            measure(keyed, "");
            assertThat(series)
                    .containsExactlyInAnyOrder(
                            "keys keyed.size", "keys keyed.evictions", "keys keyed.unmeasured", "1 held", "2 held");
        }

        @Test
        void totals_alone_if_one_says_so() {
            Keyed<Integer, Held> keyed = Keyed.of("keys", 5, ofNanos(IDLE), Held::new, 0, time.environment());
            keyed.get(1);
            assertThat(measure(keyed, "keyed.unmeasured")).isEqualTo(1);
            assertThat(series).hasSize(3);
        }

        @Test
        void how_many_has_a_range() {
            for (int wrong : new int[] {-1, 10_001}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> Keyed.of("keys", 5, ofNanos(IDLE), Held::new, wrong, time.environment()))
                        .withMessageContaining("maxMeasured must be from 0 to 10000, but was " + wrong);
            }
        }
    }
}
