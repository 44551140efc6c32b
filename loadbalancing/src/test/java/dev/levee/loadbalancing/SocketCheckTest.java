package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The checks that come with the library, against real sockets on loopback. */
class SocketCheckTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(150);

    /** What a server does with one connection. */
    @FunctionalInterface
    private interface Behaviour {
        void serve(Socket socket) throws Exception;
    }

    private final List<Socket> accepted = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private ServerSocket server;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        for (Socket socket : accepted) {
            socket.close();
        }
    }

    private URI serving(Behaviour behaviour) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    Socket socket = server.accept();
                    accepted.add(socket);
                    behaviour.serve(socket);
                }
            } catch (Exception closed) {
                // the test is over
            }
        });
        thread.setDaemon(true);
        thread.start();
        return uri();
    }

    private URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    private URI answering(String answer) {
        return serving(socket -> {
            request(socket);
            OutputStream out = socket.getOutputStream();
            out.write(answer.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
            socket.close();
        });
    }

    private void request(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0) {
            int c = in.read();
            if (c < 0) {
                return;
            }
            text.append((char) c);
        }
        requests.add(text.toString());
    }

    private static boolean http(URI uri, Duration timeout) throws Exception {
        return HealthCheck.http("/health?deep=no").passes(uri, timeout);
    }

    @Test
    void http_asks_for_the_path_and_passes_on_200() throws Exception {
        URI uri = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        assertThat(http(uri, LONG)).isTrue();
        assertThat(requests.get(0))
                .startsWith("GET /health?deep=no HTTP/1.1\r\nHost: 127.0.0.1:" + server.getLocalPort() + "\r\n")
                .contains("Connection: close\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200\r\n\r\n", "HTTP/1.1 299 \r\n\r\n"})
    void http_passes_on_any_success(String answer) throws Exception {
        assertThat(http(answering(answer), LONG)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"503", "500", "404", "302", "429"})
    void http_fails_on_another_status_and_names_it(int status) {
        URI uri = answering("HTTP/1.1 " + status + " Whatever\r\nRetry-After: 5\r\n\r\n");
        assertThatThrownBy(() -> http(uri, LONG))
                .isInstanceOf(IOException.class)
                .hasMessage("status " + status);
    }

    @Test
    void http_waits_for_the_answer_behind_interim_ones() throws Exception {
        String hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        assertThat(http(answering(hints + "HTTP/1.1 200 OK\r\n\r\n"), LONG)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH_9.9\r\n",
                "HTTP/1.1 abc\r\n",
                "HTTP/2 200\r\n",
                "HTTP/1.1 2000\r\n",
                "\u0000\u0001\u0002\n",
                "\r\n"
            })
    void http_fails_on_garbage(String garbage) {
        URI uri = answering(garbage);
        assertThatThrownBy(() -> http(uri, LONG)).hasMessage("not a response in HTTP/1.1");
    }

    @Test
    void http_fails_if_the_connection_ends_before_the_answer() {
        URI uri = answering("HTTP/1.1 2");
        assertThatThrownBy(() -> http(uri, LONG)).hasMessage("the connection ended before the response");
    }

    @Test
    void http_fails_on_a_reset() {
        URI uri = serving(socket -> {
            socket.setSoLinger(true, 0);
            socket.close();
        });
        assertThatThrownBy(() -> http(uri, LONG)).isInstanceOf(IOException.class);
    }

    @Test
    void http_does_not_read_a_huge_answer() throws Exception {
        URI uri = serving(socket -> {
            request(socket);
            OutputStream out = socket.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] block = new byte[1 << 16];
            while (true) {
                out.write(block); // until the check hangs up
            }
        });
        assertThat(http(uri, LONG)).isTrue();
    }

    @Test
    void http_gives_up_on_a_line_without_end() {
        URI uri = serving(socket -> {
            request(socket);
            byte[] block = "x".repeat(1 << 12).getBytes(StandardCharsets.US_ASCII);
            while (true) {
                socket.getOutputStream().write(block);
            }
        });
        assertThatThrownBy(() -> http(uri, LONG)).hasMessage("the head of the response is longer than 16384 bytes");
    }

    @Test
    void http_gives_up_on_a_server_that_accepts_and_never_answers() {
        URI uri = serving(socket -> {});
        assertThatThrownBy(() -> http(uri, SHORT)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void http_gives_up_on_a_server_that_drips() {
        URI uri = serving(socket -> {
            request(socket);
            byte[] answer = "HTTP/1.1 200 OK but slowly, oh so slowly\r\n".getBytes(StandardCharsets.US_ASCII);
            for (byte one : answer) {
                socket.getOutputStream().write(one);
                Thread.sleep(50);
            }
        });
        assertThatThrownBy(() -> http(uri, SHORT)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void tls_gives_up_on_a_server_that_drips_its_handshake() {
        URI plain = serving(socket -> {
            OutputStream out = socket.getOutputStream();
            out.write(new byte[] {22, 3, 3, 64, 0}); // a record of 16,384 bytes
            for (int i = 0; i < 40; i++) {
                out.write(0);
                Thread.sleep(50);
            }
            socket.close();
        });
        URI uri = URI.create("https://127.0.0.1:" + plain.getPort());
        assertThatThrownBy(() -> http(uri, SHORT)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void http_fails_where_nothing_listens() throws IOException {
        URI uri = uri();
        server.close();
        assertThatThrownBy(() -> http(uri, LONG)).isInstanceOf(ConnectException.class);
    }

    @Test
    void http_needs_an_address_and_a_path_of_the_right_form() {
        assertThatThrownBy(() -> http(URI.create("redis://localhost:1"), LONG))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("http://host:port");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HealthCheck.http("health"))
                .withMessageContaining("\"health\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HealthCheck.http("/a\r\nHost: evil"))
                .withMessageContaining("path must begin with /");
    }

    @Test
    void tls_to_a_server_that_does_not_speak_it_fails() {
        URI plain = answering("HTTP/1.1 400 Bad Request\r\n\r\n");
        URI uri = URI.create("https://127.0.0.1:" + plain.getPort());
        assertThatThrownBy(() -> http(uri, Duration.ofSeconds(2))).isInstanceOf(IOException.class);
    }

    @Test
    void tcp_passes_where_a_server_listens() throws Exception {
        int port = server.getLocalPort();
        assertThat(HealthCheck.tcp().passes(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), LONG))
                .isTrue();
        assertThat(HealthCheck.tcp().passes(InetSocketAddress.createUnresolved("127.0.0.1", port), LONG))
                .isTrue();
        assertThat(HealthCheck.tcp()
                        .<URI>of(uri -> new InetSocketAddress(uri.getHost(), uri.getPort()))
                        .passes(uri(), LONG))
                .isTrue();
    }

    @Test
    void tcp_fails_where_nothing_does() throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort());
        server.close();
        assertThatThrownBy(() -> HealthCheck.tcp().passes(address, LONG)).isInstanceOf(ConnectException.class);
        InetSocketAddress unknown = InetSocketAddress.createUnresolved("no-such-host.invalid", 80);
        assertThatThrownBy(() -> HealthCheck.tcp().passes(unknown, LONG)).isInstanceOf(UnknownHostException.class);
    }
}
