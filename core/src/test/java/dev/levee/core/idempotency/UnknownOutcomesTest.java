package dev.levee.core.idempotency;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.OutcomeCheck.Finding;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Outcomes that nobody knows: how long they hold their place, and how they are settled without a repeat. */
class UnknownOutcomesTest {
    private final ManualTime time = new ManualTime();
    private final List<String> checks = new ArrayList<>();
    private final AtomicInteger runs = new AtomicInteger();
    private Finding<String> finding = Finding.unknown();

    private Idempotency<String> idempotency(Consumer<IdempotencyConfig.Builder<String>> configure) {
        return idempotency(configure, time.environment());
    }

    private Idempotency<String> idempotency(
            Consumer<IdempotencyConfig.Builder<String>> configure, Environment environment) {
        return Idempotency.of(
                "pay",
                config -> {
                    config.check(key -> {
                        checks.add(key);
                        return finding;
                    });
                    configure.accept(config);
                },
                environment);
    }

    private static void fail(Idempotency<String> pay, String key) {
        assertThatThrownBy(() -> pay.call(key, "print", () -> {
                    throw new SocketTimeoutException();
                }))
                .isInstanceOf(SocketTimeoutException.class);
    }

    private static boolean isFull(Idempotency<String> pay, String key) {
        try {
            pay.call(key, "print", () -> {
                throw new IOException("down");
            });
            return false;
        } catch (IdempotencyRefusedException refused) {
            assertThat(refused.reason()).isEqualTo(Reason.STORE_FULL);
            return true;
        } catch (IOException down) {
            return false;
        }
    }

    private String work() {
        return "receipt " + runs.incrementAndGet();
    }

    private static Map<String, Double> figures(Idempotency<String> pay) {
        Map<String, Double> figures = new HashMap<>();
        pay.measure((policy, metric, value) -> figures.put(metric.substring("idempotency.".length()), value));
        return figures;
    }

    @Nested
    class In_a_store_that_fills_up {
        @Test
        void seventeen_minutes_of_failures_at_100_a_second_refuse_no_new_key() {
            Idempotency<String> pay = Idempotency.of("pay", config -> {}, time.environment());
            int refused = 0;
            for (int second = 0; second < 17 * 60; second++) {
                for (int call = 0; call < 100; call++) {
                    refused += isFull(pay, second + "." + call) ? 1 : 0;
                }
                time.advance(ofSeconds(1));
            }

            assertThat(refused).isZero();
            assertThat(pay.call("new", "print", UnknownOutcomesTest.this::work)).isEqualTo("receipt 1");
        }

        @Test
        void new_keys_are_accepted_again_when_the_first_outcome_has_been_unknown_for_its_time() {
            Idempotency<String> pay = Idempotency.of("pay", config -> {}, time.environment());
            for (int call = 0; call < 100_000; call++) {
                assertThat(isFull(pay, "k" + call)).isFalse();
            }
            time.advance(ofMinutes(10).minusNanos(1));
            assertThat(isFull(pay, "new")).isTrue();

            time.advance(Duration.ofNanos(1));

            assertThat(pay.call("new", "print", UnknownOutcomesTest.this::work)).isEqualTo("receipt 1");
            assertThat(figures(pay)).containsEntry("keys.evictions", 1.0).containsEntry("keys.unknown", 99_999.0);
        }

        @Test
        void a_check_that_cannot_say_gives_a_key_no_more_time() {
            IdempotencyStore<String> store =
                    IdempotencyStore.inMemory(2, ofHours(24), ofMinutes(10), time.environment());
            long lease = ofMinutes(1).toNanos();
            for (String key : List.of("a", "b")) {
                store.claim(key, "", key, lease);
                store.unknown(key, key);
            }
            time.advance(ofMinutes(9));
            store.claim("a", "", "check", lease);
            store.unknown("a", "check");
            store.claim("b", "", "check", lease);
            assertThat(store.claim("c", "", "c", lease).status()).isEqualTo(IdempotencyStore.Status.FULL);
            time.advance(ofMinutes(1).minusNanos(1));
            assertThat(store.claim("c", "", "c", lease).status()).isEqualTo(IdempotencyStore.Status.FULL);
            time.advance(Duration.ofNanos(1));

            assertThat(store.claim("c", "", "c", lease).status())
                    .as("in the place of a, while b is being checked")
                    .isEqualTo(IdempotencyStore.Status.OWNED);
            assertThat(store.claim("a", "", "a", lease).status()).isEqualTo(IdempotencyStore.Status.OWNED);
        }

