package dev.levee.loadbalancing;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Locale;

/** The text that an address is known by: the same in every JVM, whatever has been resolved there. */
final class AddressText {
    private AddressText() {}

    static String of(Object address) {
        return address instanceof InetSocketAddress socket
                ? host(socket.getHostString()) + ":" + socket.getPort()
                : String.valueOf(address);
    }

    private static String host(String host) {
        if (host.indexOf(':') < 0) {
            return host.toLowerCase(Locale.ROOT);
        }
        try {
            // A literal: nothing is looked up. The JDK gives IPv4-mapped addresses as IPv4 and spells all eight groups
            // out.
            String text = InetAddress.getByName(host).getHostAddress();
            return text.indexOf(':') < 0 ? text : "[" + text + "]";
        } catch (UnknownHostException notLiteral) {
            return "[" + host.toLowerCase(Locale.ROOT) + "]";
        }
    }
}
