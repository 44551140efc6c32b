package dev.levee.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.levee.circuitbreaker.CircuitBreaker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The page in a real browser. Needs Node, {@code npm ci} in {@code browser}, and Chromium, whose path may be given by
 * the variable {@code CHROMIUM}; without them it is skipped, but fails where the variable {@code CI} is {@code true}.
 * The pictures are those of the docs where the variable {@code LEVEE_PICTURES} says so: it is the folder for them.
 */
class ConsoleBrowserTest {
    private static final Path BROWSER =
            Files.isDirectory(Path.of("browser")) ? Path.of("browser") : Path.of("integrations", "console", "browser");

    @Test
    void the_page_does_what_it_promises_in_Chromium() throws Exception {
        requireBrowser();
        String pictures = System.getenv("LEVEE_PICTURES");
        Path folder = pictures == null ? Files.createTempDirectory("console") : Path.of(pictures);
        Path output = Files.createTempFile("console", ".log");
        try (RehearsedService service = new RehearsedService(0)) {
            service.console.show("<img src=x onerror=hacked=1>", CircuitBreaker.of("plain"));
            Process process = new ProcessBuilder(
                            "node",
                            BROWSER.resolve("check.js").toAbsolutePath().toString(),
                            service.console.address().toString(),
                            RehearsedService.TOKEN,
                            folder.toAbsolutePath().toString())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            boolean ended = process.waitFor(5, TimeUnit.MINUTES);
            process.destroyForcibly();

            assertThat(ended && process.exitValue() == 0)
                    .as(Files.readString(output))
                    .isTrue();
            assertThat(Files.readString(output).lines().filter(line -> line.startsWith("ok ")))
                    .hasSizeGreaterThanOrEqualTo(12);
        }
    }

    private static void requireBrowser() throws Exception {
        String chromium = System.getenv().getOrDefault("CHROMIUM", "/usr/bin/chromium");
        String missing = !Files.isExecutable(Path.of(chromium))
                ? "Chromium at " + chromium
                : !Files.isDirectory(BROWSER.resolve("node_modules/playwright-core"))
                        ? "npm ci in " + BROWSER
                        : !runs("node", "--version") ? "Node" : "";
        if (!missing.isEmpty() && "true".equals(System.getenv("CI"))) {
            fail("the browser test needs " + missing);
        }
        assumeTrue(missing.isEmpty(), "the browser test needs " + missing);
    }

    private static boolean runs(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }
}