        @Test
        void what_runs_is_never_evicted_however_old_it_is() {
            IdempotencyStore<String> store =
                    IdempotencyStore.inMemory(1, ofHours(24), ofMinutes(10), time.environment());
            store.claim("a", "", "a", ofHours(10).toNanos());
            time.advance(ofHours(9));

            assertThat(store.claim("b", "", "b", 1).status()).isEqualTo(IdempotencyStore.Status.FULL);
        }

        @Test
        void the_oldest_goes_first_whether_it_is_recorded_or_unknown() {
            IdempotencyStore<String> store =
                    IdempotencyStore.inMemory(3, ofHours(24), ofMinutes(10), time.environment());
            long lease = ofMinutes(1).toNanos();
            store.claim("a", "", "a", lease);
            store.record("a", "a", "done", null);
            time.advance(ofSeconds(1));
            store.claim("b", "", "b", lease);
            store.unknown("b", "b");
            time.advance(ofSeconds(1));
            store.claim("c", "", "c", lease);
            store.record("c", "c", "done", null);
            time.advance(ofMinutes(10));

            store.claim("d", "", "d", lease);
            assertThat(store.claim("b", "", "x", lease).status()).isEqualTo(IdempotencyStore.Status.OWNED_UNKNOWN);
            store.unknown("b", "x");
            store.claim("e", "", "e", lease);
            assertThat(store.claim("c", "", "x", lease).status()).isEqualTo(IdempotencyStore.Status.RECORDED);
        }

        @Test
        void four_fifths_are_a_warning_once_for_each_time_and_a_metric() {
            try (CapturedLog log = new CapturedLog(IdempotencyStore.class)) {
                IdempotencyStore<String> store =
                        IdempotencyStore.inMemory(100, ofHours(1), ofMinutes(10), time.environment());
                Idempotency<String> pay = Idempotency.of("pay", store, config -> {}, time.environment());
                for (int key = 0; key < 79; key++) {
                    fail(pay, "k" + key);
                }
                assertThat(log.lines()).isEmpty();
                assertThat(figures(pay)).containsEntry("keys.used.ratio", 0.79);

                for (int key = 79; key < 100; key++) {
                    fail(pay, "k" + key);
                }
                assertThat(log.lines())
                        .singleElement()
                        .asString()
                        .contains("WARN", "80 %", "100 keys", "79 of unknown");
                assertThat(figures(pay)).containsEntry("keys.used.ratio", 1.0);

                time.advance(ofHours(1));
                for (int key = 0; key < 100; key++) {
                    fail(pay, "l" + key);
                }
                assertThat(log.lines()).hasSize(2);
            }
        }

        @Test
        void a_store_full_of_results_warns_again_when_failures_take_their_places() {
            try (CapturedLog log = new CapturedLog(IdempotencyStore.class)) {
                IdempotencyStore<String> store =
                        IdempotencyStore.inMemory(10, ofHours(1), ofMinutes(10), time.environment());
                Idempotency<String> pay = Idempotency.of("pay", store, config -> {}, time.environment());
                for (int key = 0; key < 10; key++) {
                    pay.call("k" + key, "print", UnknownOutcomesTest.this::work);
                }
                assertThat(log.lines()).hasSize(1);
                for (int key = 0; key < 8; key++) {
                    fail(pay, "l" + key);
                }
                assertThat(log.lines())
                        .filteredOn(line -> line.contains("80 %"))
                        .hasSize(2)
                        .last()
                        .asString()
                        .contains("2 recorded");
            }
        }
    }

