package dev.levee.journal;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No test: measures a journal on a disk, and the disk beside it. {@code integrations/journal/measure} runs it. */
final class JournalMeasure {
    private static final int VALUE_BYTES = 200;
    private static final byte[] VALUE = "v".repeat(VALUE_BYTES).getBytes(StandardCharsets.US_ASCII);

    /** Makes a journal in a folder. */
    interface Maker {
        WriteJournal<String, byte[]> make(Path folder, Durability durability);
    }

    private final Path root;
    private final Maker maker;
    private int folders;

    JournalMeasure(Path root, Maker maker) {
        this.root = root;
        this.maker = maker;
    }

    JournalMeasure() throws IOException {
        this(
                Files.createTempDirectory(
                        Path.of(System.getProperty("levee.measure.folder", System.getProperty("java.io.tmpdir"))),
                        "levee-measure"),
                (folder, durability) -> FileJournal.of(
                        "measured", folder, Codec.strings(), Codec.bytes(), c -> c.durability(durability)));
    }

    @Test
    void figures() throws Exception {
        try {
            run(Double.parseDouble(System.getProperty("levee.measure.scale", "1")));
        } finally {
            delete(root);
        }
    }

    void run(double scale) throws Exception {
        System.out.printf(
                "java %s, %s processors, values of %s bytes%n",
                Runtime.version(), Runtime.getRuntime().availableProcessors(), VALUE_BYTES);
        fsyncs(100);
        for (int round = 0; round < 3; round++) {
            for (int threads : new int[] {1, 8, 64}) {
                rate(Durability.PROCESS, threads, (int) (scale * 400_000));
            }
        }
        fsyncs(1000);
        for (int round = 0; round < 2; round++) {
            rate(Durability.DISK, 1, (int) (scale * 1_500));
            rate(Durability.DISK, 16, (int) (scale * 20_000));
            rate(Durability.DISK, 64, (int) (scale * 80_000));
            rate(Durability.DISK, 256, (int) (scale * 200_000));
        }
        fsyncs(1000);
        coalesced((int) (scale * 1_000_000));
        opening((int) (scale * 1_000_000));
    }

    private Path folder() throws IOException {
        return Files.createDirectory(root.resolve("journal" + folders++));
    }

    /** How often the disk forces a small write at the end of a file. */
    private void fsyncs(int count) throws IOException {
        Path file = root.resolve("fsync");
        long[] times = new long[count];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer block = ByteBuffer.allocate(300);
            for (int i = 0; i < count; i++) {
                long begin = System.nanoTime();
                block.clear();
                channel.write(block, 300L * i);
                channel.force(false);
                times[i] = System.nanoTime() - begin;
            }
        }
        Files.delete(file);
        Arrays.sort(times);
        System.out.printf(
                "disk: %,.0f fsyncs/s (median %,d us, 99th percentile %,d us)%n",
                count * 1e9 / Arrays.stream(times).sum(), times[count / 2] / 1000, times[count * 99 / 100] / 1000);
    }

    private void rate(Durability durability, int threads, int writes) throws Exception {
        Path folder = folder();
        WriteJournal<String, byte[]> journal = maker.make(folder, durability);
        journal.open();
        AtomicLong sequence = new AtomicLong();
        AtomicLong max = new AtomicLong();
        ExecutorService callers = Executors.newFixedThreadPool(threads);
        long begin = System.nanoTime();
        List<Future<?>> ends = new ArrayList<>();
        for (int number = 0; number < threads; number++) {
            ends.add(callers.submit(() -> {
                List<PendingWrite<String, byte[]>> done = new ArrayList<>();
                while (true) {
                    long next = sequence.incrementAndGet();
                    if (next > writes) {
                        return null;
                    }
                    PendingWrite<String, byte[]> write =
                            new PendingWrite<>("key:" + next % 100_000, VALUE, next, Instant.EPOCH);
                    long start = System.nanoTime();
                    journal.append(write);
                    long took = System.nanoTime() - start;
                    if (took > max.get()) {
                        max.accumulateAndGet(took, Math::max);
                    }
                    done.add(write);
                    if (done.size() == 100) {
                        journal.remove(done); // as a write-behind does when a batch has reached the store
                        done.clear();
                    }
                }
            }));
        }
        for (Future<?> end : ends) {
            end.get();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        callers.shutdown();
        long bytes = size(folder);
        journal.close();
        System.out.printf(
                "%s, %s callers: %,.0f records/s, longest %,d us, %,d bytes on disk%n",
                durability, threads, writes / seconds, max.get() / 1000, bytes);
        delete(folder);
    }

    private void coalesced(int writes) throws Exception {
        Path folder = folder();
        WriteJournal<String, byte[]> journal = maker.make(folder, Durability.PROCESS);
        journal.open();
        long most = 0;
        long begin = System.nanoTime();
        long beginOfCpu = cpu();
        for (int sequence = 1; sequence <= writes; sequence++) {
            journal.append(new PendingWrite<>("key:" + sequence % 10_000, VALUE, sequence, Instant.EPOCH));
            if (sequence % 20_000 == 0) {
                most = Math.max(most, size(folder));
            }
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        long micros = (cpu() - beginOfCpu) / 1000;
        long end = size(folder);
        journal.close();
        System.out.printf(
                "%,d writes of 10,000 keys, all pending: %,.0f records/s, %,.1f us of CPU each,"
                        + " %,d bytes on disk at the end, at most %,d, %,d after close%n",
                writes, writes / seconds, micros * 1.0 / writes, end, most, size(folder));
        delete(folder);
    }

    private void opening(int writes) throws Exception {
        Path folder = folder();
        WriteJournal<String, byte[]> journal = maker.make(folder, Durability.PROCESS);
        journal.open();
        for (int sequence = 1; sequence <= writes; sequence++) {
            journal.append(new PendingWrite<>("key:" + sequence, VALUE, sequence, Instant.EPOCH));
        }
        journal.close();
        long bytes = size(folder);
        for (int round = 0; round < 3; round++) {
            long begin = System.nanoTime();
            long beginOfCpu = cpu();
            WriteJournal<String, byte[]> next = maker.make(folder, Durability.PROCESS);
            int pending = next.open().pending().size();
            System.out.printf(
                    "open with %,d pending (%,d bytes): %,d ms, of which the thread ran %,d%n",
                    pending, bytes, (System.nanoTime() - begin) / 1_000_000, (cpu() - beginOfCpu) / 1_000_000);
            next.close();
        }
        delete(folder);
    }

    /** Of this thread; says more than the time on the clock where other processes run. */
    private static long cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static long size(Path folder) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                try {
                    bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
                } catch (IOException deleted) {
                    // It was of no use any more.
                }
            }
        }
        return bytes;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
