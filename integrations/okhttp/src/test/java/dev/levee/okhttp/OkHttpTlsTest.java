package dev.levee.okhttp;

import dev.levee.core.Environment;
import dev.levee.http.HttpClientContract.Subject;
import dev.levee.http.TlsContract;
import dev.levee.http.UpstreamConfig;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.util.function.Consumer;
import okhttp3.OkHttpClient;

/** OkHttp over TLS and HTTP/2. */
class OkHttpTlsTest extends TlsContract {
    @Override
    protected Subject subject(
            EndpointSource<URI> source, Consumer<UpstreamConfig.Builder<URI, ?>> configure, Trust trust) {
        OkHttpClient plain = new OkHttpClient.Builder()
                .sslSocketFactory(trust.context().getSocketFactory(), trust.manager())
                .build();
        return OkHttpContractTest.over(plain, source, configure, Environment.system());
    }
}
