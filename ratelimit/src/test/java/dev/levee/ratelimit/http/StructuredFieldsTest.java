package dev.levee.ratelimit.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.Limit;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link RateLimitField} and {@link RateLimitPolicyField} against the draft's own examples, and hostile texts. */
class StructuredFieldsTest {

    @Nested
    class ExamplesOfTheDraft {

        @Test
        void policies_with_a_window() {
            assertThat(RateLimitPolicyField.parse("\"burst\";q=100;w=60,\"daily\";q=1000;w=86400"))
                    .isEqualTo(RateLimitPolicyField.of(
                            QuotaPolicy.of("burst", 100, Duration.ofMinutes(1)),
                            QuotaPolicy.of("daily", 1000, Duration.ofDays(1))));
        }

        /** Its Base64 has bits behind the last byte, which a recipient does not look at. */
        @Test
        void a_policy_with_a_unit_and_a_partition_key() {
            QuotaPolicy policy = RateLimitPolicyField.parse(
                            "\"peruser\";q=65535;qu=\"content-bytes\";w=10;pk=:sdfjLJUOUH==:")
                    .items()
                    .get(0);

            assertThat(policy.quota()).isEqualTo(65535);
            assertThat(policy.unit()).isEqualTo("content-bytes");
            assertThat(policy.windowSeconds()).hasValue(10);
            assertThat(policy.partitionKey().orElseThrow().bytes()).hasSize(7);
        }

        @Test
        void a_limit() {
            assertThat(RateLimitField.parse("\"default\";r=50;t=30"))
                    .isEqualTo(RateLimitField.of(ServiceLimit.of("default", 50, 30)));
        }

        @Test
        void a_limit_of_a_partition_without_a_window() {
            assertThat(RateLimitField.parse("\"default\";r=999;pk=:dHJpYWwxMjEzMjM=:"))
                    .isEqualTo(
                            RateLimitField.of(new ServiceLimit("default", 999, OptionalLong.empty(), Optional.empty())
                                    .partitionKey(PartitionKey.of("trial121323"))));
        }
    }

    @Nested
    class Writing {

        @Test
        void the_current_form() {
            assertThat(RateLimitPolicyField.of(
                            QuotaPolicy.of("a", Limit.perSecond(100).burst(200))))
                    .hasToString("RateLimit-Policy: \"a\";q=200;w=2");
            assertThat(RateLimitField.of(
                                    ServiceLimit.of("a", 150, 1),
                                    ServiceLimit.of("b", 0, 7).partitionKey(PartitionKey.of("x")))
                            .value())
                    .isEqualTo("\"a\";r=150;t=1, \"b\";r=0;t=7;pk=:eA==:");
        }

        @Test
        void quotes_and_backslashes_of_a_name_are_escaped() {
            assertThat(ServiceLimit.of("a\"b\\c", 1, 2)).hasToString("\"a\\\"b\\\\c\";r=1;t=2");
        }

