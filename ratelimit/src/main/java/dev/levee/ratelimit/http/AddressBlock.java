package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.ratelimit.IpAddresses;
import java.net.InetAddress;

/**
 * A block of IP addresses that begin with the same bits, such as {@code 10.0.0.0/8} or {@code 2001:db8::/32}.
 *
 * <p>Fuller and Li, "Classless Inter-domain Routing (CIDR)", RFC 4632, 2006. IPv4 and IPv6 are apart: {@code ::/0} has
 * no IPv4 address, and {@code 0.0.0.0/0} those that are mapped into IPv6, too, because they are IPv4 addresses.
 * Immutable.
 *
 * @param first the first address of the block, whose bits behind the prefix are all zero
 * @param prefixLength how many bits are the same, from 0 to 32 for IPv4 and to 128 for IPv6
 * @since 0.1
 */
public record AddressBlock(InetAddress first, int prefixLength) {
    private static final int MAX_PREFIX_DIGITS = 3;

    /**
     * Makes a block.
     *
     * @param first the first address
     * @param prefixLength how many bits are the same
     * @throws NullPointerException if the address is null
     * @throws IllegalArgumentException if the length is out of its range, or the address is not the first one
     */
    public AddressBlock {
        byte[] bytes = Require.nonNull("first", first).getAddress();
        Require.range("prefixLength", prefixLength, 0, 8L * bytes.length);
        for (int bit = prefixLength; bit < 8 * bytes.length; bit++) {
            if ((bytes[bit / 8] & (0x80 >> bit % 8)) != 0) {
                throw new IllegalArgumentException("first must have no bits behind a prefix of " + prefixLength
                        + " bits, but was " + first.getHostAddress());
            }
        }
    }

    /**
     * Parses a block.
     *
     * @param text an address, a slash and the length of the prefix; or an address alone, for a block of one
     * @return the block
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it has another form, or the address has bits behind the prefix
     */
    public static AddressBlock parse(String text) {
        int slash = Require.nonNull("text", text).indexOf('/');
        InetAddress first = IpAddresses.parse(text, 0, slash < 0 ? text.length() : slash)
                .orElseThrow(() -> malformed(text, "an IP address at 0"));
        int bits = 8 * first.getAddress().length;
        if (slash < 0) {
            return new AddressBlock(first, bits);
        }
        int mapped = bits == 32 && text.indexOf(':') >= 0 ? 96 : 0; // the prefix counts the bits of IPv6
        int length = prefixLength(text, slash + 1);
        if (length < mapped || length > bits + mapped) {
            throw malformed(text, "a prefix from " + mapped + " to " + (bits + mapped) + " at " + (slash + 1));
        }
        return new AddressBlock(first, length - mapped);
    }

    private static int prefixLength(String text, int from) {
        int length = 0;
        int digits = text.length() - from;
        if (digits == 0 || digits > MAX_PREFIX_DIGITS || (digits > 1 && text.charAt(from) == '0')) {
            return -1;
        }
        for (int i = from; i < text.length(); i++) {
            if (!FieldReader.isDigit(text.charAt(i))) {
                return -1;
            }
            length = length * 10 + text.charAt(i) - '0';
        }
        return length;
    }

    private static IllegalArgumentException malformed(String text, String expected) {
        return new IllegalArgumentException(
                "address block must have " + expected + ", but was \"" + Text.printable(text) + "\"");
    }

    /**
     * Returns whether an address is in this block.
     *
     * @param address any address; of one of the other version the answer is no
     * @return true if it begins with the same bits
     * @throws NullPointerException if it is null
     */
    public boolean contains(InetAddress address) {
        byte[] own = first.getAddress();
        byte[] other = Require.nonNull("address", address).getAddress();
        if (own.length != other.length) {
            return false;
        }
        int whole = prefixLength / 8;
        for (int i = 0; i < whole; i++) {
            if (own[i] != other[i]) {
                return false;
            }
        }
        int rest = prefixLength % 8;
        return rest == 0 || (own[whole] ^ other[whole]) >> (8 - rest) == 0;
    }

    /**
     * Returns the block as text.
     *
     * @return such as {@code 10.0.0.0/8}
     */
    @Override
    public String toString() {
        return first.getHostAddress() + "/" + prefixLength;
    }
}
