package dev.levee.examples.shortlink.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class CodeTest {
    @Property
    void a_code_depends_on_the_url_alone(@ForAll String url) {
        assertThat(Code.of(url, 0)).isEqualTo(Code.of(url, 0)).isNotEqualTo(Code.of(url, 1));
    }

    @Property
    void every_code_looks_like_one(@ForAll String url) {
        assertThat(Code.isOne(Code.of(url, 0))).isTrue();
    }

    @Test
    void codes_of_many_urls_differ() {
        assertThat(IntStream.range(0, 100_000).mapToObj(i -> Code.of("http://example.com/" + i, 0)))
                .doesNotHaveDuplicates();
    }

    @Test
    void a_code_is_the_same_in_every_jvm_and_version() {
        assertThat(Code.of("https://example.com/a/long/way", 0)).isEqualTo("vmvX3mrQ");
    }

    @Test
    void other_words_are_none() {
        assertThat(Code.isOne("healthz")).isFalse();
        assertThat(Code.isOne("abc/efgh")).isFalse();
        assertThat(Code.isOne("123456789")).isFalse();
    }
}
