package dev.levee.ratelimit.http;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An item of a structured field with its parameters: RFC 9651, section 3.3.
 *
 * @param at where it begins in the text
 * @param value a {@link Long}, a {@link String}, a {@link PartitionKey} for a byte sequence, or {@link #OTHER}
 * @param parameters values of the same kinds; of a repeated one the last
 */
record FieldItem(int at, Object value, Map<String, Object> parameters) {
    /** A value of a type that no known item or parameter has: a decimal, token, boolean, date or display string. */
    static final Object OTHER = new Object();

    /** Returns a parameter, or null if there is none. */
    @Nullable Object parameter(String key) {
        return parameters.get(key);
    }
}
