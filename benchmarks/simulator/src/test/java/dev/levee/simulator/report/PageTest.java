package dev.levee.simulator.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PageTest {
    @Test
    void paragraphs_are_filled_and_stay_apart() {
        String words = "word ".repeat(50);

        assertThat(Page.filled("one\ntwo  three\n\n" + words))
                .startsWith("one two three\n\nword word")
                .satisfies(text -> assertThat(text.lines()).allMatch(line -> line.length() <= 120));
    }

    @Test
    void no_line_begins_with_a_sign_that_would_make_it_a_list() {
        assertThat(Page.filled("x".repeat(118) + " - 5")).doesNotContain("\n-");
    }
}
