package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** How many bytes and files a journal has on the disk, by what is pending. */
class JournalSpaceTest {
    private static final int SEGMENT_BYTES = 16 * 1024;

    private final SimulatedDisk disk = new SimulatedDisk();

    private WriteJournal<String, String> opened() throws IOException {
        WriteJournal<String, String> journal = new SegmentedJournal<>(
                "space",
                disk,
                Codec.strings(),
                Codec.strings(),
                FileJournalConfig.builder()
                        .durability(Durability.PROCESS)
                        .segmentBytes(SEGMENT_BYTES)
                        .build(),
                new Random(2));
        journal.open();
        return journal;
    }

    private static PendingWrite<String, String> write(String key, int value, long sequence) {
        return new PendingWrite<>(key, "v".repeat(value), sequence, Instant.EPOCH);
    }

    private long bytes() {
        return disk.files().values().stream().mapToLong(it -> it.length).sum();
    }

    @Test
    void writes_of_the_same_keys_leave_a_bounded_number_of_bytes() throws IOException {
        WriteJournal<String, String> journal = opened();
        for (int sequence = 1; sequence <= 50_000; sequence++) {
            journal.append(write("key" + sequence % 10, 100, sequence));
            if (sequence % 100 == 0) {
                assertThat(bytes()).isLessThan(6 * SEGMENT_BYTES);
            }
            disk.events.clear();
        }
    }

    @Test
    void a_write_that_waits_for_long_does_not_hold_the_bytes_that_came_after_it() throws IOException {
        WriteJournal<String, String> journal = opened();
        journal.append(write("waits", 100, 1));
        journal.bury(new DeadWrite<>(write("dead", 100, 2), "down", 1, Instant.EPOCH));
        for (int sequence = 3; sequence <= 50_000; sequence++) {
            PendingWrite<String, String> write = write("key" + sequence, 100, sequence);
            journal.append(write);
            journal.remove(List.of(write));
            if (sequence % 100 == 0) {
                assertThat(bytes()).isLessThan(6 * SEGMENT_BYTES);
            }
            disk.events.clear();
        }
        journal.close();
        assertThat(opened()).isNotNull();
    }

    @Test
    void what_was_many_writes_once_is_few_bytes_when_they_are_done() throws IOException {
        WriteJournal<String, String> journal = opened();
        List<PendingWrite<String, String>> writes = new ArrayList<>();
        for (int sequence = 1; sequence <= 5_000; sequence++) {
            writes.add(write("key" + sequence, 100, sequence));
            journal.append(writes.get(sequence - 1));
        }
        long most = bytes();
        journal.remove(writes);
        journal.append(write("more", 1, 9_000));

        assertThat(most).isGreaterThan(40 * SEGMENT_BYTES);
        assertThat(bytes()).isLessThan(5 * SEGMENT_BYTES);
    }

    @Test
    void many_openings_leave_few_files() throws IOException {
        WriteJournal<String, String> journal = opened();
        for (int opening = 1; opening <= 100; opening++) {
            journal.append(write("key" + opening, 10, opening));
            journal.close();
            journal = opened();
            assertThat(disk.files()).hasSizeLessThan(8);
        }
    }

    @Property(tries = 50)
    void bytes_are_bounded_by_what_is_pending(@ForAll long seed) throws IOException {
        SimulatedDisk ofTry = new SimulatedDisk();
        Random random = new Random(seed);
        JournalModel model = new JournalModel();
        int keys = 1 + random.nextInt(600);
        try (WriteJournal<String, String> journal = new SegmentedJournal<>(
                "space",
                ofTry,
                Codec.strings(),
                Codec.strings(),
                FileJournalConfig.builder().segmentBytes(SEGMENT_BYTES).build(),
                new Random(2))) {
            journal.open();
            for (int i = 0; i < 3000; i++) {
                JournalModel.Step step = model.random(random, keys, 600);
                step.on(model);
                step.on(journal);
                ofTry.events.clear();
                if (i % 20 == 0) {
                    long bytes = ofTry.files().values().stream()
                            .mapToLong(it -> it.length)
                            .sum();
                    assertThat(bytes).as("seed %s", seed).isLessThan(9 * live(model) / 4 + 6 * SEGMENT_BYTES);
                }
            }
        }
    }

    private static long live(JournalModel model) {
        long bytes = 0;
        for (PendingWrite<String, String> write : model.pending.values()) {
            String value = write.value();
            bytes += 61 + write.key().length() + (value == null ? 0 : value.length());
        }
        for (DeadWrite<String, String> letter : model.dead.values()) {
            String value = letter.write().value();
            bytes +=
                    81 + letter.error().length() + letter.write().key().length() + (value == null ? 0 : value.length());
        }
        return bytes;
    }
}