    @Nested
    class In_the_background {
        @Test
        void one_that_was_done_is_recorded() {
            Idempotency<String> pay = idempotency(config -> {});
            fail(pay, "k");
            assertThat(figures(pay)).containsEntry("settling", 1.0);
            finding = Finding.done("receipt of then");

            time.advance(ofSeconds(10).minusNanos(1));
            assertThat(checks).isEmpty();
            time.advance(Duration.ofNanos(1));

            assertThat(checks).containsExactly("k");
            assertThat(figures(pay))
                    .containsEntry("keys.unknown", 0.0)
                    .containsEntry("keys.recorded", 1.0)
                    .containsEntry("checked", 1.0)
                    .containsEntry("settling", 0.0);
            assertThat(pay.call("k", "print", UnknownOutcomesTest.this::work)).isEqualTo("receipt of then");
            assertThat(checks).hasSize(1);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void one_that_was_not_done_is_forgotten_and_nothing_runs() {
            Idempotency<String> pay = idempotency(config -> {});
            fail(pay, "k");
            finding = Finding.notDone();
            time.advance(ofSeconds(10));

            assertThat(runs).hasValue(0);
            assertThat(figures(pay)).containsEntry("keys.unknown", 0.0).containsEntry("keys.owned", 0.0);
            assertThat(pay.call("k", "print", UnknownOutcomesTest.this::work)).isEqualTo("receipt 1");
        }

        @Test
        void one_of_which_the_check_cannot_say_is_tried_again_ever_more_seldom_and_not_for_ever() {
            Idempotency<String> pay = idempotency(config -> {});
            fail(pay, "k");
            for (Duration at : List.of(ofSeconds(10), ofSeconds(20), ofSeconds(40), ofSeconds(80))) {
                int before = checks.size();
                time.advance(at.minusNanos(1));
                assertThat(checks).hasSize(before);
                time.advance(Duration.ofNanos(1));
                assertThat(checks).hasSize(before + 1);
            }
            for (int hour = 0; hour < 23; hour++) {
                time.advance(ofHours(1));
            }
            assertThat(checks).hasSize(BackgroundChecks.MAX_TRIES);
            assertThat(figures(pay)).containsEntry("settling", 0.0).containsEntry("keys.unknown", 1.0);
            assertThat(time.pendingTimers()).isZero();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void a_check_that_throws_is_tried_again_and_others_have_their_turn(boolean error) {
            List<String> broken = new ArrayList<>(List.of("a", "b"));
            Idempotency<String> pay = idempotency(config -> config.check(key -> {
                if (broken.remove(key)) {
                    if (error) {
                        throw new StackOverflowError();
                    }
                    throw new IOException("down");
                }
                return Finding.done("found");
            }));
            List.of("a", "b", "c").forEach(key -> fail(pay, key));

            time.advance(ofSeconds(10));
            assertThat(figures(pay)).containsEntry("keys.recorded", 1.0).containsEntry("keys.unknown", 2.0);
            time.advance(ofSeconds(20));
            assertThat(figures(pay)).containsEntry("keys.recorded", 3.0);
        }

        @Test
        void one_key_after_the_other_and_the_executor_gets_its_thread_back_between() {
            AtomicInteger turns = new AtomicInteger();
            Executor counting = task -> {
                turns.incrementAndGet();
                time.environment().executor().execute(task);
            };
            Idempotency<String> pay = idempotency(
                    config -> {},
                    time.environment().toBuilder().executor(counting).build());
            finding = Finding.done("found");
            for (int key = 0; key < 120; key++) {
                fail(pay, "k" + key);
            }
            time.advance(ofSeconds(10));

            assertThat(checks).hasSize(120);
            assertThat(turns).hasValue(3);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 5})
        void an_executor_that_throws_anything_only_delays_it(int times) {
            for (int failing = 1; failing <= times; failing++) {
                int until = failing;
                AtomicInteger calls = new AtomicInteger();
                Executor poor = task -> {
                    if (calls.incrementAndGet() <= until) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    time.environment().executor().execute(task);
                };
                Idempotency<String> pay = idempotency(
                        config -> {},
                        time.environment().toBuilder().executor(poor).build());
                finding = Finding.done("found");
                fail(pay, "k");
                for (int second = 0; second < 10 * (until + 1); second++) {
                    time.advance(ofSeconds(1));
                }
                assertThat(figures(pay)).containsEntry("keys.recorded", 1.0);
            }
        }

        @Test
        void an_executor_that_drops_tasks_without_a_word_only_delays_it() {
            AtomicInteger calls = new AtomicInteger();
            List<Runnable> dropped = new ArrayList<>();
            Executor dropping = task -> {
                if (calls.incrementAndGet() <= 3) {
                    dropped.add(task);
                } else {
                    time.environment().executor().execute(task);
                }
            };
            Idempotency<String> pay = idempotency(
                    config -> {},
                    time.environment().toBuilder().executor(dropping).build());
            finding = Finding.done("found");
            fail(pay, "k");
            for (int second = 0; second < 360; second++) {
                time.advance(ofSeconds(1));
            }
            assertThat(figures(pay)).containsEntry("keys.recorded", 1.0);
            dropped.forEach(Runnable::run);
            assertThat(checks).as("once, although they come at last").hasSize(1);
        }

        @Test
        void a_repeat_meanwhile_waits_for_the_check_and_gets_what_it_found() {
            List<CompletableFuture<String>> repeats = new ArrayList<>();
            List<Idempotency<String>> itself = new ArrayList<>();
            Idempotency<String> pay = idempotency(config -> config.check(key -> {
                checks.add(key);
                repeats.add(itself.get(0).callAsync("k", "print", () -> {
                    runs.incrementAndGet();
                    return new CompletableFuture<>();
                }));
                return Finding.done("found");
            }));
            itself.add(pay);
            fail(pay, "k");
            time.advance(ofSeconds(10));

            assertThat(repeats)
                    .singleElement()
                    .satisfies(repeat -> assertThat(repeat).isCompletedWithValue("found"));
            assertThat(checks).hasSize(1);
            assertThat(runs).hasValue(0);
        }

        @Test
        @SuppressWarnings("unchecked")
        void what_was_found_too_late_is_given_to_none_of_those_that_wait() {
            IdempotencyStore<String> store = IdempotencyStore.inMemory(10, ofHours(1), time.environment());
            IdempotencyStore<String> takenOver = (IdempotencyStore<String>) Proxy.newProxyInstance(
                    IdempotencyStore.class.getClassLoader(),
                    new Class<?>[] {IdempotencyStore.class},
                    (proxy, method, arguments) -> {
                        if (!method.getName().equals("record")) {
                            return method.invoke(store, arguments);
                        }
                        store.record((String) arguments[0], (String) arguments[1], "by another", null);
                        return false;
                    });
            List<CompletableFuture<String>> repeats = new ArrayList<>();
            List<Idempotency<String>> itself = new ArrayList<>();
            Idempotency<String> pay = Idempotency.of(
                    "pay",
                    takenOver,
                    config -> config.check(key -> {
                        repeats.add(itself.get(0).callAsync("k", "print", () -> new CompletableFuture<>()));
                        return Finding.done("found too late");
                    }),
                    time.environment());
            itself.add(pay);
            fail(pay, "k");
            time.advance(ofSeconds(10));

            assertThat(repeats)
                    .singleElement()
                    .satisfies(repeat -> assertThat(repeat).isCompletedWithValue("by another"));
        }

        @Test
        void no_second_turn_begins_while_one_is_under_way() {
            List<Integer> timers = new ArrayList<>();
            List<Idempotency<String>> itself = new ArrayList<>();
            Idempotency<String> pay = idempotency(config -> config.check(key -> {
                if (key.equals("k")) {
                    fail(itself.get(0), "other");
                    timers.add(time.pendingTimers());
                }
                return Finding.done("found");
            }));
            itself.add(pay);
            fail(pay, "k");
            time.advance(ofSeconds(10));
            assertThat(timers).containsExactly(0);

            time.advance(ofSeconds(10));
            assertThat(figures(pay)).containsEntry("keys.recorded", 2.0);
        }

        @Test
        @SuppressWarnings("unchecked")
        void one_that_the_store_could_not_note_is_checked_after_the_lease() {
            IdempotencyStore<String> store = IdempotencyStore.inMemory(10, ofHours(1), time.environment());
            List<String> failures = new ArrayList<>();
            IdempotencyStore<String> failing = (IdempotencyStore<String>) Proxy.newProxyInstance(
                    IdempotencyStore.class.getClassLoader(),
                    new Class<?>[] {IdempotencyStore.class},
                    (proxy, method, arguments) -> {
                        if (method.getName().equals("unknown")) {
                            failures.add((String) arguments[0]);
                            throw new IllegalStateException("the store is down");
                        }
                        return method.invoke(store, arguments);
                    });
            Idempotency<String> pay =
                    Idempotency.of("pay", failing, config -> config.check(key -> finding), time.environment());
            store.claim("crashed", "print", "another process", 1);
            time.advance(ofSeconds(1));
            assertThatThrownBy(() -> pay.call("crashed", "print", UnknownOutcomesTest.this::work))
                    .isInstanceOf(IdempotencyRefusedException.class);
            fail(pay, "k");
            assertThat(failures).containsExactly("crashed", "k");
            finding = Finding.done("found");
            time.advance(ofMinutes(1));
            time.advance(ofSeconds(10));

            assertThat(figures(pay)).containsEntry("keys.recorded", 2.0);
        }

        @Test
        void one_that_a_repeat_has_settled_is_not_checked_again() {
            Idempotency<String> pay = idempotency(config -> {});
            fail(pay, "k");
            finding = Finding.done("found");
            assertThat(pay.call("k", "print", UnknownOutcomesTest.this::work)).isEqualTo("found");

            time.advance(ofSeconds(10));

            assertThat(checks).hasSize(1);
            assertThat(figures(pay)).containsEntry("settling", 0.0);
        }

        @Test
        void only_by_choice_and_with_a_check() {
            Idempotency<String> byRepeats = idempotency(config -> config.checkAfter(Deadline.FOREVER));
            fail(byRepeats, "k");
            fail(Idempotency.of("pay", config -> {}, time.environment()), "k");

            assertThat(time.pendingTimers()).isZero();
            assertThatThrownBy(() -> idempotency(config -> config.checkAfter(Duration.ZERO)))
                    .hasMessage("idempotency \"pay\": checkAfter must be more than zero, but was 0s");
        }

        @Test
        void no_more_keys_wait_than_there_is_room_for() {
            Idempotency<String> pay = idempotency(config -> {});
            BackgroundChecks<String> background = new BackgroundChecks<>(
                    (StoredIdempotency<String>) pay,
                    key -> finding,
                    ofSeconds(10).toNanos());
            for (int key = 0; key <= BackgroundChecks.MAX_KEYS; key++) {
                background.add(new StoredIdempotency.Slot("k" + key, "print"), 0);
            }
            background.add(new StoredIdempotency.Slot("k0", "print"), 0);

            assertThat(background.size()).isEqualTo(BackgroundChecks.MAX_KEYS);
            assertThat(time.pendingTimers()).isEqualTo(1);
        }

        @Test
        void a_key_that_is_due_earlier_is_not_delayed_by_one_that_has_been_tried_often() {
            Idempotency<String> pay = idempotency(config -> {});
            fail(pay, "old");
            time.advance(ofSeconds(10));
            time.advance(ofSeconds(20));
            time.advance(ofSeconds(40)); // the next try is after 80 s
            checks.clear();
            fail(pay, "new");
            assertThat(time.pendingTimers()).isEqualTo(1);
            time.advance(ofSeconds(10));

            assertThat(checks).containsExactly("new");
        }

        @Test
        void a_repeat_whose_executor_rejects_the_check_leaves_the_key_to_others() {
            List<Boolean> rejects = new ArrayList<>();
            Executor executor = task -> {
                if (!rejects.isEmpty()) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
                time.environment().executor().execute(task);
            };
            Idempotency<String> pay = idempotency(
                    config -> {},
                    time.environment().toBuilder().executor(executor).build());
            fail(pay, "k");
            finding = Finding.done("found");
            rejects.add(true);
            assertThat(pay.callAsync("k", "print", () -> new CompletableFuture<>()))
                    .isCompletedExceptionally();
            rejects.clear();

            assertThat(pay.call("k", "print", UnknownOutcomesTest.this::work)).isEqualTo("found");
        }
    }
}
