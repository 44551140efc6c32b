package dev.levee.journal;

import dev.levee.core.internal.Text;
import dev.levee.journal.JournalException.Reason;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A folder of the file system. Uses no channel that an interrupt of the calling thread closes: see ADR 110. */
final class FolderDisk implements JournalDisk {
    private static final String LOCK = "journal.lock";

    /** The folders that this class has locked: closing any channel of a file ends the process's lock on it. */
    private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

    /** Channels that another class loader's copy of this class would lose its lock by, if they were closed. */
    private static final Queue<AsynchronousFileChannel> NEVER_CLOSED = new ConcurrentLinkedQueue<>();

    private final String journal;
    private final Path folder;

    FolderDisk(String journal, Path folder) {
        if (folder.getFileSystem() != FileSystems.getDefault()) {
            throw new IllegalArgumentException("folder must be of the default file system, but was of "
                    + folder.getFileSystem().provider().getScheme());
        }
        this.journal = journal;
        this.folder = folder.toAbsolutePath().normalize();
    }

    @Override
    public Closeable lock() throws IOException {
        List<Path> parents = makeFolder();
        if (!Files.isWritable(folder)) {
            throw new JournalException(Reason.READ_ONLY, says(folder, "may not be written"), null);
        }
        Path real = folder.toRealPath();
        if (!LOCKED.add(real)) {
            throw locked(" by this process", null);
        }
        boolean done = false;
        try {
            AsynchronousFileChannel channel = locked(parents);
            done = true;
            return () -> {
                try {
                    channel.close();
                } finally {
                    LOCKED.remove(real);
                }
            };
        } finally {
            if (!done) {
                LOCKED.remove(real);
            }
        }
    }

    private AsynchronousFileChannel locked(List<Path> parents) throws IOException {
        AsynchronousFileChannel channel = channel(folder.resolve(LOCK));
        tryLock(channel);
        try {
            for (Path parent : parents) {
                forceNames(parent);
            }
            return channel;
        } catch (IOException e) {
            channel.close();
            throw new JournalException(Reason.FAILED, says(folder, "was made, but its name cannot be forced"), e);
        }
    }

    /** Makes the folder if it is not there, and returns the folders that have names to be forced, of what was made. */
    private List<Path> makeFolder() throws JournalException {
        List<Path> parents = new ArrayList<>();
        for (Path made = folder; !Files.exists(made) && made.getParent() != null; made = made.getParent()) {
            parents.add(made.getParent());
        }
        try {
            Files.createDirectories(folder);
            return parents;
        } catch (IOException e) {
            throw new JournalException(Reason.READ_ONLY, says(folder, "cannot be made, or is no folder"), e);
        }
    }

    private AsynchronousFileChannel channel(Path file) throws JournalException {
        try {
            return AsynchronousFileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new JournalException(Reason.READ_ONLY, says(file, "cannot be made"), e);
        }
    }

    private void tryLock(AsynchronousFileChannel channel) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            NEVER_CLOSED.add(channel);
            throw locked(" by this process", e);
        } catch (IOException e) {
            channel.close();
            throw new JournalException(Reason.FAILED, says(folder.resolve(LOCK), "cannot be locked"), e);
        }
        if (lock == null) {
            channel.close();
            throw locked(" by another process", null);
        }
    }

    private JournalException locked(String by, @Nullable Exception cause) {
        return new JournalException(Reason.LOCKED, says(folder, "is in use" + by), cause);
    }

    private String says(Path path, String what) {
        return "journal \"" + journal + "\": " + Text.printable(path) + " " + what;
    }

    @Override
    public List<String> list() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.forEach(file -> names.add(String.valueOf(file.getFileName())));
        }
        return names;
    }

    @Override
    public JournalFile create(String name) throws IOException {
        delete(name);
        return new DiskFile(folder.resolve(name));
    }

    @Override
    public JournalFile open(String name) throws IOException {
        Path file = folder.resolve(name);
        try {
            return new DiskFile(file);
        } catch (FileNotFoundException refused) { // for whatever reason: the system's text depends on the locale
            if (isReadable(file)) {
                throw new JournalException(Reason.READ_ONLY, says(file, "may not be written"), refused);
            }
            throw refused;
        }
    }

    private static boolean isReadable(Path file) {
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "r")) {
            return opened.length() >= 0;
        } catch (IOException refused) {
            return false;
        }
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(folder.resolve(from), folder.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
    }

    @Override
    public void force() throws IOException {
        forceNames(folder);
    }

    /** Not on Windows, where a folder cannot be opened, and names are forced with their files. */
    private static void forceNames(Path folder) throws IOException {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (AsynchronousFileChannel channel = AsynchronousFileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    @Override
    public String path(String name) {
        return Text.printable(folder.resolve(name));
    }

    /** Reads and writes by one descriptor and forces by another, both of which interrupts leave open. */
    private static final class DiskFile implements JournalFile {
        private final RandomAccessFile file;
        private final AsynchronousFileChannel forcing;
        private long end;

        DiskFile(Path path) throws IOException {
            file = new RandomAccessFile(path.toFile(), "rw");
            boolean opened = false;
            try {
                forcing = AsynchronousFileChannel.open(path, StandardOpenOption.WRITE);
                end = file.length();
                opened = true;
            } finally {
                if (!opened) {
                    file.close();
                }
            }
            file.seek(end);
        }

        @Override
        public long length() {
            return end;
        }

        @Override
        public void read(long place, byte[] into, int length) throws IOException {
            file.seek(place);
            file.readFully(into, 0, length);
            file.seek(end);
        }

        @Override
        public void write(byte[] bytes, int length) throws IOException {
            file.write(bytes, 0, length);
            end += length;
        }

        @Override
        public void reserve(int length) throws IOException {
            try {
                file.write(new byte[length]);
            } finally {
                file.seek(end); // a disk that is full takes a part
            }
        }

        @Override
        public void force() throws IOException {
            forcing.force(false);
        }

        @Override
        public void truncate(long length) throws IOException {
            file.setLength(length);
            file.seek(length);
            end = length;
        }

        @Override
        public void close() throws IOException {
            try {
                forcing.close();
            } finally {
                file.close();
            }
        }
    }
}
