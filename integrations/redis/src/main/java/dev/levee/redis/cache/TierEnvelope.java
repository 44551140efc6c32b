package dev.levee.redis.cache;

import dev.levee.cache.Codec;
import dev.levee.core.internal.Require;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a value in Redis: a header of 39 bytes, which says how to read the rest, and the rest.
 *
 * <pre>{@code
 * 0  'L'           magic                      15  version, the sign turned so that bytes compare as unsigned
 * 1  format        of this layout             23  time of the server when the store was read, ms
 * 2  flags         1 absent, 2 compressed,    31  length of the value before compression
 *                  4 may have tags            35  CRC-32C of all but label and time
 * 3  fingerprint   of codec and schema, 4     39  if it may have tags: their number, 2, and for each one its
 * 7  label         sequence number, 8             length, 2, and its bytes in UTF-8; then the bytes of the codec
 * }</pre>
 *
 * What does not fit is an {@link IllegalArgumentException}, never another value.
 */
final class TierEnvelope<V> {
    static final int HEADER_BYTES = 39;

    private static final byte MAGIC = 'L';
    private static final byte FORMAT = 1;
    private static final byte ABSENT = 1;
    private static final byte COMPRESSED = 2;
    private static final byte TAGGED = 4;
    private static final int MAX_LENGTH = 0xFFFF;
    private static final int VERSION_AT = 15;
    private static final int READ_AT = 23;
    private static final int LENGTH_AT = 31;
    private static final int SUM_AT = 35;

    private final Codec<V> codec;
    private final int fingerprint;
    private final boolean tagged;
    private final int maxBytes;
    private final int compressFrom;
    private final @Nullable ToLongFunction<? super V> versionOf;

    TierEnvelope(
            Codec<V> codec,
            int schema,
            boolean tagged,
            int maxBytes,
            int compressFrom,
            @Nullable ToLongFunction<? super V> versionOf) {
        this.codec = codec;
        this.tagged = tagged;
        this.maxBytes = maxBytes;
        this.compressFrom = compressFrom;
        this.versionOf = versionOf;
        String id = codec instanceof JacksonCodec<?> json
                ? json.toString()
                : codec.getClass().getName();
        CRC32 crc = new CRC32();
        crc.update((id + '#' + schema + (tagged ? "#tags" : "")).getBytes(StandardCharsets.UTF_8));
        fingerprint = (int) crc.getValue();
    }

    /** What the bytes of a value say. */
    record OpenedValue<V>(@Nullable V value, Set<String> tags, long label, long readAtMillis) {}

