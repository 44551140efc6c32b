package dev.levee.http;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.Locale;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Answers each connection over TLS with what it was asked for: the name in TLS and the Host header. */
final class TlsNode implements AutoCloseable {
    final SSLContext trust;
    private final SSLServerSocket listening;

    TlsNode() throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = TlsNode.class.getResourceAsStream("/catalog.p12")) {
            keys.load(in, password);
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, password);
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        trust = SSLContext.getInstance("TLS");
        trust.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        listening = (SSLServerSocket)
                trust.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::serve, "tls-node");
        thread.setDaemon(true);
        thread.start();
    }

    URI uri() {
        return URI.create("https://127.0.0.1:" + listening.getLocalPort());
    }

    private void serve() {
        while (!listening.isClosed()) {
            try (SSLSocket socket = (SSLSocket) listening.accept()) {
                answer(socket);
            } catch (IOException gone) {
                // a client that did not like the certificate, or the end
            }
        }
    }

    private static void answer(SSLSocket socket) throws IOException {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
        String host = "";
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            if (line.toLowerCase(Locale.ROOT).startsWith("host: ")) {
                host = line.substring(6);
            }
        }
        ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
        String body = session.getRequestedServerNames() + " " + host;
        String status = host.equals("wrong") ? "404 Not Found" : "200 OK";
        socket.getOutputStream()
                .write(("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n"
                                + body)
                        .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
