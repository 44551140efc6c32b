package dev.levee.examples.shortlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UrlsTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"http://example.com", "https://example.org/a?b=c#d", "HTTP://example.com:8080/"})
    void web_addresses_are_urls(String text) throws UsageException {
        assertThat(Urls.require(text)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "nonsense", "/path", "ftp://example.com", "http:///path", "javascript:alert(1)", "http://a b"
            })
    void everything_else_is_none(String text) {
        assertThatThrownBy(() -> Urls.require(text))
                .isInstanceOf(UsageException.class)
                .hasMessage("not an http or https URL: \"" + text + "\"");
    }

    @Test
    void a_url_that_would_break_a_header_is_none() {
        assertThatThrownBy(() -> Urls.require("http://example.com/\r\nSet-Cookie: a=b"))
                .hasMessageContaining("??Set-Cookie");
    }

    @Test
    void what_a_header_cannot_carry_is_escaped() throws UsageException {
        assertThat(Urls.require("http://example.com/\u00e9")).isEqualTo("http://example.com/%C3%A9");
    }

    @Test
    void a_url_may_not_be_too_long() {
        assertThatThrownBy(() -> Urls.require("http://example.com/" + "a".repeat(2048)))
                .hasMessage("a URL has at most 2048 characters, this one 2067");
    }

    @Test
    void a_file_has_one_a_line_with_comments_and_repetitions() throws IOException, UsageException {
        Path file = write("# mine\n\n http://example.com/1 \nhttp://example.com/2\nhttp://example.com/1\n");

        assertThat(Urls.read(file)).containsExactly("http://example.com/1", "http://example.com/2");
    }

    @Test
    void a_file_without_any_is_refused() throws IOException {
        Path file = write("# none\n");

        assertThatThrownBy(() -> Urls.read(file)).hasMessage("no URL in " + file);
    }

    @Test
    void a_file_that_is_missing_is_named() {
        assertThatThrownBy(() -> Urls.read(directory.resolve("none")))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("cannot read the file of URLs: " + directory);
    }

    @Test
    void some_hundreds_are_bundled() throws UsageException {
        assertThat(Urls.read(null)).hasSizeGreaterThan(300).doesNotHaveDuplicates();
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("urls.txt"), text);
    }
}
