package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the fields of this package share: bounds, strings, and how lines become a value. Stateless. See ADR 95. */
final class Fields {
    /** The largest integer of a structured field, of 15 digits. */
    static final long MAX_INTEGER = 999_999_999_999_999L;

    private Fields() {}

    /** Returns the value if it can be written as an integer of a structured field. */
    static long integer(String name, long value, long low) {
        return Require.range(name, value, low, MAX_INTEGER);
    }

    static OptionalLong integer(String name, OptionalLong value, long low) {
        Require.nonNull(name, value).ifPresent(it -> integer(name, it, low));
        return value;
    }

    /** Returns the text if it can be written as a string of a structured field. */
    static String string(String name, String text) {
        for (int i = 0; i < Require.nonNull(name, text).length(); i++) {
            if (!FieldReader.isPrintable(text.charAt(i))) {
                throw new IllegalArgumentException(name + " must have printable ASCII characters only, but has another"
                        + " at " + i + ": \"" + Text.printable(text) + "\"");
            }
        }
        return text;
    }

    static void appendString(StringBuilder to, String text) {
        to.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\');
            }
            to.append(c);
        }
        to.append('"');
    }

    /** Returns whole seconds that last at least as long, from 1. */
    static long secondsUp(long nanos) {
        return Math.max(1, nanos / 1_000_000_000L + (nanos % 1_000_000_000L > 0 ? 1 : 0));
    }

    /** Returns a copy of the items of a list field, which has at least one. */
    static <T> List<T> items(List<T> items) {
        List<T> copy = List.copyOf(Require.nonNull("items", items));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("items must have at least one, but was empty");
        }
        return copy;
    }

    /** Returns a list field as it stands in a header. */
    static <T> String list(List<T> items, BiConsumer<? super T, ? super StringBuilder> append) {
        StringBuilder text = new StringBuilder();
        String separator = "";
        for (T item : items) {
            append.accept(item, text.append(separator));
            separator = ", ";
        }
        return text.toString();
    }

    /** Reads the lines of a field as one value; an absent or malformed one has no answer. */
    static <T> Optional<T> read(@Nullable Collection<String> lines, Function<? super String, ? extends T> parse) {
        if (lines == null || lines.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(joined(lines)));
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }

    /** Joins the lines of a field in their order: RFC 9110, section 5.3. Of a huge field not more than is read. */
    private static String joined(Collection<String> lines) {
        StringBuilder joined = new StringBuilder();
        String separator = "";
        for (String line : lines) {
            joined.append(separator).append(line == null ? "" : line);
            separator = ", ";
            if (joined.length() > FieldReader.MAX_CHARS) {
                break;
            }
        }
        return joined.toString();
    }

    /** Returns a parameter that is an integer from a bound. */
    static OptionalLong integer(FieldReader reader, FieldItem item, String key, long low) {
        Object value = item.parameter(key);
        if (value == null) {
            return OptionalLong.empty();
        }
        if (!(value instanceof Long number) || number < low) {
            throw reader.malformed("an integer from " + low + " as " + key + " of the item", item.at());
        }
        return OptionalLong.of(number);
    }

    static long required(FieldReader reader, FieldItem item, String key) {
        return integer(reader, item, key, 0)
                .orElseThrow(() -> reader.malformed("the parameter " + key + " of the item", item.at()));
    }

    static Optional<PartitionKey> partitionKey(FieldReader reader, FieldItem item) {
        Object value = item.parameter("pk");
        if (value == null || value instanceof PartitionKey) {
            return Optional.ofNullable((PartitionKey) value);
        }
        throw reader.malformed("a byte sequence as pk of the item", item.at());
    }

    static String name(FieldReader reader, FieldItem item) {
        if (item.value() instanceof String name) {
            return name;
        }
        throw reader.malformed("a string", item.at());
    }
}
