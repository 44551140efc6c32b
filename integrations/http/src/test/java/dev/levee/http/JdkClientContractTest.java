package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** The JDK's client, with bodies that are read as they come. */
class JdkClientContractTest extends HttpClientContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            boolean followRedirects,
            Environment environment) {
        HttpClient plain = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(followRedirects ? Redirect.NORMAL : Redirect.NEVER)
                .build();
        return over(plain, source, configure, environment);
    }

    static Subject over(
            HttpClient plain,
            EndpointSource<URI> source,
            Consumer<UpstreamConfig.Builder<URI, ?>> configure,
            Environment environment) {
        BalancedHttpClient client = BalancedHttpClient.builder(plain)
                .host("catalog", source, configure)
                .environment(environment)
                .build();
        return new Subject() {
            @Override
            public Pending call(Ask ask) {
                return pending(client, request(ask));
            }

            @Override
            public LoadBalancer<URI> balancer() {
                return client.balancer("catalog");
            }

            @Override
            public void close() {
                client.close();
            }
        };
    }

    private static HttpRequest request(Ask ask) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(ask.uri()));
        ask.headers().forEach(request::header);
        String body = ask.body();
        HttpRequest.BodyPublisher publisher = body == null
                ? BodyPublishers.noBody()
                : ask.oneShot()
                        ? BodyPublishers.ofInputStream(
                                () -> new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)))
                        : BodyPublishers.ofString(body);
        return request.method(ask.method(), publisher).build();
    }

    private static Pending pending(HttpClient client, HttpRequest request) {
        CompletableFuture<CompletableFuture<HttpResponse<InputStream>>> begun = new CompletableFuture<>();
        return new Pending() {
            @Override
            public Answer execute() throws Exception {
                CompletableFuture<HttpResponse<InputStream>> sent =
                        client.sendAsync(request, BodyHandlers.ofInputStream());
                begun.complete(sent);
                try {
                    HttpResponse<InputStream> response = sent.get();
                    return new Answer(response.statusCode(), response.body(), response.body());
                } catch (InterruptedException interrupt) {
                    sent.cancel(true);
                    throw interrupt;
                } catch (ExecutionException failed) {
                    throw failed.getCause() instanceof Exception cause ? cause : failed;
                }
            }

            /** A body is cut off by closing its stream. */
            @Override
            public void cancel() {
                CompletableFuture<HttpResponse<InputStream>> sent = begun.join();
                if (!sent.cancel(true)) {
                    try {
                        sent.join().body().close();
                    } catch (IOException gone) {
                        throw new UncheckedIOException(gone);
                    }
                }
            }
        };
    }

    @Override
    protected boolean holdsWhileBodyIsRead() {
        return false;
    }

    @Override
    protected boolean sendsBlocking() {
        return false;
    }

    @Override
    protected boolean setsHost() {
        return System.getProperty("jdk.httpclient.allowRestrictedHeaders", "").contains("host");
    }

    @Override
    protected boolean readsLengths() {
        return false;
    }

    @Override
    protected boolean seesRedirects() {
        return false;
    }
}
