package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteJournalingTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private MemoryJournal<String, String> journal = new MemoryJournal<>();
    private WriteBehind<String, String> writes = make(c -> {});

    private WriteBehind<String, String> make(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        return WriteBehind.of(
                "rows",
                store,
                c -> configure.accept(c.journal(journal).workers(2).backoff(Backoff.fixed(SECOND))),
                time.environment());
    }

    /** The process ends without a word, and another one begins. */
    private void restart(boolean bringsBack, Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        journal.crash(bringsBack);
        writes.close(Duration.ZERO);
        journal = journal.reopened();
        writes = make(configure);
    }

    @AfterEach
    void the_counts_add_up() {
        WriteBehindTest.assertAddsUp(writes.counts());
    }

    private FutureTask<Void> start(Callable<Void> call) {
        FutureTask<Void> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private Callable<Void> saving(String key, String value) {
        return () -> {
            writes.save(key, value);
            return null;
        };
    }

    private static void result(FutureTask<?> task) throws Exception {
        task.get(10, TimeUnit.SECONDS);
    }

    @Nested
    class Keeping {
        @Test
        void a_write_is_appended_before_it_is_accepted_and_removed_after_the_store_has_it() throws Exception {
            journal.before = step -> {
                if (step.startsWith("append")) {
                    assertThat(writes.counts().accepted()).isZero();
                } else {
                    assertThat(store.rows).containsKey("a");
                }
            };
            writes.save("a", "1");
            assertThat(journal.pending()).hasSize(1);
            time.advance(SECOND);
            assertThat(journal.pending()).isEmpty();
            assertThat(journal.steps).containsExactly("append 1", "remove 1");
        }

        @Test
        void what_was_accepted_comes_back_after_a_crash_in_order_and_under_its_name() throws Exception {
            store.failAt("save");
            writes.save("b", "1");
            writes.save("a", "1");
            writes.save("a", "2");
            writes.delete("c");
            List<PendingWrite<String, String>> before = journal.pending();
            restart(false, c -> c.workers(1));
            assertThat(writes.load("a")).isEqualTo("2");
            assertThat(writes.load("c")).isNull();
            assertThat(journal.pending()).containsExactlyElementsOf(before);
            store.mend();
            store.log.clear();
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save b 1", "save a 2", "delete c");
            writes.save("d", "1");
            assertThat(journal.pending()).extracting(PendingWrite::sequence).containsExactly(5L);
        }

        @Test
        void a_write_that_the_store_has_may_come_again_but_never_over_a_newer_one() throws Exception {
            writes.save("a", "1");
            time.advance(SECOND);
            writes.save("a", "2");
            time.advance(SECOND);
            restart(true, c -> {});
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 1", "save a 2", "save a 2");
        }

        @Test
        void appends_of_a_key_that_overtake_each_other_are_accepted_in_the_order_of_their_sequences() throws Exception {
            CountDownLatch release = new CountDownLatch(1);
            CountDownLatch reached = new CountDownLatch(1);
            journal.before = step -> {
                if (step.equals("append 1")) {
                    reached.countDown();
                    await(release);
                }
            };
            FutureTask<Void> first = start(saving("a", "older"));
            reached.await();
            writes.save("a", "newer");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a newer");
            assertThat(journal.steps).as("not forgotten yet").containsExactly("append 2");
            release.countDown();
            result(first);
            assertThat(writes.load("a")).isEqualTo("newer");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a newer", "load a");
            assertThat(journal.steps).containsExactly("append 2", "append 1", "remove 2");
            restart(false, c -> {});
            time.advance(SECOND);
            assertThat(store.rows).containsEntry("a", "newer");
        }

        @Test
        void dead_letters_come_back_and_can_be_replayed_and_discarded() throws Exception {
            store.failAt("save");
            writes = remade(c -> c.maxTries(1).whenDead(DeadKey.BLOCK));
            writes.save("a", "1");
            writes.save("b", "1");
            time.advance(SECOND);
            assertThat(journal.dead()).hasSize(2);
            restart(false, c -> c.whenDead(DeadKey.BLOCK));
            store.mend();
            assertThat(writes.load("a")).isEqualTo("1");
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save("a", "2"));
            assertThat(writes.deadWrites()).hasSize(2);
            assertThat(writes.counts().dead()).isEqualTo(2);
            DeadWrite<String, String> dead = writes.deadWrites().get(0);
            assertThat(writes.replay(dead)).isTrue();
            assertThat(writes.discardAll()).isEqualTo(1);
            assertThat(journal.dead()).isEmpty();
            assertThat(journal.pending()).extracting(PendingWrite::sequence).containsExactly(3L);
            time.advance(SECOND);
            assertThat(store.rows).containsOnlyKeys(dead.write().key());
        }

        @Test
        void a_dead_letter_that_is_replayed_survives_a_crash_at_each_step() throws Exception {
            for (String at : List.of("bury 1", "replay 1", "discard 1")) {
                journal = new MemoryJournal<>();
                store.failAt("save");
                writes = make(c -> c.maxTries(1));
                journal.after = step -> {
                    if (step.equals(at)) {
                        journal.crash(false);
                    }
                };
                writes.save("a", "1");
                time.advance(SECOND);
                store.mend();
                store.rows.clear();
                Throwable killed = catchThrowable(() -> {
                    if (at.startsWith("discard")) {
                        writes.discardAll();
                    } else {
                        writes.replayAll();
                    }
                });
                assertThat(killed != null).as(at).isEqualTo(at.startsWith("bury"));
                restart(false, c -> {});
                time.advance(SECOND);
                boolean there = store.rows.containsKey("a");
                assertThat(there || !writes.deadWrites().isEmpty()).as(at).isEqualTo(!at.startsWith("discard"));
            }
        }

        @Test
        void a_close_leaves_what_the_store_has_not_got_in_the_journal_and_closes_it() throws Exception {
            store.failAt("save");
            writes.save("a", "1");
            WriteBehindReport<String, String> report = writes.close(Duration.ZERO);
            assertThat(report.kept()).isTrue();
            assertThat(report.left()).hasSize(1);
            assertThat(report).hasToString("0 written, 0 dead letters, 1 left in the journal");
            assertThat(journal.closed).isTrue();
            assertThat(journal.pending()).hasSize(1);
        }

        @Test
        void what_comes_back_beyond_the_bound_is_accepted_and_new_writes_wait_for_room() throws Exception {
            store.failAt("save");
            for (int i = 0; i < 5; i++) {
                writes.save("k" + i, "1");
            }
            restart(false, c -> c.maxPending(2).whenFull(WriteOverflow.REFUSE));
            assertThat(writes.counts().pending()).isEqualTo(5);
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save("a", "1"));
            store.mend();
            time.advance(SECOND);
            assertThat(store.rows).hasSize(5);
            writes.save("a", "1");
        }

        @Test
        void what_comes_back_is_not_given_up_for_a_write_that_has_no_room_all_the_same() throws Exception {
            store.failAt("save");
            for (int i = 0; i < 4; i++) {
                writes.save("k" + i, "1");
            }
            restart(false, c -> c.workers(1).batchSize(2).maxPending(2).whenFull(WriteOverflow.DROP_OLDEST));
            List<Throwable> thrown = new ArrayList<>();
            store.before = call -> {
                if (call.equals("save k0 1")) { // with k1, which fills the room
                    thrown.add(catchThrowable(() -> writes.save("a", "1")));
                }
            };
            time.advance(SECOND);
            assertThat(thrown.get(0)).isInstanceOf(WriteRefusedException.class);
            assertThat(store.rows).hasSize(4);
        }

        @Test
        void weights_of_what_comes_back_do_not_wrap() throws Exception {
            store.failAt("save");
            for (int i = 0; i < 2; i++) {
                writes.save("k" + i, "1");
            }
            restart(
                    false,
                    c -> c.maxBytes(Long.MAX_VALUE, (key, value) -> Long.MAX_VALUE)
                            .whenFull(WriteOverflow.REFUSE));
            assertThat(WriteBehindTest.metrics(writes).get("bytes")).isEqualTo((double) Long.MAX_VALUE);
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save("a", "1"));
            store.mend();
            time.advance(SECOND);
            assertThat(store.rows).hasSize(2);
            assertThat(WriteBehindTest.metrics(writes).get("bytes")).isZero();
            writes.save("a", "1");
        }

        @Test
        void the_age_of_what_comes_back_counts_from_its_acceptance() throws Exception {
            store.failAt("save");
            writes = remade(c -> c.maxTries(1000));
            writes.save("a", "1");
            time.advance(Duration.ofMinutes(5));
            restart(false, c -> {});
            assertThat(WriteBehindTest.metrics(writes).get("oldest.age.nanos"))
                    .isEqualTo((double) Duration.ofMinutes(5).toNanos());
        }
    }

    @Nested
    class WhenFull {
        @Test
        void a_write_that_replaces_a_pending_one_needs_no_room_and_the_bound_holds_meanwhile() throws Exception {
            writes = remade(c -> c.maxPending(2).whenFull(WriteOverflow.REFUSE));
            writes.save("a", "1");
            writes.save("b", "1");
            journal.before = step -> {
                if (step.startsWith("append")) {
                    time.runReady();
                    WriteBehindCounts counts = writes.counts();
                    assertThat(counts.pending() + counts.inFlight()).isLessThanOrEqualTo(2);
                }
            };
            writes.save("a", "2");
            writes.delete("b");
            journal.before = step -> {};
            time.advance(SECOND);
            assertThat(store.log).containsExactlyInAnyOrder("save a 2", "delete b");
            writes.save("c", "1");
            writes.save("d", "1");
        }

        @Test
        void a_pending_write_is_replaced_as_often_as_its_key_is_written() throws Exception {
            writes = remade(c -> c.maxPending(1).whenFull(WriteOverflow.REFUSE));
            for (int i = 0; i < 5; i++) {
                writes.save("a", "" + i);
            }
            assertThat(writes.load("a")).isEqualTo("4");
            time.advance(SECOND);
            assertThat(store.log).containsExactly("save a 4");
        }

        @Test
        void a_key_whose_turn_came_while_it_was_replaced_goes_to_the_store_before_it_is_replaced_again()
                throws Exception {
            writes = remade(c -> c.maxPending(1).delay(Duration.ZERO).whenFull(WriteOverflow.REFUSE));
            writes.save("a", "1");
            journal.before = step -> time.runReady();
            writes.save("a", "2");
            journal.before = step -> {};
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.save("a", "3"));
            time.runReady();
            assertThat(store.log).containsExactly("save a 2");
            writes.save("a", "4");
        }

        @Test
        void none_is_given_up_that_stands_in_the_journal_for_one_on_its_way() throws Exception {
            writes = remade(c -> c.workers(1).maxPending(2).whenFull(WriteOverflow.DROP_OLDEST));
            List<Throwable> thrown = new ArrayList<>();
            store.before = call -> {
                if (call.equals("save a 1")) {
                    writes.save("a", "2");
                    thrown.add(catchThrowable(() -> writes.save("b", "1")));
                    throw new IOException("no");
                }
            };
            writes.save("a", "1");
            time.advance(SECOND);
            String accepted = writes.load("a");
            restart(false, c -> {});
            assertThat(writes.load("a")).isEqualTo(accepted).isNotNull();
            assertThat(thrown.get(0)).isInstanceOf(WriteRefusedException.class);
        }

        @Test
        void a_write_through_is_kept_before_and_forgotten_after_so_that_nothing_older_comes_back() throws Exception {
            writes = remade(c -> c.maxPending(1).whenFull(WriteOverflow.WRITE_THROUGH));
            writes.save("c", "older");
            time.advance(SECOND);
            writes.save("a", "1");
            writes.save("c", "newer");
            assertThat(store.rows).containsEntry("c", "newer");
            restart(true, c -> {});
            time.advance(SECOND);
            assertThat(store.rows).isEqualTo(Map.of("a", "1", "c", "newer"));
        }
    }

    @Nested
    class ThatFails {
        @Test
        void a_failed_append_is_not_accepted_and_its_outcome_is_not_known() throws Exception {
            writes.save("a", "1");
            journal.before = step -> {
                throw new IOException("disk full");
            };
            Throwable thrown = catchThrowable(() -> writes.save("a", "2"));
            assertThat(thrown).isInstanceOfSatisfying(WriteRefusedException.class, refused -> {
                assertThat(refused.reason()).isEqualTo(Reason.JOURNAL);
                assertThat(refused.mayHaveRun()).isTrue();
                assertThat(refused)
                        .hasMessageContaining("write-behind \"rows\"")
                        .hasMessageContaining("disk full");
                assertThat(refused).hasCauseInstanceOf(IOException.class);
            });
            assertThat(writes.load("a")).isEqualTo("1");
        }

        @Test
        void a_write_that_it_cannot_take_is_refused_alone() throws Exception {
            writes.save("a", "1");
            IllegalArgumentException unfit = new IllegalArgumentException("too large");
            journal.before = step -> {
                throw unfit;
            };
            assertThatThrownBy(() -> writes.save("a", "2")).isSameAs(unfit);
            assertThatThrownBy(() -> writes.save("b", "1")).isSameAs(unfit);
            assertThat(writes.load("a")).isEqualTo("1");
            journal.before = step -> {};
            writes.save("b", "3");
            time.advance(SECOND);
            assertThat(store.rows).containsOnly(Map.entry("a", "1"), Map.entry("b", "3"));
            assertThat(WriteBehindTest.metrics(writes))
                    .containsEntry("journal.failed", 0.0)
                    .containsEntry("bytes", 0.0);
        }

        @Test
        void new_writes_are_refused_from_then_on_and_what_was_accepted_goes_to_the_store() throws Exception {
            writes.save("a", "1");
            journal.before = step -> {
                throw new OutOfMemoryError("no room");
            };
            assertThat(catchThrowable(() -> writes.save("b", "1"))).isInstanceOf(WriteRefusedException.class);
            journal.before = step -> {};
            assertThatExceptionOfType(WriteRefusedException.class)
                    .isThrownBy(() -> writes.save("c", "1"))
                    .satisfies(refused -> {
                        assertThat(refused.reason()).isEqualTo(Reason.JOURNAL);
                        assertThat(refused.mayHaveRun()).isFalse();
                    });
            time.advance(SECOND);
            assertThat(store.rows).containsOnlyKeys("a");
            assertThat(WriteBehindTest.metrics(writes))
                    .containsEntry("journal.failed", 1.0)
                    .containsEntry("refused", 2.0)
                    .containsEntry("bytes", 0.0);
            assertThat(writes.close(SECOND).kept()).isFalse();
        }

        @Test
        void a_failed_removal_or_burial_loses_nothing() throws Exception {
            journal.before = step -> {
                if (!step.startsWith("append")) {
                    throw new IOException("torn");
                }
            };
            writes = remade(c -> c.maxTries(1));
            writes.save("a", "1");
            store.failAt("save b");
            writes.save("b", "1");
            time.advance(SECOND);
            assertThat(store.rows).containsOnlyKeys("a");
            assertThat(writes.deadWrites()).hasSize(1);
            assertThat(journal.pending()).hasSize(2);
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.replayAll());
            assertThatExceptionOfType(WriteRefusedException.class).isThrownBy(() -> writes.discardAll());
            assertThat(writes.deadWrites()).hasSize(1);
        }

        @Test
        void an_error_of_a_codec_and_the_end_of_a_stack_refuse_one_write_alone() throws Exception {
            for (Error error : List.of(new AssertionError("no schema"), new StackOverflowError())) {
                journal.before = step -> {
                    throw error;
                };
                assertThatThrownBy(() -> writes.save("a", "1")).isSameAs(error);
                journal.before = step -> {};
                assertThat(WriteBehindTest.metrics(writes))
                        .containsEntry("journal.failed", 0.0)
                        .containsEntry("pending", 0.0);
                writes.save("b", "1");
                time.advance(SECOND);
                assertThat(store.rows).containsOnlyKeys("b");
            }
        }

        @Test
        void a_dead_letter_that_it_cannot_take_stays_a_write_that_is_tried_again() throws Exception {
            writes = remade(c -> c.maxTries(1));
            store.failAt("save a");
            writes.save("a", "1");
            journal.before = step -> {
                if (step.startsWith("bury")) {
                    throw new IllegalArgumentException("too large");
                }
            };
            time.advance(SECOND);
            assertThat(writes.deadWrites()).isEmpty();
            assertThat(writes.counts().pending()).isEqualTo(1);
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("journal.failed", 0.0);
            writes.save("b", "1");
            journal.before = step -> {};
            time.advance(SECOND);
            assertThat(writes.deadWrites()).hasSize(1);
            assertThat(journal.dead()).hasSize(1);
            assertThat(store.rows).containsOnlyKeys("b");
        }

        @Test
        void a_replay_that_it_cannot_take_leaves_the_dead_letter_and_the_journal_alone() throws Exception {
            writes = remade(c -> c.maxTries(1));
            store.failAt("save");
            writes.save("a", "1");
            time.advance(SECOND);
            store.mend();
            IllegalArgumentException unfit = new IllegalArgumentException("of another schema");
            journal.before = step -> {
                throw unfit;
            };
            assertThatThrownBy(() -> writes.replayAll()).isSameAs(unfit);
            journal.before = step -> {};
            assertThat(WriteBehindTest.metrics(writes)).containsEntry("journal.failed", 0.0);
            assertThat(writes.replayAll()).isEqualTo(1);
            time.advance(SECOND);
            assertThat(store.rows).containsEntry("a", "1");
        }

        @Test
        void one_that_cannot_be_opened_is_a_named_error() {
            WriteJournal<String, String> locked = new WriteJournal<>() {
                @Override
                public Durability durability() {
                    return Durability.DISK;
                }

                @Override
                public Recovered<String, String> open() throws IOException {
                    throw new IOException("/data/rows is locked by another process");
                }

                @Override
                public void append(PendingWrite<String, String> write) {}

                @Override
                public void remove(Collection<PendingWrite<String, String>> writes) {}

                @Override
                public void bury(DeadWrite<String, String> dead) {}

                @Override
                public void replay(DeadWrite<String, String> dead, PendingWrite<String, String> write) {}

                @Override
                public void discard(Collection<DeadWrite<String, String>> dead) {}

                @Override
                public void close() {}
            };
            assertThatExceptionOfType(UncheckedIOException.class)
                    .isThrownBy(() -> WriteBehind.of("rows", store, c -> c.journal(locked), time.environment()))
                    .withMessage("write-behind \"rows\": its journal could not be opened: /data/rows is locked by"
                            + " another process");
        }

        @Test
        void an_append_that_is_under_way_at_the_end_of_a_close_gets_a_definite_answer() throws Exception {
            CountDownLatch release = new CountDownLatch(1);
            CountDownLatch reached = new CountDownLatch(1);
            journal.before = step -> {
                reached.countDown();
                await(release);
            };
            FutureTask<Void> save = start(saving("a", "1"));
            reached.await();
            assertThat(writes.close(Duration.ZERO).left()).isEmpty();
            release.countDown();
            Throwable thrown = catchThrowable(() -> result(save)).getCause();
            assertThat(thrown)
                    .isInstanceOfSatisfying(
                            WriteRefusedException.class,
                            refused -> assertThat(refused.mayHaveRun()).isTrue());
        }
    }

    /** Another write-behind on a new journal, with the hooks of the old one. */
    private WriteBehind<String, String> remade(Consumer<WriteBehindConfig.Builder<String, String>> configure) {
        MemoryJournal<String, String> old = journal;
        journal = new MemoryJournal<>();
        journal.before = old.before;
        journal.after = old.after;
        return make(configure);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
