package dev.levee.journal;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.levee.cache.Cache;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.core.Environment;
import dev.levee.core.testing.ClassPaths;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Starts another process that has a journal open: {@link DoomedJournal}. */
final class JournalProcess {
    private static final String CLASS_PATH = ClassPaths.of(
            DoomedJournal.class,
            FileJournal.class,
            Cache.class,
            Caffeine.class,
            Environment.class,
            LoggerFactory.class);

    private JournalProcess() {}

    /** Starts a process that writes until it is killed. */
    static Process start(Path folder, Durability durability, long seed) throws IOException {
        return start(command(folder, durability, Long.toString(seed)));
    }

    /** Starts a process that holds a journal. */
    static Process hold(Path folder) throws IOException {
        return start(command(folder, Durability.PROCESS));
    }

    /** Starts a process that writes until a file has reached a number of KiB. */
    static Process limited(Path folder, Durability durability, long seed, int kibibytes) throws IOException {
        List<String> shell = new ArrayList<>(List.of("bash", "-c", "ulimit -f " + kibibytes + "; exec \"$@\"", "bash"));
        shell.addAll(command(folder, durability, Long.toString(seed)));
        return start(shell);
    }

    /** Starts a process with a write-behind that writes until it is killed, or, without a number, what is left. */
    static Process writeBehind(Path folder, Durability durability, int port, long... begin) throws IOException {
        List<String> command = java();
        command.addAll(List.of(
                DoomedWriteBehind.class.getName(), folder.toString(), durability.name(), Integer.toString(port)));
        for (long number : begin) {
            command.add(Long.toString(number));
        }
        return start(command);
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static List<String> command(Path folder, Durability durability, String... seed) {
        List<String> command = java();
        command.addAll(List.of(DoomedJournal.class.getName(), folder.toString(), durability.name()));
        command.addAll(List.of(seed));
        return command;
    }

    private static List<String> java() {
        return new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xshare:auto",
                "-Xmx128m",
                "-cp",
                CLASS_PATH));
    }
}
