package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.Reply;
import dev.levee.examples.shortlink.WebServer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WiresTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final byte[] REQUEST = bytes("GET / HTTP/1.1\r\nHost: test\r\n\r\n");

    private final List<@Nullable Answer> answers = new ArrayList<>();

    @Test
    void an_answer_is_read_to_its_end() {
        byte[] whole = bytes("HTTP/1.1 429 Too Many Requests\r\nContent-length: 3\r\nX-Node:  a b \r\n\r\nno\n");

        for (int length = 0; length < whole.length; length++) {
            assertThat(Answer.read(whole, length)).isNull();
        }
        Answer answer = Answer.read(whole, whole.length);
        assertThat(answer).isNotNull();
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.header("x-nODE")).isEqualTo("a b");
        assertThat(answer.header("Location")).isEmpty();
        byte[] empty = bytes("HTTP/1.1 302 Found\r\n\r\n");
        assertThat(Answer.read(empty, empty.length)).isNotNull();
    }

    @Test
    void a_connection_is_used_again() throws Exception {
        Set<Integer> ports = new HashSet<>();
        try (WebServer server = WebServer.start(
                        0,
                        1,
                        exchange -> {
                            ports.add(exchange.getRemoteAddress().getPort());
                            Reply.of(200, "from a test").send(exchange);
                        },
                        () -> {});
                Wires wires = new Wires(SECOND)) {
            for (int i = 0; i < 10; i++) {
                assertThat(wires.send(at(server.port()), REQUEST, answers::add)).isTrue();
                receiveAll(wires);
            }

            assertThat(answers).hasSize(10).allMatch(answer -> answer != null && answer.status() == 200);
            assertThat(ports).hasSize(1);
            assertThat(wires.mostOutstanding()).isEqualTo(1);
        }
    }

    @Test
    void a_receiver_may_send() throws Exception {
        try (WebServer server = WebServer.start(
                        0, 1, exchange -> Reply.of(200, "from a test").send(exchange), () -> {});
                Wires wires = new Wires(SECOND)) {
            URI uri = at(server.port());
            assertThat(wires.send(uri, REQUEST, first -> {
                        answers.add(first);
                        wires.send(uri, REQUEST, answers::add);
                    }))
                    .isTrue();
            receiveAll(wires);

            assertThat(answers).hasSize(2).allMatch(answer -> answer != null);
        }
    }

    @Test
    void a_port_without_a_server() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        try (Wires wires = new Wires(SECOND)) {
            assertThat(wires.send(at(port), REQUEST, answers::add)).isFalse();
            assertThat(wires.outstanding()).isZero();
            assertThat(answers).isEmpty();
        }
    }

    @Test
    void a_connection_that_is_closed_has_no_answer() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Wires wires = new Wires(60 * SECOND)) {
            wires.send(at(server.getLocalPort()), REQUEST, answers::add);
            CompletableFuture<Void> closer = CompletableFuture.runAsync(() -> acceptAndClose(server));
            receiveAll(wires);
            closer.join();

            assertThat(answers).hasSize(1).containsOnlyNulls();
        }
    }

    @Test
    void an_answer_is_not_waited_for_longer_than_said() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Wires wires = new Wires(SECOND / 50)) {
            wires.send(at(silent.getLocalPort()), REQUEST, answers::add);
            wires.receive(0);
            assertThat(wires.outstanding()).isEqualTo(1);
            for (int i = 0; i < 100 && wires.outstanding() > 0; i++) {
                wires.receive(SECOND / 50);
            }

            assertThat(answers).hasSize(1).containsOnlyNulls();
        }
    }

    private static void receiveAll(Wires wires) {
        while (wires.outstanding() > 0) {
            wires.receive(SECOND);
        }
    }

    private static void acceptAndClose(ServerSocket server) {
        try {
            Socket accepted = server.accept();
            accepted.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static URI at(int port) {
        return URI.create("http://127.0.0.1:" + port);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
