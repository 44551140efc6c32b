package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Commands that the pages show can be given: in blocks of {@code sh} and in backticks, those of Maven and those that
 * are scripts of the checkout.
 */
class MarkdownCommandsTest {

    private static final Set<String> PHASES =
            Set.of("clean", "compile", "test-compile", "test", "package", "verify", "install", "deploy");

    /** Parameters of goals that no pom sets. */
    private static final Set<String> PARAMETERS =
            Set.of("newVersion", "processAllModules", "generateBackupPoms", "skipPublishing");

    private static final Set<String> SWITCHES = Set.of("-q", "-B", "-am", "-o", "-ntp");
    private static final Pattern VARIABLE = Pattern.compile("^[A-Z_]+=(?:<[^>]*>|\\S+) +");
    private static final Pattern WORD = Pattern.compile("'[^']*'|\\S+");
    private static final Path ROOT = Project.root();
    private static final String POM = read(ROOT.resolve("pom.xml"));

    @TestFactory
    Stream<DynamicTest> every_command_can_be_given() {
        return MarkdownPage.all().stream()
                .filter(it -> !commands(it).isEmpty())
                .map(it -> DynamicTest.dynamicTest(
                        it.path(), () -> assertThat(problems(it)).isEmpty()));
    }

    @TestFactory
    Stream<DynamicTest> every_script_parses() throws IOException {
        return scripts()
                .map(it -> DynamicTest.dynamicTest(ROOT.relativize(it).toString(), () -> {
                    assertThat(Files.isExecutable(it)).as("executable").isTrue();
                    assertThat(run("bash", "-n", it.toString())).isEmpty();
                }));
    }

    /** Not shortlink's, which builds before it answers. */
    @TestFactory
    Stream<DynamicTest> help_names_the_options_that_pages_use() {
        return Stream.of("benchmarks/compare", "benchmarks/simulate", "benchmarks/stress")
                .map(it -> DynamicTest.dynamicTest(it, () -> {
                    String help = run(ROOT.resolve(it).toString(), "--help");
                    assertThat(help).startsWith("usage: " + it);
                    assertThat(optionsOf(it))
                            .isNotEmpty()
                            .allSatisfy(option -> assertThat(help).contains(option));
                }));
    }

    private static List<String> optionsOf(String script) {
        List<String> options = new ArrayList<>();
        for (MarkdownPage page : MarkdownPage.all()) {
            for (String command : commands(page)) {
                List<String> words = words(command);
                if (words.get(0).equals(script)) {
                    words.stream().filter(it -> it.startsWith("--")).forEach(options::add);
                }
            }
        }
        return options;
    }

    private static Stream<Path> scripts() throws IOException {
        return Stream.of(
                        ".ci/run",
                        ".ci/nightly",
                        ".ci/mutation",
                        "mvnw",
                        "benchmarks/compare",
                        "benchmarks/simulate",
                        "benchmarks/stress",
                        "examples/shortlink/run",
                        "examples/spring-boot/newcomer",
                        "examples/spring-boot/run")
                .map(ROOT::resolve);
    }

    /** Commands, and options of Maven that a page shows alone. */
    private static List<String> commands(MarkdownPage page) {
        List<String> commands = new ArrayList<>();
        for (MarkdownPage.Fence fence : page.fences()) {
            if (fence.language().equals("sh")) {
                fence.lines().stream()
                        .map(it -> it.replaceAll("\\s+#.*", "").strip())
                        .filter(it -> !it.isEmpty())
                        .forEach(commands::add);
            }
        }
        for (MarkdownPage.Code code : page.code()) {
            String text = VARIABLE.matcher(code.text()).replaceFirst("");
            if (text.startsWith("./mvnw") || text.startsWith("-Dtest=") || isScript(text.split(" ", -1)[0])) {
                commands.add(text);
            }
        }
        return commands;
    }

    private static boolean isScript(String path) {
        return path.matches("[\\w.]+(/[\\w-]+)+")
                && Files.isRegularFile(ROOT.resolve(path))
                && Files.isExecutable(ROOT.resolve(path));
    }

    private static List<String> words(String command) {
        return WORD.matcher(command)
                .results()
                .map(it -> it.group().replace("'", ""))
                .toList();
    }

    private static List<String> problems(MarkdownPage page) {
        List<String> problems = new ArrayList<>();
        for (String command : commands(page)) {
            List<String> words = words(VARIABLE.matcher(command).replaceFirst(""));
            String first = words.get(0);
            String problem = first.equals("./mvnw")
                    ? problemOfMaven(words.subList(1, words.size()))
                    : first.startsWith("-Dtest=") ? problemOfMaven(words) : problemOfScript(words);
            if (!problem.isEmpty()) {
                problems.add(page.path() + " `" + command + "`: " + problem);
            }
        }
        return problems;
    }

