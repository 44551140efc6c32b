package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.loadbalancing.discovery.EndpointSource;
import java.io.File;
import java.io.InputStream;
import java.net.URI;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server that speaks HTTP/2 sees of a client that knows it by its number, in a JVM that lets Host be set. */
class HostByNumberTest {
    private static final String NAME = "catalog.internal";

    @Test
    void is_the_name_that_was_set_and_without_one_the_number_over_http_2(@TempDir Path folder) throws Exception {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djdk.httpclient.allowRestrictedHeaders=host",
                        "-cp",
                        classPath(),
                        Asks.class.getName(),
                        JettyNode.keysFor(NAME, folder).toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(said.lines())
                .containsExactly(
                        "blocking number 200 HTTP_2 number",
                        "asynchronous number 200 HTTP_2 number",
                        "blocking name 200 HTTP_1_1 " + NAME,
                        "asynchronous name 200 HTTP_1_1 " + NAME);
    }

    /** That of this class, whether a launcher has a class loader of its own for it or not. */
    private static String classPath() {
        if (HostByNumberTest.class.getClassLoader() instanceof URLClassLoader own) {
            return Stream.of(own.getURLs())
                    .map(url -> Path.of(URI.create(url.toString())).toString())
                    .collect(Collectors.joining(File.pathSeparator));
        }
        return System.getProperty("java.class.path");
    }

    /** Asks a Jetty by its number, and says what came and what it saw. */
    static final class Asks {
        private Asks() {}

        public static void main(String... arguments) throws Exception {
            Path keys = Path.of(arguments[0]);
            SSLContext trust = trust(keys);
            SSLParameters parameters = trust.getDefaultSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(NAME)));
            try (JettyNode node = new JettyNode("node", keys)) {
                String number = "127.0.0.1:" + node.uri().getPort();
                for (boolean named : new boolean[] {false, true}) {
                    HttpClient inner = HttpClient.newBuilder()
                            .sslContext(trust)
                            .sslParameters(parameters)
                            .build();
                    HttpClient client = BalancedHttpClient.of(
                            inner,
                            "catalog",
                            EndpointSource.ofAddresses(List.of(URI.create("https://" + number))),
                            config -> {
                                if (named) {
                                    config.host(NAME);
                                }
                            });
                    HttpRequest request = HttpRequest.newBuilder(URI.create("https://catalog/products"))
                            .build();
                    say("blocking", named, client.send(request, BodyHandlers.ofString()), node, number);
                    say(
                            "asynchronous",
                            named,
                            client.sendAsync(request, BodyHandlers.ofString()).get(),
                            node,
                            number);
                }
            }
            System.exit(0); // the JDK's client has no close before 21
        }

        private static void say(
                String form, boolean named, HttpResponse<String> response, JettyNode node, String number) {
            System.out.println(form + (named ? " name " : " number ") + response.statusCode() + " "
                    + response.version() + " "
                    + String.valueOf(node.hosts.poll()).replace(number, "number"));
        }

        private static SSLContext trust(Path keys) throws Exception {
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(keys)) {
                store.load(in, JettyNode.PASSWORD.toCharArray());
            }
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("node", store.getCertificate("node"));
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        }
    }
}
