package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every Java block of the README and of the pages under docs/ compiles and runs; {@link Snippet} has the rules. */
class MarkdownTest {

    @TestFactory
    Stream<DynamicTest> every_example_compiles_and_runs() throws IOException {
        List<Snippet> snippets = new ArrayList<>();
        for (Path file : pages()) {
            snippets.addAll(Snippet.in(file));
        }
        return snippets.stream().map(it -> DynamicTest.dynamicTest(it.toString(), it::verify));
    }

    @Test
    void the_readme_has_one() throws IOException {
        assertThat(Snippet.in(Project.root().resolve("README.md"))).isNotEmpty();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> top = Files.list(Project.root());
                Stream<Path> docs = Files.walk(Project.root().resolve("docs"))) {
            return Stream.concat(top, docs)
                    .filter(it -> it.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    @Nested
    class A_snippet {

        @TempDir
        Path folder;

        @Test
        void that_throws_fails() {
            assertThatThrownBy(() -> verify("```java", "if (true) throw new IOException(\"seen\");", "```"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("seen");
        }

        @Test
        void that_does_not_compile_names_the_line_of_the_page() {
            assertThatThrownBy(() -> verify("A page", "", "```java", "int a = 1;", "int b = c;", "```"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining(":3 does not compile")
                    .hasMessageContaining("Snippet.java:5: error");
        }

        @Test
        void may_have_imports_hidden_lines_and_types() throws Throwable {
            verify(
                    "<!-- java",
                    "import java.util.concurrent.atomic.AtomicInteger;",
                    "AtomicInteger counter = new AtomicInteger();",
                    "-->",
                    "```java",
                    "import java.util.concurrent.atomic.LongAdder;",
                    "record Pair(AtomicInteger left, LongAdder right) {}",
                    "Pair pair = new Pair(counter, new LongAdder());",
                    "if (pair.left().get() != 0) throw new AssertionError();",
                    "```");
        }

        @Test
        void with_a_main_method_is_a_file() {
            assertThatThrownBy(() -> verify(
                            "```java",
                            "public class Hello {",
                            "    public static void main(String[] args) {",
                            "        throw new IllegalStateException(\"ran\");",
                            "    }",
                            "}",
                            "```"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("ran");
        }

        @Test
        void can_be_compiled_only() throws Throwable {
            verify("```java compile", "if (true) throw new IOException();", "```");
        }

        private void verify(String... lines) throws Throwable {
            Path page = Files.write(folder.resolve("page.md"), List.of(lines));
            for (Snippet snippet : Snippet.in(page)) {
                snippet.verify();
            }
        }
    }
}
