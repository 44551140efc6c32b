package dev.levee.examples.shortlink.cluster;

import dev.levee.core.Listener;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.WebServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * What a child process says to the launcher, on its standard output, and hears from it, on its standard input.
 *
 * <p>The input is also the lifeline: when the launcher dies, however that happens, the pipe closes and the child exits.
 */
public final class Parent {
    static final String READY = "ready";
    static final String FAILED = "failed";
    static final String STATE = "state";
    static final String FIGURE = "figure";
    static final String MEASURE = "measure";
    static final String MEASURED = "measured";

    private Parent() {}

    /**
     * Starts a web server and reports how that went.
     *
     * @param start starts it
     */
    public static void serve(Start start) {
        try {
            WebServer server = start.start();
            ready(server.port(), command -> {
                if (command.equals(MEASURE)) {
                    measured(server.figures());
                }
            });
        } catch (UsageException e) {
            failed(String.valueOf(e.getMessage()));
        }
    }

    /** Starts a web server. */
    @FunctionalInterface
    public interface Start {
        /** Starts it, or says why not. */
        WebServer start() throws UsageException;
    }

    /**
     * Reports that the child serves, and from now on exits with the launcher.
     *
     * @param port where it serves
     * @param commands hears each line that the launcher sends
     */
    public static void ready(int port, Consumer<String> commands) {
        Thread lifeline = new Thread(() -> obey(commands), "lifeline");
        lifeline.start();
        System.out.println(READY + " " + port);
    }

    /**
     * Reports that the child cannot serve, and ends it.
     *
     * @param reason one line for the user
     */
    public static void failed(String reason) {
        System.out.println(FAILED + " " + reason.lines().findFirst().orElse("for no reason"));
        System.exit(1);
    }

    /**
     * Reports each change of state of a policy.
     *
     * @return a listener for the environment of all policies of the process
     */
    public static Listener listener() {
        return new Listener() {
            @Override
            public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                System.out.println(String.join(" ", STATE, policy, from, to, kind.name()));
            }
        };
    }

    /**
     * Reports a figure; the largest one counts.
     *
     * @param name what it is called in the report of the smoke test
     * @param value how many
     */
    public static void figure(String name, int value) {
        System.out.println(String.join(" ", FIGURE, name, String.valueOf(value)));
    }

    /** Reports all figures in one line, so that lines of other threads do not come in between. */
    private static void measured(Measured figures) {
        StringBuilder line = new StringBuilder(MEASURED);
        figures.measure((policy, metric, value) -> line.append(' ')
                .append(URLEncoder.encode(policy, StandardCharsets.UTF_8))
                .append(' ')
                .append(metric)
                .append(' ')
                .append(value));
        System.out.println(line);
    }

    private static void obey(Consumer<String> commands) {
        try {
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                commands.accept(line);
            }
        } catch (IOException e) {
            // The launcher is gone, as at the end of the input.
        }
        System.exit(0);
    }
}
