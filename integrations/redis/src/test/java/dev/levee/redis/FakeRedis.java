package dev.levee.redis;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Speaks as much of the protocol of Redis as a client needs to connect, and answers scripts with what a test says: for
 * the answers that a real server gives only in states which are hard to bring about.
 */
final class FakeRedis implements AutoCloseable {
    private final ServerSocket listening;

    /** The answer to a script, as it goes over the wire. */
    private volatile Function<List<byte[]>, String> script = words -> "-ERR no answer was set";

    private final AtomicInteger scripts = new AtomicInteger();

    FakeRedis() {
        try {
            listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon(() -> {
            while (!listening.isClosed()) {
                try {
                    Socket client = listening.accept();
                    daemon(() -> serve(client));
                } catch (IOException closed) {
                    return;
                }
            }
        });
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "fake-redis");
        thread.setDaemon(true);
        thread.start();
    }

    String uri() {
        return "redis://127.0.0.1:" + listening.getLocalPort();
    }

    /** From now on scripts are answered with an error, such as {@code LOADING ...}. */
    void fails(String error) {
        script = words -> "-" + error;
    }

    /** From now on scripts are answered with numbers. */
    void answers(long... numbers) {
        StringBuilder text = new StringBuilder("*" + numbers.length);
        for (long number : numbers) {
            text.append("\r\n:").append(number);
        }
        script = words -> text.toString();
    }

    /** From now on scripts are answered with a line of the protocol. */
    void says(String line) {
        script = words -> line;
    }

    /** How many scripts have come. */
    int scripts() {
        return scripts.get();
    }

    private void serve(Socket client) {
        try (client;
                InputStream in = new BufferedInputStream(client.getInputStream());
                OutputStream out = client.getOutputStream()) {
            while (true) {
                List<byte[]> words = words(in);
                String command = new String(words.get(0), StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT);
                String answer = "+OK";
                if (command.equals("HELLO")) {
                    answer = "-ERR unknown command 'HELLO'";
                } else if (command.equals("PING")) {
                    answer = "+PONG";
                } else if (command.startsWith("EVAL")) {
                    scripts.incrementAndGet();
                    answer = script.apply(words);
                }
                out.write((answer + "\r\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (IOException gone) {
            // the client has closed the connection
        }
    }

    private static List<byte[]> words(InputStream in) throws IOException {
        int count = Integer.parseInt(line(in).substring(1));
        List<byte[]> words = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] word = new byte[Integer.parseInt(line(in).substring(1))];
            if (in.readNBytes(word, 0, word.length) < word.length) {
                throw new EOFException();
            }
            line(in);
            words.add(word);
        }
        return words;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
