package dev.levee.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.DeadWrite;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Processes with a cache, a write-behind and a journal that are killed by SIGKILL, on a store that goes on: every write
 * that was acknowledged is in the store, in the journal, or replaced by a later one of its key; the store sees the
 * writes of a key in order; dead letters stay. {@code integrations/journal/kill-test} runs more rounds.
 */
@SuppressWarnings({"StringSplitter", "UnusedVariable", "OperatorPrecedence"})
class WriteBehindKillTest {
    private static final int ROUNDS = Integer.getInteger("levee.kill.rounds", 5);

    @TempDir
    Path folder;

    private final Rows rows = new Rows();
    /** The last acknowledged write of each key. */
    private final Map<String, Long> acknowledged = new HashMap<>();

    /** Deletes that were begun and not acknowledged, by key: they may have been done. */
    private final Map<String, Long> deletesUnderWay = new HashMap<>();

    private long total;

    @ParameterizedTest
    @EnumSource(Durability.class)
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void every_acknowledged_write_reaches_the_store_in_the_order_of_its_key(Durability durability) throws Exception {
        long seed = Long.getLong("levee.kill.seed", System.nanoTime());
        Random random = new Random(seed);
        Set<DeadWrite<String, String>> letters = new HashSet<>();
        long begin = 1;
        try (ServerSocket server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
            ExecutorService threads = Executors.newCachedThreadPool();
            threads.submit(() -> rows.serve(server, threads));
            for (int round = 0; round < ROUNDS; round++) {
                begin = kill(durability, server.getLocalPort(), begin, random.nextInt(6000)) + 1;

                String when = durability + ", seed " + seed + ", round " + round;
                Recovered<String, String> recovered = open(durability);
                check(recovered, when);
                assertThat(recovered.dead()).as(when).containsAll(letters);
                letters.addAll(recovered.dead());
            }
            Process last = JournalProcess.writeBehind(folder, durability, server.getLocalPort());
            String said = new String(last.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(last.waitFor()).as(said).isZero();
            assertThat(said).contains("flushed").doesNotContain("not flushed");
            Recovered<String, String> end = open(durability);
            assertThat(end.pending()).isEmpty();
            assertThat(end.dead()).containsAll(letters);
            check(end, "at the end");
            threads.shutdownNow();
        }
        System.out.println(durability + ": " + ROUNDS + " rounds, " + total + " writes acknowledged, "
                + rows.batches + " batches of " + rows.written + " writes, " + letters.size() + " dead letters, seed "
                + seed);
    }

    private Recovered<String, String> open(Durability durability) throws IOException {
        try (WriteJournal<String, String> journal = FileJournal.of(
                "doomed",
                folder,
                Codec.strings(),
                Codec.strings(),
                c -> c.durability(durability).segmentBytes(64 * 1024))) {
            return journal.open();
        }
    }

    private void check(Recovered<String, String> recovered, String when) {
        assertThat(rows.wrong).as(when).isEmpty();
        Map<String, Long> newest = new HashMap<>();
        rows.numbers.forEach((key, number) -> newest.merge(key, number, Math::max));
        for (PendingWrite<String, String> write : recovered.pending()) {
            newest.merge(write.key(), number(write), Math::max);
        }
        for (DeadWrite<String, String> letter : recovered.dead()) {
            newest.merge(letter.write().key(), number(letter.write()), Math::max);
        }
        acknowledged.forEach((key, number) -> {
            // A delete has no value to tell it by, so a key whose last write it is may only have no older value.
            if (DoomedWriteBehind.deletes(key, number)) {
                boolean deletes =
                        recovered.pending().stream().anyMatch(it -> it.key().equals(key) && it.isDelete())
                                || recovered.dead().stream()
                                        .anyMatch(it -> it.write().key().equals(key)
                                                && it.write().isDelete())
                                || rows.values.get(key) == null;
                assertThat(deletes || newest.getOrDefault(key, 0L) > number)
                        .as("%s: delete %s of %s", when, number, key)
                        .isTrue();
            } else if (rows.values.containsKey(key) || deletesUnderWay.getOrDefault(key, 0L) < number) {
                assertThat(newest.getOrDefault(key, 0L))
                        .as("%s: write %s of %s", when, number, key)
                        .isGreaterThanOrEqualTo(number);
            }
        });
    }

    /** The number of a write; of a delete that of one after all that are known. */
    private static long number(PendingWrite<String, String> write) {
        String value = write.value();
        return value != null ? Long.parseLong(value) : Long.MAX_VALUE;
    }

    private long kill(Durability durability, int port, long begin, int lines) throws Exception {
        Process process = JournalProcess.writeBehind(folder, durability, port, begin);
        long last = begin;
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            int read = 0;
            for (String line; (line = reader.readLine()) != null; ) {
                String[] words = line.split(" ", -1);
                if (!words[0].equals("b") && !words[0].equals("r")) {
                    assertThat(line).startsWith("SLF4J");
                    continue;
                }
                long number = Long.parseLong(words[2]);
                String key = DoomedWriteBehind.key(Integer.parseInt(words[1]), number);
                last = Math.max(last, number);
                if (words[0].equals("r")) {
                    acknowledged.put(key, number);
                    total++;
                } else if (DoomedWriteBehind.deletes(key, number)) {
                    deletesUnderWay.put(key, number);
                }
                if (++read >= lines) {
                    process.toHandle().destroyForcibly();
                }
            }
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).isEqualTo(128 + 9);
        return last;
    }

