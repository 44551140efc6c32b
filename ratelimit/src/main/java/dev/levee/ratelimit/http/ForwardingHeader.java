package dev.levee.ratelimit.http;

import dev.levee.ratelimit.IpAddresses;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The header in which proxies tell from which address they got a request: exactly one of them is read, the one that the
 * proxies write.
 *
 * <p>The other one comes from the client as it is, so that whatever it says is the choice of the client.
 *
 * @since 0.1
 */
public enum ForwardingHeader {
    /** {@code Forwarded}: Petersson and Nilsson, "Forwarded HTTP Extension", RFC 7239, 2014. */
    FORWARDED("Forwarded") {
        @Override
        int elementStart(String line, int to) {
            return ForwardedElement.start(line, to);
        }

        @Override
        @Nullable InetAddress address(String line, int from, int to) {
            return ForwardedElement.address(line, from, to);
        }
    },

    /** {@code X-Forwarded-For}: addresses, each with or without a port, and commas between them. */
    X_FORWARDED_FOR("X-Forwarded-For") {
        @Override
        int elementStart(String line, int to) {
            int earliest = Math.max(0, to - MAX_ELEMENT_CHARS);
            for (int i = to - 1; i >= earliest; i--) {
                if (line.charAt(i) == ',') {
                    return i + 1;
                }
            }
            return earliest == 0 ? 0 : -1;
        }

        @Override
        @Nullable InetAddress address(String line, int from, int to) {
            return IpAddresses.parse(line, from, to).orElseGet(() -> ForwardedElement.node(line, from, to));
        }
    };

    /** The length of the longest element of a list that is read. */
    static final int MAX_ELEMENT_CHARS = 512;

    private final String header;

    ForwardingHeader(String header) {
        this.header = header;
    }

    /**
     * Returns the name of the header.
     *
     * @return its name
     */
    public String header() {
        return header;
    }

    /**
     * Returns where the last element begins of the list that ends at a position, or -1 if it has no beginning within
     * the length of the longest one.
     */
    abstract int elementStart(String line, int to);

    /** Returns the address of an element without blanks around it, or null if it has none. */
    abstract @Nullable InetAddress address(String line, int from, int to);
}
