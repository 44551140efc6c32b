package dev.levee.ratelimit.http;

import dev.levee.core.internal.Require;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Says from which address a request came: from the other end of the connection, or, if that is a trusted proxy, from
 * where the proxies say.
 *
 * <pre>{@code
 * ClientAddresses.peer();                                     // no header is believed
 * ClientAddresses.behind(ForwardingHeader.X_FORWARDED_FOR, "10.0.0.0/8", "fd00::/8");
 * }</pre>
 *
 * <p>A client must not be able to choose its own key, or it has as many limits as it likes, and can use up those of
 * others. So nothing is trusted unless it is listed here, and the header is walked from its end, where the nearest
 * proxy wrote, only as long as each address is one of a trusted proxy: the first that is not is the client's. What
 * stands to the left of it may come from the client and is never looked at. See ADR 96.
 *
 * <p>Each trusted proxy must append the address of its own peer, or set the header anew; one that passes the header on
 * as it came lets clients choose. List proxies only, never a network that has clients in it.
 *
 * <p>A hop that has no address ends the walk, and the answer is the hop that reported it, a trusted proxy:
 * {@code unknown}, a hidden name as {@code _proxy}, a name, or whatever is malformed or longer than 512 characters. So
 * does the 64th element. Clients behind such a hop share one key. Empty elements are passed over (RFC 9110, section
 * 5.6.1). If all hops are trusted, the answer is the leftmost.
 *
 * <p>Never asks a name server. The work is bounded, whatever the size of the header. Immutable and thread-safe.
 *
 * @since 0.1
 */
public final class ClientAddresses {
    /** How many elements of the header are looked at. */
    private static final int MAX_ELEMENTS = 64;

    private static final ClientAddresses PEER = new ClientAddresses(null, List.of());

    private final @Nullable ForwardingHeader header;
    private final List<AddressBlock> trusted;

    private ClientAddresses(@Nullable ForwardingHeader header, List<AddressBlock> trusted) {
        this.header = header;
        this.trusted = trusted;
    }

    /**
     * Takes the other end of the connection, and reads no header: for servers that clients reach directly.
     *
     * @return always the same one
     */
    public static ClientAddresses peer() {
        return PEER;
    }

    /**
     * Believes proxies: for servers that clients reach through them.
     *
     * @param header the one that the proxies write
     * @param trusted the addresses of the proxies, at least one block: see {@link AddressBlock#parse}
     * @return the rule
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no block, or one is malformed
     */
    public static ClientAddresses behind(ForwardingHeader header, String... trusted) {
        return behind(
                header,
                Arrays.stream(Require.nonNull("trusted", trusted))
                        .map(AddressBlock::parse)
                        .toList());
    }

    /**
     * Believes proxies: for servers that clients reach through them.
     *
     * @param header the one that the proxies write
     * @param trusted the addresses of the proxies, at least one block; copied
     * @return the rule
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is no block
     */
    public static ClientAddresses behind(ForwardingHeader header, Collection<AddressBlock> trusted) {
        List<AddressBlock> copy = List.copyOf(Require.nonNull("trusted", trusted));
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("trusted must have at least one block, but was empty: "
                    + "without a trusted proxy no header can be believed");
        }
        return new ClientAddresses(Require.nonNull("header", header), copy);
    }

    /**
     * Returns the address of the client.
     *
     * @param peer the other end of the connection
     * @param headers returns the lines of a header, in their order; null or none if it is absent. Asked only if the
     *     peer is trusted
     * @return the address; IPv4 if it was mapped into IPv6, and without a zone id
     * @throws NullPointerException if an argument is null
     */
    public InetAddress clientOf(
            InetAddress peer, Function<? super String, ? extends @Nullable Collection<String>> headers) {
        InetAddress direct = plain(Require.nonNull("peer", peer));
        Require.nonNull("headers", headers);
        if (header == null || !isTrusted(direct)) {
            return direct;
        }
        Collection<String> lines = headers.apply(header.header());
        return lines == null ? direct : walk(header, direct, lines.toArray(new String[0]));
    }

    /** Returns the address alone: IPv4 if it is mapped into IPv6, and no zone id of an interface of this machine. */
    private static InetAddress plain(InetAddress address) {
        try {
            return address instanceof Inet6Address ? InetAddress.getByAddress(address.getAddress()) : address;
        } catch (UnknownHostException e) {
            throw new AssertionError("an address has 4 or 16 bytes", e);
        }
    }

    private InetAddress walk(ForwardingHeader form, InetAddress peer, String[] lines) {
        InetAddress client = peer;
        int elements = 0;
        for (int i = lines.length - 1; i >= 0; i--) {
            String line = lines[i];
            int to = line.length();
            while (to >= 0) {
                if (elements++ == MAX_ELEMENTS) {
                    return client;
                }
                int start = form.elementStart(line, to);
                if (start < 0) {
                    return client;
                }
                int from = Blanks.skip(line, start, to);
                int end = Blanks.skipBack(line, from, to);
                if (from < end) {
                    InetAddress hop = form.address(line, from, end);
                    if (hop == null) {
                        return client;
                    }
                    client = hop;
                    if (!isTrusted(hop)) {
                        return client;
                    }
                }
                to = start - 1;
            }
        }
        return client;
    }

    private boolean isTrusted(InetAddress address) {
        for (int i = 0; i < trusted.size(); i++) {
            if (trusted.get(i).contains(address)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns what is believed.
     *
     * @return such as {@code X-Forwarded-For of [10.0.0.0/8]}
     */
    @Override
    public String toString() {
        return header == null ? "peer" : header.header() + " of " + trusted;
    }
}
