package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The network of a client as the key of a limit: an IPv4 address, or the prefix of an IPv6 address that one client has.
 *
 * <pre>{@code
 * KeyedRateLimiter<AddressKey> perClient = KeyedRateLimiter.of("api", Limit.perSecond(10));
 * perClient.tryAcquire(AddressKey.of(socket.getInetAddress()));   // 203.0.113.7, or 2001:db8:1:2::/64
 * perClient.tryAcquire(AddressKey.parse(text, 32, 56));           // ::ffff:203.0.113.7 is 203.0.113.7
 * }</pre>
 *
 * <p>Use it instead of the address or its text: one IPv6 client has at least 2^64 addresses and would otherwise have as
 * many limits, and an IPv4 client of a dual-stack socket would have two. Home networks are often given a /56 or /48
 * (RFC 6177), so a client that wants to can use 256 or 65,536 keys of /64; group by 56 or 48 where that matters, and by
 * 24 for IPv4 only where neighbours may share a limit. Do not parse what a client can choose freely, such as a header
 * that no trusted proxy has written.
 *
 * <p>What is one address in two forms is one key: an IPv4-mapped IPv6 address ({@code ::ffff:203.0.113.7}, RFC 4291
 * section 2.5.5.2), and one that a translator made with the well-known prefix ({@code 64:ff9b::203.0.113.7}, RFC 6052),
 * are grouped as the IPv4 address in them. The zone id of an {@code Inet6Address} is dropped; a text that has one is
 * refused.
 *
 * <p>Immutable, with {@code equals} by network and length of the prefix. Names are never looked up.
 *
 * @since 0.1
 */
public final class AddressKey {
    private static final int IPV4_BITS = 32;
    private static final int IPV6_BITS = 128;
    private static final int DEFAULT_IPV6_PREFIX = 64;

    /** The upper half of IPv4-mapped addresses is 0, and this is the upper half of their lower one. */
    private static final long MAPPED = 0xFFFFL;

    /** The upper half of an address that was translated by the well-known prefix. */
    private static final long TRANSLATED = 0x0064_FF9B_0000_0000L;

    /** The network as an IPv6 address; an IPv4 one is mapped. */
    private final long high;

    private final long low;

    /** Of the address as IPv6: an IPv4 one has 96 more. */
    private final int prefix;

    private AddressKey(long high, long low, int prefix) {
        this.high = high;
        this.low = low;
        this.prefix = prefix;
    }

    /**
     * Returns the key of an address: the whole of an IPv4 address, or the first 64 bits of an IPv6 address.
     *
     * @param address the address of a client
     * @return its key
     * @throws NullPointerException if it is null
     */
    public static AddressKey of(InetAddress address) {
        return of(address, IPV4_BITS, DEFAULT_IPV6_PREFIX);
    }

    /**
     * Returns the key of an address.
     *
     * @param address the address of a client
     * @param ipv4Prefix how many bits of an IPv4 address all of its addresses share, from 1 to 32
     * @param ipv6Prefix how many bits of an IPv6 address all of its addresses share, from 1 to 128
     * @return its key
     * @throws NullPointerException if the address is null
     * @throws IllegalArgumentException if a prefix is out of its range
     */
    public static AddressKey of(InetAddress address, int ipv4Prefix, int ipv6Prefix) {
        byte[] bytes = Require.nonNull("address", address).getAddress();
        if (bytes.length == 4) {
            return grouped(0, MAPPED << 32 | longOf(bytes, 0, 4), ipv4Prefix, ipv6Prefix);
        }
        return grouped(longOf(bytes, 0, 8), longOf(bytes, 8, 8), ipv4Prefix, ipv6Prefix);
    }

    private static long longOf(byte[] bytes, int from, int count) {
        long value = 0;
        for (int i = from; i < from + count; i++) {
            value = value << 8 | (bytes[i] & 0xFF);
        }
        return value;
    }

