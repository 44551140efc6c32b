package dev.levee.okhttp;

import dev.levee.core.Environment;
import dev.levee.http.HttpClientContract;
import dev.levee.http.UpstreamConfig;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/** OkHttp with the interceptor. */
class OkHttpContractTest extends HttpClientContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            boolean followRedirects,
            Environment environment) {
        OkHttpClient plain = new OkHttpClient.Builder()
                .followRedirects(followRedirects)
                .readTimeout(30, TimeUnit.SECONDS)
                .build();
        return over(plain, source, configure, environment);
    }

    static Subject over(
            OkHttpClient plain,
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            Environment environment) {
        BalancedInterceptor interceptor = BalancedInterceptor.builder(plain)
                .host("catalog", source, configure)
                .environment(environment)
                .build();
        OkHttpClient client = interceptor.client();
        return new Subject() {
            @Override
            public Pending call(Ask ask) {
                Call call = client.newCall(request(ask));
                return new Pending() {
                    @Override
                    public Answer execute() throws IOException {
                        Response response = call.execute();
                        return new Answer(response.code(), response.body().byteStream(), response);
                    }

                    @Override
                    public void cancel() {
                        call.cancel();
                    }
                };
            }

            @Override
            public LoadBalancer<URI> balancer() {
                return interceptor.balancer("catalog");
            }

            @Override
            public void close() {
                interceptor.close();
                plain.connectionPool().evictAll();
            }
        };
    }

    private static Request request(Ask ask) {
        Request.Builder request = new Request.Builder().url(ask.uri());
        ask.headers().forEach(request::header);
        String body = ask.body();
        return request.method(
                        ask.method(), body == null ? null : ask.oneShot() ? once(body) : RequestBody.create(body, null))
                .build();
    }

    private static RequestBody once(String body) {
        return new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public boolean isOneShot() {
                return true;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.write(body.getBytes(StandardCharsets.UTF_8));
            }
        };
    }
}
