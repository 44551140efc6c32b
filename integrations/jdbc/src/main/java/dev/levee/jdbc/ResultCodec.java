package dev.levee.jdbc;

import dev.levee.core.internal.Require;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns results into bytes and back, for the database. Null is not shown to it.
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
     * @return its bytes
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
     * @return by default its class and message
     */
    default byte[] encodeFailure(Throwable failure) {
        return String.valueOf(failure).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads a failure. It is thrown to the caller as it is: give back what the operation may throw.
     *
     * @param bytes what {@link #encodeFailure} wrote
     * @return by default a {@link RecordedFailureException}
     */
    default Throwable decodeFailure(byte[] bytes) {
        return new RecordedFailureException(new String(bytes, StandardCharsets.UTF_8));
    }

    /**
     * A codec for results that are text, in UTF-8.
     *
     * @return the codec
     */
    static ResultCodec<String> text() {
        return of(text -> text, text -> text);
    }

    /**
     * A codec for results that can be written as text, such as JSON; in UTF-8.
     *
     * @param write gives the text of a result
     * @param read gives the result of a text
     * @param <T> the type of the results
     * @return the codec
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
