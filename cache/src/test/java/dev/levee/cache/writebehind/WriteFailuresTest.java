package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteFailuresTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private final BatchRows rows = new BatchRows();
    private WriteBehind<String, String> writes = make(c -> {});

    private WriteBehind<String, String> make(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        return WriteBehind.of("rows", store, c -> configure.accept(basics(c)), time.environment());
    }

    private WriteBehind<String, String> batching(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        return WriteBehind.batching("rows", rows, c -> configure.accept(basics(c)), time.environment());
    }

    private static WriteBehindConfig.Builder<String, String> basics(WriteBehindConfig.Builder<String, String> config) {
        return config.workers(1).maxTries(3).backoff(Backoff.fixed(SECOND));
    }

    @AfterEach
    void the_counts_add_up() {
        WriteBehindTest.assertAddsUp(writes.counts());
    }

    private void saveAll(String keys, String value) throws Exception {
        for (int i = 0; i < keys.length(); i++) {
            writes.save(keys.substring(i, i + 1), value);
        }
    }

    @Nested
    class Repeating {
        @Test
        void a_failed_write_is_tried_again_after_its_backoff_and_others_do_not_wait() throws Exception {
            store.failAt("save a");
            writes.save("a", "1");
            time.advance(SECOND);
            writes.save("b", "1");
            store.mend();
            time.advance(SECOND.minusNanos(1));
            assertThat(store.rows).isEmpty();
            time.advance(Duration.ofNanos(1));
            assertThat(store.rows).isEqualTo(Map.of("a", "1", "b", "1"));
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("retries", 1.0);
        }

        @Test
        void the_default_backoff_grows_and_has_full_jitter() throws Exception {
            List<Long> delays = new ArrayList<>();
            Environment environment = time.environment().toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
                            delays.add(delayNanos);
                        }
                    })
                    .build();
            store.failAt("save");
            writes = WriteBehind.of("rows", store, c -> c.maxTries(8), environment);
            writes.save("a", "1");
            time.advance(Duration.ofMinutes(1));
            assertThat(delays).hasSize(7).doesNotHaveDuplicates();
            for (int i = 0; i < delays.size(); i++) {
                assertThat(delays.get(i))
                        .isBetween(0L, Duration.ofMillis(100L << i).toNanos());
            }
        }

        @Test
        void an_older_value_never_comes_after_a_newer_one() throws Exception {
            store.failAt("save a 1");
            writes.save("a", "1");
            time.advance(SECOND);
            store.mend();
            writes.save("a", "2");
            time.advance(Duration.ofMinutes(1));
            assertThat(store.log).containsExactly("save a 2");
        }

        @Test
        void a_write_that_fails_while_a_newer_one_waits_is_not_tried_again_and_no_dead_letter() throws Exception {
            store.before = call -> {
                if (call.equals("save a 1")) {
                    writes.save("a", "2");
                    throw new IOException("no");
                }
            };
            writes = make(c -> c.maxTries(1));
            writes.save("a", "1");
            time.advance(Duration.ofMinutes(1));
            assertThat(store.log).containsExactly("save a 2");
            assertThat(writes.deadWrites()).isEmpty();
            assertThat(writes.counts().coalesced()).isEqualTo(1);
        }

        @Test
        void an_error_a_rule_that_throws_and_a_broken_backoff_lose_nothing() throws Exception {
            store.before = call -> {
                throw new StackOverflowError("deep");
            };
            writes = make(c -> c.outcomes((result, error) -> {
                        throw new IllegalStateException("no judge");
                    })
                    .backoff((attempt, random) -> {
                        throw new IllegalStateException("no wait");
                    }));
            writes.save("a", "1");
            time.advance(SECOND);
            assertThat(writes.counts().pending()).isEqualTo(1);
            store.mend();
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 1");
        }

        @Test
        void an_exception_whose_methods_throw_loses_nothing() throws Exception {
            @SuppressWarnings("UnsynchronizedOverridesSynchronized")
            class Hostile extends RuntimeException {
                private static final long serialVersionUID = 1L;

                @Override
                public String toString() {
                    throw new IllegalStateException("no text");
                }

                @Override
                public String getMessage() {
                    throw new IllegalStateException("no message");
                }

                @Override
                public Throwable getCause() {
                    throw new IllegalStateException("no cause");
                }
            }
            store.before = call -> {
                if (call.startsWith("save")) {
                    throw new Hostile();
                }
            };
            writes.save("a", "1");
            time.advance(Duration.ofMinutes(1));
            WriteBehindCounts counts = writes.counts();
            assertThat(counts.pending() + counts.dead()).isEqualTo(1);
            assertThat(writes.load("a") == null).isEqualTo(counts.dead() == 1);
        }

        @Test
        void what_was_refused_or_surely_not_sent_uses_up_no_tries() throws Exception {
            Bulkhead bulkhead = Bulkhead.of("one", 1, time.environment());
            writes = WriteBehind.of("rows", store.guardedBy(bulkhead), c -> basics(c), time.environment());
            bulkhead.call(() -> {
                writes.save("a", "1");
                time.advance(Duration.ofMinutes(1));
                return null;
            });
            assertThat(writes.deadWrites()).isEmpty();
            store.before = call -> {
                throw new ConnectException("down");
            };
            time.advance(Duration.ofMinutes(1));
            assertThat(writes.deadWrites()).isEmpty();
            store.mend();
            time.advance(Duration.ofMinutes(1));
            assertThat(store.rows).containsEntry("a", "1");
        }

        @Test
        void a_dead_letter_tells_of_the_tries_of_its_write_alone() throws Exception {
            Bulkhead bulkhead = Bulkhead.of("one", 1, time.environment());
            writes = WriteBehind.batching("rows", rows.guardedBy(bulkhead), c -> basics(c), time.environment());
            rows.behaviour = batch -> {
                throw new IOException("no " + batch.size());
            };
            bulkhead.call(() -> {
                saveAll("abcd", "1");
                time.advance(Duration.ofMinutes(1));
                return null;
            });
            time.advance(Duration.ofMinutes(5));
            assertThat(writes.deadWrites()).hasSize(4).allSatisfy(dead -> {
                assertThat(dead.error()).contains("no 1");
                assertThat(dead.tries()).isEqualTo(3);
            });
        }

        @Test
        void an_interrupt_in_the_store_is_repeated_and_not_left_behind() throws Exception {
            boolean[] thrown = new boolean[1];
            store.before = call -> {
                if (!thrown[0]) {
                    thrown[0] = true;
                    Thread.currentThread().interrupt();
                    throw new InterruptedException();
                }
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            };
            writes.save("a", "1");
            writes.save("b", "1");
            time.advance(Duration.ofMinutes(1));
            assertThat(store.rows).containsKeys("a", "b");
        }
    }

    @Nested
    class OfABatch {
        @Test
        void one_row_that_cannot_be_written_is_found_by_halves_and_the_others_are_written() throws Exception {
            writes = batching(c -> c.batchSize(8));
            rows.behaviour = rows.poisonedBy("c");
            saveAll("abcdefgh", "1");
            time.runReady();
            assertThat(rows.rows.keySet()).containsExactlyInAnyOrder("a", "b", "d", "e", "f", "g", "h");
            assertThat(rows.log).containsExactly("abcdefgh", "abcd", "efgh", "ab", "cd", "c", "d");
            assertThat(writes.counts().pending()).isEqualTo(1);
            time.advance(SECOND.multipliedBy(2));
            assertThat(writes.deadWrites()).hasSize(1).first().satisfies(dead -> {
                assertThat(dead.write().key()).isEqualTo("c");
                assertThat(dead.error()).contains("IllegalArgumentException", "poison c");
                assertThat(dead.tries()).isEqualTo(3);
            });
        }

        @Test
        void several_rows_that_cannot_be_written_do_not_take_the_others_with_them() throws Exception {
            writes = batching(c -> c.batchSize(16).maxTries(1));
            rows.behaviour = rows.poisonedBy("c", "j", "k");
            saveAll("abcdefghijklmnop", "1");
            time.advance(Duration.ofMinutes(1));
            assertThat(rows.rows).hasSize(13);
            assertThat(writes.deadWrites())
                    .extracting(dead -> dead.write().key())
                    .containsExactlyInAnyOrder("c", "j", "k");
        }

        @Test
        void a_store_that_is_down_is_not_asked_for_each_row() throws Exception {
            writes = batching(c -> c.batchSize(16));
            rows.behaviour = batch -> {
                throw new IOException("down");
            };
            saveAll("abcdefghijklmnop", "1");
            time.runReady();
            assertThat(rows.log).hasSize(3);
            rows.behaviour = rows::all;
            time.advance(SECOND);
            assertThat(rows.rows).hasSize(16);
            assertThat(writes.deadWrites()).isEmpty();
        }

        @Test
        void a_refused_batch_is_not_split() throws Exception {
            Bulkhead bulkhead = Bulkhead.of("one", 1, time.environment());
            writes = WriteBehind.batching("rows", rows.guardedBy(bulkhead), c -> basics(c), time.environment());
            bulkhead.call(() -> {
                saveAll("abcd", "1");
                time.advance(SECOND);
                return null;
            });
            assertThat(rows.log).isEmpty();
            time.advance(SECOND);
            assertThat(rows.log).containsExactly("abcd");
        }

        @Test
        void a_result_for_each_key_is_believed() throws Exception {
            writes = batching(c -> {});
            rows.behaviour = rows.without("b");
            saveAll("abc", "1");
            time.advance(SECOND);
            assertThat(rows.log).containsExactly("abc");
            assertThat(rows.rows).containsOnlyKeys("a", "c");
            rows.behaviour = rows::all;
            time.advance(SECOND);
            assertThat(rows.log).containsExactly("abc", "b");
        }

        @Test
        void null_foreign_keys_and_failures_without_a_reason_lose_nothing() throws Exception {
            Map<String, Throwable> noReason = new HashMap<>();
            noReason.put("a", null);
            List<BatchRows.Behaviour> nonsense = List.of(
                    batch -> null,
                    batch -> Map.of("z", new IOException("of another")),
                    batch -> Collections.singletonMap(null, new IOException("of none")),
                    batch -> noReason,
                    batch -> {
                        throw new OutOfMemoryError("no room");
                    });
            for (BatchRows.Behaviour each : nonsense) {
                writes = batching(c -> c.maxTries(1000));
                rows.rows.clear();
                rows.behaviour = each;
                saveAll("ab", "1");
                time.advance(SECOND);
                assertThat(writes.counts().pending() + writes.counts().written())
                        .isEqualTo(2);
                rows.behaviour = rows::all;
                time.advance(SECOND);
                assertThat(rows.rows).containsKey("a");
                assertThat(writes.counts().written()).isEqualTo(2);
                assertThat(writes.deadWrites()).isEmpty();
            }
        }

        @Test
        void a_verdict_of_success_on_a_failed_batch_does_not_count_its_rows_as_written() throws Exception {
            writes = batching(c -> c.outcomes(rule -> rule.onError(IllegalArgumentException.class, Verdict.SUCCESS)));
            rows.behaviour = rows.poisonedBy("b");
            saveAll("abc", "1");
            time.advance(SECOND);
            assertThat(rows.rows).containsOnlyKeys("a", "c");
            assertThat(writes.counts().written()).isEqualTo(3);
        }
    }

    @Nested
    class DeadLetters {
        private void kill(String key, String value) throws Exception {
            store.failAt("save " + key);
            writes.save(key, value);
            time.advance(SECOND);
            time.advance(Duration.ofSeconds(3));
            store.mend();
        }

        @Test
        void a_write_whose_tries_are_used_up_is_listed_replayed_and_discarded() throws Exception {
            kill("a", "1");
            kill("b", "1");
            assertThat(writes.deadWrites())
                    .extracting(dead -> dead.write().key())
                    .containsExactly("a", "b");
            assertThat(writes.discard(writes.deadWrites().get(1))).isTrue();
            DeadWrite<String, String> dead = writes.deadWrites().get(0);
            assertThat(writes.replay(dead)).isTrue();
            assertThat(writes.replay(dead)).isFalse();
            assertThat(writes.discard(dead)).isFalse();
            assertThat(writes.load("a")).isEqualTo("1");
            time.advance(SECOND);
            assertThat(store.rows).isEqualTo(Map.of("a", "1"));
            assertThat(writes.deadWrites()).isEmpty();
        }

        @Test
        void a_failure_that_the_rule_ignores_is_not_repeated() throws Exception {
            writes = make(c -> c.outcomes(rule -> rule.onError(IOException.class, Verdict.IGNORED)));
            store.failAt("save");
            writes.save("a", "1");
            time.advance(SECOND);
            assertThat(writes.deadWrites()).hasSize(1);
            assertThat(writes.deadWrites().get(0).tries()).isEqualTo(1);
        }

        @Test
        void a_hint_that_forbids_it_is_not_repeated() throws Exception {
            writes = make(c -> c.outcomes(rule -> rule.retryAfter((result, error) -> OutcomeRule.DO_NOT_RETRY)));
            store.failAt("save");
            writes.save("a", "1");
            time.advance(SECOND);
            assertThat(writes.deadWrites()).hasSize(1);
        }

        @Test
        void when_no_more_are_kept_none_is_dropped_and_writes_go_on_being_tried() throws Exception {
            writes = make(c -> c.maxDead(1));
            store.failAt("save");
            writes.save("a", "1");
            writes.save("b", "1");
            time.advance(Duration.ofMinutes(1));
            assertThat(writes.deadWrites()).hasSize(1);
            assertThat(writes.counts().pending()).isEqualTo(1);
            writes.discardAll();
            time.advance(Duration.ofMinutes(1));
            assertThat(writes.deadWrites())
                    .extracting(dead -> dead.write().key())
                    .containsExactly("b");
        }

        @Test
        void with_none_kept_no_write_is_given_up() throws Exception {
            writes = make(c -> c.maxDead(0));
            store.failAt("save");
            writes.save("a", "1");
            time.advance(Duration.ofHours(1));
            assertThat(writes.counts().pending()).isEqualTo(1);
        }

        @Test
        void an_evicted_key_reads_what_the_store_has_and_caches_in_front_are_told() throws Exception {
            List<String> told = new ArrayList<>();
            writes.whenChanged(key -> {
                throw new IllegalStateException("no cache");
            });
            writes.whenChanged(told::add);
            store.rows.put("a", "old");
            kill("a", "new");
            assertThat(told).containsExactly("a");
            assertThat(writes.load("a")).isEqualTo("old");
        }

        @Test
        void a_kept_key_reads_what_was_given_up_until_it_is_discarded_or_written() throws Exception {
            writes = make(c -> c.whenDead(DeadKey.KEEP));
            store.rows.put("a", "old");
            kill("a", "new");
            assertThat(writes.load("a")).isEqualTo("new");
            writes.discardAll();
            assertThat(writes.load("a")).isEqualTo("old");
            kill("a", "new");
            writes.save("a", "newer");
            time.advance(SECOND);
            assertThat(writes.load("a")).isEqualTo("newer");
        }

        @Test
        void a_blocked_key_refuses_writes_until_its_dead_letter_is_replayed_or_discarded() throws Exception {
            writes = make(c -> c.whenDead(DeadKey.BLOCK));
            kill("a", "new");
            assertThatExceptionOfType(WriteRefusedException.class)
                    .isThrownBy(() -> writes.save("a", "newer"))
                    .satisfies(refused -> {
                        assertThat(refused.reason()).isEqualTo(Reason.KEY_BLOCKED);
                        assertThat(refused.mayHaveRun()).isFalse();
                    });
            writes.save("b", "1");
            assertThat(writes.load("a")).isEqualTo("new");
            assertThat(writes.replayAll()).isEqualTo(1);
            writes.save("a", "newer");
            time.advance(SECOND);
            assertThat(store.rows).isEqualTo(Map.of("a", "newer", "b", "1"));
            kill("a", "bad");
            writes.discardAll();
            writes.save("a", "best");
            assertThat(writes.load("a")).isEqualTo("best");
        }

        @Test
        void a_replay_without_room_changes_nothing() throws Exception {
            writes = make(c -> c.maxPending(1));
            kill("a", "1");
            writes.save("b", "1");
            assertThat(writes.replayAll()).isZero();
            assertThat(writes.deadWrites()).hasSize(1);
            time.advance(SECOND);
            assertThat(writes.replayAll()).isEqualTo(1);
        }
    }
}
