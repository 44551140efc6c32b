package dev.levee.http.internal;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Require;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** URIs of requests for logical hosts, in parts, because clients write URIs with different types. */
public final class LogicalUris {
    private LogicalUris() {}

    /**
     * Returns the key of a logical host: hosts are compared without regard to case.
     *
     * @param host as in the URI of a request
     * @return the authority in lower case
     * @throws NullPointerException if {@code host} is null
     * @throws IllegalArgumentException if it is blank, or no authority
     */
    public static String key(String host) {
        return authority(host).toLowerCase(Locale.ROOT);
    }

    /**
     * Returns a host, if it is one.
     *
     * @param host as in the URI of a request
     * @return the same
     * @throws NullPointerException if {@code host} is null
     * @throws IllegalArgumentException if it is blank, or no authority
     */
    public static String authority(String host) {
        if (Require.name(host).chars().anyMatch(c -> c <= ' ' || "/?#@".indexOf(c) >= 0)) {
            throw new IllegalArgumentException("host must be as in the URI of a request, such as catalog or"
                    + " catalog:8080, without scheme, user info or path: " + insteadOf(host));
        }
        return host;
    }

    /** Returns what to write as a logical host in place of a URI, without user info. */
    private static String insteadOf(String host) {
        String given = host.replaceAll("[^/@]*@", "");
        String authority = given.replaceFirst("^[A-Za-z][A-Za-z0-9+.-]*://", "").replaceFirst("[/?#].*", "");
        return authority.isBlank() || authority.chars().anyMatch(c -> c <= ' ')
                ? "but was \"" + given + "\""
                : "write \"" + authority + "\" instead of \"" + given + "\"";
    }

    /**
     * Returns the URI at an endpoint of a request for a logical host; the path of the endpoint comes first.
     *
     * @param endpoint the endpoint
     * @param scheme that of the request
     * @param authority that of the request, for the message of an exception
     * @param path that of the request, as it is sent
     * @param query that of the request, as it is sent
     * @return the URI, of which no character of path and query was changed
     * @throws IllegalArgumentException if the request would lose its encryption, or leave the path of the endpoint, or
     *     if the endpoint has no scheme or host
     */
    public static String at(
            URI endpoint,
            @Nullable String scheme,
            @Nullable String authority,
            @Nullable String path,
            @Nullable String query) {
        if (endpoint.getScheme() == null || endpoint.getRawAuthority() == null) {
            // as in localhost:8080, of which localhost is the scheme
            throw new IllegalArgumentException("an endpoint must be a URI such as http://10.0.0.1:8080, but was "
                    + Addresses.withoutSecrets(endpoint.toString()));
        }
        if ("https".equalsIgnoreCase(scheme) && !"https".equalsIgnoreCase(endpoint.getScheme())) {
            throw new IllegalArgumentException("a request for " + scheme + "://" + authority + " must not go to "
                    + Addresses.withoutSecrets(endpoint.toString()) + ", where it would not be encrypted");
        }
        String base = endpoint.getRawPath() == null ? "" : endpoint.getRawPath();
        if (base.length() > 1 && path != null && hasParentSegment(path)) {
            throw new IllegalArgumentException("the path of a request must have no dot segments that leave the path of"
                    + " its endpoint, but was " + path);
        }
        return endpoint.getScheme() + "://" + endpoint.getRawAuthority()
                + (base.endsWith("/") ? base.substring(0, base.length() - 1) : base)
                + (path == null || path.isEmpty() ? "/" : path)
                + (query == null ? "" : "?" + query);
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
            if (segment.startsWith("..") && segment.substring(2).matches("(?s)[\\x00-\\x20]*([;\\x00].*)?")) {
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
                int code = hex(path.charAt(i + 1)) * 16 + hex(path.charAt(i + 2));
                if (code >= 0) { // otherwise the client has not checked it, and a server sees it as it is
                    c = (char) code;
                    i += 2;
                }
            }
            text.append(c);
        }
        return text.toString();
    }

    /** Less than zero, also with another one added, for what is no digit. */
    private static int hex(char c) {
        int digit = Character.digit(c, 16);
        return digit < 0 ? -1000 : digit;
    }

    /**
     * Returns what belongs to an authority, with or without a default port.
     *
     * @param byAuthority by {@link #key}
     * @param scheme that of the request
     * @param given the authority of the request, or null if it has none
     * @param <V> what belongs to an authority
     * @return what was found, or null
     */
    public static <V> @Nullable V find(Map<String, V> byAuthority, @Nullable String scheme, @Nullable String given) {
        if (given == null) {
            return null;
        }
        String authority = given.toLowerCase(Locale.ROOT);
        V found = byAuthority.get(authority);
        if (found != null || authority.indexOf('@') >= 0) {
            return found;
        }
        String standard = "https".equalsIgnoreCase(scheme) ? ":443" : ":80";
        int colon = authority.lastIndexOf(':');
        String port = colon > authority.lastIndexOf(']') ? authority.substring(colon) : "";
        String host = authority.substring(0, authority.length() - port.length());
        if (port.length() > 2 && port.charAt(1) == '0') { // a number, however it is written
            return find(byAuthority, scheme, host + port.replaceFirst(":0+(?=.)", ":"));
        }
        if (port.equals(standard)) {
            return byAuthority.get(host);
        }
        V bare = port.equals(":") ? byAuthority.get(host) : null; // a colon may be there without a port
        return bare == null && port.length() <= 1 ? byAuthority.get(host + standard) : bare;
    }
}
