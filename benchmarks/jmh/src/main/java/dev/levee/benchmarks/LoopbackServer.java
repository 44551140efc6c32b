package dev.levee.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Answers every request on loopback with the same two bytes, on a thread for each connection that is kept: as little as
 * a server can do, so that what a client adds shows. It reads requests without a body and nothing else.
 */
final class LoopbackServer implements AutoCloseable {
    private static final String BODY = "ok";
    private static final byte[] ANSWER = ("HTTP/1.1 200 OK\r\nContent-Length: " + BODY.length() + "\r\n\r\n" + BODY)
            .getBytes(StandardCharsets.US_ASCII);

    private final ServerSocket server;
    private final List<Socket> connections = new CopyOnWriteArrayList<>();

    private LoopbackServer(ServerSocket server) {
        this.server = server;
    }

    static LoopbackServer start() {
        try {
            LoopbackServer started = new LoopbackServer(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
            daemon(started::accept);
            return started;
        } catch (IOException noPort) {
            throw new UncheckedIOException(noPort);
        }
    }

    /** The client that all subjects send with: HTTP/1.1, so that no request asks for an upgrade. */
    static HttpClient client() {
        return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    static HttpRequest get(URI uri) {
        return HttpRequest.newBuilder(uri).build();
    }

    static String checked(int status, String body) {
        Check.that(status == 200 && body.equals(BODY), "the server was not asked");
        return body;
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "loopback");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket connection = server.accept();
                connection.setTcpNoDelay(true);
                connections.add(connection);
                daemon(() -> serve(connection));
            }
        } catch (IOException closed) {
            // The end of the benchmark.
        }
    }

    private static void serve(Socket connection) {
        try (connection) {
            InputStream in = connection.getInputStream();
            OutputStream out = connection.getOutputStream();
            byte[] buffer = new byte[8192];
            int lineEnds = 0;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                for (int i = 0; i < read; i++) {
                    if (buffer[i] == '\n') {
                        lineEnds++;
                    } else if (buffer[i] != '\r') {
                        lineEnds = 0;
                    }
                    if (lineEnds == 2) { // an empty line ends a request
                        lineEnds = 0;
                        out.write(ANSWER);
                    }
                }
            }
        } catch (IOException closed) {
            // By the client, or at the end of the benchmark.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
