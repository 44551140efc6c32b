package dev.levee.httpclient5;

import dev.levee.core.Environment;
import dev.levee.http.HttpClientContract;
import dev.levee.http.UpstreamConfig;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;

/** Apache's classic client. */
class ApacheContractTest extends HttpClientContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            boolean followRedirects,
            Environment environment) {
        HttpClientBuilder plain = HttpClients.custom();
        if (!followRedirects) {
            plain.disableRedirectHandling();
        }
        return over(plain, source, configure, environment);
    }

    static Subject over(
            HttpClientBuilder plain,
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            Environment environment) {
        BalancedApacheClient client = BalancedApacheClient.builder(plain)
                .host("catalog", source, configure)
                .environment(environment)
                .build();
        return new Subject() {
            @Override
            public Pending call(Ask ask) {
                HttpUriRequestBase request = request(ask);
                return new Pending() {
                    @Override
                    public Answer execute() throws IOException {
                        ClassicHttpResponse response = client.executeOpen(null, request, null);
                        return new Answer(
                                response.getCode(),
                                bodyOf(response),
                                () -> ((ModalCloseable) response).close(CloseMode.IMMEDIATE));
                    }

                    @Override
                    public void cancel() {
                        request.cancel();
                    }
                };
            }

            @Override
            public LoadBalancer<URI> balancer() {
                return client.balancer("catalog");
            }

            @Override
            public void close() {
                client.close(CloseMode.IMMEDIATE);
            }
        };
    }

    private static InputStream bodyOf(ClassicHttpResponse response) throws IOException {
        return response.getEntity() == null
                ? InputStream.nullInputStream()
                : response.getEntity().getContent();
    }

    private static HttpUriRequestBase request(Ask ask) {
        HttpUriRequestBase request = new HttpUriRequestBase(ask.method(), URI.create(ask.uri()));
        ask.headers().forEach(request::setHeader);
        String body = ask.body();
        if (body != null) {
            request.setEntity(
                    ask.oneShot()
                            ? new InputStreamEntity(
                                    new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)),
                                    ContentType.TEXT_PLAIN)
                            : new StringEntity(body));
        }
        return request;
    }
}
