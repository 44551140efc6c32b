package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteBehindTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private WriteBehind<String, String> writes = make(c -> {});

    private WriteBehind<String, String> make(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        return WriteBehind.of("rows", store, configure, time.environment());
    }

    @AfterEach
    void the_counts_add_up() {
        assertAddsUp(writes.counts());
    }

    static void assertAddsUp(WriteBehindCounts counts) {
        assertThat(counts.accepted())
                .as(counts::toString)
                .isEqualTo(counts.written()
                        + counts.coalesced()
                        + counts.dead()
                        + counts.dropped()
                        + counts.returned()
                        + counts.pending()
                        + counts.inFlight());
    }

    static Map<String, Double> metrics(WriteBehind<?, ?> writes) {
        Map<String, Double> metrics = new HashMap<>();
        writes.measure((name, metric, value) -> metrics.put(metric.substring("writebehind.".length()), value));
        return metrics;
    }

    @Nested
    class Accepting {
        @Test
        void a_write_goes_to_the_store_after_its_delay_and_not_before() throws Exception {
            writes.save("a", "1");
            time.advance(SECOND.minusNanos(1));
            assertThat(store.log).isEmpty();
            time.advance(Duration.ofNanos(1));
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void a_full_batch_does_not_wait() throws Exception {
            writes = make(c -> c.workers(1).batchSize(3));
            writes.save("a", "1");
            writes.save("b", "1");
            time.runReady();
            assertThat(store.log).isEmpty();
            writes.save("c", "1");
            time.runReady();
            assertThat(store.log).containsExactly("save a 1", "save b 1", "save c 1");
        }

        @Test
        void a_write_that_waited_for_the_one_before_is_not_put_off_by_keys_that_came_later() throws Exception {
            writes = make(c -> c.workers(1));
            writes.save("a", "1");
            store.before = call -> {
                if (call.equals("save a 1")) {
                    writes.save("a", "2");
                    time.advance(SECOND.dividedBy(2));
                    writes.save("b", "1");
                    writes.save("c", "1");
                }
            };
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 1");
            time.advance(SECOND.dividedBy(2));
            assertThat(store.log).startsWith("save a 1", "save a 2");
        }

        @Test
        void with_no_delay_a_write_goes_at_once_but_not_on_the_thread_of_the_caller() throws Exception {
            writes = make(c -> c.delay(Duration.ZERO));
            writes.save("a", "1");
            assertThat(store.log).isEmpty();
            time.runReady();
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void the_store_is_never_called_on_the_thread_of_the_timers() throws Exception {
            Thread[] on = new Thread[1];
            Thread[] timers = new Thread[1];
            store.before = call -> on[0] = Thread.currentThread();
            writes = WriteBehind.of(
                    "rows",
                    store,
                    c -> c.delay(SECOND),
                    time.environment().toBuilder().executor(time::start).build());
            writes.save("a", "1");
            time.environment().scheduler().schedule(() -> timers[0] = Thread.currentThread(), 1);
            time.advance(SECOND);
            assertThat(on[0]).isNotNull().isNotEqualTo(timers[0]);
        }

        @Test
        void nulls_are_refused_with_their_names() {
            assertThatNullPointerException()
                    .isThrownBy(() -> writes.save(null, "1"))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> writes.save("a", null))
                    .withMessage("value");
            assertThatNullPointerException()
                    .isThrownBy(() -> writes.delete(null))
                    .withMessage("key");
            assertThatNullPointerException().isThrownBy(() -> writes.load(null)).withMessage("key");
        }

        @Test
        void settings_out_of_range_are_refused_with_the_name_of_the_write_behind() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> make(c -> c.workers(0)))
                    .withMessage("write-behind \"rows\": workers must be from 1 to 1024, but was 0");
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.batchSize(0)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.maxPending(0)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.maxBytes(0, (k, v) -> 1)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.maxTries(0)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.maxDead(-1)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.delay(Duration.ofNanos(-1))));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.maxWait(Duration.ZERO)));
            assertThatIllegalArgumentException().isThrownBy(() -> make(c -> c.closeWithin(Duration.ofNanos(-1))));
        }

        @Test
        void what_a_weigher_throws_or_a_negative_weight_reaches_the_caller_and_nothing_is_accepted() {
            writes = make(c -> c.maxBytes(10, (key, value) -> {
                if (key.equals("a")) {
                    throw new IllegalStateException("no scale");
                }
                return -1;
            }));
            assertThatThrownBy(() -> writes.save("a", "1")).hasMessage("no scale");
            assertThatIllegalArgumentException().isThrownBy(() -> writes.save("b", "1"));
            assertThat(writes.counts().accepted()).isZero();
            assertThat(metrics(writes)).containsEntry("bytes", 0.0);
        }
    }

    @Nested
    class Coalescing {
        @Test
        void only_the_newest_write_of_a_key_goes_to_the_store() throws Exception {
            writes.save("a", "1");
            writes.save("a", "2");
            writes.save("a", "3");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 3");
            assertThat(writes.counts()).isEqualTo(new WriteBehindCounts(3, 1, 2, 0, 0, 0, 0, 0));
            assertThat(metrics(writes)).containsEntry("calls.saved", 2.0);
        }

        @Test
        void a_save_and_then_a_delete_is_a_delete_and_not_nothing() throws Exception {
            store.rows.put("a", "old");
            writes.save("a", "1");
            writes.delete("a");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("delete a");
            assertThat(store.rows).isEmpty();
        }

        @Test
        void a_delete_and_then_a_save_is_a_save() throws Exception {
            writes.delete("a");
            writes.save("a", "1");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void a_key_that_is_written_all_the_time_is_not_put_off() throws Exception {
            for (int i = 0; i < 25; i++) {
                writes.save("a", "" + i);
                time.advance(Duration.ofMillis(100));
            }
            assertThat(store.log).hasSize(2);
        }

        @Test
        void a_write_that_is_on_its_way_is_not_replaced_and_a_newer_one_waits_for_it() throws Exception {
            CountDownLatch release = new CountDownLatch(1);
            writes = WriteBehind.of(
                    "rows",
                    store,
                    c -> c.delay(Duration.ZERO),
                    time.environment().toBuilder().executor(time::start).build());
            CountDownLatch reached = new CountDownLatch(1);
            store.before = call -> {
                reached.countDown();
                release.await();
            };
            writes.save("a", "1");
            reached.await();
            writes.save("a", "2");
            writes.save("a", "3");
            assertThat(writes.counts().inFlight()).isEqualTo(1);
            assertThat(writes.counts().pending()).isEqualTo(1);
            assertThat(writes.load("a")).isEqualTo("3");
            release.countDown();
            time.runReady();
            assertThat(store.log).containsExactly("save a 1", "save a 3");
        }
    }

    @Nested
    class ReadingYourWrites {
        @Test
        void a_pending_value_wins_over_the_store() throws Exception {
            store.rows.put("a", "old");
            writes.save("a", "new");
            assertThat(writes.load("a")).isEqualTo("new");
            assertThat(store.log).isEmpty();
        }

        @Test
        void a_pending_delete_is_an_absent_value_without_a_load() throws Exception {
            store.rows.put("a", "old");
            writes.delete("a");
            assertThat(writes.load("a")).isNull();
            assertThat(store.log).isEmpty();
        }

        @Test
        void a_value_on_its_way_is_read_before_the_store_is_asked() throws Exception {
            store.rows.put("a", "old");
            String[] read = new String[1];
            store.before = call -> {
                if (call.startsWith("save")) {
                    read[0] = writes.load("a");
                }
            };
            writes.save("a", "new");
            time.advance(SECOND);
            assertThat(read[0]).isEqualTo("new");
        }

        @Test
        void a_value_that_has_failed_is_still_read() throws Exception {
            store.failAt("save");
            writes.save("a", "new");
            time.advance(SECOND);
            assertThat(writes.load("a")).isEqualTo("new");
        }

        @Test
        void what_the_store_has_is_read_from_it() throws Exception {
            writes.save("a", "new");
            time.advance(SECOND);
            store.rows.put("a", "newer");
            assertThat(writes.load("a")).isEqualTo("newer");
            assertThat(writes.load("b")).isNull();
        }
    }

    @Nested
    class InBatches {
        private final BatchRows rows = new BatchRows();

        private WriteBehind<String, String> batching(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
            return WriteBehind.batching("rows", rows, c -> configure.accept(c.workers(1)), time.environment());
        }

        @Test
        void writes_of_different_keys_go_in_one_call_oldest_first() throws Exception {
            writes = batching(c -> {});
            writes.save("b", "1");
            writes.save("a", "1");
            writes.delete("c");
            writes.save("b", "2");
            time.advance(SECOND);
            assertThat(rows.log).containsExactly("bac");
            assertThat(rows.rows).isEqualTo(Map.of("a", "1", "b", "2"));
            assertThat(metrics(writes))
                    .containsEntry("calls", 1.0)
                    .containsEntry("calls.saved", 3.0)
                    .containsEntry("flushes", 1.0);
        }

        @Test
        void a_batch_is_no_larger_than_its_size() throws Exception {
            writes = batching(c -> c.batchSize(2));
            for (String key : List.of("a", "b", "c", "d", "e")) {
                writes.save(key, "1");
            }
            time.advance(SECOND);
            assertThat(rows.log).containsExactly("ab", "cd", "e");
        }

        @Test
        void the_name_of_a_write_is_its_key_and_sequence() throws Exception {
            writes = batching(c -> {});
            List<PendingWrite<String, String>> seen = new java.util.ArrayList<>();
            rows.behaviour = batch -> {
                seen.addAll(batch);
                throw new IllegalStateException("again");
            };
            writes.save("a", "1");
            time.advance(SECOND);
            rows.behaviour = batch -> {
                seen.addAll(batch);
                return Map.of();
            };
            time.advance(Duration.ofMinutes(1));
            assertThat(seen).hasSize(2);
            assertThat(seen.get(0)).isEqualTo(seen.get(1));
        }
    }

    @Nested
    class OfKeysThatAreBroken {
        @Test
        void a_key_whose_equals_or_hash_code_throws_is_an_error_of_its_caller_and_costs_no_room() throws Exception {
            WriteBehind<Object, String> broken = WriteBehind.of(
                    "broken", new ObjectStore(), c -> c.workers(1).maxPending(2), time.environment());
            Object bad = new Object() {
                @Override
                public int hashCode() {
                    throw new IllegalStateException("no hash");
                }

                @Override
                public boolean equals(Object other) {
                    throw new IllegalStateException("no equals");
                }
            };
            for (int i = 0; i < 5; i++) {
                assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> broken.save(bad, "1"));
            }
            broken.save("a", "1");
            broken.save("b", "1");
            assertThat(broken.counts().pending()).isEqualTo(2);
        }
    }

    /** Takes anything. */
    private static final class ObjectStore implements dev.levee.cache.Store<Object, String> {
        @Override
        public String load(Object key) {
            return "";
        }

        @Override
        public void save(Object key, String value) {}

        @Override
        public void delete(Object key) {}
    }
}
