package dev.levee.http;

import dev.levee.core.internal.Require;
import dev.levee.http.internal.LogicalUris;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
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
        if (resolved instanceof Inet6Address six && six.getScopeId() != 0) {
            // Unlike RFC 6874, java.net has the zone as it is, and takes no - in its name.
            host = host.replaceFirst("%.*[^A-Za-z0-9_.].*", "%" + six.getScopeId());
        }
        return URI.create(scheme + "://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + address.getPort());
    }

    /**
     * Returns the URI at an endpoint of a request for a logical host; the path of the endpoint comes first.
     *
     * @param endpoint the address of the endpoint
     * @param request the URI of the request
     * @return such as {@code http://10.0.0.1:8080/products/42} for {@code http://catalog/products/42}
     * @throws IllegalArgumentException if a request for {@code https} would go to an endpoint without it, if dot
     *     segments in its path would leave the path of the endpoint, or if the endpoint has no scheme or host
     */
    public static URI at(URI endpoint, URI request) {
        return URI.create(LogicalUris.at(
                endpoint, request.getScheme(), request.getRawAuthority(), request.getRawPath(), request.getRawQuery()));
    }

    /** Returns what belongs to the authority of a URI, with or without a default port; null if nothing. */
    static <V> @Nullable V find(Map<String, V> byAuthority, URI uri) {
        return LogicalUris.find(byAuthority, uri.getScheme(), uri.getRawAuthority());
    }
}
