package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Codec;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Callers of a journal that come together, have no stack left, are interrupted, or have keys that throw. */
@Timeout(60)
@SuppressWarnings({"StringSplitter", "ModifiedButNotUsed", "InfiniteRecursion"})
class JournalThreadsTest {
    private final SimulatedDisk disk = new SimulatedDisk();

    private <K> WriteJournal<K, String> journal(Codec<K> keys, Durability durability) throws IOException {
        WriteJournal<K, String> journal = new SegmentedJournal<>(
                "threads",
                disk,
                keys,
                Codec.strings(),
                FileJournalConfig.builder().durability(durability).build(),
                new Random(2));
        journal.open();
        return journal;
    }

    private static PendingWrite<String, String> write(String key, long sequence) {
        return new PendingWrite<>(key, "value", sequence, Instant.EPOCH);
    }

    /** While the disk forces for the first caller, all others gather; they share one frame and one force. */
    @Test
    void callers_that_wait_at_one_time_share_one_force() throws Exception {
        WriteJournal<String, String> journal = journal(Codec.strings(), Durability.DISK);
        CountDownLatch forcing = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        disk.whileForcing = () -> {
            forcing.countDown();
            await(go);
        };
        ExecutorService callers = Executors.newCachedThreadPool();
        Future<?> first = callers.submit(() -> append(journal, write("first", 1)));
        forcing.await();
        List<Thread> waiting = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            long sequence = i + 2L;
            Thread thread = new Thread(() -> append(journal, write("key" + sequence, sequence)));
            thread.start();
            waiting.add(thread);
        }
        for (Thread thread : waiting) {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        }
        waiting.forEach(Thread::interrupt); // changes nothing for those who wait
        int before = disk.events.size();
        disk.whileForcing = () -> {};
        go.countDown();
        for (Thread thread : waiting) {
            thread.join();
        }

