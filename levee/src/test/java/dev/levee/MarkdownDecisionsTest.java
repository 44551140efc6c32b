package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The pages of docs/adr: their form, their index, and that code and pages find each other. */
class MarkdownDecisionsTest {

    private static final Pattern TITLE = Pattern.compile("(\\d{4})\\. ([^.;?!]+)");
    private static final Pattern STATUS = Pattern.compile("\nStatus: (accepted|superseded by \\S+)(;.*)?\n");
    private static final Pattern DATE = Pattern.compile("\nDate: \\d{4}-\\d\\d-\\d\\d\n");
    private static final Pattern REFERENCE = Pattern.compile("\\bADRs?\\s+(\\d+)(?:(?:, | and |, and )(\\d+))*");
    private static final Pattern LINK = Pattern.compile("\\]\\((\\d{4})-");
    private static final Pattern NUMBER = Pattern.compile("\\d+");

    private final Map<Integer, MarkdownPage> decisions = decisions();

    @TestFactory
    Stream<DynamicTest> every_decision_has_a_plain_title_a_status_and_a_date() {
        return decisions.values().stream()
                .map(it -> DynamicTest.dynamicTest(it.path(), () -> {
                    assertThat(it.headings().get(0)).matches(TITLE);
                    assertThat(it.headings()).contains("Context", "Decision", "Consequences", "Rejected");
                    assertThat(it.raw()).containsPattern(STATUS).containsPattern(DATE);
                }));
    }

    @Test
    void the_index_has_every_decision_with_its_title() {
        List<String> index =
                MarkdownPage.named("docs/adr/README.md").raw().lines().toList();
        List<String> missing = new ArrayList<>();
        for (MarkdownPage page : decisions.values()) {
            Matcher title = TITLE.matcher(page.headings().get(0));
            String line = title.matches()
                    ? "- [" + title.group(1) + "](" + page.file().getFileName() + ") " + title.group(2)
                    : page.path();
            if (index.stream()
                    .noneMatch(isSuperseded(page) ? it -> it.startsWith(line + " (superseded by ") : line::equals)) {
                missing.add(line);
            }
        }
        assertThat(missing).isEmpty();
    }

    /** Merges leave such pairs behind. */
    @Test
    void no_item_stands_twice_in_the_index_or_among_the_changes() {
        for (String path : List.of("docs/adr/README.md", "CHANGELOG.md")) {
            String[] items = MarkdownPage.named(path).raw().split("\n(?=- |\n)");
            assertThat(items).as(path).filteredOn(it -> it.startsWith("- ")).doesNotHaveDuplicates();
        }
    }

    @Test
    void a_decision_that_replaces_another_names_it() {
        List<String> silent = new ArrayList<>();
        decisions.forEach((number, page) -> {
            Matcher status = STATUS.matcher(page.raw());
            if (status.find()) {
                LINK.matcher(status.group())
                        .results()
                        .map(it -> decisions.get(Integer.parseInt(it.group(1))))
                        .filter(it -> !it.raw().contains("](" + page.file().getFileName()))
                        .forEach(it -> silent.add(it.path() + " does not name " + page.path()));
            }
        });
        assertThat(silent).isEmpty();
    }

    /** "ADR 29" in a comment, in a build file or on a page. */
    @Test
    void every_number_that_is_named_is_a_decision() throws IOException {
        for (Path file : files(List.of(".java", ".xml", ".md"))) {
            assertThat(numbers(file)).as("%s", file).isSubsetOf(decisions.keySet());
        }
    }

    @Test
    void every_decision_is_named_by_the_code_that_it_explains() throws IOException {
        Set<Integer> named = new TreeSet<>();
        for (Path file : files(List.of(".java", "pom.xml"))) {
            named.addAll(numbers(file));
        }
        Set<Integer> accepted = new TreeSet<>();
        decisions.forEach((number, page) -> {
            if (!isSuperseded(page)) {
                accepted.add(number);
            }
        });
        accepted.removeAll(named);
        assertThat(accepted).as("decisions that no comment names").isEmpty();
    }

    private static boolean isSuperseded(MarkdownPage page) {
        return page.raw().contains("\nStatus: superseded");
    }

    private static Set<Integer> numbers(Path file) throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        String text = Files.readString(file).replaceAll("\\n\\s*(?:\\*|//|#)?\\s*", " ");
        for (MatchResult reference : REFERENCE.matcher(text).results().toList()) {
            NUMBER.matcher(reference.group()).results().forEach(it -> numbers.add(Integer.parseInt(it.group())));
        }
        return numbers;
    }

    private static List<Path> files(List<String> ends) {
        return Project.paths(Project.root()).stream()
                .filter(it -> ends.stream().anyMatch(it.toString()::endsWith))
                .filter(it -> !it.getFileName().toString().startsWith("Markdown"))
                .toList();
    }

    private static Map<Integer, MarkdownPage> decisions() {
        Map<Integer, MarkdownPage> decisions = new TreeMap<>();
        for (MarkdownPage page : MarkdownPage.all()) {
            Matcher name = Pattern.compile("docs/adr/(\\d{4})-.*").matcher(page.path());
            if (name.matches()) {
                decisions.put(Integer.parseInt(name.group(1)), page);
            }
        }
        return decisions;
    }
}
