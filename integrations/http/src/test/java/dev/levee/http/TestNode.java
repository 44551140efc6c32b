package dev.levee.http;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** A real HTTP/1.1 server on the loopback interface that does as the test says, down to the bytes. */
public final class TestNode implements AutoCloseable {
    /** What it does with a request. Returns whether the connection stays. */
    public interface Behaviour {
        boolean answer(Received request, TestNode node, Socket socket, OutputStream out) throws Exception;
    }

    public record Received(String method, String target, Map<String, String> headers, String body) {
        public String header(String name) {
            return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        }
    }

    public static Behaviour status(int status, String body, String... headers) {
        return (request, node, socket, out) -> {
            out.write(head(status, body.length(), headers));
            out.write(body.getBytes(StandardCharsets.UTF_8));
            out.flush();
            return true;
        };
    }

    /** Takes the request and says nothing, until the client goes away. */
    public static Behaviour frozen() {
        return (request, node, socket, out) -> {
            node.awaitAbandoned(socket);
            return false;
        };
    }

    /** Answers like another behaviour, when it is released. */
    public static Behaviour after(Semaphore permits, Behaviour then) {
        return (request, node, socket, out) -> {
            permits.acquire();
            return then.answer(request, node, socket, out);
        };
    }

    public static Behaviour closesWithoutBytes() {
        return (request, node, socket, out) -> false;
    }

    /** Resets the connection in the middle of the body. */
    public static Behaviour resetsHalfWay() {
        return (request, node, socket, out) -> {
            out.write(head(200, 1000));
            out.write(new byte[500]);
            out.flush();
            socket.setSoLinger(true, 0);
            return false;
        };
    }

    /** Sends headers and half of the body, and then nothing, until the client goes away. */
    public static Behaviour freezesHalfWay() {
        return (request, node, socket, out) -> {
            out.write(head(200, 1000));
            out.write(new byte[500]);
            out.flush();
            node.awaitAbandoned(socket);
            return false;
        };
    }

    public static byte[] head(int status, long length, String... headers) {
        StringBuilder text = new StringBuilder("HTTP/1.1 " + status + " Reason\r\nContent-Length: " + length + "\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    public final Queue<Received> requests = new ConcurrentLinkedQueue<>();
    /** One permit for each request that came, was abandoned, and each connection that ended. */
    public final Semaphore came = new Semaphore(0);

    public final Semaphore abandoned = new Semaphore(0);
    public final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger waiting = new AtomicInteger();
    public volatile Behaviour behaviour;
    private final String name;
    private final ServerSocket server;
    private final Thread acceptor;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    public TestNode(String name, Behaviour behaviour) throws IOException {
        this.name = name;
        this.behaviour = behaviour;
        server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        acceptor = daemon(this::accept);
    }

    /** One that says its name. */
    public static TestNode named(String name) throws IOException {
        return new TestNode(name, status(200, name));
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    public int count() {
        return requests.size();
    }

    public int openConnections() {
        return open.size();
    }

    public List<String> bodies() {
        return requests.stream().map(Received::body).toList();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                if (server.isClosed()) { // an accept that blocks outlives the close by a moment
                    reset(socket);
                    return;
                }
                socket.setTcpNoDelay(true);
                connections.incrementAndGet();
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
            boolean stays = true;
            while (stays) {
                Received request = read(in);
                if (request == null) {
                    return;
                }
                requests.add(request);
                came.release();
                stays = behaviour.answer(request, this, socket, out);
            }
        } catch (Exception e) {
            // the client has gone
        } finally {
            open.remove(socket);
        }
    }

    /** How many connections it holds on which a request has not been answered to the end. */
    public int waiting() {
        return waiting.get();
    }

    private void awaitAbandoned(Socket socket) {
        waiting.incrementAndGet();
        try {
            while (socket.getInputStream().read() >= 0) {
                // what else the client sends
            }
        } catch (IOException e) {
            // gone with a reset
        }
        waiting.decrementAndGet();
        abandoned.release();
    }

    private static Received read(InputStream in) throws IOException {
        String first = line(in);
        if (first == null || first.isEmpty()) {
            return null;
        }
        Map<String, String> headers = new TreeMap<>();
        for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            headers.put(
                    line.substring(0, colon).toLowerCase(Locale.ROOT),
                    line.substring(colon + 1).strip());
        }
        byte[] body;
        if (headers.getOrDefault("transfer-encoding", "").equals("chunked")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
                all.write(in.readNBytes(size));
                line(in);
            }
            line(in);
            body = all.toByteArray();
        } else {
            body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
        }
        String[] words = first.split(" ", -1);
        return new Received(words[0], words[1], headers, new String(body, StandardCharsets.UTF_8));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                return line.length() == 0 ? null : line.toString();
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "test node");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void reset(Socket socket) {
        try (socket) {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // it is closed already
        }
    }

    /** Its process is gone: connections are reset, and new ones refused. */
    public void kill() {
        try {
            server.close();
            acceptor.join(); // until then the port still accepts a connection
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        open.forEach(TestNode::reset);
    }

    @Override
    public void close() {
        kill();
    }

    @Override
    public String toString() {
        return name;
    }
}
