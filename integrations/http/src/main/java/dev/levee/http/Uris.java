package dev.levee.http;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Require;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;

/**
 * Makes URIs of the socket addresses that discovery gives: {@code source.map(Uris::http)}.
 *
 * @since 0.1
 */
public final class Uris {
    private Uris() {}

    /**
     * The URI of an endpoint that speaks plain HTTP.
     *
     * @param address the address; one that is resolved is written as numbers
     * @return such as {@code http://10.0.0.1:8080}
     */
    public static URI http(InetSocketAddress address) {
        return of("http", address);
    }

    /**
     * The URI of an endpoint that speaks HTTP over TLS. Its certificate is checked against what is written here, so an
     * address should be unresolved, with the name that the certificate has.
     *
     * @param address the address; one that is resolved is written as numbers
     * @return such as {@code https://catalog-1.internal:8443}
     */
    public static URI https(InetSocketAddress address) {
        return of("https", address);
    }

    private static URI of(String scheme, InetSocketAddress address) {
        InetAddress resolved = Require.nonNull("address", address).getAddress();
        String host = resolved == null ? address.getHostString() : resolved.getHostAddress();
        String zoned = host.replace("%", "%25");
        return URI.create(
                scheme + "://" + (host.indexOf(':') < 0 ? host : "[" + zoned + "]") + ":" + address.getPort());
    }

    /** Returns what to write as a logical host in place of a URI, without user info. */
    static String insteadOf(String host) {
        String given = host.replaceAll("[^/@]*@", "");
        String authority = given.replaceFirst("^[A-Za-z][A-Za-z0-9+.-]*://", "").replaceFirst("[/?#].*", "");
        return authority.isBlank() || authority.chars().anyMatch(c -> c <= ' ')
                ? "but was \"" + given + "\""
                : "write \"" + authority + "\" instead of \"" + given + "\"";
    }

    /** Returns the URI at an endpoint of a request for a logical host; the path of the endpoint comes first. */
    static URI at(URI endpoint, URI request) {
        if ("https".equalsIgnoreCase(request.getScheme()) && !"https".equalsIgnoreCase(endpoint.getScheme())) {
            throw new IllegalArgumentException("a request for " + request.getScheme() + "://"
                    + request.getRawAuthority() + " must not go to "
                    + Addresses.withoutSecrets(endpoint.toString()) + ", where it would not be encrypted");
        }
        String base = endpoint.getRawPath() == null ? "" : endpoint.getRawPath();
        String path = request.getRawPath();
        StringBuilder text = new StringBuilder()
                .append(endpoint.getScheme())
                .append("://")
                .append(endpoint.getRawAuthority())
                .append(base.endsWith("/") ? base.substring(0, base.length() - 1) : base)
                .append(path == null || path.isEmpty() ? "/" : path);
        if (request.getRawQuery() != null) {
            text.append('?').append(request.getRawQuery());
        }
        return URI.create(text.toString());
    }
}
