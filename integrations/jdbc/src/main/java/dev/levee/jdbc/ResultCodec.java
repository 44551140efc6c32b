package dev.levee.jdbc;

import dev.levee.core.internal.Require;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Converts results to bytes and back, for the database. It never gets null.
 *
 * <p>What is written today is read by the next version of the service: use a format that can grow. Thread-safe.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public interface ResultCodec<T extends @Nullable Object> {
    /**
     * Writes a result.
     *
     * @param result not null
     * @return its bytes, not null: a result without bytes is not recorded, and fails
     */
    byte[] encode(T result);

    /**
     * Reads a result.
     *
     * @param bytes what {@link #encode} wrote
     * @return the result
     */
    T decode(byte[] bytes);

    /**
     * Writes a failure that is to be replayed.
     *
     * @param failure what the operation threw
     * @return not null; by default its class and message
     */
    default byte[] encodeFailure(Throwable failure) {
        return String.valueOf(failure).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads a failure. It is thrown to the caller unchanged: return what the operation may throw.
     *
     * @param bytes what {@link #encodeFailure} wrote
     * @return not null; by default a {@link RecordedFailureException}
     */
    default Throwable decodeFailure(byte[] bytes) {
        return new RecordedFailureException(new String(bytes, StandardCharsets.UTF_8));
    }

    /**
     * Returns a codec for results that are text, in UTF-8.
     *
     * @return the codec
     */
    static ResultCodec<String> text() {
        return of(text -> text, text -> text);
    }

    /**
     * Returns a codec for results that can be written as text, such as JSON; in UTF-8.
     *
     * @param write returns the text of a result
     * @param read returns the result of a text
     * @param <T> the type of the results
     * @return the codec
     * @throws NullPointerException if an argument is null
     */
    static <T> ResultCodec<T> of(Function<? super T, String> write, Function<? super String, ? extends T> read) {
        Require.nonNull("write", write);
        Require.nonNull("read", read);
        return new ResultCodec<>() {
            @Override
            public byte[] encode(T result) {
                return write.apply(result).getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public T decode(byte[] bytes) {
                return read.apply(new String(bytes, StandardCharsets.UTF_8));
            }
        };
    }
}
