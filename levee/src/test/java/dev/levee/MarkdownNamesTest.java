package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the pages name in backticks exists: files, packages, types, methods, constants, metrics; {@link MarkdownNames}
 * has the rules.
 */
class MarkdownNamesTest {

    @TestFactory
    Stream<DynamicTest> every_name_exists() {
        return MarkdownPage.all().stream()
                .map(it -> DynamicTest.dynamicTest(
                        it.path(), () -> assertThat(MarkdownNames.missing(it)).isEmpty()));
    }

    @Test
    void every_exception_is_needed() {
        String all = MarkdownPage.all().stream().map(MarkdownPage::prose).collect(Collectors.joining("\n"));
        assertThat(MarkdownNames.EXCEPTIONS).allSatisfy(it -> assertThat(all).contains(it));
    }

    @Test
    void no_exception_is_a_name_of_ours() {
        assertThat(MarkdownNames.EXCEPTIONS).noneMatch(SourceNames.ofCheckout()::hasType);
    }

    @Nested
    class A_page {

        @TempDir
        Path folder;

        @Test
        void that_names_what_exists_is_right() {
            assertThat(missing(
                            "`NarrowSegment.java`, `core/.../NarrowSegment.java`, `NarrowSegment`, `Gate.tryEnter`,",
                            "`Pipeline.of(retry, breaker)`, `retry(breaker(call))`, `tryEnter`, `HttpRequest.timeout`,",
                            "`CallContext.current().withRepeating(false).call(...)`, `dev.levee.core.policy.*`,",
                            "`BulkheadInterleavingTest`, `docs/adr/`, `Verdict.NOT_SENT`, `breaker.state`, `int`"))
                    .isEmpty();
        }

        @Test
        void that_names_a_file_that_is_gone_is_wrong() {
            assertThat(missing("Open `FixedBulkhead.java`."))
                    .containsExactly("page.md:1 `FixedBulkhead.java`: no such file");
            assertThat(missing("", "`core/.../NarrowSegment.txt`"))
                    .containsExactly("page.md:2 `core/.../NarrowSegment.txt`: no such file");
        }

        @Test
        void that_names_a_type_that_is_gone_is_wrong() {
            assertThat(missing("A `FixedBulkhead` is ..."))
                    .containsExactly("page.md:1 `FixedBulkhead`: no type FixedBulkhead");
            assertThat(missing("`new FixedBulkhead(\"Other\")`"))
                    .containsExactly("page.md:1 `new FixedBulkhead(\"Other\")`: no type FixedBulkhead");
        }

        @Test
        void that_names_a_method_or_constant_that_is_gone_is_wrong() {
            assertThat(missing("`Gate.tryLeave`")).containsExactly("page.md:1 `Gate.tryLeave`: no tryLeave in Gate");
            assertThat(missing("`HttpRequest.patience`"))
                    .containsExactly("page.md:1 `HttpRequest.patience`: no patience in HttpRequest");
            assertThat(missing("`tryLeaveNow()`")).containsExactly("page.md:1 `tryLeaveNow()`: no method tryLeaveNow");
            assertThat(missing("`tryLeaveNow`")).containsExactly("page.md:1 `tryLeaveNow`: no name tryLeaveNow");
            assertThat(missing("`MOST_PATIENCE`")).containsExactly("page.md:1 `MOST_PATIENCE`: no name MOST_PATIENCE");
        }

        @Test
        void that_names_a_metric_or_a_package_that_is_gone_is_wrong() {
            assertThat(missing("`breaker.mood`"))
                    .containsExactly("page.md:1 `breaker.mood`: no package or metric breaker.mood");
            assertThat(missing("`dev.levee.fixed.*`"))
                    .containsExactly("page.md:1 `dev.levee.fixed.*`: no package or metric dev.levee.fixed");
        }

        @Test
        void may_name_what_is_gone_in_a_column_of_old_names() {
            assertThat(missing("| Old | New |", "|---|---|", "| `FixedBulkhead` | `Bulkhead` |"))
                    .isEmpty();
            assertThat(missing("| New | Old |", "|---|---|", "| `FixedBulkhead` | `Bulkhead` |"))
                    .hasSize(1);
        }

        @Test
        void is_checked_in_blocks_of_text_as_well() {
            assertThat(missing("```text", "FixedBulkhead: a limit", "```"))
                    .containsExactly("page.md:2 `FixedBulkhead: a limit`: no type FixedBulkhead");
        }

        private List<String> missing(String... lines) {
            try {
                Path page = Files.write(folder.resolve("page.md"), List.of(lines));
                return new ArrayList<>(MarkdownNames.missing(MarkdownPage.of(page)));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }
}
