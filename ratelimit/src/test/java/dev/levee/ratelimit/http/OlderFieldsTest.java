package dev.levee.ratelimit.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link HeaderStyle}, {@link QuotaFields} and {@link RetryAfterField}. */
class OlderFieldsTest {
    private static final Instant NOW = Instant.parse("2026-11-29T12:00:00.25Z");
    private static final QuotaPolicy POLICY = QuotaPolicy.of("default", 100, Duration.ofMinutes(1));
    private static final ServiceLimit LIMIT = ServiceLimit.of("default", 50, 30);

    @Nested
    class Styles {

        @Test
        void each_writes_its_headers() {
            assertThat(written(HeaderStyle.STRUCTURED))
                    .containsExactly("RateLimit-Policy: \"default\";q=100;w=60", "RateLimit: \"default\";r=50;t=30");
            assertThat(written(HeaderStyle.COMBINED))
                    .containsExactly("RateLimit-Policy: 100;w=60", "RateLimit: limit=100, remaining=50, reset=30");
            assertThat(written(HeaderStyle.SEPARATE))
                    .containsExactly("RateLimit-Limit: 100", "RateLimit-Remaining: 50", "RateLimit-Reset: 30");
            assertThat(written(HeaderStyle.X_DELTA))
                    .containsExactly("X-RateLimit-Limit: 100", "X-RateLimit-Remaining: 50", "X-RateLimit-Reset: 30");
            assertThat(written(HeaderStyle.X_EPOCH))
                    .containsExactly(
                            "X-RateLimit-Limit: 100",
                            "X-RateLimit-Remaining: 50",
                            "X-RateLimit-Reset: "
                                    + Instant.parse("2026-11-29T12:00:31Z").getEpochSecond());
            assertThat(written(HeaderStyle.NONE)).isEmpty();
        }

        @Test
        void what_is_not_known_has_no_header() {
            ServiceLimit bare = new ServiceLimit("default", 50, OptionalLong.empty(), Optional.empty());

            assertThat(written(HeaderStyle.STRUCTURED, null, bare)).containsExactly("RateLimit: \"default\";r=50");
            assertThat(written(HeaderStyle.COMBINED, null, bare)).containsExactly("RateLimit: remaining=50");
            assertThat(written(HeaderStyle.X_EPOCH, null, bare)).containsExactly("X-RateLimit-Remaining: 50");
        }

        @ParameterizedTest
        @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
        void each_is_read_back(HeaderStyle style) {
            Map<String, List<String>> headers = new LinkedHashMap<>();
            style.write(POLICY, LIMIT, InstantSource.fixed(NOW), (name, value) -> headers.put(name, List.of(value)));

            // X_EPOCH: the client's clock is at the fraction of a second, so that there is one more to wait.
            long reset = style == HeaderStyle.X_EPOCH ? 31 : 30;
            assertThat(QuotaFields.from(style, headers::get, NOW))
                    .isEqualTo(new QuotaFields(OptionalLong.of(100), OptionalLong.of(50), OptionalLong.of(reset)));
        }

        private static List<String> written(HeaderStyle style) {
            return written(style, POLICY, LIMIT);
        }

        private static List<String> written(HeaderStyle style, QuotaPolicy policy, ServiceLimit limit) {
            List<String> lines = new ArrayList<>();
            style.write(policy, limit, InstantSource.fixed(NOW), (name, value) -> lines.add(name + ": " + value));
            return lines;
        }
    }

    @Nested
    class ReadingThree {

        @Test
        void a_limit_may_have_its_policies_behind_it() {
            assertThat(read(Map.of("X-RateLimit-Limit", List.of("100, 100;w=10", "1000;w=3600")))
                            .limit())
                    .hasValue(100);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {"", "-1", "+1", "1.5", "1 2", "1,2", "0x1", "1e3", "9999999999999999", "\u0661", "a", "\"1\""
                })
        void a_malformed_number_is_ignored_and_the_others_count(String value) {
            assertThat(read(Map.of(
                            "X-RateLimit-Limit", List.of("7"),
                            "X-RateLimit-Remaining", List.of(value),
                            "X-RateLimit-Reset", List.of("3"))))
                    .isEqualTo(new QuotaFields(OptionalLong.of(7), OptionalLong.empty(), OptionalLong.of(3)));
        }

        @Test
        void a_repeated_number_is_ignored() {
            assertThat(read(Map.of("X-RateLimit-Remaining", List.of("5", "5"))).remaining())
                    .isEmpty();
        }

