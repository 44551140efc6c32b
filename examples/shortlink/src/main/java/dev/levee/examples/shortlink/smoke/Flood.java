package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One tenant asks far more than it may, from so many addresses that no limit of a client is in its way: it guesses
 * codes, which no cache holds, so that each guess that is admitted costs a statement. Sent over connections that stay
 * open, by plain sockets: the driver shares the machine with what it floods. A request that is due while its connection
 * still waits for an answer is sent when that has come.
 */
final class Flood {
    /** How many times as much as the tenant may. */
    static final int TIMES = 10;

    private static final String TENANT = "flood";

    /** So many that the flood does not become a trickle when each of them has to wait for its answer. */
    private static final int CONNECTIONS = 96;

    private static final int CLIENTS = 1_000;
    private static final int PATIENCE_MILLIS = 1_000;
    private static final int TOO_MANY_REQUESTS = 429;

    private final URI front;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();

    Flood(URI front) {
        this.front = front;
    }

    /** How many requests per second are due. */
    static int rate() {
        return TIMES * FrontServer.tenantRate();
    }

    /** How many requests were sent. */
    long sent() {
        return sent.get();
    }

    /** How many of them were answered with 429. */
    long refused() {
        return refused.get();
    }

    /** Floods for a while, and returns when the last answer has come. */
    void run(long nanos) throws InterruptedException {
        long start = System.nanoTime();
        CountDownLatch ended = new CountDownLatch(CONNECTIONS);
        for (int i = 0; i < CONNECTIONS; i++) {
            int first = i;
            Thread thread = new Thread(
                    () -> {
                        try {
                            floodOver(first, start, nanos);
                        } finally {
                            ended.countDown();
                        }
                    },
                    "flood");
            thread.setDaemon(true);
            thread.start();
        }
        ended.await();
    }

    /** Sends each {@link #CONNECTIONS}th request; opens a new connection if one breaks. */
    private void floodOver(int first, long start, long nanos) {
        int next = first;
        while (isToBeSent(next, start, nanos)) {
            try (Socket socket = new Socket(front.getHost(), front.getPort())) {
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(PATIENCE_MILLIS);
                InputStream input = new BufferedInputStream(socket.getInputStream());
                for (; isToBeSent(next, start, nanos); next += CONNECTIONS) {
                    waitUntil(start + due(next));
                    socket.getOutputStream().write(request(next));
                    sent.incrementAndGet();
                    if (status(input) == TOO_MANY_REQUESTS) {
                        refused.incrementAndGet();
                    }
                }
            } catch (IOException e) {
                next += CONNECTIONS; // this one has failed
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    private static boolean isToBeSent(int request, long start, long nanos) {
        return due(request) < nanos && System.nanoTime() - start < nanos;
    }

    private static long due(int request) {
        return request * TimeUnit.SECONDS.toNanos(1) / rate();
    }

    private static void waitUntil(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private byte[] request(int number) {
        int client = number % CLIENTS;
        return String.join(
                        "\r\n",
                        "GET /" + Code.of("flood " + number, 0) + " HTTP/1.1",
                        "Host: " + front.getAuthority(),
                        "X-Forwarded-For: 10.50." + client / 250 + "." + client % 250,
                        FrontServer.TENANT + ": " + TENANT,
                        "",
                        "")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads a whole answer, which says how long it is. */
    static int status(InputStream input) throws IOException {
        int status = Integer.parseInt(line(input).split(" ", 3)[1]);
        int length = 0;
        for (String header = line(input); !header.isEmpty(); header = line(input)) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(
                        header.substring(header.indexOf(':') + 1).strip());
            }
        }
        input.skipNBytes(length);
        return status;
    }

    private static String line(InputStream input) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = input.read(); next != '\n'; next = input.read()) {
            if (next < 0) {
                throw new EOFException("the connection was closed");
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }
}
