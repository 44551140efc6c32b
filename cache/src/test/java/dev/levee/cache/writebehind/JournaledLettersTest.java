package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.writebehind.WriteRefusedException.Reason;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dead letters that a journal has kept: which of their values are read, and that one does not hold up the others. */
class JournaledLettersTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore store = new RowStore();
    private MemoryJournal<String, String> journal = new MemoryJournal<>();
    private WriteBehind<String, String> writes = make(DeadKey.BLOCK);

    private WriteBehind<String, String> make(DeadKey whenDead) {
        journal = journal.reopened();
        return WriteBehind.of(
                "rows",
                store,
                c -> c.journal(journal)
                        .workers(1)
                        .maxTries(1)
                        .whenDead(whenDead)
                        .backoff(Backoff.fixed(SECOND)),
                time.environment());
    }

    private void restart(DeadKey whenDead) {
        journal.crash(false);
        writes.close(Duration.ZERO);
        writes = make(whenDead);
    }

    private void kill(String... keys) throws Exception {
        store.failAt("save");
        for (String key : keys) {
            writes.save(key, "dead " + key);
        }
        time.advance(SECOND);
        store.mend();
    }

    private void assertBlocked(String key) {
        assertThatExceptionOfType(WriteRefusedException.class)
                .isThrownBy(() -> writes.save(key, "refused"))
                .satisfies(refusal -> assertThat(refusal.reason()).isEqualTo(Reason.KEY_BLOCKED));
    }

    @Nested
    class AnOldValue {
        @ParameterizedTest
        @EnumSource(
                value = DeadKey.class,
                names = {"EVICT", "KEEP"})
        void of_a_letter_that_did_not_block_its_key_is_not_read(DeadKey before) throws Exception {
            restart(before);
            kill("a");
            writes.save("a", "newer");
            time.advance(SECOND);
            restart(DeadKey.BLOCK);
            assertThat(writes.load("a")).isEqualTo("newer");
            assertBlocked("a");
            assertThat(writes.discardAll()).isEqualTo(1);
            writes.save("a", "newest");
            assertThat(writes.load("a")).isEqualTo("newest");
        }

        @ParameterizedTest
        @EnumSource(
                value = DeadKey.class,
                names = {"EVICT", "KEEP"})
        void of_a_key_that_was_free_meanwhile_is_not_read(DeadKey meanwhile) throws Exception {
            kill("a");
            assertThat(writes.load("a")).isEqualTo("dead a");
            restart(meanwhile);
            writes.save("a", "newer");
            time.advance(SECOND);
            restart(DeadKey.BLOCK);
            assertThat(writes.load("a")).isEqualTo("newer");
            assertBlocked("a");
        }

        @Test
        void of_a_write_that_dies_while_a_newer_one_comes_is_not_read_over_that_after_a_restart() throws Exception {
            List<Throwable> thrown = new ArrayList<>();
            journal.before = step -> {
                if (step.equals("bury 1")) {
                    thrown.add(catchThrowable(() -> writes.save("a", "newer")));
                }
            };
            kill("a");
            time.advance(SECOND);
            String before = writes.load("a");
            restart(DeadKey.BLOCK);
            assertThat(writes.load("a")).isEqualTo(before);
            assertThat(thrown).hasSize(1);
            assertThat(thrown.get(0)).isInstanceOf(WriteRefusedException.class);
        }

        @Test
        void of_the_other_letter_is_not_read_when_one_was_replayed() throws Exception {
            restart(DeadKey.EVICT);
            kill("a");
            store.failAt("save");
            writes.save("a", "second");
            time.advance(SECOND);
            store.mend();
            restart(DeadKey.BLOCK);
            DeadWrite<String, String> first = writes.deadWrites().get(0);
            assertThat(first.write().value()).isEqualTo("dead a");
            assertThat(writes.replay(first)).isTrue();
            assertBlocked("a");
            time.advance(SECOND);
            assertThat(writes.load("a")).isEqualTo("dead a");
            restart(DeadKey.BLOCK);
            assertThat(writes.load("a")).isEqualTo("dead a");
            assertBlocked("a");
            assertThat(writes.discardAll()).isEqualTo(1);
            writes.save("a", "free");
        }

        @Test
        void is_read_after_any_number_of_restarts_if_its_key_was_blocked_all_the_time() throws Exception {
            kill("a");
            for (int i = 0; i < 3; i++) {
                restart(DeadKey.BLOCK);
                assertThat(writes.load("a")).isEqualTo("dead a");
                assertBlocked("a");
            }
            assertThat(writes.replayAll()).isEqualTo(1);
            writes.save("a", "newer");
            time.advance(SECOND);
            assertThat(store.rows).containsEntry("a", "newer");
        }
    }

    @Nested
    class AKeyThatIsFreeAgain {
        @Test
        void takes_no_write_if_the_journal_could_not_note_that() throws Exception {
            kill("a");
            journal.crash(false);
            writes.close(Duration.ZERO);
            journal = journal.reopened();
            journal.before = step -> {
                throw new IOException("disk full");
            };
            MemoryJournal<String, String> failing = journal;
            writes = WriteBehind.of("rows", store, c -> c.journal(failing).whenDead(DeadKey.EVICT), time.environment());
            assertThatExceptionOfType(WriteRefusedException.class)
                    .isThrownBy(() -> writes.save("a", "newer"))
                    .satisfies(refusal -> assertThat(refusal.reason()).isEqualTo(Reason.JOURNAL));
        }

        @Test
        void is_taken_for_blocked_no_longer_when_its_letter_could_not_be_kept() throws Exception {
            IllegalArgumentException unfit = new IllegalArgumentException("too large");
            journal.before = step -> {
                if (step.startsWith("bury")) {
                    throw unfit;
                }
            };
            kill("a");
            writes.save("a", "newer");
            journal.before = step -> {};
            time.advance(SECOND);
            assertThat(store.rows).containsEntry("a", "newer");
            assertThat(writes.deadWrites()).isEmpty();
        }
    }

    @Test
    void a_key_is_not_refused_for_a_letter_for_which_there_is_no_place() throws Exception {
        List<Throwable> thrown = new ArrayList<>();
        restart(DeadKey.BLOCK);
        writes = WriteBehind.of(
                "rows",
                store,
                c -> c.maxTries(1).maxDead(1).whenDead(DeadKey.BLOCK).backoff((attempt, random) -> {
                    if (thrown.isEmpty()) {
                        thrown.add(catchThrowable(() -> writes.save("b", "newer")));
                    }
                    return 1_000_000;
                }),
                time.environment());
        kill("a", "b");
        time.advance(SECOND);
        assertThat(writes.deadWrites()).extracting(it -> it.write().key()).containsExactly("a");
        assertThat(thrown).hasSize(1).containsOnlyNulls();
        assertThat(store.rows).containsEntry("b", "newer");
    }

    @Test
    void a_letter_that_cannot_be_replayed_does_not_keep_the_others_from_it() throws Exception {
        kill("a", "b", "c", "d");
        IllegalArgumentException first = new IllegalArgumentException("of another schema");
        AssertionError second = new AssertionError("of a codec");
        journal.before = step -> {
            if (step.equals("replay 1")) {
                throw first;
            }
            if (step.equals("replay 3")) {
                throw second;
            }
        };
        Throwable thrown = catchThrowable(() -> writes.replayAll());
        journal.before = step -> {};
        time.advance(SECOND);
        assertThat(store.rows).containsOnlyKeys("b", "d");
        assertThat(writes.deadWrites()).extracting(it -> it.write().key()).containsExactly("a", "c");
        assertThat(thrown).isSameAs(first).hasSuppressedException(second);
        assertThat(writes.replayAll()).isEqualTo(2);
    }
}
