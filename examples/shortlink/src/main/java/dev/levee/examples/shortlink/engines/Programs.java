package dev.levee.examples.shortlink.engines;

import dev.levee.examples.shortlink.Engines;
import dev.levee.examples.shortlink.UsageException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds the programs of others. */
public final class Programs {
    /** Where Debian and its relatives keep PostgreSQL, a folder for each version. */
    private static final Path DEBIAN = Path.of("/usr/lib/postgresql");

    private Programs() {}

    /**
     * Says what is missing.
     *
     * @param engines what the user asked for
     * @throws UsageException if one is not installed; the message says what to install
     */
    public static void require(Engines engines) throws UsageException {
        if (engines.redis()) {
            redis();
        }
        if (engines.replicas()) {
            postgres();
            if (isRoot() && onPath("setpriv").isEmpty()) {
                throw new UsageException("PostgreSQL does not run as root, and there is no setpriv to run it as"
                        + " another user: run shortlink as another user");
            }
        }
    }

    /** The server of Redis, or of Valkey. */
    static Path redis() throws UsageException {
        return Stream.of("redis-server", "valkey-server")
                .flatMap(name -> onPath(name).stream())
                .findFirst()
                .orElseThrow(() -> new UsageException("--redis needs redis-server or valkey-server on the PATH, and"
                        + " there is none: install one (Debian: apt-get install redis-server)"));
    }

    /** The folder of the programs of PostgreSQL: {@code postgres}, {@code initdb}, {@code pg_basebackup}. */
    static Path postgres() throws UsageException {
        return Stream.concat(onPath("postgres").map(Path::getParent).stream(), debian())
                .filter(folder -> Stream.of("postgres", "initdb", "pg_basebackup")
                        .allMatch(name -> Files.isExecutable(folder.resolve(name))))
                .findFirst()
                .orElseThrow(() -> new UsageException("--replicas needs postgres, initdb and pg_basebackup on the PATH"
                        + " or in " + DEBIAN + "/*/bin, and they are not there: install PostgreSQL (Debian: apt-get"
                        + " install postgresql)"));
    }

    /** The newest version first. */
    private static Stream<Path> debian() {
        if (!Files.isDirectory(DEBIAN)) {
            return Stream.empty();
        }
        try (Stream<Path> versions = Files.list(DEBIAN)) {
            return versions
                    .sorted(Comparator.comparing((Path version) ->
                                    version.getFileName().toString().length())
                            .thenComparing(Comparator.naturalOrder())
                            .reversed())
                    .map(version -> version.resolve("bin"))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Optional<Path> onPath(String name) {
        String path = System.getenv("PATH");
        return Arrays.stream((path == null ? "" : path).split(File.pathSeparator, -1))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    static boolean isRoot() {
        return System.getProperty("user.name", "").equals("root");
    }
}
