package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.fail;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A program of this machine that a test starts. */
public final class InstalledProgram {
    private InstalledProgram() {}

    /**
     * Returns the path of a program; without it the test is skipped, and fails in CI.
     *
     * @param debian the package of Debian that has it
     * @param names of the program, the best first
     */
    public static String path(String debian, String... names) {
        Optional<Path> found = Stream.of(names)
                .flatMap(name -> Arrays.stream(
                                (System.getenv("PATH") + File.pathSeparator + "/usr/bin").split(File.pathSeparator, -1))
                        .map(each -> Path.of(each, name)))
                .filter(Files::isExecutable)
                .findFirst();
        if (found.isEmpty()) {
            String missing = names[0] + " is not installed; Debian has it in the package " + debian;
            if ("true".equals(System.getenv("CI"))) {
                fail(missing + ", and .ci/servers installs it");
            }
            Assumptions.abort(missing);
        }
        return found.get().toString();
    }
}
