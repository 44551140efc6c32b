package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes from outside stays on its line, in its order, and short. */
class TextTest {
    @Test
    void a_line_break_does_not_begin_a_second_line() {
        assertThat(Text.printable("a\r\nERROR all is lost")).isEqualTo("a\\u000D\\u000AERROR all is lost");
    }

    @ParameterizedTest
    @ValueSource(
            chars = {
                0, '\b', '\t', '\n', 0x0B, '\f', '\r', 0x1B, 0x1F, 0x7F, 0x85, 0x9B, 0x9F, 0x061C, 0x200E, 0x200F,
                0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0xD800, 0xDFFF
            })
    void what_moves_the_cursor_the_line_or_the_direction_is_escaped(char c) {
        assertThat(Text.printable("a" + c + "b")).isEqualTo(String.format("a\\u%04Xb", (int) c));
        assertThat(Text.printable("" + c)).isEqualTo(String.format("\\u%04X", (int) c));
    }

    @Test
    void other_texts_are_returned_as_they_are() {
        for (String text :
                new String[] {"", "a b", "~ \u00A0", "\u00E9\u4E2D\u0645", "\uD83D\uDE00", "x".repeat(200)}) {
            assertThat(Text.printable(text)).isSameAs(text);
        }
        assertThat(Text.printable(null)).isEqualTo("null");
        assertThat(Text.printable(42)).isEqualTo("42");
    }

    @Test
    void a_long_text_is_cut_and_says_how_long_it_was() {
        assertThat(Text.printable("x".repeat(201))).isEqualTo("x".repeat(200) + "... (201 characters)");
        assertThat(Text.printable("x".repeat(199) + "\uD83D\uDE00"))
                .isEqualTo("x".repeat(199) + "... (201 characters)");
    }

    @Test
    void of_what_was_thrown_there_is_a_text_whatever_its_methods_do() {
        assertThat(Text.ofThrown(new IllegalStateException("a\nb")))
                .isEqualTo("java.lang.IllegalStateException: a\\u000Ab");
        assertThat(Text.ofThrown(null)).isEqualTo("null");
        assertThat(Text.ofThrown(new Mute())).isEqualTo(Mute.class.getName());
    }

    private static final class Mute extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no text");
        }
    }

    @Property
    void no_text_has_a_second_line_or_is_long(@ForAll String text) {
        String shown = Text.printable(text);
        assertThat(shown.chars()).noneMatch(Character::isISOControl).noneMatch(c -> c == 0x2028 || c == 0x2029);
        assertThat(shown).hasSizeLessThanOrEqualTo(6 * Text.MAX_SHOWN + 30);
        assertThat(shown.lines().count()).isLessThanOrEqualTo(1);
    }

    @Property
    void what_was_shown_is_shown_the_same_again(@ForAll String text) {
        String shown = Text.escaped(text);
        assertThat(Text.escaped(shown)).isSameAs(shown);
    }
}
