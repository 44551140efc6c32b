package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.stream.Stream;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract of journals in files, on the file system. */
@SuppressWarnings("IdentityHashMapUsage")
abstract class FileJournalContract extends WriteJournalContract {
    private final Durability durability;
    private final IdentityHashMap<WriteJournal<String, String>, Path> folders = new IdentityHashMap<>();

    FileJournalContract(Durability durability) {
        this.durability = durability;
    }

    @Override
    WriteJournal<String, String> fresh() throws IOException {
        return in(Files.createTempDirectory("levee-journal").resolve("made/by/open"));
    }

    @Override
    WriteJournal<String, String> again(WriteJournal<String, String> closed) {
        return in(folders.get(closed));
    }

    private WriteJournal<String, String> in(Path folder) {
        WriteJournal<String, String> journal = FileJournal.of(
                "files",
                folder,
                Codec.strings(),
                Codec.strings(),
                c -> c.durability(durability).segmentBytes(16 * 1024));
        folders.put(journal, folder);
        return journal;
    }

    @Test
    void the_promise_is_the_one_that_was_set() throws IOException {
        assertThat(fresh().durability()).isEqualTo(durability);
    }

    @AfterEach
    @AfterProperty
    void deleteFolders() throws IOException {
        for (Path folder : folders.values()) {
            Path made = folder.getParent().getParent().getParent();
            if (Files.exists(made)) {
                try (Stream<Path> files = Files.walk(made)) {
                    for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(file);
                    }
                }
            }
        }
    }
}
