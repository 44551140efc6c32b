package dev.levee.journal;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.WriteJournal;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.cache.writebehind.WriteJournal.Recovered;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;

/**
 * A process that writes to a journal from several threads, says on its standard output which step it begins and which
 * has returned, and waits to be killed. Without a seed it only holds the journal until its input ends. Each thread has
 * keys of its own, and steps that follow from the seed.
 */
final class DoomedJournal {
    static final int THREADS = 4;
    static final int KEYS = 25;
    static final int MAX_VALUE = 700;

    private DoomedJournal() {}

    static WriteJournal<String, String> journal(Path folder, Durability durability) {
        return FileJournal.of(
                "doomed",
                folder,
                Codec.strings(),
                Codec.strings(),
                c -> c.durability(durability).segmentBytes(64 * 1024));
    }

    /** Returns the beginning of the keys of a thread. */
    static String keys(int thread) {
        return "t" + thread + "-";
    }

    static Random random(long seed, int thread) {
        return new Random(seed * 31 + thread);
    }

    public static void main(String[] args) throws Exception {
        WriteJournal<String, String> journal = journal(Path.of(args[0]), Durability.valueOf(args[1]));
        Recovered<String, String> recovered = journal.open();
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        if (args.length == 2) {
            out.write("open\n".getBytes(StandardCharsets.US_ASCII));
            System.in.read();
            return;
        }
        long seed = Long.parseLong(args[2]);
        for (int thread = 0; thread < THREADS; thread++) {
            int number = thread;
            new Thread(() -> run(journal, recovered, seed, number, out)).start();
        }
    }

    private static void run(
            WriteJournal<String, String> journal,
            Recovered<String, String> recovered,
            long seed,
            int thread,
            FileOutputStream out) {
        try {
            JournalModel model = JournalModel.of(recovered, keys(thread));
            Random random = random(seed, thread);
            for (int number = 1; ; number++) {
                JournalModel.Step step = model.random(random, keys(thread), KEYS, MAX_VALUE);
                step.on(model);
                say(out, "b", thread, number);
                step.on(journal);
                say(out, "r", thread, number);
            }
        } catch (Throwable e) {
            DoomedJournal.fail(out, e);
        }
    }

    /** Ends the process; the message is one write, so that it does not fall into a line of another thread. */
    static void fail(FileOutputStream out, Throwable e) {
        try {
            out.write(("failed: " + e + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException closed) {
            // The other process has ended.
        }
        Runtime.getRuntime().halt(1);
    }

    private static void say(FileOutputStream out, String what, int thread, int number) throws Exception {
        out.write((what + " " + thread + " " + number + "\n").getBytes(StandardCharsets.US_ASCII));
    }
}
