package dev.levee.examples.shortlink;

import dev.levee.console.Console;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.examples.shortlink.cluster.Cluster;
import dev.levee.examples.shortlink.cluster.Events;
import dev.levee.examples.shortlink.cluster.Parent;
import dev.levee.examples.shortlink.database.DatabaseServer;
import dev.levee.examples.shortlink.engines.PostgresEngine;
import dev.levee.examples.shortlink.engines.Programs;
import dev.levee.examples.shortlink.engines.RedisEngine;
import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import dev.levee.examples.shortlink.node.NodeServer;
import dev.levee.examples.shortlink.smoke.EngineSmoke;
import dev.levee.examples.shortlink.smoke.Rehearsal;
import dev.levee.examples.shortlink.smoke.Smoke;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Starts one of the programs: the launcher that a user starts, or a process of the cluster that the launcher starts.
 */
public final class Main {
    private static final Path DATA = Path.of(System.getProperty("shortlink.data", "shortlink-data"));

    private Main() {}

    /**
     * Runs {@code database PORT DIRECTORY}, {@code redis PORT DIRECTORY}, {@code postgres PORT DIRECTORY PRIMARY COPY},
     * {@code node NAME PORT JOURNAL WITHOUT DATABASE REPLICA REDIS}, {@code front PORT NODES WITHOUT REDIS FRONTS}, or
     * what {@link Arguments#USAGE} says.
     *
     * @param args the arguments
     */
    public static void main(String[] args) {
        switch (args.length == 0 ? "" : args[0]) {
            case "database" -> DatabaseServer.run(Integer.parseInt(args[1]), Path.of(args[2]));
            case "redis" -> RedisEngine.run(Integer.parseInt(args[1]), Path.of(args[2]));
            case "postgres" ->
                PostgresEngine.run(
                        Integer.parseInt(args[1]),
                        Path.of(args[2]),
                        Integer.parseInt(args[3]),
                        Boolean.parseBoolean(args[4]));
            case "node" -> node(args);
            case "front" -> front(args);
            default -> System.exit(launch(List.of(args)));
        }
    }

    private static void node(String... args) {
        String incarnation = args[1] + "/" + ProcessHandle.current().pid();
        Backends backends = new Backends(args[5], orNull(args[6]), orNull(args[7]));
        Parent.serve(() -> NodeServer.start(
                Integer.parseInt(args[2]),
                incarnation,
                backends,
                Path.of(args[3]),
                Without.valueOf(args[4]),
                environment()));
    }

    private static void front(String... args) {
        List<URI> uris = Stream.of(args[2].split(",", -1)).map(URI::create).toList();
        int fronts = Integer.parseInt(args[5]);
        Parent.serve(() -> FrontServer.start(
                Integer.parseInt(args[1]), uris, Without.valueOf(args[3]), orNull(args[4]), fronts, environment()));
    }

    private static @Nullable String orNull(String argument) {
        return argument.equals(Cluster.NONE) ? null : argument;
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
            Programs.require(arguments.engines());
            List<String> urls = Urls.read(arguments.urls());
            if (!arguments.smoke()) {
                return serve(arguments, urls);
            }
            return arguments.engines().none()
                    ? Smoke.run(urls, arguments.without())
                    : EngineSmoke.run(urls, arguments.without(), arguments.engines());
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
                Cluster cluster =
                        Cluster.start(arguments.port(), data, urls, arguments.without(), arguments.engines(), events)) {
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
            if (arguments.engines().redis()) {
                System.out.printf(
                        """
                        A client has one limit for both fronts, %s as long as Redis answers. The other front:

                          %s

                        """, FrontServer.sharedClientLimit(), cluster.fronts().get(1));
            }
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
