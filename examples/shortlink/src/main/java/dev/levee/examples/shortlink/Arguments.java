package dev.levee.examples.shortlink;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the user asked for.
 *
 * @param smoke whether to run the smoke test instead of serving
 * @param help whether to print the usage and do nothing else
 * @param port the port of the front, 0 for any
 * @param urls the file of URLs, or null for the bundled one
 * @param data where the database lives, or null for the default
 * @param without what to take out
 * @param console the port of the live page, 0 for any, or -1 for none
 * @param engines which servers it runs on
 */
record Arguments(
        boolean smoke,
        boolean help,
        int port,
        @Nullable Path urls,
        @Nullable Path data,
        Without without,
        int console,
        Engines engines) {
    private static final int NO_CONSOLE = -1;

    static final String USAGE = """
            usage: examples/shortlink/run [--redis] [--replicas] [--port N] [--urls FILE] [--data DIR]
                                              [--console PORT|off] [--without PRIMITIVE]
                   examples/shortlink/run --smoke [--redis] [--replicas] [--urls FILE] [--without PRIMITIVE]

              --smoke              run a fixed load with faults for less than a minute, and judge the outcome: exit code
                                   0 if all is as it must be, 1 if not, 3 if this machine stalled and says nothing
              --redis              start a Redis as well, and a second front: both share their limits there, and the
                                   nodes keep links there; needs redis-server or valkey-server
              --replicas           start a PostgreSQL with a replica, which is read, instead of H2; needs PostgreSQL
              --port N             the port to serve on (default 8080; 0 for any)
              --urls FILE          a file of URLs, one a line (default: 400 made-up ones)
              --data DIR           where the links are kept (default examples/shortlink/target/data)
              --console PORT|off   the port of the live page (default: any that is free)
              --without PRIMITIVE  take one out, to see what it is for: %s
            """.formatted(Without.names());

    static Arguments parse(List<String> words) throws UsageException {
        boolean smoke = false;
        boolean help = false;
        Integer port = null;
        Path urls = null;
        Path data = null;
        Without without = Without.NOTHING;
        int console = 0;
        boolean redis = false;
        boolean replicas = false;
        for (Iterator<String> rest = words.iterator(); rest.hasNext(); ) {
            String option = rest.next();
            switch (option) {
                case "--smoke" -> smoke = true;
                case "--help", "-h" -> help = true;
                case "--redis" -> redis = true;
                case "--replicas" -> replicas = true;
                case "--port" -> port = port(option, value(option, rest));
                case "--console" -> console = console(option, value(option, rest));
                case "--urls" -> urls = Path.of(value(option, rest));
                case "--data" -> data = Path.of(value(option, rest));
                case "--without" -> without = Without.named(value(option, rest));
                default -> throw new UsageException("unknown option " + option + " (try --help)");
            }
        }
        if (smoke && (port != null || data != null)) {
            throw new UsageException("--smoke picks its own port and directory: leave out --port and --data");
        }
        return new Arguments(
                smoke,
                help,
                port == null ? 8080 : port,
                urls,
                data,
                without,
                smoke ? NO_CONSOLE : console,
                new Engines(redis, replicas));
    }

    private static String value(String option, Iterator<String> rest) throws UsageException {
        if (!rest.hasNext()) {
            throw new UsageException(option + " needs a value (try --help)");
        }
        return rest.next();
    }

    private static int console(String option, String text) throws UsageException {
        return text.equals("off") ? NO_CONSOLE : port(option, text);
    }

    private static int port(String option, String text) throws UsageException {
        try {
            int port = Integer.parseInt(text);
            if (port >= 0 && port <= 65_535) {
                return port;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new UsageException(option + " takes a number from 0 to 65535, but got " + text);
    }
}
