package dev.levee.journal;

import dev.levee.cache.Cache;
import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.BatchStore;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A process with a cache over a write-behind over a journal, whose store is in the process that has started it. It says
 * which write it begins and which was acknowledged, and waits to be killed; or it writes what is left and ends.
 *
 * <p>The value of the n-th write of a thread is n; each thread has keys of its own. The store does not take keys that
 * begin with {@code p}.
 */
@SuppressWarnings("StringSplitter")
final class DoomedWriteBehind {
    static final int THREADS = 4;
    static final int KEYS = 60;

    private DoomedWriteBehind() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Durability durability = Durability.valueOf(args[1]);
        WriteBehind<String, String> writes = WriteBehind.batching(
                "doomed",
                new Rows(Integer.parseInt(args[2])),
                c -> c.journal(FileJournal.of(
                                "doomed",
                                folder,
                                Codec.strings(),
                                Codec.strings(),
                                j -> j.durability(durability).segmentBytes(64 * 1024)))
                        .maxTries(1)
                        .maxPending(500)
                        .delay(Duration.ofMillis(5)));
        if (args.length == 3) {
            boolean flushed = writes.flush(Duration.ofSeconds(60));
            writes.close(Duration.ofSeconds(60));
            System.out.println(flushed ? "flushed" : "not flushed");
            System.exit(0);
        }
        Cache<String, String> cache =
                Cache.over("doomed", writes, c -> c.writeThrough().maxSize(10));
        long begin = Long.parseLong(args[3]);
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        for (int thread = 0; thread < THREADS; thread++) {
            int number = thread;
            new Thread(() -> run(cache, begin, number, out)).start();
        }
    }

    /** The key of a write, for both processes. */
    static String key(int thread, long number) {
        Random random = new Random(31 * number + thread);
        int key = random.nextInt(KEYS);
        return (key == 0 && random.nextInt(4) == 0 ? "p" : "k") + thread + "-" + key;
    }

    /**
     * Whether a write is a delete; half of the keys are never deleted, so that each value of theirs tells its write.
     */
    static boolean deletes(String key, long number) {
        return number % 11 == 0 && (key.charAt(key.length() - 1) - '0') % 2 == 0;
    }

    private static void run(Cache<String, String> cache, long begin, int thread, FileOutputStream out) {
        try {
            for (long number = begin; ; number++) {
                String key = key(thread, number);
                out.write(("b " + thread + " " + number + "\n").getBytes(StandardCharsets.US_ASCII));
                if (deletes(key, number)) {
                    cache.remove(key);
                } else {
                    cache.put(key, Long.toString(number));
                }
                out.write(("r " + thread + " " + number + "\n").getBytes(StandardCharsets.US_ASCII));
                String read = key.startsWith("p") || number % 3 != 0 ? null : cache.get(key);
                if (read != null && Long.parseLong(read) != number) {
                    out.write(("wrote " + number + " of " + key + ", and read " + read + "\n")
                            .getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (Throwable e) {
            DoomedJournal.fail(out, e);
        }
    }

    /** The store, on the other side of a socket for each call. */
    private record Rows(int port) implements BatchStore<String, String> {
        @Override
        public String load(String key) throws Exception {
            String answer = ask(List.of("L " + key));
            return answer.equals("none") ? null : answer;
        }

        @Override
        public Map<String, Throwable> write(List<PendingWrite<String, String>> batch) throws Exception {
            Map<String, Throwable> failed = new HashMap<>();
            List<String> lines = batch.stream()
                    .map(it -> "W " + it.key() + " " + it.sequence() + " " + (it.isDelete() ? "none" : it.value()))
                    .toList();
            String answer = ask(lines);
            for (String key : answer.split(" ", -1)) {
                if (!key.equals("ok")) {
                    failed.put(key, new IOException("poison"));
                }
            }
            return failed;
        }

        private String ask(List<String> lines) throws IOException {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                OutputStream out = socket.getOutputStream();
                out.write((String.join("\n", lines) + "\nend\n").getBytes(StandardCharsets.US_ASCII));
                out.flush();
                String answer = new BufferedReader(
                                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                        .readLine();
                if (answer == null) {
                    throw new IOException("no answer");
                }
                return answer;
            }
        }
    }
}
