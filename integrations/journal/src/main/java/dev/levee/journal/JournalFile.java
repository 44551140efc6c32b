package dev.levee.journal;

import java.io.Closeable;
import java.io.IOException;

/** A file of a journal. One thread at a time reads, writes and cuts it; another one may force it meanwhile. */
interface JournalFile extends Closeable {
    /** Returns where the end is: the number of bytes when the file was opened, and of those written since. */
    long length() throws IOException;

    /** Reads bytes at a place. Throws if there are not as many. */
    void read(long place, byte[] into, int length) throws IOException;

    /** Writes bytes at the end. */
    void write(byte[] bytes, int length) throws IOException;

    /** Writes zeros behind the end, which stays where it is: writing there needs no new length then. */
    void reserve(int length) throws IOException;

    /** Forces all that was written to the device. */
    void force() throws IOException;

    /** Cuts the file off, also what was reserved. */
    void truncate(long length) throws IOException;
}
