package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads IP addresses from text, strictly and without ever asking a name server.
 *
 * <p>IPv4 as four decimal numbers without leading zeros (which some read as octal), IPv6 as Hinden and Deering, "IP
 * Version 6 Addressing Architecture", RFC 4291, 2006, section 2.2, has it. An IPv4 address that is mapped into IPv6 is
 * the IPv4 address. Everything else is none: names, shorter forms as {@code 127.1}, blanks, brackets, ports, and zone
 * ids as in {@code fe80::1%eth0} (RFC 4007), which mean something on one machine only. Two readers of such a text may
 * see two addresses. Stateless; looks at no more than 45 characters.
 *
 * @since 0.1
 */
public final class IpAddresses {
    private static final int MAX_CHARS = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length();
    private static final int GROUPS = 8;
    private static final int BYTES_OF_IPV4 = 4;

    private IpAddresses() {}

    /**
     * Parses an address.
     *
     * @param text any text
     * @return the address; empty if the text is none
     * @throws NullPointerException if it is null
     */
    public static Optional<InetAddress> parse(CharSequence text) {
        return parse(text, 0, Require.nonNull("text", text).length());
    }

    /**
     * Parses an address in a part of a text, such as an element of a header; does not look at the rest.
     *
     * @param text any text
     * @param from where the address begins
     * @param to where it ends, exclusive
     * @return the address; empty if the part is none
     * @throws NullPointerException if the text is null
     * @throws IndexOutOfBoundsException if there is no such part
     */
    public static Optional<InetAddress> parse(CharSequence text, int from, int to) {
        Objects.checkFromToIndex(from, to, Require.nonNull("text", text).length());
        InetAddress ipv4 = ipv4(text, from, to);
        return Optional.ofNullable(ipv4 != null ? ipv4 : ipv6(text, from, to));
    }

    private static @Nullable InetAddress ipv4(CharSequence text, int from, int to) {
        byte[] bytes = new byte[BYTES_OF_IPV4];
        return fillIpv4(text, from, to, bytes, 0) ? of(bytes) : null;
    }

    private static boolean fillIpv4(CharSequence text, int from, int to, byte[] bytes, int offset) {
        int at = from;
        for (int i = 0; i < BYTES_OF_IPV4; i++) {
            if (i > 0 && (at == to || text.charAt(at++) != '.')) {
                return false;
            }
            int start = at;
            int value = 0;
            while (at < to && at - start < 3 && isDigit(text.charAt(at))) {
                value = value * 10 + text.charAt(at++) - '0';
            }
            int digits = at - start;
            if (digits == 0 || value > 255 || (digits > 1 && text.charAt(start) == '0')) {
                return false;
            }
            bytes[offset + i] = (byte) value;
        }
        return at == to;
    }

    private static @Nullable InetAddress ipv6(CharSequence text, int from, int to) {
        if (to - from > MAX_CHARS || to - from < 2) {
            return null;
        }
        byte[] bytes = new byte[2 * GROUPS];
        int groups = 0;
        int gap = -1;
        int at = from;
        if (text.charAt(at) == ':') {
            if (text.charAt(at + 1) != ':') {
                return null;
            }
            gap = 0;
            at += 2;
        }
        while (at < to) {
            int start = at;
            int value = 0;
            while (at < to && at - start < 4 && hex(text.charAt(at)) >= 0) {
                value = value << 4 | hex(text.charAt(at++));
            }
            if (at == start || groups == GROUPS) {
                return null;
            }
            if (at < to && text.charAt(at) == '.') {
                if (groups > GROUPS - 2 || !fillIpv4(text, start, to, bytes, 2 * groups)) {
                    return null;
                }
                groups += 2;
                break;
            }
            bytes[2 * groups] = (byte) (value >> 8);
            bytes[2 * groups + 1] = (byte) value;
            groups++;
            if (at == to) {
                break;
            }
            if (text.charAt(at++) != ':' || at == to) {
                return null;
            }
            if (text.charAt(at) == ':') {
                if (gap >= 0) {
                    return null;
                }
                gap = groups;
                at++;
            }
        }
        if (gap < 0 ? groups < GROUPS : groups == GROUPS) {
            return null;
        }
        return of(gap < 0 ? bytes : widened(bytes, gap, groups));
    }

    /** Moves the groups behind the gap to the end. */
    private static byte[] widened(byte[] bytes, int gap, int groups) {
        byte[] wide = new byte[2 * GROUPS];
        int behind = 2 * (groups - gap);
        System.arraycopy(bytes, 0, wide, 0, 2 * gap);
        System.arraycopy(bytes, 2 * gap, wide, 2 * GROUPS - behind, behind);
        return wide;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** Returns the value of an ASCII digit, or -1. */
    private static int hex(char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }

    private static InetAddress of(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }
}