        first.get();
        assertThat(disk.events.subList(before, disk.events.size()))
                .extracting(event -> event.getClass().getSimpleName())
                .containsExactly("Forced", "Wrote", "Forced");
        journal.close();
        assertThat(journal(Codec.strings(), Durability.DISK)).isNotNull();
        callers.shutdownNow();
    }

    @Test
    void all_that_wait_learn_of_a_failure() throws Exception {
        WriteJournal<String, String> journal = journal(Codec.strings(), Durability.DISK);
        CountDownLatch forcing = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        disk.whileForcing = () -> {
            forcing.countDown();
            await(go);
        };
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        List<Thread> waiting = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            long sequence = i + 1L;
            Thread thread = new Thread(() -> {
                try {
                    journal.append(write("key" + sequence, sequence));
                } catch (IOException e) {
                    thrown.add(e);
                }
            });
            thread.start();
            waiting.add(thread);
            if (i == 0) {
                forcing.await();
            }
        }
        for (Thread thread : waiting.subList(1, 10)) {
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        }
        disk.forces = 0;
        go.countDown();
        for (Thread thread : waiting) {
            thread.join();
        }

        assertThat(thrown).hasSize(10).allMatch(JournalException.class::isInstance);
        journal.close();
    }

    @Test
    void a_close_while_others_write_gives_each_a_definite_answer() throws Exception {
        for (int round = 0; round < 50; round++) {
            SimulatedDisk ofRound = new SimulatedDisk();
            WriteJournal<String, String> journal = new SegmentedJournal<>(
                    "threads",
                    ofRound,
                    Codec.strings(),
                    Codec.strings(),
                    FileJournalConfig.builder().segmentBytes(4096).build(),
                    new Random(2));
            journal.open();
            List<String> kept = new CopyOnWriteArrayList<>();
            List<Thread> threads = new ArrayList<>();
            CountDownLatch some = new CountDownLatch(20);
            for (int i = 0; i < 4; i++) {
                String beginning = "key" + i + "-";
                Thread thread = new Thread(() -> {
                    try {
                        for (long sequence = 1; ; sequence++) {
                            journal.append(write(beginning + sequence, sequence));
                            kept.add(beginning + sequence);
                            some.countDown();
                        }
                    } catch (IOException e) {
                        assertThat(e).hasMessage("journal \"threads\": closed");
                    }
                });
                thread.start();
                threads.add(thread);
            }
            some.await();
            journal.close();
            for (Thread thread : threads) {
                thread.join();
            }

            Map<String, byte[]> files = ofRound.files();
            try (WriteJournal<String, String> again = new SegmentedJournal<>(
                    "threads",
                    new SimulatedDisk(files),
                    Codec.strings(),
                    Codec.strings(),
                    FileJournalConfig.builder().build(),
                    new Random(2))) {
                assertThat(again.open().pending())
                        .extracting(PendingWrite::key)
                        .containsExactlyInAnyOrderElementsOf(kept);
            }
        }
    }

    @Test
    void the_end_of_the_stack_refuses_writes_and_does_not_end_the_journal() throws Exception {
        WriteJournal<String, String> journal = journal(Codec.strings(), Durability.PROCESS);
        int[] counts = new int[2];
        Thread thread = new Thread(null, () -> descend(journal, counts), "deep", 512 * 1024);
        thread.start();
        thread.join();

        assertThat(counts[0]).as("refused").isPositive();
        assertThat(counts[1]).as("taken").isPositive();
        journal.append(write("after", 1_000_000));
        journal.close();
        assertThat(journal(Codec.strings(), Durability.PROCESS)).isNotNull();
    }

    /** Writes at each depth, from the end of the stack upwards. */
    @SuppressWarnings("InfiniteRecursion") // to the end of the stack
    private static void descend(WriteJournal<String, String> journal, int[] counts) {
        try {
            descend(journal, counts);
        } catch (StackOverflowError end) {
            // as deep as it goes
        }
        if (counts[1] < 2000) {
            try {
                journal.append(write("key" + counts[1], counts[1] + 1L));
                counts[1]++;
            } catch (StackOverflowError refused) {
                counts[0]++;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void the_end_of_the_stack_refuses_writes_and_does_not_end_the_journal_of_a_write_behind() throws Exception {
        WriteJournal<String, String> journal = new SegmentedJournal<>(
                "deep",
                disk,
                Codec.strings(),
                Codec.strings(),
                FileJournalConfig.builder().build(),
                new Random(2));
        Map<String, String> rows = new ConcurrentHashMap<>();
        try (WriteBehind<String, String> writes = WriteBehind.of("rows", new Rows(rows), c -> c.journal(journal))) {
            writes.save("before", "1"); // so that no class is initialized where there is no stack for that
            assertThat(writes.flush(Duration.ofSeconds(30))).isTrue();
            int[] counts = new int[2];
            Thread thread = new Thread(null, () -> descend(writes, counts), "deep", 512 * 1024);
            thread.start();
            thread.join();

            assertThat(counts[0]).as("refused").isPositive();
            assertThat(counts[1]).as("taken").isPositive();
            writes.save("after", "1");
        }
        assertThat(rows).containsKey("after");
    }

    /** Writes at each depth, from the end of the stack upwards. */
    @SuppressWarnings("InfiniteRecursion") // to the end of the stack
    private static void descend(WriteBehind<String, String> writes, int[] counts) {
        try {
            descend(writes, counts);
        } catch (StackOverflowError end) {
            // as deep as it goes
        }
        if (counts[1] < 1000) {
            try {
                writes.save("key" + counts[1], "1");
                counts[1]++;
            } catch (StackOverflowError refused) {
                counts[0]++;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    /** A store of rows. */
    private record Rows(Map<String, String> rows) implements Store<String, String> {
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
    }

    private record Key(String text) {
        @Override
        public boolean equals(Object other) {
            if (text.equals("broken")) {
                throw new IllegalStateException("equality of a user");
            }
            return other instanceof Key key && key.text.equals(text);
        }

        @Override
        public int hashCode() {
            return 1;
        }
    }

    private record KeyCodec() implements Codec<Key> {
        @Override
        public byte[] encode(Key value) {
            return Codec.strings().encode(value.text);
        }

        @Override
        public Key decode(byte[] bytes) {
            return new Key(Codec.strings().decode(bytes));
        }
    }

    /** The maps may be half changed then, so nothing more may rely on them. */
    @Test
    void an_equality_that_throws_ends_the_journal_and_loses_nothing() throws Exception {
        WriteJournal<Key, String> journal = journal(new KeyCodec(), Durability.PROCESS);
        journal.append(new PendingWrite<>(new Key("a"), "1", 1, Instant.EPOCH));
        assertThatThrownBy(() -> journal.append(new PendingWrite<>(new Key("broken"), "2", 2, Instant.EPOCH)))
                .hasMessage("equality of a user");
        assertThatThrownBy(() -> journal.append(new PendingWrite<>(new Key("b"), "3", 3, Instant.EPOCH)))
                .isInstanceOf(JournalException.class);
        journal.close();

        try (WriteJournal<Key, String> again = new SegmentedJournal<>(
                "threads",
                disk,
                new KeyCodec(),
                Codec.strings(),
                FileJournalConfig.builder().build(),
                new Random(2))) {
            assertThat(again.open().pending()).extracting(it -> it.key().text).containsExactly("a");
        }
    }

    /** A codec that writes equal keys as different bytes, as one of unordered sets may. */
    @Test
    void equal_keys_of_different_bytes_are_one_key() throws Exception {
        int[] number = {0};
        Codec<String> fickle = new Codec<>() {
            @Override
            public byte[] encode(String value) {
                return Codec.strings().encode(number[0]++ + ":" + value);
            }

            @Override
            public String decode(byte[] bytes) {
                return Codec.strings().decode(bytes).split(":", -1)[1];
            }
        };
        WriteJournal<String, String> journal = journal(fickle, Durability.PROCESS);
        journal.append(write("a", 1));
        journal.append(write("a", 2));
        journal.append(write("b", 3));
        journal.append(write("b", 4));
        journal.remove(List.of(write("b", 4)));
        journal.close();

        try (WriteJournal<String, String> again = new SegmentedJournal<>(
                "threads",
                disk,
                fickle,
                Codec.strings(),
                FileJournalConfig.builder().build(),
                new Random(2))) {
            assertThat(again.open().pending()).containsExactly(write("a", 2));
        }
    }

    private static void append(WriteJournal<String, String> journal, PendingWrite<String, String> write) {
        try {
            journal.append(write);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
