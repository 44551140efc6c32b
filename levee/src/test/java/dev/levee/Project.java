package dev.levee;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the checkout is, for tests that read its files. */
final class Project {

    private Project() {}

    /** The folder of the parent pom: a test may be started in it or in any folder below. */
    static Path root() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve("mvnw"))) {
                return folder;
            }
        }
        throw new IllegalStateException("no mvnw above " + Path.of("").toAbsolutePath());
    }
}
