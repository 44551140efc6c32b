package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * The exercise of the first hour in CONTRIBUTING.md: a statement is commented out, and the tests fail as the page says.
 * It is done on a copy of the source, whose classes come before the real ones in a class loader of their own.
 */
class MarkdownExerciseTest {

    private static final Pattern EXERCISE = Pattern.compile(
            "In `(?<file>[^`]+\\.java)`,\\s+method\\s+`(?<method>\\w+)`,\\s+comment\\s+out\\s+`(?<statement>[^`]+)`"
                    + ".*?-Dtest=(?<test>\\w+)"
                    + ".*?(?<failed>\\d+)\\s+of\\s+its\\s+(?<all>\\d+)\\s+tests\\s+fail.*?`(?<message>[^`]+)`",
            Pattern.DOTALL);

    private static final Path ROOT = root();

    @TempDir
    Path folder;

    @Test
    void the_planted_failure_of_the_first_hour_is_found() throws Exception {
        Matcher exercise = EXERCISE.matcher(Files.readString(ROOT.resolve("CONTRIBUTING.md")));
        assertThat(exercise.find()).as("the exercise in CONTRIBUTING.md").isTrue();
        Path file = ROOT.resolve(exercise.group("file"));
        String source = Files.readString(file);

        compile(file.getFileName(), without(exercise.group("statement"), exercise.group("method"), source));
        List<String> failures = failuresOf(exercise.group("test"));

        assertThat(failures.remove(0)).isEqualTo(exercise.group("all") + " tests");
        assertThat(failures).hasSize(Integer.parseInt(exercise.group("failed")));
        assertThat(failures.stream().filter(it -> it.contains(exercise.group("message"))))
                .hasSizeGreaterThan(failures.size() / 2);
    }

    /** The source with the statement commented out, which stands once in the method. */
    private static String without(String statement, String method, String source) {
        Matcher declaration =
                Pattern.compile("(?m)^( +)\\S.*\\b" + method + "\\(").matcher(source);
        assertThat(declaration.find()).as("method %s", method).isTrue();
        int end = source.indexOf("\n" + declaration.group(1) + "}", declaration.end());
        int found = source.indexOf(statement, declaration.end());
        assertThat(found).as("%s in %s", statement, method).isBetween(declaration.end(), end);
        assertThat(source.substring(found + 1, end)).doesNotContain(statement);
        return source.substring(0, found) + "// " + source.substring(found);
    }

    private void compile(Path name, String source) throws IOException {
        Path file = Files.writeString(folder.resolve(name), source);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter errors = new StringWriter();
        List<String> options = List.of("-proc:none", "-d", folder.toString(), "-cp", classPath());
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            Boolean compiled = compiler.getTask(errors, files, null, options, null, files.getJavaFileObjects(file))
                    .call();
            assertThat(compiled).as(errors.toString()).isTrue();
        }
    }

    /** "N tests", and a line for each failure. */
    @SuppressWarnings("unchecked")
    private List<String> failuresOf(String test) throws Exception {
        List<URL> urls = new ArrayList<>(List.of(url(folder)));
        for (String entry : classPath().split(File.pathSeparator, -1)) {
            urls.add(url(Path.of(entry)));
        }
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            thread.setContextClassLoader(loader);
            Object failures = loader.loadClass(Runner.class.getName())
                    .getMethod("run", String.class)
                    .invoke(null, nameOf(test));
            return new ArrayList<>((List<String>) failures);
        } catch (InvocationTargetException e) {
            throw new AssertionError(e.getCause());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URL url(Path entry) throws MalformedURLException {
        return entry.toUri().toURL();
    }

    private static String nameOf(String test) throws IOException {
        Path tests = ROOT.resolve("core/src/test/java");
        try (Stream<Path> files = Files.walk(tests)) {
            Path file = files.filter(it -> it.getFileName().toString().equals(test + ".java"))
                    .findAny()
                    .orElseThrow(() -> new AssertionError("no test " + test + " in core"));
            return tests.relativize(file).toString().replace(".java", "").replace(File.separatorChar, '.');
        }
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }

    private static Path root() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve("mvnw"))) {
                return folder;
            }
        }
        throw new IllegalStateException("no mvnw above " + Path.of("").toAbsolutePath());
    }

    /** Is loaded by the class loader that has the planted failure, as JUnit is. */
    public static final class Runner {

        private Runner() {}

        /** Runs the tests of a class: "N tests", and the message of each failure. */
        public static List<String> run(String test) {
            SummaryGeneratingListener summary = new SummaryGeneratingListener();
            LauncherFactory.create()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectClass(test))
                                    .build(),
                            summary);
            TestExecutionSummary result = summary.getSummary();
            List<String> failures = new ArrayList<>(List.of(result.getTestsFoundCount() + " tests"));
            result.getFailures()
                    .forEach(it -> failures.add(
                            String.valueOf(it.getException().getMessage()).replaceAll("\\s+", " ")));
            return failures;
        }
    }
}
