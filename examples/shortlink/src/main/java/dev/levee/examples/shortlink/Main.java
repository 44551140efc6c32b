package dev.levee.examples.shortlink;

import dev.levee.console.Console;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.examples.shortlink.cluster.Cluster;
import dev.levee.examples.shortlink.cluster.Events;
import dev.levee.examples.shortlink.cluster.Parent;
import dev.levee.examples.shortlink.database.DatabaseServer;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import dev.levee.examples.shortlink.node.NodeServer;
import dev.levee.examples.shortlink.smoke.Rehearsal;
import dev.levee.examples.shortlink.smoke.Smoke;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Starts one of the programs: the launcher that a user starts, or a process of the cluster that the launcher starts.
 */
public final class Main {
    private static final Path DATA = Path.of(System.getProperty("shortlink.data", "shortlink-data"));

    private Main() {}

    /**
     * Runs {@code database PORT DIRECTORY}, {@code node NAME PORT DATABASE JOURNAL WITHOUT}, {@code front PORT NODES
     * WITHOUT}, or what {@link Arguments#USAGE} says.
     *
     * @param args the arguments
     */
    public static void main(String[] args) {
        switch (args.length == 0 ? "" : args[0]) {
            case "database" -> DatabaseServer.run(Integer.parseInt(args[1]), Path.of(args[2]));
            case "node" ->
                node(args[1], Integer.parseInt(args[2]), args[3], Path.of(args[4]), Without.valueOf(args[5]));
            case "front" -> front(Integer.parseInt(args[1]), args[2], Without.valueOf(args[3]));
            default -> System.exit(launch(List.of(args)));
        }
    }

    private static void node(String name, int port, String database, Path journal, Without without) {
        String incarnation = name + "/" + ProcessHandle.current().pid();
        Parent.serve(() -> NodeServer.start(port, incarnation, database, journal, without, environment()));
    }

    private static void front(int port, String nodes, Without without) {
        List<URI> uris = Stream.of(nodes.split(",", -1)).map(URI::create).toList();
        Parent.serve(() -> FrontServer.start(port, uris, without, environment()));
    }

    private static Environment environment() {
        return Environment.builder().listener(Parent.listener()).build();
    }

    private static int launch(List<String> words) {
        try {
            Arguments arguments = Arguments.parse(words);
            if (arguments.help()) {
                System.out.print(Arguments.USAGE);
                return 0;
            }
            List<String> urls = Urls.read(arguments.urls());
            return arguments.smoke() ? Smoke.run(urls, arguments.without()) : serve(arguments, urls);
        } catch (UsageException e) {
            System.err.println("shortlink: " + e.getMessage());
            return 2;
        } catch (InterruptedException e) {
            return 130;
        }
    }

    private static int serve(Arguments arguments, List<String> urls) throws UsageException, InterruptedException {
        Path data = arguments.data() == null ? DATA : arguments.data();
        String token = Rehearsal.token();
        Console console = arguments.console() < 0
                ? null
                : Console.start(config ->
                        config.port(arguments.console()).title("shortlink").token(token));
        Events events = new Events(System.out, console == null ? Listener.NONE : console.listener());
        try (console;
                Cluster cluster = Cluster.start(arguments.port(), data, urls, arguments.without(), events)) {
            System.out.printf(
                    """
                    shortlink serves on %1$s until Ctrl-C. The links are in %2$s. Try:

                      curl -i %1$s/%3$s
                      curl -i %1$s/shorten -d https://example.com/a/long/way
                      curl -i %1$s/shorten -H 'Idempotency-Key: order-42' -d https://example.com/a/long/way
                      curl -i %1$s/healthz

                    A client that asks too often, such as curl in a loop, is answered 429 with Retry-After: it may
                    ask %5$s.

                    The processes; kill -9 a node, and the service goes on:

                    %4$s
                    """,
                    cluster.front(), data, Code.of(urls.get(0), 0), cluster.processes(), FrontServer.limitPerClient());
            if (console != null) {
                Rehearsal.of(cluster, urls).showOn(console);
                System.out.printf("""
                        The live page, with buttons that send requests, kill a node, slow the database and flood
                        the front:

                          %s#token=%s

                        """, console.address(), token);
            }
            Thread.currentThread().join();
        }
        return 0;
    }
}