        @ParameterizedTest
        @ValueSource(strings = {"gr\u00fcn", "a\nb", "a\r\nSet-Cookie: x", "\u007f", "\t"})
        void a_name_that_no_string_can_have_is_refused(String name) {
            assertThatThrownBy(() -> ServiceLimit.of(name, 1, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("name must have printable ASCII characters only");
            assertThatThrownBy(
                            () -> QuotaPolicy.of("a", 1, Duration.ofSeconds(1)).unit(name))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void numbers_have_at_most_15_digits() {
            long largest = 999_999_999_999_999L;
            String text =
                    RateLimitField.of(ServiceLimit.of("a", largest, largest)).value();

            assertThat(RateLimitField.parse(text).items()).containsExactly(ServiceLimit.of("a", largest, largest));
            assertThatThrownBy(() -> ServiceLimit.of("a", largest + 1, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("remaining must be from 0 to 999999999999999, but was 1000000000000000");
            assertThatThrownBy(() -> ServiceLimit.of("a", -1, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> QuotaPolicy.of("a", 1, Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> QuotaPolicy.of("a", 1, Duration.ofSeconds(Long.MAX_VALUE, 1)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new QuotaPolicy("a", 1, OptionalLong.of(0), "requests", Optional.empty()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("windowSeconds must be from 1 to 999999999999999, but was 0");
            assertThatThrownBy(() -> new RateLimitField(List.of())).isInstanceOf(IllegalArgumentException.class);
        }

        @ParameterizedTest
        @CsvSource({"100, 1, 100, 1", "100, 1, 50, 1", "5, 60, 1, 12", "3, 10, 1, 4", "64000000000, 1, 1, 1"})
        void the_window_of_a_limit_is_rounded_up(long permits, long seconds, long burst, long window) {
            Limit limit = Limit.of(permits, Duration.ofSeconds(seconds)).burst(burst);

            assertThat(QuotaPolicy.of("a", limit)).isEqualTo(QuotaPolicy.of("a", burst, Duration.ofSeconds(window)));
        }
    }

    @Nested
    class Reading {

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "  \"a\";r=1;t=2  ",
                    "\"a\";t=2;r=1",
                    "\"a\";  r=1;t=2",
                    "\"a\";r=5;t=9;r=1;t=2",
                    "\"a\";r=001;t=02",
                    "\"a\";acme-x=?1;r=1;*=@12;t=2;b=1.5;c=tok/en:x;d=\"s\";e=:YQ==:;f;g=%\"f%c3%bc\";h=-3;i=@-1",
                })
        void order_repetition_spaces_and_comments_do_not_matter(String value) {
            assertThat(RateLimitField.parse(value).items()).containsExactly(ServiceLimit.of("a", 1, 2));
        }

        @Test
        void lines_are_one_list_and_names_may_be_repeated() {
            assertThat(RateLimitField.from(List.of("\"a\";r=1;t=2\t, \t\"b\";r=3;t=4", "\"a\";r=5;t=6")))
                    .hasValue(RateLimitField.of(
                            ServiceLimit.of("a", 1, 2), ServiceLimit.of("b", 3, 4), ServiceLimit.of("a", 5, 6)));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    " ",
                    ",",
                    "\"a\";r=1,",
                    "\"a\";r=1,,\"b\";r=1",
                    "\"a\"",
                    "\"a\";t=1",
                    "\"a\";r",
                    "\"a\";r=",
                    "\"a\";r=-1",
                    "\"a\";r=1.0",
                    "\"a\";r=\"1\"",
                    "\"a\";r=a",
                    "\"a\";r=1000000000000000",
                    "\"a\";r=+1",
                    "\"a\";r=1;t=-1",
                    "\"a\";r=1;t=1.5",
                    "\"a\";r=1;pk=\"x\"",
                    "\"a\";r=1;pk=:*:",
                    "\"a\";r=1;pk=:a:",
                    "\"a\";r=1;pk=:YQ==",
                    "a;r=1",
                    "1;r=1",
                    "(\"a\");r=1",
                    "\"a;r=1",
                    "\"a\\\";r=1",
                    "\"a\\b\";r=1",
                    "\"\u00e4\";r=1",
                    "\"a\u0000\";r=1",
                    "\"a\";R=1",
                    "\"a\";r=1 x",
                    "\"a\" ;r=1",
                    "\"a\";\tr=1",
                    "\"a\";r=1;x=?2",
                    "\"a\";r=1;x=@1.5",
                    "\"a\";r=1;x=%\"%C3\"",
                    "\"a\";r=1;x=%\"%c3\"",
                    "\"a\";r=1;x=%\"%c\"",
                    "\"a\";r=1;x=1.",
                    "\"a\";r=1;x=1.2345",
                    "\"a\";r=1;x=1234567890123.1",
                    "\"a\";r=1;x=-",
                    "\"a\";r=1;x=%",
                    "\"a\";r=1;x=()",
                    "limit=100, remaining=50, reset=5",
                    "\"a\";r=\u0661",
                    "\"a\";r=1;1=2",
                    "\"a\";r=1;",
                    "\"a\";r=1\n",
                    "\"a\",r=1",
                })
        void malformed_values_are_an_argument_error_and_ignored(String value) {
            assertThatThrownBy(() -> RateLimitField.parse(value))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("RateLimit must have ")
                    .hasMessageMatching("(?s).* at \\d+.*");
            assertThat(RateLimitField.from(List.of(value))).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "\"a\"",
                    "\"a\";w=1",
                    "\"a\";q=1;w=0",
                    "\"a\";q=1;w=-1",
                    "\"a\";q=1;qu=requests",
                    "100;w=60",
                    "\"a\";q=-1",
                    "\"a\";q=1;w=1.0",
                    "\"a\";q=1;pk=1"
                })
        void malformed_policies_are_an_argument_error_and_ignored(String value) {
            assertThatThrownBy(() -> RateLimitPolicyField.parse(value)).isInstanceOf(IllegalArgumentException.class);
            assertThat(RateLimitPolicyField.from(List.of(value))).isEmpty();
        }

        @Test
        void the_message_has_the_position() {
            assertThatThrownBy(() -> RateLimitField.parse("\"a\";r=1, \"b\";r=x y"))
                    .hasMessage("RateLimit must have a comma at 17, but was \"\"a\";r=1, \"b\";r=x y\"");
        }

        @Test
        void an_absent_header_is_empty() {
            assertThat(RateLimitField.from(null)).isEmpty();
            assertThat(RateLimitPolicyField.from(List.of())).isEmpty();
        }

        @Test
        void huge_values_are_refused_by_their_length() {
            String item = "\"a\";r=1";
            String longest = item + ",".concat(item).repeat((65_536 - item.length()) / (item.length() + 1));
            String tooLong = item + ";x=" + "a".repeat(65_536);

            assertThat(RateLimitField.parse(longest).items()).hasSizeGreaterThan(8000);
            assertThatThrownBy(() -> RateLimitField.parse(tooLong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("RateLimit must have at most 65536 characters, but had " + tooLong.length());
            assertThat(RateLimitField.from(Collections.nCopies(1_000_000, item)))
                    .isEmpty();
        }

        /** The bytes behind the quote fit into a buffer of the rest of the text, for each of many strings. */
        @Test
        void many_display_strings_are_read_in_one_pass() {
            String value = "\"a\";r=1" + ";x=%\"%c3%bc\"".repeat(5000);

            assertThat(RateLimitField.parse(value).items()).hasSize(1);
        }
    }

    @Test
    void keys_of_partitions_are_values() {
        byte[] bytes = {1, 2, 3};
        PartitionKey key = PartitionKey.of(bytes);
        bytes[0] = 9;
        key.bytes()[1] = 9;

        assertThat(key).isEqualTo(PartitionKey.of(new byte[] {1, 2, 3})).hasToString("AQID");
        assertThat(key).hasSameHashCodeAs(PartitionKey.of(new byte[] {1, 2, 3})).isNotEqualTo(PartitionKey.of("x"));
    }
}