    /**
     * Returns the key of an address in text form: the whole of an IPv4 address, or the first 64 bits of an IPv6
     * address.
     *
     * @param text an address as {@link #parse(CharSequence, int, int)} takes it
     * @return its key
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is no address
     */
    public static AddressKey parse(CharSequence text) {
        return parse(text, IPV4_BITS, DEFAULT_IPV6_PREFIX);
    }

    /**
     * Returns the key of an address in text form, as {@link IpAddresses} reads it.
     *
     * @param text an address
     * @param ipv4Prefix how many bits of an IPv4 address all of its addresses share, from 1 to 32
     * @param ipv6Prefix how many bits of an IPv6 address all of its addresses share, from 1 to 128
     * @return its key
     * @throws NullPointerException if the text is null
     * @throws IllegalArgumentException if it is no address, or a prefix is out of its range
     */
    public static AddressKey parse(CharSequence text, int ipv4Prefix, int ipv6Prefix) {
        InetAddress address = IpAddresses.parse(text)
                .orElseThrow(() -> new IllegalArgumentException(
                        "text must be an IPv4 or IPv6 address, but was \"" + Text.printable(text) + "\""));
        return of(address, ipv4Prefix, ipv6Prefix);
    }

    private static AddressKey grouped(long high, long low, int ipv4Prefix, int ipv6Prefix) {
        Require.range("ipv4Prefix", ipv4Prefix, 1, IPV4_BITS);
        Require.range("ipv6Prefix", ipv6Prefix, 1, IPV6_BITS);
        boolean translated = high == TRANSLATED && low >>> 32 == 0;
        if (translated || isMapped(high, low)) {
            long address = (low & 0xFFFF_FFFFL) & -1L << (IPV4_BITS - ipv4Prefix);
            return new AddressKey(0, MAPPED << 32 | address, IPV6_BITS - IPV4_BITS + ipv4Prefix);
        }
        long highMask = ipv6Prefix >= 64 ? -1L : -1L << (64 - ipv6Prefix);
        long lowMask = ipv6Prefix <= 64 ? 0 : -1L << (IPV6_BITS - ipv6Prefix);
        return new AddressKey(high & highMask, low & lowMask, ipv6Prefix);
    }

    long high() {
        return high;
    }

    long low() {
        return low;
    }

    int prefix() {
        return prefix;
    }

    private static boolean isMapped(long high, long low) {
        return high == 0 && low >>> 32 == MAPPED;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AddressKey key && high == key.high && low == key.low && prefix == key.prefix;
    }

    @Override
    public int hashCode() {
        return (Long.hashCode(high) * 31 + Long.hashCode(low)) * 31 + prefix;
    }

    /**
     * Returns the network in text form: IPv6 as RFC 5952 says, with the length of the prefix unless it is the whole
     * address.
     *
     * @return such as {@code 203.0.113.7}, {@code 203.0.113.0/24} or {@code 2001:db8:1:2::/64}
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(48);
        int length = prefix;
        if (isMapped(high, low)) {
            length -= IPV6_BITS - IPV4_BITS;
            for (int shift = 24; shift >= 0; shift -= 8) {
                text.append(low >>> shift & 0xFF).append(shift > 0 ? "." : "");
            }
        } else {
            appendGroups(text);
        }
        return prefix == IPV6_BITS
                ? text.toString()
                : text.append('/').append(length).toString();
    }

    private int group(int index) {
        return (int) ((index < 4 ? high : low) >>> (16 * (3 - (index & 3)))) & 0xFFFF;
    }

    private void appendGroups(StringBuilder text) {
        int from = -1;
        int longest = 1;
        for (int begin = 0; begin < 8; begin++) {
            int end = begin;
            while (end < 8 && group(end) == 0) {
                end++;
            }
            if (end - begin > longest) {
                from = begin;
                longest = end - begin;
            }
        }
        for (int index = 0; index < 8; index++) {
            if (index == from) {
                text.append("::");
                index += longest - 1;
            } else {
                text.append(index == 0 || (from >= 0 && index == from + longest) ? "" : ":")
                        .append(Integer.toHexString(group(index)));
            }
        }
    }
}
