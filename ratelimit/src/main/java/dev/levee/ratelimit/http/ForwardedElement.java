package dev.levee.ratelimit.http;

import dev.levee.ratelimit.IpAddresses;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Reads the elements of {@code Forwarded}, the last one first.
 *
 * <p>From the right, because there stands what the nearest proxies have appended to what a client sent. A list that is
 * read from the left is one that a client can break for all of them: a quote that it opens and never closes would
 * swallow the elements behind it. See ADR 96.
 */
final class ForwardedElement {
    private static final int MAX_PORT_DIGITS = 5;

    private ForwardedElement() {}

    /** Returns where the element begins that ends at a position, or -1 if there is no telling. */
    static int start(String line, int to) {
        boolean isQuoted = false;
        int earliest = Math.max(0, to - ForwardingHeader.MAX_ELEMENT_CHARS);
        for (int i = to - 1; i >= earliest; i--) {
            char c = line.charAt(i);
            if (c == ',' && !isQuoted) {
                return i + 1;
            }
            if (c == '"') {
                if (!isQuoted) {
                    isQuoted = true;
                } else {
                    int slash = i;
                    while (slash > earliest && line.charAt(slash - 1) == '\\') {
                        slash--;
                    }
                    isQuoted = (i - slash) % 2 != 0;
                    i = slash;
                }
            }
        }
        return earliest == 0 && !isQuoted ? 0 : -1;
    }

    /** Returns the address of the one parameter {@code for}, or null if there is none, it is hidden, or malformed. */
    static @Nullable InetAddress address(String line, int from, int to) {
        InetAddress address = null;
        boolean isFound = false;
        int at = from;
        while (at < to) {
            int end = pairEnd(line, at, to);
            int start = Blanks.skip(line, at, end);
            int stop = Blanks.skipBack(line, start, end);
            if (line.regionMatches(true, start, "for=", 0, 4)) {
                if (isFound) {
                    return null;
                }
                isFound = true;
                address = value(line, start + 4, stop);
            }
            at = end + 1;
        }
        return address;
    }

    private static int pairEnd(String line, int from, int to) {
        boolean isQuoted = false;
        for (int i = from; i < to; i++) {
            char c = line.charAt(i);
            if (c == '"') {
                isQuoted = !isQuoted;
            } else if (c == '\\' && isQuoted) {
                i++;
            } else if (c == ';' && !isQuoted) {
                return i;
            }
        }
        return to;
    }

    private static @Nullable InetAddress value(String line, int from, int to) {
        if (from == to || line.charAt(from) != '"') {
            return node(line, from, to);
        }
        StringBuilder plain = new StringBuilder();
        int i = from + 1;
        while (i < to && line.charAt(i) != '"') {
            if (line.charAt(i) == '\\') {
                i++;
            }
            if (i < to) {
                plain.append(line.charAt(i++));
            }
        }
        return i == to - 1 ? node(plain.toString(), 0, plain.length()) : null;
    }

    /**
     * Returns the address of a node: IPv4, or IPv6 in brackets, and perhaps a port; null for {@code unknown}, a hidden
     * name as {@code _proxy}, and whatever is none.
     */
    static @Nullable InetAddress node(String text, int from, int to) {
        if (from == to) {
            return null;
        }
        if (text.charAt(from) == '[') {
            int close = indexOf(']', text, from, to);
            boolean isIpv6 = close < to && indexOf(':', text, from + 1, close) < close;
            return isIpv6 && isPort(text, close + 1, to)
                    ? IpAddresses.parse(text, from + 1, close).orElse(null)
                    : null;
        }
        int end = indexOf(':', text, from, to);
        return isPort(text, end, to) ? IpAddresses.parse(text, from, end).orElse(null) : null;
    }

    /** Returns where a character is, or the end: never looks at the rest of the line, which may be long. */
    private static int indexOf(char c, String text, int from, int to) {
        int at = from;
        while (at < to && text.charAt(at) != c) {
            at++;
        }
        return at;
    }

    /** Returns whether there is nothing, or a colon and a port: some digits, or a hidden one as {@code _p}. */
    private static boolean isPort(String text, int from, int to) {
        if (from == to) {
            return true;
        }
        int digits = to - from - 1;
        if (text.charAt(from) != ':' || digits == 0) {
            return false;
        }
        boolean isHidden = text.charAt(from + 1) == '_';
        for (int i = from + 1; i < to; i++) {
            char c = text.charAt(i);
            if (isHidden ? !isHiddenMark(c) : !FieldReader.isDigit(c)) {
                return false;
            }
        }
        return isHidden ? digits > 1 : digits <= MAX_PORT_DIGITS;
    }

    private static boolean isHiddenMark(char c) {
        return FieldReader.isDigit(c)
                || (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || c == '.'
                || c == '_'
                || c == '-';
    }
}
