package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rules of the style that the formatter and the compiler do not hold; {@link SourceTree} finds what breaks them. */
class HouseTest {

    /** Names of nested types that users read with the outer type in front: {@code CircuitBreaker.State}. */
    private static final Set<String> SHARED_NAMES = Set.of("Builder", "Kind", "Reason", "State");

    private final SourceTree tree = tree(Project.root());

    @Test
    void java_lines_have_at_most_120_characters() {
        assertThat(tree.longJavaLines()).isEmpty();
    }

    @Test
    void markdown_lines_have_at_most_120_characters_except_rows_of_tables() {
        assertThat(tree.longMarkdownLines()).isEmpty();
    }

    @Test
    void files_have_at_most_500_lines() {
        assertThat(tree.longFiles(500)).isEmpty();
    }

    @Test
    void packages_have_at_most_60_files() {
        assertThat(tree.largePackages(60)).isEmpty();
    }

    @Test
    void comments_stand_above_fields() throws IOException {
        assertThat(tree.commentsBehindFields()).isEmpty();
    }

    @Test
    void constants_are_called_max_and_min() throws IOException {
        assertThat(tree.superlatives()).isEmpty();
    }

    @Test
    void a_simple_name_is_that_of_one_type() throws IOException {
        assertThat(tree.namesDeclaredTwice(SHARED_NAMES)).isEmpty();
    }

    @Test
    void public_methods_say_what_they_throw() throws IOException {
        assertThat(tree.throwsWithoutTag()).isEmpty();
    }

    /** A few lines are about persons: users, callers of a service, authors. */
    @Test
    void things_are_not_persons() {
        assertThat(tree.persons()).hasSizeLessThanOrEqualTo(15);
    }

    @Nested
    class Planted {

        private static final String MAIN = "core/src/main/java/dev/levee/core/";
        private static final String LONG = "x".repeat(100);

        @TempDir
        Path folder;

        @Test
        void long_lines_of_java_are_found_unless_they_cannot_be_broken() throws IOException {
            plant(
                    MAIN + "A.java",
                    "package " + LONG + LONG + ";",
                    "import " + LONG + LONG + ";",
                    " * https://example.org/" + LONG + LONG,
                    " * See https://example.org/" + LONG + LONG,
                    "y".repeat(120),
                    "z".repeat(121));

            assertThat(planted().longJavaLines())
                    .satisfiesExactly(
                            it -> assertThat(it).startsWith(MAIN + "A.java:4: * See https"),
                            it -> assertThat(it).startsWith(MAIN + "A.java:6: zz"));
        }

        @Test
        void long_lines_of_pages_are_found_in_text_and_code_but_not_in_tables() throws IOException {
            plant(
                    "docs/page.md",
                    "| " + LONG + " | " + LONG + " |",
                    "- <https://example.org/" + LONG + LONG + ">",
                    "[link]: https://example.org/" + LONG + LONG,
                    "words [link](https://example.org/" + LONG + LONG + ")",
                    "```",
                    "int " + LONG + LONG + ";",
                    "```");

            assertThat(planted().longMarkdownLines())
                    .satisfiesExactly(
                            it -> assertThat(it).startsWith("docs/page.md:4: words"),
                            it -> assertThat(it).startsWith("docs/page.md:6: int"));
        }

        @Test
        void methods_that_throw_without_a_tag_are_found() throws IOException {
            plant(
                    MAIN + "A.java",
                    "public class A {",
                    "    /** Sets it. @throws NullPointerException if it is null */",
                    "    public A tagged(Object value) { Require.nonNull(\"value\", value); return this; }",
                    "    /** Sets it. @throws NullPointerException if it is null */",
                    "    public A half(Object value) { Require.positive(\"value\", value); return this; }",
                    "    public void bare() { throw new IllegalStateException(); }",
                    "    void inner() { throw new IllegalStateException(); }",
                    "    public Runnable later() { return () -> { throw new IllegalStateException(); }; }",
                    "}",
                    "class B { public void hidden() { throw new IllegalStateException(); } }");

            assertThat(planted().throwsWithoutTag())
                    .satisfiesExactly(
                            it -> assertThat(it).endsWith("A.java:5: half: @throws IllegalArgumentException"),
                            it -> assertThat(it).endsWith("A.java:6: bare: @throws IllegalStateException"));
        }

