package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.core.testing.WithoutLibrary;
import dev.levee.journal.JournalException.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A journal and the folder that it has, on the file system. */
@Timeout(60)
class JournalFolderTest {

    @TempDir
    Path folder;

    private static WriteJournal<String, String> journal(Path folder) {
        return FileJournal.of("clicks", folder, Codec.strings(), Codec.strings());
    }

    private static JournalException refused(Path folder) {
        JournalException failure = catchThrowableOfType(
                JournalException.class, () -> journal(folder).open());
        assertThat(failure).isNotNull().hasMessageStartingWith("journal \"clicks\": ");
        return failure;
    }

    @Test
    void a_folder_that_another_process_has_open_is_refused_until_that_ends() throws Exception {
        Process other = JournalProcess.hold(folder);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(other.getInputStream(), StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); !"open".equals(line); line = lines.readLine()) {
                assertThat(line).startsWith("SLF4J");
            }

            JournalException failure = refused(folder);
            assertThat(failure).hasMessageContaining(folder + " is in use by another process");
            assertThat(failure.reason()).isEqualTo(Reason.LOCKED);
        } finally {
            other.destroyForcibly().waitFor();
        }
        journal(folder).open();
    }

    @Test
    void a_folder_that_this_process_has_open_is_refused_by_any_name_until_it_is_closed() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Files.createDirectory(folder.resolve("real")));
        WriteJournal<String, String> first = journal(folder.resolve("real"));
        first.open();

        for (Path name : List.of(link, folder.resolve("real"), folder.resolve("link/../link"))) {
            JournalException failure = refused(name);
            assertThat(failure).hasMessageContaining("is in use by this process");
            assertThat(failure.reason()).isEqualTo(Reason.LOCKED);
        }
        first.append(new PendingWrite<>("a", "1", 1, Instant.EPOCH));
        first.close();
        assertThat(journal(link).open().pending()).hasSize(1);
    }

    /** A lock of a process ends when any of its channels of the file is closed, so the second must not close it. */
    @Test
    void a_second_class_loader_neither_gets_the_folder_nor_unlocks_it() throws Exception {
        WriteJournal<String, String> first = journal(folder);
        first.open();
        URL[] urls = Stream.of(FileJournal.class, Codec.class, dev.levee.core.Environment.class)
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .distinct()
                .toArray(URL[]::new);
        try (URLClassLoader loader =
                new URLClassLoader(urls, new WithoutLibrary(getClass().getClassLoader()))) {
            Class<?> disk = loader.loadClass(FolderDisk.class.getName());
            var constructor = disk.getDeclaredConstructor(String.class, Path.class);
            constructor.setAccessible(true);
            var lock = disk.getDeclaredMethod("lock");
            lock.setAccessible(true);
            assertThatThrownBy(() -> lock.invoke(constructor.newInstance("clicks", folder)))
                    .hasRootCauseMessage(null)
                    .cause()
                    .hasMessageContaining("in use by this process");
        }

        Process other = JournalProcess.hold(folder);
        other.getOutputStream().close(); // ends it, should it get the lock
        String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        other.waitFor();
        assertThat(said).contains("is in use by another process");
        first.close();
    }

    @Test
    void a_folder_that_cannot_be_made_or_is_a_file_is_refused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");

        for (Path name : List.of(file, file.resolve("journal"), Path.of("/proc/levee/journal"))) {
            JournalException failure = refused(name);
            assertThat(failure).hasMessageContaining(name + " cannot be made, or is no folder");
            assertThat(failure.reason()).isEqualTo(Reason.READ_ONLY);
        }
    }

    /** The superuser may write everywhere but to what no process may write to. */
    @Test
    void a_folder_that_may_not_be_written_is_refused() throws IOException {
        Path readOnly = Files.createDirectory(folder.resolve("read-only"));
        Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r-xr-xr-x"));
        if (Files.isWritable(readOnly)) {
            readOnly = Path.of("/proc/self");
        }

        assertThat(refused(readOnly).reason()).isEqualTo(Reason.READ_ONLY);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void a_segment_that_may_not_be_written_is_refused_as_such() throws IOException {
        Path segment = Files.createFile(folder.resolve(Segment.name(1)));
        Files.setPosixFilePermissions(segment, PosixFilePermissions.fromString("r--r--r--"));
        if (Files.isWritable(segment)) { // by the superuser
            Files.delete(segment);
            Files.createSymbolicLink(segment, Path.of("/sys/devices/system/cpu/online"));
        }

        assertThat(refused(folder))
                .hasMessageContaining(segment + " may not be written")
                .extracting(JournalException::reason)
                .isEqualTo(Reason.READ_ONLY);
    }

    @Test
    void a_folder_in_which_another_file_has_the_name_of_a_segment_is_refused() throws IOException {
        Files.writeString(folder.resolve(Segment.name(1)), "text");

        assertThat(refused(folder))
                .hasMessageContaining(folder.resolve(Segment.name(1)).toString())
                .extracting(JournalException::reason)
                .isEqualTo(Reason.FOREIGN);
        assertThat(folder.resolve(Segment.name(1))).hasContent("text");
    }

    @Test
    void a_file_whose_number_no_segment_can_have_is_left_alone() throws IOException {
        Path other = Files.writeString(folder.resolve("journal-9999999999999999999.log"), "text");

        try (WriteJournal<String, String> journal = journal(folder)) {
            assertThat(journal.open().pending()).isEmpty();
        }
        assertThat(other).hasContent("text");
    }

    /** Arabic as in Egypt writes numbers with digits of its own. */
    @Test
    void a_journal_finds_its_files_again_in_any_locale() throws IOException {
        Locale before = Locale.getDefault();
        try {
            for (String locale : List.of("ar-EG", "en-US", "ar-EG")) {
                Locale.setDefault(Locale.forLanguageTag(locale));
                try (WriteJournal<String, String> journal = journal(folder)) {
                    int known = journal.open().pending().size();
                    journal.append(new PendingWrite<>("key " + known, "1", known + 1, Instant.EPOCH));
                }
            }
            assertThat(journal(folder).open().pending()).hasSize(3);
        } finally {
            Locale.setDefault(before);
        }
    }

    /** The room that is reserved with {@code DISK} is more than there is. */
    @Test
    void what_could_not_be_reserved_takes_no_room_from_the_writes() throws Exception {
        Process full = JournalProcess.limited(folder, Durability.DISK, 8, 32);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(full.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.lines().filter(line -> line.startsWith("r "))).hasSizeGreaterThan(20);
        }
        assertThat(full.waitFor()).isEqualTo(1);
    }

    /** The limit on the size of files stands for a disk that is full: the write is taken in part, then fails. */
    @ParameterizedTest
    @EnumSource(Durability.class)
    void a_process_that_cannot_write_any_more_says_so_and_loses_nothing(Durability durability) throws Exception {
        Process full = JournalProcess.limited(folder, durability, 7, 32);
        int[] begun = new int[DoomedJournal.THREADS];
        int[] returned = new int[DoomedJournal.THREADS];
        StringBuilder said = new StringBuilder();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(full.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null; ) {
                JournalKillTest.count(line, begun, returned, said);
            }
        }
        assertThat(full.waitFor()).isEqualTo(1);
        assertThat(said).contains("JournalException: journal \"doomed\": writing to " + folder, "File too large");

        try (WriteJournal<String, String> journal = DoomedJournal.journal(folder, durability)) {
            JournalKillTest.checkAll(JournalKillTest.nothing(), journal.open(), 7, begun, returned, "full");
        }
    }

    @Test
    void a_name_a_folder_and_settings_are_checked_when_the_journal_is_made() {
        assertThatThrownBy(() -> FileJournal.of(" ", folder, Codec.strings(), Codec.strings()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name must not be blank");
        assertThatThrownBy(() -> FileJournal.of("j", null, Codec.strings(), Codec.strings()))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("journal \"j\": folder");
        assertThatThrownBy(() -> FileJournal.of("j", folder, null, Codec.strings()))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("journal \"j\": keys");
        assertThatThrownBy(() -> FileJournal.of("j", folder, Codec.strings(), null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("journal \"j\": values");
        assertThatThrownBy(
                        () -> FileJournal.of("j", folder, Codec.strings(), Codec.strings(), c -> c.segmentBytes(4095)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("journal \"j\": segmentBytes must be from 4096 to 1073741824, but was 4095");
        assertThatThrownBy(() -> FileJournal.of("j", folder, Codec.strings(), Codec.strings(), c -> c.durability(null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("journal \"j\": durability");
    }
}
