package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.cache.Codec;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import dev.levee.journal.JournalException.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each thing that can be wrong with the files of a journal, or with the disk, is an error with a name. */
@SuppressWarnings("NarrowingCompoundAssignment")
class JournalErrorsTest {
    private static final String FIRST = Segment.name(1);

    private static PendingWrite<String, String> write(String key, String value, long sequence) {
        return new PendingWrite<>(key, value, sequence, Instant.EPOCH);
    }

    private static WriteJournal<String, String> journal(SimulatedDisk disk, Durability durability) {
        return journal(disk, durability, Codec.strings());
    }

    private static WriteJournal<String, String> journal(
            SimulatedDisk disk, Durability durability, Codec<String> values) {
        return new SegmentedJournal<>(
                "broken",
                disk,
                Codec.strings(),
                values,
                FileJournalConfig.builder()
                        .durability(durability)
                        .segmentBytes(4096)
                        .build(),
                new Random(5));
    }

    private static JournalException failure(ThrowingCallable call) {
        JournalException failure = catchThrowableOfType(JournalException.class, call);
        assertThat(failure).isNotNull();
        assertThat(failure).hasMessageStartingWith("journal \"broken\": ");
        return failure;
    }

    /** Files of a process that was killed after some writes, each in a frame of its own. */
    private static Map<String, byte[]> killed(int writes) throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
        journal.open();
        for (int sequence = 1; sequence <= writes; sequence++) {
            journal.append(write("key" + sequence, "value" + sequence, sequence));
        }
        return new TreeMap<>(disk.files());
    }

    /** Opens files that must not be opened, and sees that they were not changed. */
    private static JournalException refused(Map<String, byte[]> files) {
        SimulatedDisk disk = new SimulatedDisk(files);
        JournalException failure =
                failure(() -> journal(disk, Durability.PROCESS).open());
        assertThat(disk.events).as("changed").isEmpty();
        return failure;
    }

    @Nested
    class Files {

        @Test
        void foreign_bytes_are_refused() throws IOException {
            for (byte[] bytes : List.of(
                    new byte[] {'h', 'i'},
                    new byte[5000],
                    "#!/bin/sh\n".repeat(99).getBytes(StandardCharsets.UTF_8))) {
                assertThat(refused(Map.of(FIRST, bytes)))
                        .hasMessageContaining("/simulated/" + FIRST)
                        .extracting(JournalException::reason)
                        .isEqualTo(Reason.FOREIGN);
            }
        }

        @Test
        void foreign_bytes_between_segments_are_refused() throws IOException {
            Map<String, byte[]> files = killed(100);
            assertThat(files).hasSizeGreaterThan(2);
            files.put(Segment.name(2), new byte[100]);

            assertThat(refused(files).reason()).isEqualTo(Reason.FOREIGN);
        }

        @Test
        void files_with_other_names_are_left_alone() throws IOException {
            Map<String, byte[]> files = killed(2);
            files.put("README.txt", new byte[] {1});
            files.put("journal-1.log", new byte[] {2});
            SimulatedDisk disk = new SimulatedDisk(files);

            assertThat(journal(disk, Durability.PROCESS).open().pending()).hasSize(2);
            assertThat(disk.files()).containsKeys("README.txt", "journal-1.log");
        }

        @Test
        void a_newer_version_is_refused_with_both_numbers() throws IOException {
            Map<String, byte[]> files = killed(1);
            ByteBuffer.wrap(files.get(FIRST)).putInt(8, 2);

            assertThat(refused(files))
                    .hasMessageContaining("version 2")
                    .hasMessageContaining("reads 1")
                    .extracting(JournalException::reason)
                    .isEqualTo(Reason.NEWER_VERSION);
        }

        @Test
        void a_changed_byte_anywhere_before_the_last_frame_is_damage() throws IOException {
            Map<String, byte[]> files = killed(8);
            byte[] whole = files.get(FIRST);
            int lastFrame = lastFrame(whole);
            for (int at = 0; at < lastFrame; at++) {
                byte[] changed = whole.clone();
                changed[at] = (byte) (changed[at] ^ (1 << (at % 8)));
                files.put(FIRST, changed);

                assertThat(refused(files).reason())
                        .as("byte %s", at)
                        .isIn(at < 8 ? Reason.FOREIGN : at < 12 ? Reason.NEWER_VERSION : Reason.DAMAGED);
            }
        }

        @Test
        void a_changed_byte_anywhere_in_a_closed_journal_is_damage() throws IOException {
            SimulatedDisk disk = new SimulatedDisk(killed(3));
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            journal.append(write("key", "value", 9));
            journal.close();
            Map<String, byte[]> files = new TreeMap<>(disk.files());
            for (String name : List.copyOf(files.keySet())) {
                byte[] whole = files.get(name);
                boolean last = name.equals(Segment.name(2));
                assertThat(last && lastFrame(whole) == Segment.HEADER_BYTES)
                        .as("the last frame says no more than that the journal was closed")
                        .isFalse();
                for (int at = 12; at < (last ? lastFrame(whole) : whole.length); at++) {
                    byte[] changed = whole.clone();
                    changed[at] ^= 0x40;
                    files.put(name, changed);
                    assertThat(refused(files).reason())
                            .as("%s, byte %s", name, at)
                            .isEqualTo(Reason.DAMAGED);
                }
                files.put(name, whole);
            }
        }

        @Test
        void a_torn_tail_is_cut_off_and_what_came_before_is_kept() throws IOException {
            Map<String, byte[]> files = killed(8);
            byte[] whole = files.get(FIRST);
            for (int length = lastFrame(whole); length < whole.length; length++) {
                files.put(FIRST, Arrays.copyOf(whole, length));
                SimulatedDisk disk = new SimulatedDisk(files);

                assertThat(journal(disk, Durability.PROCESS).open().pending()).hasSize(7);
                assertThat(disk.files().get(FIRST)).hasSize(lastFrame(whole));
            }
        }

        @Test
        void a_value_that_looks_like_frames_is_not_taken_for_them() throws IOException {
            Map<String, byte[]> files = killed(3);
            SimulatedDisk disk = new SimulatedDisk();
            WriteJournal<String, byte[]> journal = new SegmentedJournal<>(
                    "broken",
                    disk,
                    Codec.strings(),
                    Codec.bytes(),
                    FileJournalConfig.builder().build(),
                    new Random(6));
            journal.open();
            journal.append(new PendingWrite<>("a", files.get(FIRST), 1, Instant.EPOCH));
            Map<String, byte[]> torn = new TreeMap<>(disk.files());
            torn.computeIfPresent(FIRST, (name, bytes) -> Arrays.copyOf(bytes, bytes.length - 1));

            assertThat(journal(new SimulatedDisk(torn), Durability.PROCESS)
                            .open()
                            .pending())
                    .isEmpty();
        }

        @Test
        void a_segment_that_is_missing_is_damage() throws IOException {
            Map<String, byte[]> files = killed(200);
            assertThat(files).hasSizeGreaterThan(3);
            for (int missing = 1; missing < files.size(); missing++) {
                Map<String, byte[]> left = new TreeMap<>(files);
                left.remove(Segment.name(missing));

                assertThat(refused(left).reason()).as("segment %s", missing).isEqualTo(Reason.DAMAGED);
            }
        }

        @Test
        void a_segment_that_has_lost_its_end_is_damage_unless_it_is_the_last() throws IOException {
            Map<String, byte[]> files = killed(200);
            byte[] first = files.get(FIRST);
            for (int length : List.of(0, 63, 64, lastFrame(first), first.length - 1)) {
                files.put(FIRST, Arrays.copyOf(first, length));
                assertThat(refused(files).reason()).as("%s bytes", length).isEqualTo(Reason.DAMAGED);
            }
        }

        @Test
        void swapped_segments_are_refused() throws IOException {
            Map<String, byte[]> files = killed(200);
            byte[] first = files.get(FIRST);
            files.put(FIRST, files.get(Segment.name(2)));
            files.put(Segment.name(2), first);

            assertThat(refused(files).reason()).isEqualTo(Reason.FOREIGN);
        }

        private int lastFrame(byte[] bytes) {
            int at = Segment.HEADER_BYTES;
            while (true) {
                int next = at + Frame.HEADER_BYTES + Frame.recordBytes(bytes, at);
                if (next >= bytes.length) {
                    return at;
                }
                at = next;
            }
        }
    }

    @Nested
    class Disk {

        @ParameterizedTest
        @EnumSource(Durability.class)
        void a_full_disk_fails_the_write_and_everything_after_it_and_loses_nothing(Durability durability)
                throws IOException {
            for (long room = 64; room < 3000; room += 7) {
                SimulatedDisk disk = new SimulatedDisk();
                WriteJournal<String, String> journal = journal(disk, durability);
                disk.room = room;
                journal.open();
                int kept = 0;
                JournalException first = null;
                while (first == null) {
                    try {
                        journal.append(write("key" + kept, "value", kept + 1L));
                        kept++;
                    } catch (JournalException e) {
                        first = e;
                    }
                }
                disk.room = Long.MAX_VALUE;

                assertThat(first.reason()).isEqualTo(Reason.FAILED);
                assertThat(first)
                        .hasMessageContaining("No space left on device")
                        .hasRootCauseInstanceOf(IOException.class);
                assertRefusesEverything(journal, first);
                journal.close();
                WriteJournal<String, String> again = journal(disk, durability);
                assertThat(again.open().pending()).hasSize(kept);
                again.append(write("more", "value", 9999));
            }
        }

        @Test
        void a_disk_that_is_full_at_the_open_is_an_error() throws IOException {
            SimulatedDisk disk = new SimulatedDisk(killed(3));
            disk.room = 10;

            assertThat(failure(() -> journal(disk, Durability.PROCESS).open()))
                    .hasMessageContaining("No space left on device");

            disk.room = Long.MAX_VALUE;
            assertThat(journal(disk, Durability.PROCESS).open().pending()).hasSize(3);
        }

        @Test
        void a_journal_whose_open_has_failed_may_be_opened_again() throws IOException {
            SimulatedDisk disk = new SimulatedDisk(killed(3));
            disk.room = 10;
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            failure(journal::open);
            disk.room = Long.MAX_VALUE;

            assertThat(journal.open().pending()).hasSize(3);
        }

        @Test
        void after_a_failed_fsync_nothing_is_forced_again() throws IOException {
            for (int forces = 0; forces < 12; forces++) {
                SimulatedDisk disk = new SimulatedDisk();
                WriteJournal<String, String> journal = journal(disk, Durability.DISK);
                journal.open();
                disk.forces = forces;
                JournalException first = null;
                for (int sequence = 1; first == null; sequence++) {
                    try {
                        journal.append(write("key", "v".repeat(2000), sequence));
                    } catch (JournalException e) {
                        first = e;
                    }
                }
                disk.forces = Integer.MAX_VALUE;
                int events = disk.events.size();

                assertThat(first).hasMessageContaining("Input/output error");
                assertRefusesEverything(journal, first);
                journal.close();
                assertThat(disk.events).as("after the failure").hasSize(events);
            }
        }

        /** Deleting old segments is what is left to do after an acknowledged write. */
        @Test
        void a_chore_that_fails_ends_the_journal_and_not_the_write_before() throws IOException {
            SimulatedDisk disk = new SimulatedDisk();
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            disk.forces = 3;
            int kept = 0;
            JournalException first = null;
            while (first == null) {
                try {
                    journal.append(write("key", "v".repeat(1000) + kept, kept + 1L));
                    kept++;
                } catch (JournalException e) {
                    first = e;
                }
            }
            assertRefusesEverything(journal, first);
            journal.close();
            disk.forces = Integer.MAX_VALUE;

            assertThat(journal(disk, Durability.PROCESS).open().pending())
                    .extracting(PendingWrite::sequence)
                    .containsExactly((long) kept);
        }

        /** A copy has a checksum of its own, which must not make changed bytes right. */
        @Test
        void a_record_that_has_changed_on_the_disk_is_not_copied() throws IOException {
            SimulatedDisk disk = new SimulatedDisk();
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            journal.append(write("waits", "precious", 1));
            byte[] first = disk.files().get(FIRST);
            first[first.length - 3] ^= 1;
            JournalException failure = null;
            for (int sequence = 2; failure == null && sequence < 1000; sequence++) {
                try {
                    journal.append(write("key", "v".repeat(1000), sequence));
                } catch (JournalException e) {
                    failure = e;
                }
            }

            assertThat(failure).hasMessageContaining(FIRST + " is damaged: the record at byte 96 has changed");
            assertThat(failure.reason()).isEqualTo(Reason.DAMAGED);
        }

        private void assertRefusesEverything(WriteJournal<String, String> journal, JournalException first) {
            PendingWrite<String, String> write = write("key", "value", 77_777);
            DeadWrite<String, String> letter = new DeadWrite<>(write, "error", 1, Instant.EPOCH);
            for (ThrowingCallable call : List.<ThrowingCallable>of(
                    () -> journal.append(write),
                    () -> journal.remove(List.of(write)),
                    () -> journal.bury(letter),
                    () -> journal.replay(letter, write),
                    () -> journal.discard(List.of(letter)))) {
                JournalException failure = failure(call);
                assertThat(failure).hasMessage(first.getMessage()).hasCause(first.getCause());
                assertThat(failure.reason()).isEqualTo(first.reason());
            }
        }
    }

    @Nested
    class Codecs {

        private final SimulatedDisk disk = new SimulatedDisk();

        @Test
        void a_codec_that_throws_refuses_this_write_and_no_other() throws IOException {
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            journal.append(write("a", "1", 1));

            assertThatThrownBy(() -> journal.append(write("b", "\ud800", 2)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> journal.append(write("\udc00", "2", 2)))
                    .isInstanceOf(IllegalArgumentException.class);

            journal.append(write("c", "3", 3));
            journal.close();
            assertThat(journal(disk, Durability.PROCESS).open().pending())
                    .containsExactly(write("a", "1", 1), write("c", "3", 3));
        }

        @Test
        void what_a_codec_throws_is_never_taken_for_a_failure_of_the_journal() throws Exception {
            List<RuntimeException> thrown = List.of(
                    new IllegalStateException("no schema"), new UncheckedIOException(new IOException("no JSON")));
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS, new Codec<>() {
                @Override
                public byte[] encode(String value) {
                    if (value.length() == 1) {
                        throw thrown.get(Integer.parseInt(value));
                    }
                    return Codec.strings().encode(value);
                }

                @Override
                public String decode(byte[] bytes) {
                    return Codec.strings().decode(bytes);
                }
            });
            Map<String, String> rows = new TreeMap<>();
            Store<String, String> store = new Store<>() {
                @Override
                public String load(String key) {
                    return rows.get(key);
                }

                @Override
                public void save(String key, String value) {
                    rows.put(key, value);
                }

                @Override
                public void delete(String key) {
                    rows.remove(key);
                }
            };
            try (WriteBehind<String, String> writes = WriteBehind.of("rows", store, c -> c.journal(journal))) {
                for (int i = 0; i < thrown.size(); i++) {
                    String value = Integer.toString(i);
                    assertThatThrownBy(() -> writes.save("a", value))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessageStartingWith("journal \"broken\": the codec cannot write a value: ")
                            .hasCause(thrown.get(i));
                }
                writes.save("a", "good");
                assertThat(writes.load("a")).isEqualTo("good");
            }
            assertThat(rows).containsExactly(Map.entry("a", "good"));
        }

        @Test
        void an_error_of_a_codec_comes_out_as_the_same_object() throws IOException {
            StackOverflowError error = new StackOverflowError();
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS, new Codec<>() {
                @Override
                public byte[] encode(String value) {
                    if (value.equals("deep")) {
                        throw error;
                    }
                    return Codec.strings().encode(value);
                }

                @Override
                public String decode(byte[] bytes) {
                    return Codec.strings().decode(bytes);
                }
            });
            journal.open();

            assertThatThrownBy(() -> journal.append(write("a", "deep", 1))).isSameAs(error);
            journal.append(write("a", "flat", 2));
        }

        @Test
        void a_record_that_its_codec_cannot_read_is_an_error_that_changes_nothing() throws IOException {
            SimulatedDisk broken = new SimulatedDisk(killed(3));
            IllegalArgumentException cause = new IllegalArgumentException("of the old\nversion");
            Codec<String> codec = new Codec<>() {
                @Override
                public byte[] encode(String value) {
                    return Codec.strings().encode(value);
                }

                @Override
                public String decode(byte[] bytes) {
                    throw cause;
                }
            };

            assertThat(failure(() -> journal(broken, Durability.PROCESS, codec).open()))
                    .hasMessageContaining(FIRST)
                    .hasMessageContaining("of the old\\u000Aversion")
                    .hasCause(cause);
            assertThat(broken.events).isEmpty();
        }

        @Test
        void a_value_of_no_bytes_is_kept_and_is_no_delete() throws IOException {
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            journal.append(write("", "", 1));
            journal.close();

            assertThat(journal(disk, Durability.PROCESS).open().pending()).containsExactly(write("", "", 1));
        }

        @Test
        void a_write_of_many_megabytes_is_kept_and_a_larger_one_refused_by_its_size() throws IOException {
            WriteJournal<String, byte[]> journal = new SegmentedJournal<>(
                    "broken",
                    disk,
                    Codec.strings(),
                    Codec.bytes(),
                    FileJournalConfig.builder().segmentBytes(4096).build(),
                    new Random(6));
            journal.open();
            byte[] most = new byte[FileJournal.MAX_WRITE_BYTES - 1];
            new Random(3).nextBytes(most);
            assertThatThrownBy(() -> journal.append(new PendingWrite<>("ab", most, 1, Instant.EPOCH)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("journal \"broken\": key and value must have at most 67108864 bytes, but had 67108865");
            journal.append(new PendingWrite<>("a", most, 2, Instant.EPOCH));
            journal.append(new PendingWrite<>("b", new byte[1], 3, Instant.EPOCH));
            journal.close();

            Recovered<String, byte[]> recovered = new SegmentedJournal<>(
                            "broken",
                            disk,
                            Codec.strings(),
                            Codec.bytes(),
                            FileJournalConfig.builder().build(),
                            new Random(6))
                    .open();
            assertThat(recovered.pending()).hasSize(2);
            assertThat(recovered.pending().get(0).value()).isEqualTo(most);
        }

        @Test
        void a_long_error_of_a_dead_letter_is_cut_off() throws IOException {
            WriteJournal<String, String> journal = journal(disk, Durability.PROCESS);
            journal.open();
            journal.bury(new DeadWrite<>(write("a", "1", 1), "x".repeat(100_000), 1, Instant.EPOCH));
            journal.close();

            assertThat(journal(disk, Durability.PROCESS).open().dead())
                    .singleElement()
                    .satisfies(it -> assertThat(it.error()).hasSize(4099).endsWith("x..."));
        }
    }
}
