package dev.levee.loadbalancing.hash;

/** Computes XXH64 of text that is not all ASCII: encodes it byte by byte, so that nothing is allocated. */
final class Utf8Hash {
    private Utf8Hash() {}

    static long hash(CharSequence text, long seed) {
        long a = XxHash64.lane(0, seed);
        long b = XxHash64.lane(1, seed);
        long c = XxHash64.lane(2, seed);
        long d = XxHash64.lane(3, seed);
        // The words of a stripe of four that is not complete, and the bytes of a word that is not complete.
        long first = 0;
        long second = 0;
        long third = 0;
        long word = 0;
        long total = 0;
        int length = text.length();
        for (int i = 0; i < length; i++) {
            int code = codeAt(text, i);
            i += code >>> 16 == 0 ? 0 : 1;
            int bytes = encode(code);
            for (int left = size(code); left > 0; left--, bytes >>>= 8) {
                word |= (bytes & 0xFFL) << (8 * (total & 7));
                total++;
                if ((total & 7) == 0) {
                    switch ((int) (total >>> 3) & 3) {
                        case 1 -> first = word;
                        case 2 -> second = word;
                        case 3 -> third = word;
                        default -> {
                            a = XxHash64.round(a, first);
                            b = XxHash64.round(b, second);
                            c = XxHash64.round(c, third);
                            d = XxHash64.round(d, word);
                        }
                    }
                    word = 0;
                }
            }
        }
        long hash = (total >= 32 ? XxHash64.converge(a, b, c, d) : XxHash64.shortStart(seed)) + total;
        int words = (int) (total >>> 3) & 3;
        hash = words > 0 ? XxHash64.word(hash, first) : hash;
        hash = words > 1 ? XxHash64.word(hash, second) : hash;
        hash = words > 2 ? XxHash64.word(hash, third) : hash;
        int rest = (int) total & 7;
        if (rest >= 4) {
            hash = XxHash64.half(hash, (int) word);
            word >>>= 32;
            rest -= 4;
        }
        for (; rest > 0; rest--, word >>>= 8) {
            hash = XxHash64.single(hash, (byte) word);
        }
        return XxHash64.avalanche(hash);
    }

    /** The code point at an index, of two units if it is above 0xFFFF; a question mark for half of a pair. */
    static int codeAt(CharSequence text, int index) {
        char unit = text.charAt(index);
        if (!Character.isSurrogate(unit)) {
            return unit;
        }
        boolean pair = Character.isHighSurrogate(unit)
                && index + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(index + 1));
        return pair ? Character.toCodePoint(unit, text.charAt(index + 1)) : '?';
    }

    /** How many bytes a code point has. */
    static int size(int code) {
        return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }

    /** The UTF-8 bytes of a code point, the first in the lowest place. */
    static int encode(int code) {
        return switch (size(code)) {
            case 1 -> code;
            case 2 -> 0x80C0 | (code >> 6) | ((code & 0x3F) << 8);
            case 3 -> 0x8080E0 | (code >> 12) | (((code >> 6) & 0x3F) << 8) | ((code & 0x3F) << 16);
            default ->
                0x808080F0
                        | (code >> 18)
                        | (((code >> 12) & 0x3F) << 8)
                        | (((code >> 6) & 0x3F) << 16)
                        | ((code & 0x3F) << 24);
        };
    }
}
