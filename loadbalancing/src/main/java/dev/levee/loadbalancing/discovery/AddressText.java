package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Addresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Locale;

/**
 * The text that an address is known by: the same in every JVM, whatever has been resolved there, and without what a URI
 * may have of passwords.
 */
final class AddressText {
    private AddressText() {}

    static String of(Object address) {
        return address instanceof InetSocketAddress socket
                ? host(socket.getHostString()) + ":" + socket.getPort()
                : Addresses.withoutSecrets(String.valueOf(address));
    }

    private static String host(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        if (lower.indexOf(':') < 0) {
            return lower;
        }
        int zone = lower.indexOf('%');
        String literal = zone < 0 ? lower : lower.substring(0, zone);
        try {
            // A literal: nothing is looked up. The JDK turns IPv4-mapped addresses into IPv4.
            byte[] address = InetAddress.getByName(literal).getAddress();
            String text = address.length == 4 ? dotted(address) : compressed(address);
            return address.length == 4 ? text : "[" + text + (zone < 0 ? "" : lower.substring(zone)) + "]";
        } catch (UnknownHostException notLiteral) {
            return "[" + lower + "]";
        }
    }

    private static String dotted(byte[] address) {
        return (address[0] & 0xFF) + "." + (address[1] & 0xFF) + "." + (address[2] & 0xFF) + "." + (address[3] & 0xFF);
    }

    /** The form of RFC 5952: lower case, no leading zeros, the first of the longest rows of zeros left out. */
    private static String compressed(byte[] address) {
        int longest = 1;
        int from = 8;
        for (int i = 0; i < 8; i++) {
            int zeros = zeros(address, i);
            if (zeros > longest) {
                longest = zeros;
                from = i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == from) {
                text.append("::");
                i += longest - 1;
                continue;
            }
            if (text.length() > 0 && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(group(address, i)));
        }
        return text.toString();
    }

    private static int zeros(byte[] address, int from) {
        int end = from;
        while (end < 8 && group(address, end) == 0) {
            end++;
        }
        return end - from;
    }

    private static int group(byte[] address, int index) {
        return ((address[2 * index] & 0xFF) << 8) | (address[2 * index + 1] & 0xFF);
    }
}
