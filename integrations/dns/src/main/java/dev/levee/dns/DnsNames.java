package dev.levee.dns;

import dev.levee.core.internal.Text;
import java.net.IDN;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/** Checks and converts the text of names and addresses, without a look-up. */
final class DnsNames {
    private static final int MAX_LABEL = 63;
    private static final int MAX_NAME = 253;

    private DnsNames() {}

    /**
     * Returns a name as it is sent: ASCII, in lower case, without a last dot. Stricter than dnsjava, which takes
     * {@code "a b"} and {@code "http://a"} for names.
     */
    static String ascii(String text) {
        String ascii;
        try {
            String dotless = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
            ascii = dotless.chars().allMatch(c -> c < 128) ? dotless : IDN.toASCII(dotless);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException(
                    "name must be one that DNS knows, but was \"" + Text.printable(text) + "\"", wrong);
        }
        for (String label : ascii.split("\\.", -1)) {
            if (label.isEmpty() || label.length() > MAX_LABEL || !label.chars().allMatch(DnsNames::isPlain)) {
                throw new IllegalArgumentException(
                        "name must have labels of 1 to 63 letters, digits, - or _, but was \"" + Text.printable(text)
                                + "\"");
            }
        }
        if (ascii.length() > MAX_NAME) {
            throw new IllegalArgumentException(
                    "name must be at most 253 characters long, but was \"" + Text.printable(text) + "\"");
        }
        return ascii.toLowerCase(Locale.ROOT);
    }

    private static boolean isPlain(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    /** Returns the absolute name of a text that {@link #ascii} has returned. */
    static Name absolute(String ascii) {
        try {
            return Name.fromString(ascii, Name.root);
        } catch (TextParseException impossible) {
            throw new IllegalArgumentException(impossible);
        }
    }

    /** Returns a name as text, in lower case, without the last dot; empty for the root. */
    static String text(Name name) {
        return name.equals(Name.root) ? "" : name.canonicalize().toString(true);
    }

    /** Returns the address that a text is, or null if it is a name. */
    static @Nullable InetAddress literal(String text) {
        String address = text.startsWith("[") && text.endsWith("]") ? text.substring(1, text.length() - 1) : text;
        int zone = address.indexOf('%');
        String bare = zone < 0 ? address : address.substring(0, zone);
        byte[] bytes = Address.toByteArray(bare, bare.indexOf(':') < 0 ? Address.IPv4 : Address.IPv6);
        if (bytes == null) {
            return null;
        }
        try {
            // The JDK does not look up a literal; it knows the interfaces that a zone may name.
            return zone < 0 ? InetAddress.getByAddress(bytes) : InetAddress.getByName(address);
        } catch (UnknownHostException noSuchZone) {
            return null;
        }
    }
}
