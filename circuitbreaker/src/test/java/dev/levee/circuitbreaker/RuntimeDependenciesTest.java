package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A project that depends on {@code levee-circuitbreaker} alone gets this and nothing else. */
class RuntimeDependenciesTest {

    /** Written by the dependency plugin just before the tests run: group:artifact:type:version:scope, one a line. */
    private static final Path RESOLVED = Path.of("target", "runtime-dependencies.txt");

    private static final Pattern ARTIFACT = Pattern.compile("(?m)^ *([\\w.-]+:[\\w.-]+):jar:.*:(?:compile|runtime)\\b");

    @Test
    void a_breaker_brings_core_the_logging_facade_and_the_annotations() throws IOException {
        List<String> resolved = ARTIFACT.matcher(Files.readString(RESOLVED))
                .results()
                .map(it -> it.group(1))
                .toList();

        assertThat(resolved)
                .containsExactlyInAnyOrder("dev.levee:levee-core", "org.slf4j:slf4j-api", "org.jspecify:jspecify");
    }
}
