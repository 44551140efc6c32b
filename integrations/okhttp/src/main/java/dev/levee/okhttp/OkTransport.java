package dev.levee.okhttp;

import dev.levee.core.Environment;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.blocking.BlockingExchange;
import dev.levee.http.blocking.BlockingTransport;
import dev.levee.http.internal.LogicalUris;
import java.net.URI;
import java.util.List;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** OkHttp: each attempt is a call. */
final class OkTransport extends BlockingTransport<Request, Response> {
    private final OkHttpClient client;

    OkTransport(String name, OkHttpClient client, Environment environment) {
        super(name, environment);
        this.client = client;
    }

    static String authority(HttpUrl url) {
        String host = url.host().indexOf(':') < 0 ? url.host() : "[" + url.host() + "]";
        String port = url.port() == HttpUrl.defaultPort(url.scheme()) ? "" : ":" + url.port();
        return (url.username().isEmpty() && url.password().isEmpty() ? "" : "user@") + host + port;
    }

    @Override
    protected BlockingExchange<Response> exchange(URI address, Request request, Map<String, String> headers) {
        HttpUrl url = request.url();
        Request.Builder attempt = request.newBuilder()
                .url(LogicalUris.at(address, url.scheme(), authority(url), url.encodedPath(), url.encodedQuery()));
        String host = host();
        if (host != null) {
            attempt.header("Host", host);
        }
        headers.forEach(attempt::header);
        return new OkExchange(client.newCall(attempt.build()));
    }

    @Override
    protected List<String> headers(Request request, String header) {
        return request.headers(header);
    }

    @Override
    protected List<String> headersOf(Response response, String header) {
        return response.headers(header);
    }

    @Override
    protected @Nullable BlockingExchange<Response> exchangeOf(Response response) {
        return response.body() instanceof HeldBody held ? held.exchange() : null;
    }

    @Override
    protected void closeUnheld(Response response) {
        response.close();
    }

    @Override
    public int status(Response response) {
        return response.code();
    }

    @Override
    public @Nullable String header(Response response, String name) {
        List<String> values = response.headers(name);
        return values.isEmpty() ? null : values.get(0);
    }

    @Override
    public boolean isIdempotent(Request request) {
        return HttpOutcomes.isIdempotent(request.method());
    }

    @Override
    public boolean isReplayable(Request request) {
        RequestBody body = request.body();
        return body == null || (!body.isOneShot() && !body.isDuplex());
    }
}
