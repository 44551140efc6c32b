package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder for the data of one run. */
final class TemporaryFolder {
    private TemporaryFolder() {}

    static Path make() throws UsageException {
        try {
            return Files.createTempDirectory("shortlink-smoke");
        } catch (IOException e) {
            throw new UsageException("cannot make a temporary directory: " + e.getMessage());
        }
    }

    /** One that a process of another user can pass through, to a folder in it that is its own. */
    static Path passable() throws UsageException {
        Path folder = make();
        try {
            return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        } catch (IOException | UnsupportedOperationException e) {
            throw new UsageException("cannot open the temporary directory: " + e.getMessage());
        }
    }

    static void delete(Path directory) throws UsageException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UsageException("cannot delete " + directory);
        }
    }
}
