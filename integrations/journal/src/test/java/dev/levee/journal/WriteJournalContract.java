package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every journal promises. */
@Timeout(60)
abstract class WriteJournalContract {
    private static final Instant NOW = Instant.parse("2026-11-29T10:15:30.123456789Z");

    /** Returns a journal that is not open, on files of its own. */
    abstract WriteJournal<String, String> fresh() throws IOException;

    /** Returns a journal that is not open, on the files of another one that has been closed. */
    abstract WriteJournal<String, String> again(WriteJournal<String, String> closed) throws IOException;

    private Recovered<String, String> reopen(WriteJournal<String, String> journal) throws IOException {
        journal.close();
        try (WriteJournal<String, String> next = again(journal)) {
            return next.open();
        }
    }

    private WriteJournal<String, String> opened() throws IOException {
        WriteJournal<String, String> journal = fresh();
        assertThat(journal.open()).isEqualTo(new Recovered<>(List.of(), List.of(), 0));
        return journal;
    }

    private static PendingWrite<String, String> write(String key, String value, long sequence) {
        return new PendingWrite<>(key, value, sequence, NOW.plusNanos(sequence));
    }

    private static DeadWrite<String, String> letter(PendingWrite<String, String> write) {
        return new DeadWrite<>(write, "java.io.IOException: d\u00f6wn", 3, NOW.plusSeconds(9));
    }