        @Test
        void a_huge_number_of_lines_is_ignored() {
            assertThat(read(Map.of("X-RateLimit-Limit", Collections.nCopies(500_000, "1")))
                            .limit())
                    .isEmpty();
        }

        @Test
        void a_time_that_has_passed_is_no_wait() {
            Map<String, List<String>> headers = Map.of("X-RateLimit-Reset", List.of("1"));

            assertThat(QuotaFields.from(HeaderStyle.X_EPOCH, headers::get, NOW).resetSeconds())
                    .hasValue(0);
        }

        @ParameterizedTest
        @ValueSource(strings = {"-1000000000-01-01T00:00:00Z", "+1000000000-12-31T23:59:59Z"})
        void a_clock_that_is_far_off_has_an_answer(Instant now) {
            Map<String, List<String>> headers = Map.of("X-RateLimit-Reset", List.of("1"));

            assertThat(QuotaFields.from(HeaderStyle.X_EPOCH, headers::get, now).resetSeconds())
                    .isPresent();
            assertThat(RetryAfterField.from(List.of("Sunday, 06-Nov-94 08:49:37 GMT"), now))
                    .isNotNull();
            assertThat(RetryAfterField.parse("Sun, 06 Nov 1994 08:49:37 GMT", NOW)
                            .delaySeconds(now))
                    .isNotNegative();
        }

        @Test
        void the_tightest_of_several_limits_counts() {
            Map<String, List<String>> headers = Map.of(
                    "RateLimit-Policy", List.of("\"a\";q=10;w=1", "\"b\";q=20;w=1"),
                    "RateLimit", List.of("\"a\";r=9;t=1", "\"b\";r=3;t=5"));

            assertThat(QuotaFields.from(HeaderStyle.STRUCTURED, headers::get, NOW))
                    .isEqualTo(new QuotaFields(OptionalLong.of(20), OptionalLong.of(3), OptionalLong.of(5)));
        }

        @Test
        void a_combined_field_is_one_value() {
            assertThat(combined("limit=100, remaining=50, reset=5"))
                    .isEqualTo(new QuotaFields(OptionalLong.of(100), OptionalLong.of(50), OptionalLong.of(5)));
            assertThat(combined("reset=5, acme=?1, x;y=2, remaining=60, remaining=50")
                            .remaining())
                    .hasValue(50);
            assertThat(combined("limit=100, remaining=-1").limit()).isEmpty();
            assertThat(combined("limit=100, remaining").limit()).isEmpty();
            assertThat(combined("limit = 100").limit()).isEmpty();
        }

        @Test
        void members_that_nothing_asks_for_may_be_inner_lists() {
            assertThat(combined("limit=100, others=(\"a\" 1;b  :YQ==: );c, empty=(), reset=9"))
                    .isEqualTo(combined("limit=100, reset=9"));
            assertThat(combined("limit=(100), remaining=50")).isEqualTo(combined("limit=x"));
            for (String malformed : List.of("(1,2)", "(1", "(", "(\"a\"1)", "(1 2))", "(1\t2)", "((1) 2)")) {
                assertThat(combined("limit=100, others=" + malformed).limit())
                        .as(malformed)
                        .isEmpty();
            }
        }

        private static QuotaFields combined(String value) {
            return QuotaFields.from(HeaderStyle.COMBINED, name -> List.of(value), NOW);
        }

        private static QuotaFields read(Map<String, List<String>> headers) {
            return QuotaFields.from(HeaderStyle.X_DELTA, headers::get, NOW);
        }
    }

    @Nested
    class RetryAfter {

        @ParameterizedTest
        @CsvSource({"0, 1", "1, 1", "999999999, 1", "1000000000, 1", "1000000001, 2", "60000000000, 60"})
        void a_wait_is_rounded_up_to_at_least_a_second(long nanos, String value) {
            assertThat(RetryAfterField.ofNanos(nanos).value()).isEqualTo(value);
        }

