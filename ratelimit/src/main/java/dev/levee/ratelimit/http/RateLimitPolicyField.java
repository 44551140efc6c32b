package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The value of the header {@code RateLimit-Policy}: how much a client may use, for each policy.
 *
 * <pre>{@code
 * String value = RateLimitPolicyField.of(QuotaPolicy.of("default", 100, Duration.ofMinutes(1))).value();
 * List<String> lines = response.headers().allValues(RateLimitPolicyField.NAME);
 * Optional<RateLimitPolicyField> told = RateLimitPolicyField.from(lines);
 * }</pre>
 *
 * <p>The form since draft 08 of Polli, Martínez and Miller, "RateLimit header fields for HTTP",
 * draft-ietf-httpapi-ratelimit-headers-11, 2026: a list of structured items. For the older forms see
 * {@link HeaderStyle}. Parameters may stand in any order; of a repeated one the last counts; unknown ones are comments.
 * Several items may have the same name and stay in their order. Immutable.
 *
 * @param items at least one
 * @since 0.1
 * @see <a href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/">The draft</a>
 */
public record RateLimitPolicyField(List<QuotaPolicy> items) {
    /** The name of the header. */
    public static final String NAME = "RateLimit-Policy";

    /**
     * Makes a value.
     *
     * @param items at least one, copied
     * @throws NullPointerException if the list or an item is null
     * @throws IllegalArgumentException if there is none
     */
    public RateLimitPolicyField {
        items = Fields.items(items);
    }

    /**
     * Makes a value.
     *
     * @param items at least one
     * @return the value
     * @throws NullPointerException if an item is null
     * @throws IllegalArgumentException if there is none
     */
    public static RateLimitPolicyField of(QuotaPolicy... items) {
        return new RateLimitPolicyField(List.of(Require.nonNull("items", items)));
    }

    /**
     * Parses a value strictly. Takes time in proportion to its length.
     *
     * @param value of the header; of several lines, all of them joined by commas
     * @return the value
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is malformed, with the position, or longer than 65,536 characters
     */
    public static RateLimitPolicyField parse(String value) {
        FieldReader reader = new FieldReader(NAME, Require.nonNull("value", value));
        return new RateLimitPolicyField(
                reader.items().stream().map(it -> QuotaPolicy.read(reader, it)).toList());
    }

    /**
     * Reads what a response has: the lines are one list, and a malformed one is ignored as a whole, as the draft says.
     *
     * @param lines of the header, in their order; null or none if the header is absent
     * @return the value; empty if it is absent or malformed, see {@link #parse}
     */
    public static Optional<RateLimitPolicyField> from(@Nullable Collection<String> lines) {
        return Fields.read(lines, RateLimitPolicyField::parse);
    }

    /**
     * Returns the value as it stands in the header.
     *
     * @return printable ASCII
     */
    public String value() {
        return Fields.list(items, QuotaPolicy::appendTo);
    }

    /**
     * Returns the name and the value of the header.
     *
     * @return such as {@code RateLimit-Policy: "default";q=100;w=60}
     */
    @Override
    public String toString() {
        return NAME + ": " + value();
    }
}
