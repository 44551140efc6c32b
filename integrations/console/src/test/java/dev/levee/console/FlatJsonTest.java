package dev.levee.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlatJsonTest {

    @Property(tries = 300)
    void what_the_console_writes_is_read_back(@ForAll String name, @ForAll String value) {
        String text =
                new JsonText().open('{').name(name).value(value).close('}').toString();

        assertThat(FlatJson.parse(text)).isEqualTo(Map.of(name, value));
        assertThat(text).matches("[ -~]*").doesNotContain("<", ">", "&", "'");
    }

    @Test
    void blanks_and_escapes_are_read() {
        assertThat(FlatJson.parse(" { \"a\" : \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\" ,\n\"b\":\"\" } "))
                .isEqualTo(Map.of("a", "\"\\/\b\f\n\r\t\u00e9", "b", ""));
        assertThat(FlatJson.parse("{}")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "}",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1}",
                "{\"a\":null}",
                "{\"a\":{}}",
                "{\"a\":[\"x\"]}",
                "{a:\"x\"}",
                "{'a':'x'}",
                "{\"a\":\"x\",}",
                "{,}",
                "{\"a\":\"x\"}x",
                "{\"a\":\"x",
                "{\"a\":\"\\x\"}",
                "{\"a\":\"\\u12\"}",
                "{\"a\":\"\\u+123\"}",
                "{\"a\":\"\n\"}",
                "{\"a\":\"x\",\"a\":\"y\"}",
                "{\"a\":\"x\" \"b\":\"y\"}"
            })
    void anything_else_is_refused_without_repeating_it(String text) {
        assertThatThrownBy(() -> FlatJson.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("an object of texts is expected; at character ");
    }

    @Test
    void figures_that_are_no_numbers_are_null() {
        assertThat(new JsonText()
                        .open('[')
                        .value(Double.NaN)
                        .value(Double.POSITIVE_INFINITY)
                        .value(1.5)
                        .value(3.0)
                        .value(1e300)
                        .close(']'))
                .hasToString("[null,null,1.5,3,1.0E300]");
    }
}
