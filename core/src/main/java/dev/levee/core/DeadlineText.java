package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;

/**
 * Formats and parses spans of time as the gRPC protocol over HTTP/2 does: up to eight digits and a unit. See ADR 26.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC over HTTP2</a>
 */
final class DeadlineText {
    private static final int MAX_DIGITS = 8;
    private static final long MAX = 99_999_999L;
    private static final String UNITS = "numSMH";
    private static final long[] NANOS = {1L, 1_000L, 1_000_000L, 1_000_000_000L, 60_000_000_000L, 3_600_000_000_000L};

    private DeadlineText() {}

    /**
     * Formats a span, rounded down. A span that never ends becomes the longest text, which is parsed as never again.
     */
    static String of(long nanos) {
        if (nanos >= Nanos.NEVER) {
            return MAX + "H";
        }
        int unit = 0;
        while (nanos / NANOS[unit] > MAX) {
            unit++;
        }
        return nanos / NANOS[unit] + UNITS.substring(unit, unit + 1);
    }

    /** Returns the smallest of a list, as repeated headers become when they are joined. */
    static long nanos(String text) {
        int comma = text.indexOf(',');
        if (comma < 0) {
            return one(text);
        }
        long least = Nanos.NEVER;
        int from = 0;
        while (comma >= 0) {
            least = Math.min(least, one(text.substring(from, comma).strip()));
            from = comma + 1;
            comma = text.indexOf(',', from);
        }
        return Math.min(least, one(text.substring(from).strip()));
    }

    private static long one(String text) {
        int digits = text.length() - 1;
        int unit = digits < 1 || digits > MAX_DIGITS ? -1 : UNITS.indexOf(text.charAt(digits));
        if (unit < 0) {
            throw malformed(text);
        }
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw malformed(text);
            }
            value = 10 * value + digit;
        }
        return value > Nanos.NEVER / NANOS[unit] ? Nanos.NEVER : value * NANOS[unit];
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException("a deadline must be 1 to 8 digits and one of n, u, m, S, M, H, but was \""
                + Text.printable(text) + "\"");
    }
}
