package dev.levee.cache;

import dev.levee.core.internal.Require;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** The codecs that {@link Codec} offers. */
final class StandardCodecs {
    private StandardCodecs() {}

    /** Copies. */
    enum Bytes implements Codec<byte[]> {
        INSTANCE;

        @Override
        public byte[] encode(byte[] value) {
            return Require.nonNull("value", value).clone();
        }

        @Override
        public byte[] decode(byte[] bytes) {
            return Require.nonNull("bytes", bytes).clone();
        }
    }

    /** Strict in both directions: a replacement character would make two keys one. */
    enum Utf8 implements Codec<String> {
        INSTANCE;

        private static final char REPLACEMENT = '\uFFFD';

        @Override
        public byte[] encode(String value) {
            byte[] bytes = Require.nonNull("value", value).getBytes(StandardCharsets.UTF_8);
            if (!new String(bytes, StandardCharsets.UTF_8).equals(value)) { // written as a question mark
                throw new IllegalArgumentException("value has an unpaired surrogate, which UTF-8 cannot hold");
            }
            return bytes;
        }

        @Override
        public String decode(byte[] bytes) {
            String value = new String(Require.nonNull("bytes", bytes), StandardCharsets.UTF_8);
            if (value.indexOf(REPLACEMENT) < 0) {
                return value;
            }
            try { // it stands there, or for what is none
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException malformed) {
                throw new IllegalArgumentException("bytes are not UTF-8", malformed);
            }
        }
    }
}
