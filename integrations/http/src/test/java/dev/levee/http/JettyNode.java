package dev.levee.http;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.HTTP2Session;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.frames.GoAwayFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/** A Jetty on loopback that speaks HTTP/2 and HTTP/1.1 over TLS, as ALPN says. */
public final class JettyNode implements AutoCloseable {
    /** What it does with a request. */
    public enum Does {
        ANSWER,
        FAIL,
        REFUSE_STREAM,
        GO_AWAY,
        NOTHING
    }

    static final String PASSWORD = "changeit";

    public final Queue<String> versions = new ConcurrentLinkedQueue<>();
    public final Queue<String> hosts = new ConcurrentLinkedQueue<>();
    public final Queue<String> bodies = new ConcurrentLinkedQueue<>();
    public final AtomicInteger connections = new AtomicInteger();
    public final AtomicInteger failedStreams = new AtomicInteger();
    public volatile Does does = Does.ANSWER;
    private final String name;
    private final Server server = new Server();
    private final ServerConnector connector;

    public JettyNode(String name, Path keys) throws Exception {
        this.name = name;
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStorePath(keys.toString());
        tls.setKeyStorePassword(PASSWORD);
        HttpConfiguration config = new HttpConfiguration();
        SecureRequestCustomizer secure = new SecureRequestCustomizer();
        secure.setSniHostCheck(false);
        config.addCustomizer(secure);
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol("http/1.1");
        connector = new ServerConnector(
                server,
                new SslConnectionFactory(tls, alpn.getProtocol()),
                alpn,
                new HTTP2ServerConnectionFactory(config),
                new HttpConnectionFactory(config));
        connector.setHost("127.0.0.1");
        connector.setShutdownIdleTimeout(1);
        connector.addBean(new Connection.Listener() {
            @Override
            public void onOpened(Connection connection) {
                if (connection.getClass().getSimpleName().equals("SslConnection")) {
                    connections.incrementAndGet();
                }
            }
        });
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) throws Exception {
                return answer(request, response, callback);
            }
        });
        server.start();
    }

    /** Makes a key store with a new key and its own certificate for a name, by the JDK's keytool. */
    public static Path keysFor(String host, Path folder) throws IOException, InterruptedException {
        Path keys = Files.createTempDirectory(folder, "keys").resolve("keys.p12");
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "node",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + host,
                        "-ext",
                        "SAN=dns:" + host,
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        keys.toString(),
                        "-storepass",
                        PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IOException("keytool: " + said);
        }
        return keys;
    }

    public URI uri() {
        return URI.create("https://localhost:" + connector.getLocalPort());
    }

    private boolean answer(Request request, Response response, Callback callback) throws Exception {
        versions.add(request.getConnectionMetaData().getHttpVersion().asString());
        hosts.add(request.getHttpURI().getAuthority());
        request.addFailureListener(failure -> failedStreams.incrementAndGet());
        switch (does) {
            case REFUSE_STREAM -> refuse(request);
            case GO_AWAY ->
                ((HTTP2Session) session(request))
                        .goAway(new GoAwayFrame(0, ErrorCode.NO_ERROR.code, null), Callback.NOOP);
            case NOTHING -> {
                // until the client goes away
            }
            default -> {
                bodies.add(Content.Source.asString(request));
                response.setStatus(does == Does.FAIL ? 500 : 200);
                Content.Sink.write(response, true, name, callback);
            }
        }
        return true;
    }

    private static void refuse(Request request) {
        session(request)
                .getStreams()
                .forEach(stream -> stream.reset(
                        new ResetFrame(stream.getId(), ErrorCode.REFUSED_STREAM_ERROR.code), Callback.NOOP));
    }

    private static Session session(Request request) {
        return ((HTTP2Connection) request.getConnectionMetaData().getConnection()).getSession();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