    /** Returns the bytes of a value, or of its absence; null if it is larger than allowed. */
    byte @Nullable [] seal(@Nullable V value, Set<String> tags, long label, long readAtMillis) {
        byte[] body = value == null ? new byte[0] : Require.nonNull("encoded value", codec.encode(value));
        if (body.length > maxBytes) {
            return null;
        }
        byte flags = value == null ? ABSENT : 0;
        int length = body.length;
        if (compressFrom > 0 && length >= compressFrom) {
            byte[] smaller = deflate(body);
            if (smaller.length < length) {
                body = smaller;
                flags |= COMPRESSED;
            }
        }
        byte[] marks = tagged ? marks(tags) : new byte[0];
        if (marks == null) {
            return null;
        }
        if (tagged) {
            flags |= TAGGED;
        }
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + marks.length + body.length);
        bytes.put(MAGIC).put(FORMAT).put(flags).putInt(fingerprint).putLong(label);
        bytes.putLong(value == null ? 0 : rank(value)).putLong(readAtMillis).putInt(length);
        bytes.putInt(0).put(marks).put(body);
        return bytes.putInt(SUM_AT, sum(bytes.array())).array();
    }

    /** Returns the bytes of tags; null if there are more or longer ones than the layout has room for. */
    private static byte @Nullable [] marks(Set<String> tags) {
        List<byte[]> all =
                tags.stream().map(tag -> tag.getBytes(StandardCharsets.UTF_8)).toList();
        if (all.size() > MAX_LENGTH || all.stream().anyMatch(tag -> tag.length > MAX_LENGTH)) {
            return null;
        }
        int length = all.stream().mapToInt(tag -> Short.BYTES + tag.length).sum();
        ByteBuffer marks = ByteBuffer.allocate(Short.BYTES + length).putShort((short) all.size());
        all.forEach(tag -> marks.putShort((short) tag.length).put(tag));
        return marks.array();
    }

    private static Set<String> tags(ByteBuffer bytes) {
        Set<String> tags = new LinkedHashSet<>();
        for (int i = Short.toUnsignedInt(bytes.getShort()); i > 0; i--) {
            byte[] tag = new byte[Short.toUnsignedInt(bytes.getShort())];
            bytes.get(tag);
            tags.add(new String(tag, StandardCharsets.UTF_8));
        }
        return tags;
    }

    private long rank(V value) {
        return versionOf == null ? Long.MIN_VALUE : versionOf.applyAsLong(value) ^ Long.MIN_VALUE;
    }

    /** Returns the version of a value as the scripts compare it; empty if values have none. */
    byte[] version(@Nullable V value) {
        return versionOf == null || value == null
                ? new byte[0]
                : ByteBuffer.allocate(Long.BYTES).putLong(rank(value)).array();
    }

    OpenedValue<V> open(byte[] sealed) {
        if (sealed.length < HEADER_BYTES || sealed[0] != MAGIC) {
            throw new IllegalArgumentException("these are not the bytes of a cached value");
        }
        ByteBuffer bytes = ByteBuffer.wrap(sealed);
        int format = bytes.get(1);
        int flags = bytes.get(2);
        if (format != FORMAT || (flags & ~(ABSENT | COMPRESSED | TAGGED)) != 0) {
            throw new IllegalArgumentException(
                    "the value has format " + format + " with flags " + flags + ", which this version does not know");
        }
        if (bytes.getInt(3) != fingerprint) {
            throw new IllegalArgumentException("the value was written by another codec, or another schema of it");
        }
        long label = bytes.getLong(TierScripts.LABEL_AT);
        long readAt = bytes.getLong(READ_AT);
        int length = bytes.getInt(LENGTH_AT);
        if (bytes.getInt(SUM_AT) != sum(sealed)) {
            throw new IllegalArgumentException("the bytes of the value are damaged");
        }
        if (length < 0 || length > maxBytes || label < 0) {
            throw new IllegalArgumentException("the value has " + length + " bytes, allowed are " + maxBytes);
        }
        bytes.position(HEADER_BYTES);
        Set<String> tags = (flags & TAGGED) == 0 ? Set.of() : tags(bytes);
        if ((flags & ABSENT) != 0) {
            return new OpenedValue<>(null, tags, label, readAt);
        }
        byte[] body = new byte[bytes.remaining()];
        bytes.get(body);
        if ((flags & COMPRESSED) != 0) {
            body = inflate(body, length);
        }
        if (body.length != length) {
            throw new IllegalArgumentException("the value has " + body.length + " bytes and should have " + length);
        }
        return new OpenedValue<>(Require.nonNull("decoded value", codec.decode(body)), tags, label, readAt);
    }

    /** What the scripts set is not in the sum. */
    private static int sum(byte[] sealed) {
        CRC32C sum = new CRC32C();
        sum.update(sealed, 0, TierScripts.LABEL_AT);
        sum.update(sealed, VERSION_AT, READ_AT - VERSION_AT);
        sum.update(sealed, LENGTH_AT, SUM_AT - LENGTH_AT);
        sum.update(sealed, HEADER_BYTES, sealed.length - HEADER_BYTES);
        return (int) sum.getValue();
    }

    private static byte[] deflate(byte[] body) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        try {
            deflater.setInput(body);
            deflater.finish();
            byte[] into = new byte[body.length];
            int used = deflater.deflate(into);
            return deflater.finished() ? Arrays.copyOf(into, used) : body;
        } finally {
            deflater.end();
        }
    }

    /** Never makes more bytes than the header says, which is within the limit. */
    private static byte[] inflate(byte[] body, int length) {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(body);
            byte[] into = new byte[length];
            int used = 0;
            while (used < length && !inflater.finished()) {
                int more = inflater.inflate(into, used, length - used);
                if (more == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    break;
                }
                used += more;
            }
            if (used != length || inflater.inflate(new byte[1]) != 0) {
                throw new IllegalArgumentException("the compressed value has another length than its header says");
            }
            return into;
        } catch (DataFormatException damaged) {
            throw new IllegalArgumentException("the compressed value is damaged", damaged);
        } finally {
            inflater.end();
        }
    }
}