        @Test
        void what_is_out_of_range_is_refused() {
            assertThatThrownBy(() -> RetryAfterField.ofNanos(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> RetryAfterField.ofNanos(Long.MAX_VALUE / 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("waitNanos must be less than NEVER");
            assertThatThrownBy(() -> RetryAfterField.ofSeconds(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> RetryAfterField.at(Instant.MAX)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> RetryAfterField.at(Instant.parse("9999-12-31T23:59:59.5Z")))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> RetryAfterField.at(Instant.MIN)).isInstanceOf(IllegalArgumentException.class);
        }

        /** The three forms as RFC 9110, section 5.6.7, has them. */
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "Sun, 06 Nov 1994 08:49:37 GMT",
                    "Sunday, 06-Nov-94 08:49:37 GMT",
                    "Sun Nov  6 08:49:37 1994",
                    " \tSun, 06 Nov 1994 08:49:37 GMT\t "
                })
        void a_date_is_read_in_three_forms(String value) {
            RetryAfterField field = RetryAfterField.parse(value, NOW);

            assertThat(field.date()).hasValue(Instant.parse("1994-11-06T08:49:37Z"));
            assertThat(field.seconds()).isEmpty();
            assertThat(field.delaySeconds(NOW)).isZero();
            assertThat(field.delaySeconds(Instant.parse("1994-11-06T08:49:30.5Z")))
                    .isEqualTo(7);
            assertThat(field).hasToString("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT");
        }

        @Test
        void a_year_of_two_digits_is_at_most_fifty_ahead() {
            assertThat(RetryAfterField.parse("Sunday, 29-Nov-76 08:00:00 GMT", NOW)
                            .date())
                    .hasValue(Instant.parse("2076-11-29T08:00:00Z"));
            assertThat(RetryAfterField.parse("Tuesday, 29-Nov-77 08:00:00 GMT", NOW)
                            .date())
                    .hasValue(Instant.parse("1977-11-29T08:00:00Z"));
            assertThat(RetryAfterField.parse("Friday, 31-Dec-76 08:00:00 GMT", NOW)
                            .date())
                    .as("fifty years and a month would be more")
                    .hasValue(Instant.parse("1976-12-31T08:00:00Z"));
        }

        @Test
        void a_date_between_seconds_is_rounded_up() {
            assertThat(RetryAfterField.at(NOW).value()).isEqualTo("Sun, 29 Nov 2026 12:00:01 GMT");
            assertThat(RetryAfterField.at(NOW).delaySeconds(NOW)).isEqualTo(1);
        }

        @Test
        void a_huge_number_is_the_longest_delay() {
            assertThat(RetryAfterField.parse("9".repeat(100_000), NOW).delaySeconds(NOW))
                    .isEqualTo(999_999_999_999_999L);
            assertThat(RetryAfterField.parse("0".repeat(100_000) + "7", NOW).delaySeconds(NOW))
                    .isEqualTo(7);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    " ",
                    "-1",
                    "+1",
                    "1.5",
                    "1 2",
                    "1s",
                    "\u0661",
                    "1, 2",
                    "soon",
                    "Sun, 06 Nov 1994 08:49:37",
                    "Mon, 06 Nov 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 08:49:37 UTC",
                    "sun, 06 nov 1994 08:49:37 gmt",
                    "Sun, 6 Nov 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 24:00:00 GMT",
                    "Sun, 06 Nov 1994 08:60:00 GMT",
                    "Wed, 30 Feb 1994 08:49:37 GMT",
                    "Sun, 06 Abc 1994 08:49:37 GMT",
                    "Sun, 06 Nov 1994 08:49:61 GMT",
                    "Abc, 06 Nov 1994 08:49:37 GMT",
                    "Sun Nov 6 08:49:37 1994",
                    "Sun Nov 06 08:49:37 94",
                    "Sunday, 06-Nov-1994 08:49:37 GMT",
                    "1994-11-06T08:49:37Z",
                    "2026",
                })
        void what_is_malformed_is_an_argument_error_and_ignored(String value) {
            if (value.equals("2026")) {
                assertThat(RetryAfterField.parse(value, NOW).seconds()).hasValue(2026); // a number, not a year
                return;
            }
            assertThatThrownBy(() -> RetryAfterField.parse(value, NOW))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("Retry-After must be seconds or a date of HTTP");
            assertThat(RetryAfterField.from(List.of(value), NOW)).isEmpty();
        }

        @Test
        void a_leap_second_is_the_one_before() {
            assertThat(RetryAfterField.parse("Sat, 31 Dec 2016 23:59:60 GMT", NOW)
                            .date())
                    .hasValue(Instant.parse("2016-12-31T23:59:59Z"));
        }

        @Test
        void a_repeated_header_is_ignored() {
            assertThat(RetryAfterField.from(List.of("5", "5"), NOW)).isEmpty();
            assertThat(RetryAfterField.from(List.of(), NOW)).isEmpty();
            assertThat(RetryAfterField.from(null, NOW)).isEmpty();
            assertThat(RetryAfterField.from(List.of("5"), NOW)).hasValue(RetryAfterField.ofSeconds(5));
        }
    }
}
