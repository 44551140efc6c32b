package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.http.HttpClientContract.Subject;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.net.http.HttpClient;
import java.util.function.Consumer;

/** The JDK's client over TLS and HTTP/2. */
class JdkClientTlsTest extends TlsContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source, Consumer<UpstreamConfig.Builder<URI, ?>> configure, Trust trust) {
        HttpClient plain = HttpClient.newBuilder().sslContext(trust.context()).build();
        return JdkClientContractTest.over(plain, source, configure, Environment.system());
    }

    @Override
    protected boolean tellsGoAway() {
        return Runtime.version().feature() >= 25;
    }
}
