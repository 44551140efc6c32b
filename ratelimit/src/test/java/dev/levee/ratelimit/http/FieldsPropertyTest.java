package dev.levee.ratelimit.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;

/** What is written is read back, and no text leads to another exception than that of a bad argument. */
class FieldsPropertyTest {
    private static final long MAX_INTEGER = 999_999_999_999_999L;
    private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");

    @Property
    void limits_survive_a_round_trip(@ForAll("limits") List<ServiceLimit> limits) {
        RateLimitField field = new RateLimitField(limits);

        assertThat(RateLimitField.parse(field.value())).isEqualTo(field);
        assertThat(RateLimitField.from(
                        limits.stream().map(ServiceLimit::toString).toList()))
                .hasValue(field);
    }

    @Property
    void policies_survive_a_round_trip(@ForAll("policies") List<QuotaPolicy> policies) {
        RateLimitPolicyField field = new RateLimitPolicyField(policies);

        assertThat(RateLimitPolicyField.parse(field.value())).isEqualTo(field);
    }

    @Property
    void delays_survive_a_round_trip(@ForAll @LongRange(max = MAX_INTEGER) long seconds) {
        RetryAfterField field = RetryAfterField.ofSeconds(seconds);

        assertThat(RetryAfterField.parse(field.value(), NOW)).isEqualTo(field).hasSameHashCodeAs(field);
    }

    @Property
    void dates_survive_a_round_trip(@ForAll @LongRange(min = -62_167_219_200L, max = 253_402_300_799L) long epoch) {
        RetryAfterField field = RetryAfterField.at(Instant.ofEpochSecond(epoch));

        assertThat(RetryAfterField.parse(field.value(), NOW)).isEqualTo(field).hasSameHashCodeAs(field);
    }

    @Property
    void a_delay_is_never_too_short_and_less_than_a_second_too_long(
            @ForAll @LongRange(max = (Long.MAX_VALUE >> 1) - 1) long nanos) {
        long seconds = RetryAfterField.ofNanos(nanos).delaySeconds(NOW);

        assertThat(seconds).isGreaterThanOrEqualTo(1);
        assertThat(Math.subtractExact(nanos, Math.multiplyExact(seconds - 1, 1_000_000_000L)))
                .isBetween(nanos == 0 ? 0L : 1L, 1_000_000_000L);
    }

    /** Every answer is one of two. Texts are made of what has a meaning in these headers. */
    @Property
    void every_text_has_an_answer(@ForAll("texts") String text) {
        boolean isLimit = RateLimitField.from(List.of(text)).isPresent();
        boolean isPolicy = RateLimitPolicyField.from(List.of(text)).isPresent();
        Optional<RetryAfterField> after = RetryAfterField.from(List.of(text), NOW);

        assertThat(answers(() -> RateLimitField.parse(text))).isEqualTo(isLimit);
        assertThat(answers(() -> RateLimitPolicyField.parse(text))).isEqualTo(isPolicy);
        assertThat(answers(() -> RetryAfterField.parse(text, NOW))).isEqualTo(after.isPresent());
        for (HeaderStyle style : HeaderStyle.values()) {
            assertThat(QuotaFields.from(style, name -> List.of(text), NOW)).isNotNull();
        }
    }

    /** What was written, with a character changed, is read or refused, never anything else. */
    @Property
    void a_changed_character_has_an_answer(
            @ForAll("limits") List<ServiceLimit> limits, @ForAll int place, @ForAll char character) {
        StringBuilder text = new StringBuilder(new RateLimitField(limits).value());
        text.setCharAt(Math.floorMod(place, text.length()), character);

        assertThat(answers(() -> RateLimitField.parse(text.toString())))
                .isEqualTo(RateLimitField.from(List.of(text.toString())).isPresent());
    }

    private static boolean answers(Runnable parse) {
        try {
            parse.run();
            return true;
        } catch (IllegalArgumentException malformed) {
            assertThat(malformed).hasMessageNotContaining("\n");
            return false;
        }
    }

    @Provide
    Arbitrary<List<ServiceLimit>> limits() {
        return Combinators.combine(names(), numbers(0), numbers(0).optional(), keys().optional())
                .as((name, remaining, reset, key) -> new ServiceLimit(name, remaining, optional(reset), key))
                .list()
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    @Provide
    Arbitrary<List<QuotaPolicy>> policies() {
        return Combinators.combine(names(), numbers(0), numbers(1).optional(), names(), keys().optional())
                .as((name, quota, window, unit, key) -> new QuotaPolicy(name, quota, optional(window), unit, key))
                .list()
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.oneOf(
                Arbitraries.strings()
                        .withChars("\"\\;=,:?@%-*. \tarwtqkpGMTSun0123456789()\n\u00e4")
                        .ofMaxLength(40),
                Arbitraries.strings().ofMaxLength(40));
    }

    private static Arbitrary<String> names() {
        return Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(12);
    }

    private static Arbitrary<Long> numbers(long low) {
        return Arbitraries.longs().between(low, MAX_INTEGER);
    }

    private static Arbitrary<PartitionKey> keys() {
        return Arbitraries.bytes().array(byte[].class).ofMaxSize(9).map(PartitionKey::of);
    }

    private static OptionalLong optional(Optional<Long> number) {
        return number.map(OptionalLong::of).orElse(OptionalLong.empty());
    }
}
