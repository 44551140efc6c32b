package dev.levee.example.redis;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that knows as much of RESP 3 as a client needs to connect and to read. */
final class StubRedis implements AutoCloseable {
    /** What a server says of itself: a map of four entries. */
    private static final String HELLO = String.join(
            "\r\n", "%4", "$6", "server", "$5", "redis", "$7", "version", "$5", "7.2.0", "$5", "proto", ":3", "$2",
            "id", ":1", "");

    final Map<String, String> data = new ConcurrentHashMap<>();
    final AtomicInteger gets = new AtomicInteger();
    /** What it says to GET in place of a value. */
    volatile String error = "";

    volatile boolean frozen;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    StubRedis() throws IOException {
        daemon(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                open.add(socket);
                daemon(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            for (String first = line(in); !first.isEmpty(); first = line(in)) {
                String[] words = new String[Integer.parseInt(first.substring(1))];
                for (int i = 0; i < words.length; i++) {
                    byte[] word = in.readNBytes(Integer.parseInt(line(in).substring(1)));
                    line(in);
                    words[i] = new String(word, StandardCharsets.UTF_8);
                }
                out.write(answer(words).getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (Exception e) {
            // the client has gone, or this server
        } finally {
            open.remove(socket);
        }
    }

    private String answer(String... words) throws InterruptedException {
        return switch (words[0].toUpperCase(Locale.ROOT)) {
            case "HELLO" -> HELLO;
            case "PING" -> "+PONG\r\n";
            case "SET" -> {
                data.put(words[1], words[2]);
                yield "+OK\r\n";
            }
            case "GET" -> {
                gets.incrementAndGet();
                if (frozen) {
                    closed.await();
                }
                String value = data.get(words[1]);
                yield !error.isEmpty()
                        ? "-" + error + "\r\n"
                        : value == null
                                ? "_\r\n"
                                : "$" + value.getBytes(StandardCharsets.UTF_8).length + "\r\n" + value + "\r\n";
            }
            default -> "+OK\r\n";
        };
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "stub redis");
        thread.setDaemon(true);
        thread.start();
    }

    /** Its process is gone. */
    @Override
    public void close() {
        closed.countDown();
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