    /** The store of all processes. */
    private static final class Rows {
        /** The sequence and the number that each key had last. */
        final Map<String, Long> sequences = new ConcurrentHashMap<>();

        final Map<String, Long> numbers = new ConcurrentHashMap<>();
        final Map<String, String> values = new ConcurrentHashMap<>();
        final Queue<String> wrong = new ConcurrentLinkedQueue<>();
        int batches;
        int written;

        Void serve(ServerSocket server, ExecutorService threads) throws IOException {
            while (true) {
                Socket socket = server.accept();
                threads.submit(() -> {
                    try (socket) {
                        answer(socket);
                    }
                    return null;
                });
            }
        }

        private void answer(Socket socket) throws IOException {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            StringBuilder answer = new StringBuilder();
            List<String[]> writes = new ArrayList<>();
            for (String line = reader.readLine(); !"end".equals(line); line = reader.readLine()) {
                if (line == null) {
                    return; // the process was killed before the batch was whole
                }
                writes.add(line.split(" ", -1));
            }
            synchronized (this) {
                for (String[] words : writes) {
                    if (words[0].equals("L")) {
                        answer.append(values.getOrDefault(words[1], "none"));
                    } else if (words[1].startsWith("p")) {
                        answer.append(answer.isEmpty() ? "" : " ").append(words[1]);
                    } else {
                        write(words[1], Long.parseLong(words[2]), words[3]);
                        written++;
                    }
                }
                batches++;
            }
            socket.getOutputStream()
                    .write(((answer.isEmpty() ? "ok" : answer) + "\n").getBytes(StandardCharsets.US_ASCII));
        }

        private void write(String key, long sequence, String value) {
            long before = sequences.getOrDefault(key, 0L);
            boolean sameAgain = sequence == before && value.equals(values.getOrDefault(key, "none"));
            if (sequence < before || (sequence == before && !sameAgain)) {
                wrong.add(key + ": write " + sequence + " after " + before);
            }
            sequences.put(key, sequence);
            if (value.equals("none")) {
                values.remove(key);
            } else {
                if (Long.parseLong(value) < numbers.getOrDefault(key, 0L)) {
                    wrong.add(key + ": " + value + " after " + numbers.get(key));
                }
                values.put(key, value);
                numbers.put(key, Long.parseLong(value));
            }
        }
    }
}