        @Test
        void what_was_built_is_not_read() throws IOException {
            plant("core/target/generated/A.java", LONG + LONG);

            assertThat(planted().longJavaLines()).isEmpty();
        }

        @Test
        void long_files_are_found() throws IOException {
            plant(MAIN + "A.java", "// 1", "// 2", "// 3");
            plant(MAIN + "B.java", "// 1", "// 2");

            assertThat(planted().longFiles(2)).containsExactly(MAIN + "A.java:3: 3 lines");
        }

        @Test
        void large_packages_are_found() throws IOException {
            plant(MAIN + "A.java", "");
            plant(MAIN + "B.java", "");
            plant(MAIN + "package-info.java", "");
            plant(MAIN + "policy/C.java", "");

            assertThat(planted().largePackages(1)).containsExactly("core/src/main/java/dev/levee/core: 2 files");
            assertThat(planted().largePackages(2)).isEmpty();
        }

        @Test
        void comments_behind_fields_are_found_and_those_elsewhere_are_not() throws IOException {
            plant(
                    MAIN + "A.java",
                    "class A { // a comment behind the head of a type",
                    "    private int first; // long enough to make the formatter break the line",
                    "    // a comment above, where it belongs and may be long",
                    "    int second = 2; // short",
                    "    final int[] third = {1, 2}; /* long enough to make the formatter break it */",
                    "    void method() {",
                    "        int local = 1; // a comment behind a variable of a method",
                    "    }",
                    "    enum State {",
                    "        OPEN, // a comment behind a constant that is long",
                    "        CLOSED",
                    "    }",
                    "}");

            assertThat(planted().commentsBehindFields())
                    .satisfiesExactly(
                            it -> assertThat(it).startsWith(MAIN + "A.java:2: first: // long"),
                            it -> assertThat(it).startsWith(MAIN + "A.java:5: third: /* long"),
                            it -> assertThat(it).startsWith(MAIN + "A.java:10: OPEN: , // a comment"));
        }

        @Test
        void superlatives_are_found_in_constants() throws IOException {
            plant(
                    MAIN + "A.java",
                    "interface A { int LONGEST_WAIT = 1; }",
                    "class B {",
                    "    static final int MOST = 1, MAX_KEYS = 2;",
                    "    static final int MOSTLY = 1;",
                    "    final int MOST_OF_IT = 1;",
                    "}");

            assertThat(planted().superlatives())
                    .containsExactly(MAIN + "A.java:1: LONGEST_WAIT", MAIN + "A.java:3: MOST");
        }

        @Test
        void a_name_of_two_types_is_found_with_both_places() throws IOException {
            plant(MAIN + "A.java", "class A { class Turns {} class Builder {} }");
            plant(
                    "cache/src/main/java/dev/levee/cache/B.java",
                    "record B() {",
                    "interface Turns {} class Builder {} }");
            plant(MAIN + "C.java", "class C { void method() { class B {} new Object() {}; } }");
            plant("examples/e/src/main/java/e/A.java", "class A {}");
            plant("core/src/test/java/dev/levee/core/A.java", "class A {}");

            assertThat(planted().namesDeclaredTwice(SHARED_NAMES))
                    .containsExactly("cache/src/main/java/dev/levee/cache/B.java:2: Turns", MAIN + "A.java:1: Turns");
        }

        @Test
        void persons_are_found() throws IOException {
            plant(MAIN + "A.java", "/** Whoever waits. */", "/** The whole noBody. */", "/** Nobody\u2019s. */");

            assertThat(planted().persons())
                    .containsExactly(
                            MAIN + "A.java:1: /** Whoever waits. */", MAIN + "A.java:3: /** Nobody\u2019s. */");
        }

        private void plant(String file, String... lines) throws IOException {
            Path path = folder.resolve(file);
            Files.createDirectories(path.getParent());
            Files.write(path, List.of(lines));
        }

        private SourceTree planted() {
            return tree(folder);
        }
    }

    private static SourceTree tree(Path root) {
        try {
            return new SourceTree(root);
        } catch (IOException e) {
            throw new AssertionError(root.toString(), e);
        }
    }
}
