package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.function.Function;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyPatternsTest {
    @Test
    void the_first_pattern_that_matches_counts() {
        Function<Object, Integer> limits =
                KeyPatterns.when("vip-7", 1).and("vip-*", 2).and("*-batch", 3).otherwise(4);

        assertThat(limits.apply("vip-7")).isEqualTo(1);
        assertThat(limits.apply("vip-batch")).isEqualTo(2);
        assertThat(limits.apply("nightly-batch")).isEqualTo(3);
        assertThat(limits.apply("nightly")).isEqualTo(4);
        assertThat(limits.apply("")).isEqualTo(4);
    }

    @Test
    void a_key_that_is_no_string_is_matched_by_what_it_prints() {
        assertThat(KeyPatterns.when("4*", "forties").otherwise("other").apply(42))
                .isEqualTo("forties");
    }

    @ParameterizedTest
    @CsvSource({"*, *", "*, a", "a*, ab*", "a*c, abc", "a*, a*b*", "a, a", "*a*, xax", "**, *"})
    void a_pattern_that_can_never_count_is_refused(String earlier, String later) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KeyPatterns.when(earlier, 1).and(later, 2))
                .withMessage("pattern \"" + later + "\" can never count, because \"" + earlier + "\" stands before it");
    }

    @ParameterizedTest
    @CsvSource({"a, *", "ab*, a*", "a*b, a*", "a*, *a", "a?, ab", "a.c, abc"})
    void a_pattern_that_says_more_than_an_earlier_one_is_taken(String earlier, String later) {
        assertThat(KeyPatterns.when(earlier, 1).and(later, 2))
                .hasToString("[" + earlier + " -> 1, " + later + " -> 2]");
    }

    @Test
    void bad_input_is_named() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KeyPatterns.when(" ", 1))
                .withMessage("pattern must not be blank, but was \" \"");
        assertThatNullPointerException()
                .isThrownBy(() -> KeyPatterns.when("a", 1).otherwise(null))
                .withMessage("setting");
        assertThatNullPointerException()
                .isThrownBy(() -> KeyPatterns.when("a", 1).otherwise(2).apply(null))
                .withMessage("key");
    }

    @Property
    void matches_what_the_regular_expression_matches(@ForAll("texts") String pattern, @ForAll("texts") String key) {
        String expression = Pattern.quote(pattern).replace("*", "\\E.*\\Q");

        assertThat(KeyPatterns.when(pattern, true).otherwise(false).apply(key)).isEqualTo(key.matches(expression));
    }

    @Property
    void what_a_refused_pattern_matches_the_earlier_one_matches_too(
            @ForAll("texts") String earlier, @ForAll("texts") String later, @ForAll("texts") String key) {
        KeyPatterns<Integer> patterns = KeyPatterns.when(earlier, 1);
        try {
            patterns.and(later, 2);
        } catch (IllegalArgumentException refused) {
            if (KeyPatterns.when(later, true).otherwise(false).apply(key)) {
                assertThat(patterns.otherwise(0).apply(key)).isEqualTo(1);
            }
        }
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings().withChars('a', 'b', '*').ofMinLength(1).ofMaxLength(6);
    }
}
