package dev.levee.examples.shortlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArgumentsTest {
    @Test
    void without_words_it_serves_on_8080() throws UsageException {
        assertThat(Arguments.parse(List.of()))
                .isEqualTo(new Arguments(false, false, 8080, null, null, Without.NOTHING, 0, Engines.NONE));
    }

    @Test
    void every_option_is_understood() throws UsageException {
        assertThat(parse("--port 0 --urls a.txt --data d --without cache"))
                .isEqualTo(
                        new Arguments(false, false, 0, Path.of("a.txt"), Path.of("d"), Without.CACHE, 0, Engines.NONE));
        assertThat(parse("--redis").engines()).isEqualTo(new Engines(true, false));
        assertThat(parse("--replicas").engines()).isEqualTo(new Engines(false, true));
        assertThat(parse("--smoke --redis --replicas").engines()).isEqualTo(new Engines(true, true));
        assertThat(parse("--console off").console()).isEqualTo(-1);
        assertThat(parse("--console 9000").console()).isEqualTo(9000);
        assertThat(parse("--smoke").console()).isEqualTo(-1);
        assertThat(parse("--smoke").smoke()).isTrue();
        assertThat(parse("--help").help()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"breaker", "retry", "hedge", "timeout", "bulkhead", "cache", "ratelimit"})
    void each_primitive_can_be_taken_out(String name) throws UsageException {
        assertThat(parse("--smoke --without " + name).without().label()).isEqualTo(name);
        assertThat(Arguments.USAGE).contains(name);
    }

    @ParameterizedTest
    @CsvSource({
        "--nonsense, unknown option --nonsense",
        "--port, --port needs a value",
        "--port 65536, '--port takes a number from 0 to 65535, but got 65536'",
        "--port x, 'but got x'",
        "--console 65536, '--console takes a number from 0 to 65535, but got 65536'",
        "--without nothing, --without takes one of breaker|retry",
        "--smoke --port 1, --smoke picks its own port",
    })
    void mistakes_are_named(String words, String message) {
        assertThatThrownBy(() -> parse(words))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }

    private static Arguments parse(String words) throws UsageException {
        return Arguments.parse(List.of(words.split(" ", -1)));
    }
}
