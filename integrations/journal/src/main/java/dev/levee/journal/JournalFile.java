package dev.levee.journal;

import java.io.Closeable;
import java.io.IOException;

/** A file of a journal. One thread at a time reads, writes and cuts it; another one may force it meanwhile. */
interface JournalFile extends Closeable {
    /** Returns the number of bytes. */
    long length() throws IOException;

    /** Reads bytes at a place. Throws if there are not as many. */
    void read(long place, byte[] into, int length) throws IOException;

    /** Writes bytes at the end. */
    void write(byte[] bytes, int length) throws IOException;

    /** Forces all that was written to the device. */
    void force() throws IOException;

    /** Cuts the file off. */
    void truncate(long length) throws IOException;
}
