package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Text;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Parses addresses, and never resolves a name. */
final class HostPort {
    private static final int MAX_PORT = 65_535;

    private HostPort() {}

    /** {@code 10.0.0.1:80}, {@code [::1]:80} or {@code name:80}; a name stays unresolved. */
    static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 1 ? "" : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (host.isEmpty() || (host.indexOf(':') >= 0) != bracketed) {
            throw new IllegalArgumentException("\"" + Text.printable(text) + "\" must be HOST:PORT or [IPV6]:PORT");
        }
        int port = port(text.substring(colon + 1), text);
        InetAddress literal = literal(bracketed ? host.substring(1, host.length() - 1) : host);
        if (bracketed && literal == null) {
            throw new IllegalArgumentException(
                    "\"" + Text.printable(text) + "\" must have an IPv6 address in its brackets");
        }
        if (literal == null && !mayBeName(host)) {
            throw new IllegalArgumentException(
                    "\"" + Text.printable(text) + "\" must have a host name or an IPv4 address of four numbers");
        }
        return literal == null ? InetSocketAddress.createUnresolved(host, port) : new InetSocketAddress(literal, port);
    }

    /** Whether it is neither another part of a URI than its host, nor a number that is no address. */
    private static boolean mayBeName(String host) {
        return host.chars().noneMatch(c -> c <= ' ' || c == 127 || "/\\?#@[]%,;=\"".indexOf(c) >= 0)
                && !host.matches("[0-9.]+");
    }

    private static int port(String digits, String text) {
        int port = 0;
        for (int i = 0; i < digits.length() && port <= MAX_PORT; i++) {
            int digit = digits.charAt(i) - '0';
            port = digit >= 0 && digit <= 9 ? port * 10 + digit : MAX_PORT + 1;
        }
        if (digits.isEmpty() || port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("\"" + Text.printable(text) + "\" must have a port from 1 to 65535");
        }
        return port;
    }

    /** The address that a text is, or null if it is a name. */
    static @Nullable InetAddress literal(String text) {
        try {
            if (text.indexOf(':') >= 0) {
                return InetAddress.getByName(text); // with a colon the JDK resolves nothing
            }
            byte[] bytes = dotted(text);
            return bytes == null ? null : InetAddress.getByAddress(bytes);
        } catch (UnknownHostException none) {
            return null;
        }
    }

    private static byte @Nullable [] dotted(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            return null;
        }
        byte[] bytes = new byte[4];
        for (int i = 0; i < 4; i++) {
            String part = parts[i];
            if (part.isEmpty() || part.length() > 3 || !part.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return null;
            }
            int value = Integer.parseInt(part);
            if (value > 255) {
                return null;
            }
            bytes[i] = (byte) value;
        }
        return bytes;
    }
}
