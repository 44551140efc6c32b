package dev.levee.examples.shortlink.cluster;

import dev.levee.core.Measured;
import dev.levee.examples.shortlink.Main;
import dev.levee.examples.shortlink.UsageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A process of the cluster, as the launcher sees it; {@link Parent} is the other end. */
final class ChildProcess implements AutoCloseable, Measured {
    /**
     * Small and quick to start. A client keeps idle connections for less time than a server (30 s), so that no request
     * meets one that is being closed. Code is compiled after a fifth of the calls that Java waits for: interpreted, a
     * request takes many times as long, and a crowd comes before it has been called that often. On two cores
     * {@code CompletableFuture} starts a thread for each asynchronous stage unless the common pool is told to have two.
     * H2 would try to connect for a second and a half: we retry, on another node.
     */
    private static final List<String> JVM = List.of(
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:CompileThresholdScaling=0.2",
            "-Djdk.httpclient.keepalive.timeout=20",
            "-Djava.util.concurrent.ForkJoinPool.common.parallelism=2",
            "-Dh2.bindAddress=127.0.0.1",
            "-Dh2.socketConnectRetry=0");

    /** A second on a machine that does nothing else; PostgreSQL may have to copy its files first. */
    private static final int START_SECONDS = 90;

    private final String name;
    private final Process process;
    private final CompletableFuture<Integer> port = new CompletableFuture<>();
    private volatile boolean closing;

    /** Three words for each figure. */
    private volatile List<String> figures = List.of();

    private ChildProcess(String name, Process process) {
        this.name = name;
        this.process = process;
    }

    static ChildProcess start(String name, Events events, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            ChildProcess child = new ChildProcess(name, process);
            Thread reader = new Thread(() -> child.listen(events), "output of " + name);
            reader.setDaemon(true);
            reader.start();
            return child;
        } catch (IOException e) {
            throw new IllegalStateException("cannot start a process: " + e.getMessage(), e);
        }
    }

    private void listen(Events events) {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case Parent.READY -> port.complete(Integer.valueOf(words[1]));
                    case Parent.FAILED ->
                        port.completeExceptionally(new UsageException(line.substring(words[0].length() + 1)));
                    case Parent.STATE -> events.stateChanged(name, words[1], words[2], words[3], words[4]);
                    case Parent.MEASURED -> figures = List.of(words).subList(1, words.length);
                    case Parent.FIGURE -> events.figure(words[1], Integer.parseInt(words[2]));
                    default -> System.err.println(name + ": " + line);
                }
            }
        } catch (IOException e) {
            // The process has ended.
        }
        boolean served = port.isDone() && !port.isCompletedExceptionally();
        if (served && !closing) {
            events.ended(name);
        }
        port.completeExceptionally(new UsageException(name + " ended before it served"));
    }

    /** Asks the process for its figures, and passes those on that it has sent last: an answer is not waited for. */
    @Override
    public void measure(Sink sink) {
        if (!process.isAlive()) {
            return;
        }
        tell(Parent.MEASURE);
        List<String> last = figures;
        for (int i = 0; i + 2 < last.size(); i += 3) {
            String policy = URLDecoder.decode(last.get(i), StandardCharsets.UTF_8);
            sink.value(policy, last.get(i + 1), Double.parseDouble(last.get(i + 2)));
        }
    }

    /** Waits until the process serves. */
    int port() throws UsageException, InterruptedException {
        try {
            return port.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof UsageException reason ? reason : new UsageException(name + " failed: " + e);
        } catch (TimeoutException e) {
            throw new UsageException(name + " does not start");
        }
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    /** Sends a line to the process. */
    void tell(String line) {
        try {
            Writer input = process.outputWriter(StandardCharsets.UTF_8);
            input.write(line + "\n");
            input.flush();
        } catch (IOException e) {
            throw new IllegalStateException(name + " is gone", e);
        }
    }

    /** SIGKILL: no hook runs, no connection is closed by the process itself. */
    void kill() {
        process.destroyForcibly();
        awaitEnd(10);
    }

    /** SIGKILL for the program that the process keeps, and for nothing else: the process ends by itself then. */
    void killKept() {
        tell("kill");
        awaitEnd(10);
    }

    /** Asks the process to end in good order, by cutting its lifeline. Does not wait. */
    void cutLifeline() {
        closing = true;
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended already.
        }
    }

    /** Ends the process and waits until it has ended. */
    @Override
    public void close() {
        cutLifeline();
        if (!awaitEnd(10)) {
            kill();
        }
    }

    private boolean awaitEnd(int seconds) {
        try {
            return process.waitFor(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
