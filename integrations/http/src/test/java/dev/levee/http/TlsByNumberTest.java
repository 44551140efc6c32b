package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.loadbalancing.HealthCheck;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Endpoints over TLS that are known by their numbers, with the certificate of the service's name. */
class TlsByNumberTest {
    private TlsNode node;

    @BeforeEach
    void listen() throws Exception {
        node = new TlsNode();
    }

    @AfterEach
    void close() throws Exception {
        node.close();
    }

    private HttpClient client(Consumer<HttpClient.Builder> named) {
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(node.trust);
        named.accept(builder);
        return builder.build();
    }

    private static void named(HttpClient.Builder builder) {
        SSLParameters parameters = new SSLParameters(); // of HTTP/1.1 alone
        parameters.setServerNames(List.of(new SNIHostName("catalog.internal")));
        builder.sslParameters(parameters);
    }

    private String get(HttpClient inner) throws Exception {
        HttpClient client = BalancedHttpClient.of(inner, "catalog", EndpointSource.ofAddresses(List.of(node.uri())));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("https://catalog/products")).build();
        return client.send(request, BodyHandlers.ofString()).body();
    }

    @Test
    void are_verified_by_the_name_that_the_client_has() throws Exception {
        assertThat(get(client(TlsByNumberTest::named))).contains("catalog.internal");
    }

    @Test
    void are_refused_without_it() {
        assertThatThrownBy(() -> get(client(builder -> {}))).isInstanceOf(SSLException.class);
    }

    @Test
    void are_checked_with_the_trust_and_the_name_of_the_client() throws Exception {
        Duration timeout = Duration.ofSeconds(10);
        assertThat(HealthCheck.http("/health", "catalog.internal", node.trust).passes(node.uri(), timeout))
                .isTrue();
        assertThatThrownBy(() -> HealthCheck.http("/health").passes(node.uri(), timeout))
                .isInstanceOf(SSLException.class);
        assertThatThrownBy(() -> HealthCheck.http("/health", "other.internal", node.trust)
                        .passes(node.uri(), timeout))
                .isInstanceOf(SSLException.class);
    }

    @Test
    void see_the_name_as_host_in_a_jvm_that_lets_it_be_set() throws Exception {
        Supplier<HttpClient> named = () -> BalancedHttpClient.of(
                client(TlsByNumberTest::named),
                "catalog",
                EndpointSource.ofAddresses(List.of(node.uri())),
                config -> config.host("catalog.internal"));
        if (System.getProperty("jdk.httpclient.allowRestrictedHeaders", "").contains("host")) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("https://catalog/products"))
                    .build();
            assertThat(named.get().send(request, BodyHandlers.ofString()).body())
                    .endsWith(" catalog.internal");
        } else {
            assertThatThrownBy(named::get)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("allowRestrictedHeaders=host");
        }
    }
}
