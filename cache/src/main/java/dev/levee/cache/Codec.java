package dev.levee.cache;

/**
 * Turns keys or values into bytes and back, for what leaves the heap: a journal, another process.
 *
 * <p>Must be thread-safe. The bytes outlive the process and the version of the program that wrote them: a codec of an
 * application should write a version of its own where its types change.
 *
 * @param <T> what is turned into bytes
 * @since 0.1
 */
public interface Codec<T> {
    /**
     * Returns the bytes of a value.
     *
     * @param value not null
     * @return a new array, which belongs to the caller
     * @throws IllegalArgumentException if the value has no bytes
     */
    byte[] encode(T value);

    /**
     * Returns the value that has these bytes.
     *
     * @param bytes not null; not changed and not kept
     * @return the value, equal to the one that was encoded
     * @throws IllegalArgumentException if no value has these bytes
     */
    T decode(byte[] bytes);

    /**
     * Returns the codec of texts, in UTF-8.
     *
     * @return a codec that refuses texts with unpaired surrogates and bytes that are no UTF-8
     */
    static Codec<String> strings() {
        return StandardCodecs.Utf8.INSTANCE;
    }

    /**
     * Returns the codec of bytes, which copies them.
     *
     * @return the codec
     */
    static Codec<byte[]> bytes() {
        return StandardCodecs.Bytes.INSTANCE;
    }
}
