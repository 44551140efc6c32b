package dev.levee.httpclient5;

import dev.levee.core.Environment;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.blocking.BlockingExchange;
import dev.levee.http.blocking.BlockingTransport;
import dev.levee.http.internal.LogicalUris;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.Configurable;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.net.URIAuthority;
import org.jspecify.annotations.Nullable;

/** Apache's classic client: each attempt is an execution. */
final class ApacheTransport extends BlockingTransport<ClassicHttpRequest, ClassicHttpResponse> {
    private final CloseableHttpClient client;

    ApacheTransport(String name, CloseableHttpClient client, Environment environment) {
        super(name, environment);
        this.client = client;
    }

    @Override
    protected BlockingExchange<ClassicHttpResponse> exchange(
            URI address, ClassicHttpRequest request, Map<String, String> headers) {
        ApacheCall call = (ApacheCall) request;
        URI uri = URI.create(LogicalUris.at(
                withoutUserInfo(address),
                call.target.getSchemeName(),
                call.target.toHostString(),
                pathOf(request),
                queryOf(request)));
        HttpUriRequestBase attempt = new HttpUriRequestBase(request.getMethod(), uri);
        attempt.setHeaders(request.getHeaders());
        attempt.removeHeaders("Host");
        attempt.setVersion(request.getVersion());
        attempt.setEntity(request.getEntity());
        if (call.request instanceof Configurable configured) {
            attempt.setConfig(configured.getConfig());
        }
        String host = host();
        if (host != null) {
            attempt.setAuthority(authority(host));
        }
        headers.forEach(attempt::setHeader);
        return new ApacheExchange(client, HttpHost.create(uri), attempt, call.context);
    }

    /** This client refuses what other clients leave out. */
    private static URI withoutUserInfo(URI address) {
        String info = address.getRawUserInfo();
        return info == null ? address : URI.create(address.toString().replaceFirst("//[^/@]*@", "//"));
    }

    private static URIAuthority authority(String host) {
        try {
            return URIAuthority.create(host);
        } catch (java.net.URISyntaxException malformed) {
            throw new IllegalArgumentException("host must be an authority, but was " + host, malformed);
        }
    }

    private static @Nullable String pathOf(ClassicHttpRequest request) {
        String path = request.getPath();
        int query = path == null ? -1 : path.indexOf('?');
        return path == null || query < 0 ? path : path.substring(0, query);
    }

    private static @Nullable String queryOf(ClassicHttpRequest request) {
        String path = request.getPath();
        int query = path == null ? -1 : path.indexOf('?');
        return path == null || query < 0 ? null : path.substring(query + 1);
    }

    @Override
    protected List<String> headers(ClassicHttpRequest request, String header) {
        return Stream.of(request.getHeaders(header)).map(Header::getValue).toList();
    }

    @Override
    protected List<String> headersOf(ClassicHttpResponse response, String header) {
        return Stream.of(response.getHeaders(header)).map(Header::getValue).toList();
    }

    @Override
    protected @Nullable BlockingExchange<ClassicHttpResponse> exchangeOf(ClassicHttpResponse response) {
        return response.getEntity() instanceof HeldEntity held ? held.exchange() : null;
    }

    @Override
    protected void closeUnheld(ClassicHttpResponse response) {
        try {
            response.close();
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    @Override
    public int status(ClassicHttpResponse response) {
        return response.getCode();
    }

    @Override
    public @Nullable String header(ClassicHttpResponse response, String name) {
        Header header = response.getFirstHeader(name);
        return header == null ? null : header.getValue();
    }

    @Override
    public boolean isIdempotent(ClassicHttpRequest request) {
        return HttpOutcomes.isIdempotent(request.getMethod());
    }

    @Override
    public boolean isReplayable(ClassicHttpRequest request) {
        return request.getEntity() == null || request.getEntity().isRepeatable();
    }
}