    private static String problemOfScript(List<String> words) {
        if (!words.get(0).contains("/")) {
            return ""; // of the system
        }
        if (!isScript(words.get(0))) {
            return "no script " + words.get(0);
        }
        String sources = sourcesOf(words.get(0));
        for (String word : words.subList(1, words.size())) {
            String option = word.replaceAll("=.*", "");
            if (option.startsWith("--") && !option.equals("--help") && !sources.contains(option)) {
                return "no option " + option;
            }
        }
        return "";
    }

    /** The script and the Java sources below its folder. */
    private static String sourcesOf(String script) {
        Path file = ROOT.resolve(script);
        StringBuilder text = new StringBuilder(read(file));
        Project.paths(file.getParent()).stream()
                .filter(it -> it.toString().endsWith(".java"))
                .forEach(it -> text.append(read(it)));
        return text.toString();
    }

    private static String problemOfMaven(List<String> words) {
        String modules = ".";
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("-pl")) {
                modules = words.get(++i);
                for (String module : modules.replace("!", "").split(",", -1)) {
                    if (!POM.contains("<module>" + module + "</module>")) {
                        return "no module " + module;
                    }
                }
            } else if (word.startsWith("-D") && !word.startsWith("-Dtest=")) {
                String property = word.substring(2).replaceAll("=.*", "");
                if (!PARAMETERS.contains(property)
                        && !POM.contains("<name>" + property + "</name>")
                        && !POM.contains("<" + property + ">")) {
                    return "nothing in the pom has property " + property;
                }
            } else if (word.startsWith("-P")) {
                if (!POM.contains("<id>" + word.substring(2) + "</id>")) {
                    return "no profile " + word.substring(2);
                }
            } else if (!word.startsWith("-Dtest=")
                    && !SWITCHES.contains(word)
                    && !PHASES.contains(word)
                    && !isGoal(word)) {
                return "no switch, phase or goal " + word;
            }
        }
        String missing = missingTest(modules, lastTest(words));
        return missing.isEmpty() ? "" : "no test " + missing;
    }

    private static String lastTest(List<String> words) {
        return words.stream()
                .filter(it -> it.startsWith("-Dtest="))
                .map(it -> it.substring("-Dtest=".length()))
                .reduce("", (before, it) -> it);
    }

    /** A goal of a plugin that the pom has. */
    private static boolean isGoal(String word) {
        Matcher goal = Pattern.compile("([a-z-]+):[a-z-]+").matcher(word);
        return goal.matches() && POM.contains("<artifactId>" + goal.group(1) + "-maven-plugin</artifactId>");
    }

    /** The first class, or pattern of classes, of which the modules have none. */
    private static String missingTest(String modules, String tests) {
        for (String test : tests.split("[+,]", -1)) {
            String pattern = test.replace("*", "\\w*") + "\\.java";
            boolean found = false;
            for (String module : modules.replace("!", "").split(",", -1)) {
                found |= Project.paths(ROOT.resolve(module)).stream()
                        .filter(it -> it.toString().contains("src/test/java"))
                        .anyMatch(it -> it.getFileName().toString().matches(pattern));
            }
            if (!test.isEmpty() && !found) {
                return test;
            }
        }
        return "";
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(ROOT.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Nested
    class A_command {

        @TempDir
        Path folder;

        @Test
        void of_Maven_needs_its_modules_tests_properties_and_goals() {
            assertThat(problem("./mvnw -q -pl core -am test -Dtest=BulkheadGateTest+Retry*Test -Dquick"))
                    .isEmpty();
            assertThat(problem("JAVA_HOME=<jdk 25> ./mvnw spotless:apply clean verify"))
                    .isEmpty();
            assertThat(problem("./mvnw -pl kernel verify")).endsWith("no module kernel");
            assertThat(problem("./mvnw -pl core test -Dtest=FixedBulkheadTest")).endsWith("no test FixedBulkheadTest");
            assertThat(problem("./mvnw -Dtest=BulkheadGateTest -pl levee test")).endsWith("no test BulkheadGateTest");
            assertThat(problem("./mvnw -Dhasty verify")).endsWith("nothing in the pom has property hasty");
            assertThat(problem("./mvnw -Pquicker verify")).endsWith("no profile quicker");
            assertThat(problem("./mvnw deploy-everywhere")).endsWith("no switch, phase or goal deploy-everywhere");
            assertThat(problem("./mvnw tidy:apply")).endsWith("no switch, phase or goal tidy:apply");
        }

        @Test
        void of_a_script_needs_the_script_and_its_options() {
            assertThat(problem("benchmarks/compare --quick 'breaker.*'")).isEmpty();
            assertThat(problem("examples/shortlink/run --smoke   # breaks things"))
                    .isEmpty();
            assertThat(problem("benchmarks/compare --hasty")).endsWith("no option --hasty");
            assertThat(problem("benchmarks/contrast")).endsWith("no script benchmarks/contrast");
        }

        private String problem(String command) {
            try {
                Path page = Files.write(folder.resolve("page.md"), List.of("```sh", command, "```"));
                return String.join("\n", problems(MarkdownPage.of(page)));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
