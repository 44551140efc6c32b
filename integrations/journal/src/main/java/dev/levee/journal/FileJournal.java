package dev.levee.journal;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Makes journals in files: what a write-behind has accepted survives {@code kill -9}, or the loss of power, until the
 * store has it.
 *
 * <pre>{@code
 * WriteJournal<String, String> journal = FileJournal.of(
 *         "clicks", Path.of("/var/lib/app/clicks"), Codec.strings(), Codec.strings(),
 *         c -> c.durability(Durability.DISK));
 * }</pre>
 *
 * <p>Each journal has a folder of its own, which one process opens at a time. It has append-only segments; the oldest
 * one is deleted when nothing in it is pending any more, and what is left in it is copied forward when more than half
 * of all bytes are dead. There is no thread: callers that write at one time form a batch, and one of them writes it for
 * all. Blocks on the disk; an interrupt does not end the wait, and is kept. In a virtual thread the disk holds the
 * carrier, as all files do. Memory: about 100 bytes for each pending write, beside the key.
 *
 * <p>A codec that throws, and a write that is too large, refuse this write and change nothing. Any failure of the disk
 * ends the journal: it refuses everything from then on with a {@link JournalException}, since after a failed
 * {@code fsync} no later one tells what has reached the device (A. Rebello et al., <i>Can Applications Recover from
 * fsync Failures?</i>, USENIX ATC 2020). Close it, and open another one on the folder when the disk is well again.
 *
 * <p>Provisional: this module grows in later versions. See ADR 110.
 *
 * @since 0.1
 */
public final class FileJournal {
    /** The number of bytes that key and value of a write may have together: 64 MiB. */
    public static final int MAX_WRITE_BYTES = 64 * 1024 * 1024;

    private FileJournal() {}

    /**
     * Makes a journal that survives the end of the process.
     *
     * @param name of the journal, for messages
     * @param folder where its files are; made by {@link WriteJournal#open} if it is not there
     * @param keys turns keys into bytes and back
     * @param values turns values into bytes and back
     * @param <K> the keys, with {@code equals} and {@code hashCode}
     * @param <V> the values
     * @return the journal, not yet open
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static <K, V> WriteJournal<K, V> of(String name, Path folder, Codec<K> keys, Codec<V> values) {
        return of(name, folder, keys, values, config -> {});
    }

    /**
     * Makes a journal.
     *
     * @param name of the journal, for messages
     * @param folder where its files are; made by {@link WriteJournal#open} if it is not there
     * @param keys turns keys into bytes and back
     * @param values turns values into bytes and back
     * @param configure sets what differs from the defaults
     * @param <K> the keys, with {@code equals} and {@code hashCode}
     * @param <V> the values
     * @return the journal, not yet open
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     */
    public static <K, V> WriteJournal<K, V> of(
            String name,
            Path folder,
            Codec<K> keys,
            Codec<V> values,
            Consumer<? super FileJournalConfig.Builder> configure) {
        return of(name, folder, keys, values, configure, Environment.system());
    }

    /**
     * Makes a journal.
     *
     * @param name of the journal, for messages
     * @param folder where its files are; made by {@link WriteJournal#open} if it is not there
     * @param keys turns keys into bytes and back
     * @param values turns values into bytes and back
     * @param configure sets what differs from the defaults
     * @param environment the source of random numbers, which mark the files
     * @param <K> the keys, with {@code equals} and {@code hashCode}
     * @param <V> the values
     * @return the journal, not yet open
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of its
     *     range
     */
    public static <K, V> WriteJournal<K, V> of(
            String name,
            Path folder,
            Codec<K> keys,
            Codec<V> values,
            Consumer<? super FileJournalConfig.Builder> configure,
            Environment environment) {
        FileJournalConfig config = Require.configured(
                "journal", name, FileJournalConfig.builder(), configure, FileJournalConfig.Builder::build);
        return Require.naming(
                "journal",
                name,
                () -> new SegmentedJournal<>(
                        name,
                        new FolderDisk(name, Require.nonNull("folder", folder)),
                        Require.nonNull("keys", keys),
                        Require.nonNull("values", values),
                        config,
                        Require.nonNull("environment", environment).random()));
    }
}