    @Test
    void writes_come_back_in_the_order_of_their_sequences() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("b", "two", 2));
        journal.append(write("a", null, 3));
        journal.append(write("c", "", 1));
        journal.append(write("", "of no key", 4));

        assertThat(reopen(journal))
                .isEqualTo(new Recovered<>(
                        List.of(
                                write("c", "", 1),
                                write("b", "two", 2),
                                write("a", null, 3),
                                write("", "of no key", 4)),
                        List.of(),
                        4));
    }

    @Test
    void a_newer_write_replaces_an_older_one_of_its_key_and_not_the_other_way_round() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "old", 1));
        journal.append(write("a", "new", 3));
        journal.append(write("a", "late", 2));

        assertThat(reopen(journal).pending()).containsExactly(write("a", "new", 3));
    }

    @Test
    void a_delete_replaces_a_save() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "old", 1));
        journal.append(write("a", null, 2));

        assertThat(reopen(journal).pending()).containsExactly(write("a", null, 2));
    }

    @Test
    void what_was_removed_does_not_come_back_after_a_close() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.append(write("b", "2", 2));
        journal.append(write("c", "3", 3));
        journal.remove(List.of(write("c", "3", 3), write("a", "1", 1)));
        journal.remove(List.of());

        assertThat(reopen(journal)).isEqualTo(new Recovered<>(List.of(write("b", "2", 2)), List.of(), 3));
    }

    @Test
    void a_removal_of_an_older_write_leaves_the_newer_one() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.append(write("a", "2", 2));
        journal.remove(List.of(write("a", "1", 1)));
        journal.remove(List.of(write("unknown", "1", 1)));

        assertThat(reopen(journal).pending()).containsExactly(write("a", "2", 2));
    }

    @Test
    void the_greatest_sequence_is_known_when_nothing_is_left() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 41));
        journal.remove(List.of(write("a", "1", 41)));

        journal.close();
        WriteJournal<String, String> next = again(journal);
        assertThat(next.open()).isEqualTo(new Recovered<>(List.of(), List.of(), 41));
        assertThat(reopen(next)).isEqualTo(new Recovered<>(List.of(), List.of(), 41));
    }

    @Test
    void a_buried_write_is_a_dead_letter_and_not_pending() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.append(write("b", null, 2));
        journal.bury(letter(write("b", null, 2)));
        journal.bury(letter(write("a", "1", 1)));

        assertThat(reopen(journal))
                .isEqualTo(new Recovered<>(
                        List.of(), List.of(letter(write("b", null, 2)), letter(write("a", "1", 1))), 2));
    }

    @Test
    void a_burial_leaves_a_newer_write_of_its_key() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.append(write("a", "2", 2));
        journal.bury(letter(write("a", "1", 1)));

        Recovered<String, String> recovered = reopen(journal);
        assertThat(recovered.pending()).containsExactly(write("a", "2", 2));
        assertThat(recovered.dead()).containsExactly(letter(write("a", "1", 1)));
    }

    @Test
    void a_key_has_several_dead_letters_and_one_of_them_is_discarded() throws IOException {
        WriteJournal<String, String> journal = opened();
        for (int sequence = 1; sequence <= 3; sequence++) {
            journal.append(write("a", "v" + sequence, sequence));
            journal.bury(letter(write("a", "v" + sequence, sequence)));
        }
        journal.discard(List.of(letter(write("a", "v2", 2)), letter(write("b", "v2", 2))));

        assertThat(reopen(journal).dead()).containsExactly(letter(write("a", "v1", 1)), letter(write("a", "v3", 3)));
    }

    @Test
    void a_letter_that_is_buried_again_replaces_itself_and_leaves_a_newer_write() throws IOException {
        WriteJournal<String, String> journal = opened();
        DeadWrite<String, String> blocking = new DeadWrite<>(write("a", "1", 1), "down", Integer.MAX_VALUE, NOW, true);
        journal.append(write("a", "1", 1));
        journal.bury(blocking);
        journal.close();
        WriteJournal<String, String> next = again(journal);
        assertThat(next.open().dead()).containsExactly(blocking);

        next.bury(letter(write("a", "1", 1)));
        next.append(write("a", "2", 2));
        assertThat(reopen(next))
                .isEqualTo(new Recovered<>(List.of(write("a", "2", 2)), List.of(letter(write("a", "1", 1))), 2));
    }

    @Test
    void a_replayed_letter_is_pending_again() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.bury(letter(write("a", "1", 1)));
        journal.append(write("a", "2", 2));
        journal.replay(letter(write("a", "1", 1)), write("a", "1", 3));

        assertThat(reopen(journal)).isEqualTo(new Recovered<>(List.of(write("a", "1", 3)), List.of(), 3));
    }

    @Test
    void what_was_appended_is_kept_over_many_openings() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.append(write("b", "2", 2));
        journal.bury(letter(write("b", "2", 2)));
        for (int opening = 0; opening < 20; opening++) {
            journal.close();
            journal = again(journal);
            assertThat(journal.open())
                    .isEqualTo(new Recovered<>(List.of(write("a", "1", 1)), List.of(letter(write("b", "2", 2))), 2));
        }
        journal.close();
    }

    @Test
    void many_threads_append_at_once_and_nothing_is_lost() throws Exception {
        WriteJournal<String, String> journal = opened();
        int threads = 16;
        ExecutorService callers = Executors.newFixedThreadPool(threads);
        CountDownLatch begin = new CountDownLatch(1);
        List<Future<?>> ends = new ArrayList<>();
        for (int number = 0; number < threads; number++) {
            String key = "key" + number;
            ends.add(callers.submit(() -> {
                begin.await();
                for (int sequence = 1; sequence <= 200; sequence++) {
                    journal.append(write(key, "value" + sequence, sequence));
                    if (sequence % 3 == 0) {
                        journal.remove(List.of(write(key, "value" + sequence, sequence)));
                    }
                }
                return null;
            }));
        }
        begin.countDown();
        for (Future<?> end : ends) {
            end.get();
        }
        callers.shutdown();

        assertThat(reopen(journal).pending())
                .hasSize(threads)
                .allSatisfy(write -> assertThat(write.value()).isEqualTo("value200"));
    }

    @Test
    void a_second_close_does_nothing_and_a_call_after_it_is_refused() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("a", "1", 1));
        journal.close();
        journal.close();

        assertThatThrownBy(() -> journal.append(write("a", "2", 2))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> journal.remove(List.of(write("a", "1", 1)))).isInstanceOf(IOException.class);
        assertThat(reopen(journal).pending()).containsExactly(write("a", "1", 1));
    }

    @Test
    void a_journal_is_opened_once_and_before_everything_else() throws IOException {
        WriteJournal<String, String> journal = fresh();
        assertThatThrownBy(() -> journal.append(write("a", "1", 1))).isInstanceOf(IllegalStateException.class);
        journal.open();
        assertThatThrownBy(journal::open).isInstanceOf(IllegalStateException.class);
        journal.close();
        assertThatThrownBy(journal::open).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void an_interrupted_thread_writes_and_stays_interrupted() throws IOException {
        WriteJournal<String, String> journal = opened();
        Thread.currentThread().interrupt();
        journal.append(write("a", "1", 1));
        journal.append(write("b", "2", 2));
        journal.remove(List.of(write("a", "1", 1)));
        assertThat(Thread.interrupted()).isTrue();

        assertThat(reopen(journal).pending()).containsExactly(write("b", "2", 2));
    }

    @Property(tries = 30)
    void a_journal_is_a_map_and_a_list(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        JournalModel model = new JournalModel();
        WriteJournal<String, String> journal = fresh();
        journal.open();
        int steps = random.nextInt(100);
        for (int i = 0; i < steps; i++) {
            JournalModel.Step step = model.random(random, 1 + random.nextInt(20), 2000);
            step.on(model);
            step.on(journal);
            if (random.nextInt(30) == 0) {
                journal.close();
                journal = again(journal);
                assertThat(journal.open()).as("seed %s", seed).isEqualTo(model.recovered());
            }
        }
        assertThat(reopen(journal)).as("seed %s", seed).isEqualTo(model.recovered());
    }
}
