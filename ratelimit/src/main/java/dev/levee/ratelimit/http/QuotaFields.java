package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a response says of a limit, in whichever {@link HeaderStyle}: for clients.
 *
 * <pre>{@code
 * QuotaFields told = QuotaFields.from(HeaderStyle.X_EPOCH, response.headers()::allValues, now);
 * if (told.remaining().orElse(1) == 0) { ... }    // wait for told.resetSeconds()
 * }</pre>
 *
 * <p>A client that was refused asks {@link RetryAfterField} first, which takes precedence. Immutable.
 *
 * @param limit how many units may be used; empty if that is not told
 * @param remaining how many are left; empty if that is not told
 * @param resetSeconds in how many seconds there are more; empty if that is not told
 * @since 0.1
 */
public record QuotaFields(OptionalLong limit, OptionalLong remaining, OptionalLong resetSeconds) {
    static final String LIMIT = "Limit";
    static final String REMAINING = "Remaining";
    static final String RESET = "Reset";

    private static final QuotaFields UNKNOWN =
            new QuotaFields(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

    /**
     * Makes a value.
     *
     * @param limit from 0 to 999,999,999,999,999, or empty
     * @param remaining from 0 to 999,999,999,999,999, or empty
     * @param resetSeconds from 0 to 999,999,999,999,999, or empty
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public QuotaFields {
        Fields.integer("limit", limit, 0);
        Fields.integer("remaining", remaining, 0);
        Fields.integer("resetSeconds", resetSeconds, 0);
    }

    /**
     * Reads the headers of a response. A header that is absent, malformed, longer than 65,536 characters, or repeated
     * though it has one value, is ignored, and what it would tell is empty. Where several limits are told, the answer
     * is about the one with the least left (of a {@link HeaderStyle#SEPARATE} limit with its policies, the first
     * number). A time that has passed is 0 seconds. Takes time in proportion to the length of the headers.
     *
     * @param style in which form to read them
     * @param headers returns the lines of a header, in their order; null or none if it is absent
     * @param now the time of day; only {@link HeaderStyle#X_EPOCH} needs it
     * @return what they say
     * @throws NullPointerException if an argument is null
     */
    public static QuotaFields from(
            HeaderStyle style, Function<? super String, ? extends @Nullable Collection<String>> headers, Instant now) {
        Require.nonNull("headers", headers);
        Require.nonNull("now", now);
        return switch (Require.nonNull("style", style)) {
            case STRUCTURED -> structured(headers);
            case COMBINED ->
                Fields.read(headers.apply(RateLimitField.NAME), QuotaFields::combined)
                        .orElse(UNKNOWN);
            case SEPARATE -> three("RateLimit-", headers, 0);
            case X_DELTA -> three("X-RateLimit-", headers, 0);
            case X_EPOCH -> three("X-RateLimit-", headers, now.getEpochSecond());
            case NONE -> UNKNOWN;
        };
    }

    private static QuotaFields structured(Function<? super String, ? extends @Nullable Collection<String>> headers) {
        Optional<ServiceLimit> tightest = RateLimitField.from(headers.apply(RateLimitField.NAME))
                .flatMap(it -> it.items().stream().min(Comparator.comparingLong(ServiceLimit::remaining)));
        OptionalLong limit = RateLimitPolicyField.from(headers.apply(RateLimitPolicyField.NAME))
                .map(RateLimitPolicyField::items)
                .orElse(List.of())
                .stream()
                .filter(policy -> tightest.isEmpty()
                        || policy.name().equals(tightest.get().name()))
                .mapToLong(QuotaPolicy::quota)
                .findFirst();
        return new QuotaFields(
                limit,
                tightest.map(it -> OptionalLong.of(it.remaining())).orElse(OptionalLong.empty()),
                tightest.map(ServiceLimit::resetSeconds).orElse(OptionalLong.empty()));
    }

    private static QuotaFields combined(String value) {
        FieldReader reader = new FieldReader(RateLimitField.NAME, value);
        Map<String, FieldItem> members = reader.dictionary();
        return new QuotaFields(
                member(reader, members.get("limit")),
                member(reader, members.get("remaining")),
                member(reader, members.get("reset")));
    }

    private static OptionalLong member(FieldReader reader, @Nullable FieldItem item) {
        return item == null ? OptionalLong.empty() : OptionalLong.of(number(reader, item));
    }

    private static QuotaFields three(
            String prefix, Function<? super String, ? extends @Nullable Collection<String>> headers, long base) {
        OptionalLong reset = single(prefix + RESET, headers);
        return new QuotaFields(
                orEmpty(Fields.read(headers.apply(prefix + LIMIT), value -> {
                    FieldReader reader = new FieldReader(prefix + LIMIT, value);
                    return number(reader, reader.items().get(0));
                })),
                single(prefix + REMAINING, headers),
                reset.isEmpty()
                        ? reset
                        : OptionalLong.of(Math.min(Math.max(0, reset.getAsLong() - base), Fields.MAX_INTEGER)));
    }

    private static OptionalLong single(
            String name, Function<? super String, ? extends @Nullable Collection<String>> headers) {
        return orEmpty(Fields.read(headers.apply(name), value -> {
            FieldReader reader = new FieldReader(name, value);
            return number(reader, reader.item());
        }));
    }

    private static long number(FieldReader reader, FieldItem item) {
        if (item.value() instanceof Long number && number >= 0) {
            return number;
        }
        throw reader.malformed("an integer from 0", item.at());
    }

    private static OptionalLong orEmpty(Optional<Long> number) {
        return number.map(OptionalLong::of).orElse(OptionalLong.empty());
    }
}
