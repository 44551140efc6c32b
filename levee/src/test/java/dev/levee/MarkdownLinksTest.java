package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

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

/** Links of the pages lead somewhere: to a file or folder of the checkout, and to a heading if they name one. */
class MarkdownLinksTest {

    @TestFactory
    Stream<DynamicTest> every_link_leads_somewhere() {
        return MarkdownPage.all().stream()
                .map(it -> DynamicTest.dynamicTest(
                        it.path(), () -> assertThat(broken(it)).isEmpty()));
    }

    /** Addresses with a scheme are not followed: a build needs no network. */
    private static List<String> broken(MarkdownPage page) {
        List<String> broken = new ArrayList<>();
        for (MarkdownPage.Link link : page.links()) {
            if (!link.target().matches("[a-z]+:.*") && !leadsSomewhere(page, link.target())) {
                broken.add(page.path() + ":" + link.line() + " " + link.target());
            }
        }
        return broken;
    }

    private static boolean leadsSomewhere(MarkdownPage page, String target) {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file =
                path.isEmpty() ? page.file() : page.file().resolveSibling(path).normalize();
        if (!Files.exists(file)) {
            return false;
        }
        if (hash < 0) {
            return true;
        }
        return file.toString().endsWith(".md")
                && MarkdownPage.of(file).anchors().contains(target.substring(hash + 1));
    }

    @Nested
    class A_page {

        @TempDir
        Path folder;

        @Test
        void may_link_to_files_and_headings() {
            assertThat(broken(
                            "# A title, `code` & more", "[a](page.md) [b](#a-title-code--more) [c](https://d) [e](.)"))
                    .isEmpty();
        }

        @Test
        void that_links_to_nothing_is_wrong() {
            assertThat(broken("# A", "", "[a](other.md)")).containsExactly("page.md:3 other.md");
            assertThat(broken("# A", "[`a`](#b)")).containsExactly("page.md:2 #b");
        }

        @Test
        void may_show_a_link_as_code() {
            assertThat(broken("`[a](other.md)`", "```", "[b](c.md)", "```")).isEmpty();
        }

        private List<String> broken(String... lines) {
            try {
                Path page = Files.write(folder.resolve("page.md"), List.of(lines));
                return MarkdownLinksTest.broken(MarkdownPage.of(page));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
