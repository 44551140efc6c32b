package dev.levee.cache;

import dev.levee.core.internal.Require;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
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

        @Override
        public byte[] encode(String value) {
            try {
                ByteBuffer encoded = StandardCharsets.UTF_8
                        .newEncoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .encode(CharBuffer.wrap(Require.nonNull("value", value)));
                byte[] bytes = new byte[encoded.remaining()];
                encoded.get(bytes);
                return bytes;
            } catch (CharacterCodingException unpaired) {
                throw new IllegalArgumentException(
                        "value has an unpaired surrogate, which UTF-8 cannot hold", unpaired);
            }
        }

        @Override
        public String decode(byte[] bytes) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .decode(ByteBuffer.wrap(Require.nonNull("bytes", bytes)))
                        .toString();
            } catch (CharacterCodingException malformed) {
                throw new IllegalArgumentException("bytes are not UTF-8", malformed);
            }
        }
    }
}
