package dev.levee.http;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Require;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes URIs of the socket addresses that discovery gives: {@code source.map(Uris::http)}, and of requests for a
 * logical host.
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

    /**
     * Returns the URI at an endpoint of a request for a logical host; the path of the endpoint comes first.
     *
     * @param endpoint the address of the endpoint
     * @param request the URI of the request
     * @return such as {@code http://10.0.0.1:8080/products/42} for {@code http://catalog/products/42}
     * @throws IllegalArgumentException if a request for {@code https} would go to an endpoint without it, or if dot
     *     segments in its path would leave the path of the endpoint
     */
    public static URI at(URI endpoint, URI request) {
        if ("https".equalsIgnoreCase(request.getScheme()) && !"https".equalsIgnoreCase(endpoint.getScheme())) {
            throw new IllegalArgumentException("a request for " + request.getScheme() + "://"
                    + request.getRawAuthority() + " must not go to "
                    + Addresses.withoutSecrets(endpoint.toString()) + ", where it would not be encrypted");
        }
        String base = endpoint.getRawPath() == null ? "" : endpoint.getRawPath();
        String path = request.getRawPath();
        if (base.length() > 1 && path != null && hasParentSegment(path)) {
            throw new IllegalArgumentException("the path of a request must have no dot segments that leave the path of"
                    + " its endpoint, but was " + path);
        }
        String query = request.getRawQuery();
        return URI.create(endpoint.getScheme() + "://" + endpoint.getRawAuthority()
                + (base.endsWith("/") ? base.substring(0, base.length() - 1) : base)
                + (path == null || path.isEmpty() ? "/" : path)
                + (query == null ? "" : "?" + query));
    }

    /**
     * Whether some server could take a segment for the parent: {@code ..}, also encoded, with parameters or before a
     * NUL, and between backslashes or encoded slashes. What is encoded twice is not decoded twice here, nor by a server
     * that follows RFC 3986, section 2.4.
     */
    private static boolean hasParentSegment(String path) {
        if (path.indexOf("..") < 0 && path.indexOf('%') < 0) {
            return false;
        }
        for (String segment : decoded(path).split("[/\\\\]", -1)) {
            if (segment.startsWith("..") && segment.substring(2).matches("[\\x00-\\x20]*([;\\x00].*)?")) {
                return true;
            }
        }
        return false;
    }

    /** Decodes what is ASCII. */
    private static String decoded(String path) {
        StringBuilder text = new StringBuilder(path.length());
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '%' && i + 2 < path.length()) {
                c = (char) Integer.parseInt(path.substring(i + 1, i + 3), 16); // URI has checked the digits
                i += 2;
            }
            text.append(c);
        }
        return text.toString();
    }

    /** Returns what belongs to the authority of a URI, with or without a default port; null if nothing. */
    static <V> @Nullable V find(Map<String, V> byAuthority, URI uri) {
        String given = uri.getRawAuthority();
        if (given == null) {
            return null;
        }
        String authority = given.toLowerCase(Locale.ROOT);
        V found = byAuthority.get(authority);
        if (found != null || authority.indexOf('@') >= 0) {
            return found;
        }
        String standard = "https".equalsIgnoreCase(uri.getScheme()) ? ":443" : ":80";
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon) : "";
        String host = authority.substring(0, authority.length() - port.length());
        if (port.equals(standard)) {
            return byAuthority.get(host);
        }
        V bare = port.equals(":") ? byAuthority.get(host) : null; // a colon may be there without a port
        return bare == null && port.length() <= 1 ? byAuthority.get(host + standard) : bare;
    }
}
