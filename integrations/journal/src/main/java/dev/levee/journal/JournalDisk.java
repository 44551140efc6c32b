package dev.levee.journal;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** The folder of a journal; tests have one that fails and crashes. Files are named without the folder. */
interface JournalDisk {
    /**
     * Makes the folder if it is not there, and locks it.
     *
     * @return unlocks it
     * @throws JournalException if it is locked or may not be written
     */
    Closeable lock() throws IOException;

    /** Returns the names of the files. */
    List<String> list() throws IOException;

    /** Makes an empty file, also in place of one that is there. */
    JournalFile create(String name) throws IOException;

    /** Opens a file that is there. */
    JournalFile open(String name) throws IOException;

    /** Gives a file another name, in place of one that has it, in one step. */
    void rename(String from, String to) throws IOException;

    /** Deletes a file if it is there. */
    void delete(String name) throws IOException;

    /** Forces the names of the files to the device. */
    void force() throws IOException;

    /** Returns what messages call a file. */
    String path(String name);
}
