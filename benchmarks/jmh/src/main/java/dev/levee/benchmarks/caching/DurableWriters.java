package dev.levee.benchmarks.caching;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Threads that write records which must not be lost, and places on the disk of the checkout to keep them. */
public final class DurableWriters {
    /** How many threads wait for their records at a time. */
    static final int WRITERS = 64;

    /** How many records each of them writes in a call. */
    static final int RECORDS_EACH = 16;

    static final int RECORDS = WRITERS * RECORDS_EACH;

    private static final int KEYS = 1 << 14;

    /** 256 bytes, as records of the research behind the targets have. */
    static final String VALUE = "v".repeat(256);

    private static final String[] NAMES = new String[KEYS];

    static {
        for (int i = 0; i < KEYS; i++) {
            NAMES[i] = "key" + i;
        }
    }

    private DurableWriters() {}

    /** Writes one record, and returns when it is kept. */
    interface Keeping {
        void write(String key, String value) throws Exception;
    }

    /** The writers of one thread of the benchmark. */
    @State(Scope.Thread)
    public static class Crew {
        private final ExecutorService threads = Executors.newFixedThreadPool(WRITERS, task -> {
            Thread thread = new Thread(task, "writer");
            thread.setDaemon(true);
            return thread;
        });
        private int next = System.identityHashCode(new Object());

        /** Writes {@value #RECORDS} records. */
        void write(Keeping record) throws InterruptedException {
            List<Future<?>> done = new ArrayList<>(WRITERS);
            for (int i = 0; i < WRITERS; i++) {
                int from = next;
                next += RECORDS_EACH;
                done.add(threads.submit(() -> {
                    for (int k = 0; k < RECORDS_EACH; k++) {
                        record.write(NAMES[from + k & KEYS - 1], VALUE);
                    }
                    return null;
                }));
            }
            for (Future<?> each : done) {
                try {
                    each.get();
                } catch (ExecutionException failed) {
                    throw new IllegalStateException(failed);
                }
            }
        }

        @TearDown
        public void stop() {
            threads.shutdownNow();
        }
    }

    /** A folder beside the benchmarks' jar: what is temporary may lie in memory, where nothing has to be forced. */
    static Path folder(String name) {
        try {
            Path jar = Path.of(DurableWriters.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            Path folder = Files.createTempDirectory(jar.toAbsolutePath().getParent(), name);
            System.out.println("on " + Files.getFileStore(folder) + ", "
                    + Files.getFileStore(folder).type());
            return folder;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Records one after the other at the end of a file, each forced to the disk by itself or none. */
    static final class AppendedFile {
        private final Path folder = folder("appended");
        private final FileChannel file;
        private final boolean forced;

        AppendedFile(boolean forced) {
            this.forced = forced;
            try {
                file = FileChannel.open(
                        folder.resolve("file"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }

        /** Not {@code synchronized} where it forces: the system may take such calls together. */
        void write(String key, String value) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap((key + value).getBytes(StandardCharsets.UTF_8));
            synchronized (this) {
                file.write(bytes);
                if (file.position() > 1L << 28) {
                    file.position(0);
                }
            }
            if (forced) {
                file.force(false);
            }
        }

        void close() {
            try {
                file.close();
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
            delete(folder);
        }
    }

    /** A map of H2's MVStore, whose commits take along what other threads have put. */
    static final class MvStoreMap {
        private final Path folder = folder("mvstore");
        private final MVStore store = new MVStore.Builder()
                .fileName(folder.resolve("file").toString())
                .autoCommitDisabled()
                .open();
        private final MVMap<String, String> map = store.openMap("records");
        private final Object turn = new Object();
        private final boolean forced;
        private volatile long committed;

        MvStoreMap(boolean forced) {
            this.forced = forced;
        }

        void write(String key, String value) {
            long mine;
            synchronized (map) {
                map.put(key, value);
                mine = store.getCurrentVersion() + 1;
            }
            synchronized (turn) {
                if (committed < mine) {
                    committed = store.commit();
                    if (forced) {
                        store.sync();
                    }
                }
            }
        }

        void close() {
            store.closeImmediately();
            delete(folder);
        }
    }
}
