package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * The part of a server's capacity that a request belongs to: the parameter {@code pk} of {@link QuotaPolicy} and
 * {@link ServiceLimit}, some bytes.
 *
 * <p>Every reader of the response sees it: put nothing secret into it. Immutable.
 *
 * @since 0.1
 */
public final class PartitionKey {
    private final byte[] bytes;

    private PartitionKey(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Makes a key of bytes.
     *
     * @param bytes any number of them, copied
     * @return the key
     * @throws NullPointerException if it is null
     */
    public static PartitionKey of(byte[] bytes) {
        return new PartitionKey(Require.nonNull("bytes", bytes).clone());
    }

    /**
     * Makes a key of the UTF-8 bytes of a text.
     *
     * @param text any text
     * @return the key
     * @throws NullPointerException if it is null
     */
    public static PartitionKey of(String text) {
        return new PartitionKey(Require.nonNull("text", text).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Returns the bytes.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return bytes.clone();
    }

    void appendTo(StringBuilder to) {
        to.append(";pk=:").append(Base64.getEncoder().encodeToString(bytes)).append(':');
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PartitionKey that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /**
     * Returns the bytes in Base64.
     *
     * @return the text
     */
    @Override
    public String toString() {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
