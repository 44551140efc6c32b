package dev.levee.examples.shortlink.engines;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Parent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A program of others that lives as long as this process, which has the lifeline that such a program lacks: when the
 * launcher is gone this process exits, and its shutdown hook ends the program.
 *
 * <p>If this process is killed itself, so that no hook runs, the kernel ends the program, on Linux: it is started by
 * {@code setpriv --pdeathsig}, which goes by the thread that has started it. So that is the main thread, which stays.
 */
final class KeptServer {
    /** The command that ends the program by SIGKILL, and this process with it. */
    private static final String KILL = "kill";

    /** Less than the launcher waits for this process. */
    private static final int END_SECONDS = 6;

    private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long PAUSE_MILLIS = 50;

    private final String name;
    private final List<String> command;
    private final Path log;
    private Process process;
    private volatile boolean ending;

    private KeptServer(String name, List<String> command, Path log, Process process) {
        this.name = name;
        this.command = command;
        this.log = log;
        this.process = process;
    }

    /** Whether a program answers as it should. */
    @FunctionalInterface
    interface Ready {
        boolean isReady();
    }

    /**
     * Starts a program, and sees to it that it ends with this process.
     *
     * @param name for messages
     * @param command the program and its arguments
     * @param user as which it runs, or null for the user of this process
     * @param log what it says goes there
     */
    static KeptServer start(String name, List<String> command, @Nullable String user, Path log) throws UsageException {
        List<String> whole = as(user, command);
        KeptServer server = new KeptServer(name, whole, log, launch(name, whole, log));
        Runtime.getRuntime().addShutdownHook(new Thread(server::end, "end of " + name));
        return server;
    }

    /** Runs a program to its end. */
    static void run(List<String> command, @Nullable String user, @Nullable Path input, Path log) throws UsageException {
        String name = Path.of(command.get(0)).getFileName().toString();
        try {
            ProcessBuilder builder = new ProcessBuilder(as(user, command))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            if (input != null) {
                builder.redirectInput(input.toFile());
            }
            if (builder.start().waitFor() != 0) {
                throw new UsageException(name + " failed: " + lastLine(log));
            }
        } catch (IOException e) {
            throw new UsageException("cannot start " + name + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UsageException("interrupted");
        }
    }

    /** A port that is free now. */
    static int freePort() throws UsageException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UsageException("there is no free port: " + e.getMessage());
        }
    }

    private static List<String> as(@Nullable String user, List<String> command) {
        List<String> whole = new ArrayList<>();
        Programs.onPath("setpriv").ifPresent(setpriv -> {
            whole.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL"));
            if (user != null) {
                whole.addAll(List.of("--reuid", user, "--regid", user, "--clear-groups"));
            }
            whole.add("--");
        });
        whole.addAll(command);
        return whole;
    }

    private static Process launch(String name, List<String> command, Path log) throws UsageException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new UsageException("cannot start " + name + ": " + e.getMessage());
        }
    }

    /**
     * Waits until the program is ready. One that ends before is started again: what is left of one that was killed may
     * be in its way for a moment.
     */
    void await(Ready ready) throws UsageException {
        long start = System.nanoTime();
        while (!ready.isReady() || !process.isAlive()) {
            if (System.nanoTime() - start > START_NANOS) {
                throw new UsageException(name + " does not start: " + lastLine(log));
            }
            pause();
            if (!process.isAlive()) {
                pause();
                process = launch(name, command, log);
            }
        }
    }

    /** Reports that the program serves, and waits until it ends; this process ends with it. */
    void serve(int port) throws UsageException {
        Process served = process;
        Parent.ready(port, line -> {
            if (line.equals(KILL)) {
                served.destroyForcibly();
                awaitEnd(served);
                Runtime.getRuntime().halt(1);
            }
        });
        try {
            served.waitFor();
        } catch (InterruptedException e) {
            throw new UsageException("interrupted");
        }
        if (!ending) {
            System.err.println(name + " has ended: " + lastLine(log));
        }
        System.exit(1);
    }

    /** SIGTERM: Redis ends, and so does PostgreSQL when its clients have gone, which have lifelines too. */
    private void end() {
        ending = true;
        process.destroy();
        if (!awaitEnd(process)) {
            process.destroyForcibly();
            awaitEnd(process);
        }
    }

    private static boolean awaitEnd(Process process) {
        try {
            return process.waitFor(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void pause() throws UsageException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UsageException("interrupted");
        }
    }

    private static String lastLine(Path log) {
        try {
            List<String> lines = Files.readAllLines(log).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            return lines.isEmpty() ? "it says nothing" : lines.get(lines.size() - 1);
        } catch (IOException e) {
            return "see " + log;
        }
    }
}
