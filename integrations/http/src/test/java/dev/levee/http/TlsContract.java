package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.levee.core.policy.Backoff;
import dev.levee.http.HttpClientContract.Ask;
import dev.levee.http.HttpClientContract.Pending;
import dev.levee.http.HttpClientContract.Subject;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for each client over TLS, and over HTTP/2 if it speaks that, against a real Jetty. */
public abstract class TlsContract {
    @TempDir
    private static Path folder;

    private static Path keys;
    private static Path wrongKeys;

    @BeforeAll
    static void makeKeys() throws Exception {
        keys = JettyNode.keysFor("localhost", folder);
        wrongKeys = JettyNode.keysFor("other.internal", folder);
    }

    /** Trust in the certificates of a key store. */
    public record Trust(SSLContext context, X509TrustManager manager) {
        static Trust in(Path keys) throws Exception {
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(keys)) {
                store.load(in, JettyNode.PASSWORD.toCharArray());
            }
            // The entry is a private key, which a factory of trust managers would pass over.
            store.setCertificateEntry("trusted", store.getCertificate("node"));
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return new Trust(context, (X509TrustManager) factory.getTrustManagers()[0]);
        }
    }

    /** Makes the client that is tested. */
    protected abstract Subject subject(
            EndpointSource<URI> source, Consumer<UpstreamConfig.Builder<URI, ?>> configure, Trust trust)
            throws Exception;

    /** Whether it speaks HTTP/2. */
    protected boolean speaksHttp2() {
        return true;
    }

    /** Whether its exception for a stream above the last one of a GOAWAY says that nothing was done. */
    protected boolean tellsGoAway() {
        return true;
    }

    private final List<AutoCloseable> closing = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : closing) {
            each.close();
        }
    }

    private JettyNode node(String name, Path store) throws Exception {
        JettyNode node = new JettyNode(name, store);
        closing.add(node);
        return node;
    }

    private Subject client(Path trusted, Consumer<UpstreamConfig.Builder<URI, ?>> configure, JettyNode... inOrder)
            throws Exception {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (JettyNode node : inOrder) {
            endpoints.add(new Endpoint<>(endpoints.size() + "-" + node, node.uri(), 1));
        }
        Consumer<UpstreamConfig.Builder<URI, ?>> all = config -> {
            config.strategy(new FirstFirst()).retry(retry -> retry.backoff(Backoff.fixed(Duration.ZERO)));
            configure.accept(config);
        };
        Subject made = subject(EndpointSource.of(endpoints), all, Trust.in(trusted));
        closing.add(0, made);
        return made;
    }

    private static Ask get() {
        return Ask.get("https://catalog/");
    }

    private static Ask post(String body) {
        return new Ask("POST", "https://catalog/", Map.of(), body, false);
    }

    private static String text(Subject client, Ask ask) throws Exception {
        return client.call(ask).execute().text();
    }

    private static void eventually(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("it did not come about in 30 seconds");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static void atRest(Subject client) {
        eventually(() -> client.balancer().snapshot().stream()
                        .mapToInt(EndpointState::inFlight)
                        .sum()
                == 0);
    }

    @Test
    void the_protocol_is_what_ALPN_says_and_the_authority_that_of_the_endpoint() throws Exception {
        JettyNode node = node("node", keys);
        assertThat(text(client(keys, config -> {}, node), get())).isEqualTo("node");
        assertThat(node.versions).containsExactly(speaksHttp2() ? "HTTP/2.0" : "HTTP/1.1");
        assertThat(node.hosts).containsExactly(node.uri().getRawAuthority());
    }

    @Test
    void a_failure_is_asked_of_another_endpoint_and_a_post_is_not() throws Exception {
        JettyNode bad = node("bad", keys);
        bad.does = JettyNode.Does.FAIL;
        JettyNode good = node("good", keys);
        Subject client = client(keys, config -> {}, bad, good);

        assertThat(text(client, get())).isEqualTo("good");
        assertThat(client.call(post("pay")).execute().status()).isEqualTo(500);
        assertThat(good.bodies).doesNotContain("pay");
    }

    @Test
    void a_stream_that_was_refused_goes_elsewhere_whatever_the_method() throws Exception {
        assumeTrue(speaksHttp2());
        JettyNode busy = node("busy", keys);
        busy.does = JettyNode.Does.REFUSE_STREAM;
        JettyNode good = node("good", keys);
        Subject client = client(keys, config -> {}, busy, good);

        assertThat(text(client, get())).isEqualTo("good");
        assertThat(text(client, post("pay"))).isEqualTo("good");
        assertThat(good.bodies).containsExactly("", "pay");
        assertThat(busy.versions).hasSizeGreaterThanOrEqualTo(2); // the JDK's client asks again by itself since 25
        atRest(client);
    }

    @Test
    void a_server_that_goes_away_is_left() throws Exception {
        assumeTrue(speaksHttp2());
        JettyNode going = node("going", keys);
        going.does = JettyNode.Does.GO_AWAY;
        JettyNode good = node("good", keys);
        Subject client = client(keys, config -> config.attemptTimeout(Duration.ofSeconds(2)), going, good);

        assertThat(text(client, get())).isEqualTo("good");
        if (tellsGoAway()) {
            assertThat(text(client, post("pay"))).isEqualTo("good");
            assertThat(good.bodies).containsExactly("", "pay");
        } else {
            assertThatThrownBy(() -> text(client, post("pay"))).isInstanceOf(IOException.class);
            assertThat(good.bodies).doesNotContain("pay");
        }
        atRest(client);
    }

    @Test
    void a_cancel_resets_the_stream_and_keeps_the_connection() throws Exception {
        assumeTrue(speaksHttp2());
        JettyNode node = node("node", keys);
        Subject client = client(keys, config -> {}, node);
        assertThat(text(client, get())).isEqualTo("node");
        node.does = JettyNode.Does.NOTHING;
        Pending call = client.call(get());
        CompletableFuture<Void> ended = CompletableFuture.runAsync(() -> {
            try {
                call.execute().close();
            } catch (Exception expected) {
                throw new IllegalStateException(expected);
            }
        });
        eventually(() -> node.versions.size() == 2);
        call.cancel();

        assertThatThrownBy(ended::get).isNotNull();
        eventually(() -> node.failedStreams.get() == 1);
        atRest(client);
        node.does = JettyNode.Does.ANSWER;
        assertThat(text(client, get())).isEqualTo("node");
        assertThat(node.connections).hasValue(1);
    }

    @Test
    void a_certificate_for_another_name_is_a_clear_failure_after_a_few_attempts() throws Exception {
        JettyNode node = node("node", wrongKeys);
        Subject client = client(wrongKeys, config -> {}, node);

        assertThatThrownBy(() -> text(client, post("pay"))).isInstanceOf(SSLException.class);
        assertThat(node.versions).isEmpty();
        assertThat(node.connections.get()).isBetween(1, 3);
        atRest(client);
    }

    @Test
    void an_endpoint_with_such_a_certificate_is_passed_over() throws Exception {
        JettyNode wrong = node("wrong", wrongKeys);
        JettyNode good = node("good", keys);
        Subject client = client(keys, config -> {}, wrong, good);

        assertThat(text(client, post("pay"))).isEqualTo("good");
        assertThat(wrong.versions).isEmpty();
    }

    @Test
    void a_hundred_trips_use_few_connections() throws Exception {
        JettyNode node = node("node", keys);
        Subject client = client(keys, config -> {}, node);
        for (int i = 0; i < 100; i++) {
            assertThat(text(client, get())).isEqualTo("node");
        }
        atRest(client);
        assertThat(node.connections.get()).isLessThanOrEqualTo(2);
    }
}
