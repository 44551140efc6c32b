package dev.levee.httpclient5;

import dev.levee.core.Environment;
import dev.levee.http.HttpClientContract.Subject;
import dev.levee.http.TlsContract;
import dev.levee.http.UpstreamConfig;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.util.function.Consumer;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;

/** Apache's classic client over TLS, which speaks HTTP/1.1. */
class ApacheTlsTest extends TlsContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source, Consumer<UpstreamConfig.Builder<URI, ?>> configure, Trust trust) {
        return ApacheContractTest.over(
                HttpClients.custom()
                        .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                                .setTlsSocketStrategy(new DefaultClientTlsStrategy(trust.context()))
                                .build()),
                source,
                configure,
                Environment.system());
    }

    @Override
    protected boolean speaksHttp2() {
        return false;
    }
}
