package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.front.FrontServer;
import dev.levee.examples.shortlink.node.Code;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * One tenant asks far more than it may, from so many addresses that no limit of a client is in its way: it guesses
 * codes, which no cache holds, so that each guess that is admitted costs a statement.
 *
 * <p>An open loop: a request is sent when it is due, whether or not others have been answered, over a connection that
 * waits for no answer or over a new one. So a service that is slow gets no less. Only where more are without an answer
 * than any service that sheds would leave so, what is due is left out, and counted as not sent. One thread and plain
 * sockets: the driver shares the machine with what it floods.
 */
final class Flood {
    /** How many times as much as the tenant may. */
    static final int TIMES = 10;

    private static final String TENANT = "flood";

    /** More than the front begins and lets wait, as long as it takes to say so: the rate times 0.6 s. */
    private static final int MAX_OUTSTANDING = 900;

    private static final int CLIENTS = 1_000;

    /** An answer that comes later is not waited for. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int TOO_MANY_REQUESTS = 429;
    private static final int MAX_ANSWER = 8_192;

    private final URI front;
    private final Deque<Wire> idle = new ArrayDeque<>();
    private long sent;
    private long refused;
    private int outstanding;
    private int most;

    Flood(URI front) {
        this.front = front;
    }

    /** How many requests per second are due. */
    static int rate() {
        return TIMES * FrontServer.tenantRate();
    }

    /** How many requests were sent. */
    long sent() {
        return sent;
    }

    /** How many of them were answered with 429. */
    long refused() {
        return refused;
    }

    /** The most that were without an answer at once. */
    int mostOutstanding() {
        return most;
    }

    /** Floods for a while, and returns when the last answer has come, or is not waited for any more. */
    void run(long nanos) {
        long start = System.nanoTime();
        try (Selector selector = Selector.open()) {
            try {
                for (int next = 0; due(next) < nanos; ) {
                    next = sendDue(selector, next, System.nanoTime() - start);
                    select(selector, Math.max(0, due(next) - (System.nanoTime() - start)));
                }
                long patience = System.nanoTime() + PATIENCE_NANOS;
                for (long left = PATIENCE_NANOS; outstanding > 0 && left > 0; left = patience - System.nanoTime()) {
                    select(selector, left);
                }
            } finally {
                for (SelectionKey key : selector.keys()) {
                    key.channel().close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the flood broke", e);
        }
    }

    private static long due(int request) {
        return request * TimeUnit.SECONDS.toNanos(1) / rate();
    }

    /** Sends all that are due, and returns the number of the next one. */
    private int sendDue(Selector selector, int first, long now) {
        int next = first;
        for (; due(next) <= now; next++) {
            if (outstanding < MAX_OUTSTANDING) {
                send(selector, next);
            }
        }
        return next;
    }

    private void send(Selector selector, int number) {
        Wire wire = idle.poll();
        try {
            if (wire == null) {
                wire = new Wire(selector);
            }
            wire.send(request(number));
            sent++;
            most = Math.max(most, ++outstanding);
        } catch (IOException broken) { // the service has closed it, or takes no more
            if (wire != null) {
                wire.close();
            }
        }
    }

    /** Reads what comes until something has come, or for so long; not at all for less than a tenth of a millisecond. */
    private void select(Selector selector, long nanos) throws IOException {
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
        if (millis > 0) {
            selector.select(millis);
        } else {
            selector.selectNow();
        }
        for (SelectionKey key : selector.selectedKeys()) {
            ((Wire) key.attachment()).read();
        }
        selector.selectedKeys().clear();
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

    /** A connection with at most one request that has no answer. */
    private final class Wire {
        private final SocketChannel channel;
        private final ByteBuffer answer = ByteBuffer.allocate(MAX_ANSWER);
        private boolean waits;

        Wire(Selector selector) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(front.getHost(), front.getPort()));
            try {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ, this);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        }

        /** A request is much smaller than what the system takes at once. */
        void send(byte[] request) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(request);
            if (channel.write(bytes) < request.length) {
                throw new IOException("the connection takes no request");
            }
            waits = true;
        }

        void read() {
            try {
                if (channel.read(answer) < 0 || !answer.hasRemaining()) {
                    close();
                    return;
                }
            } catch (IOException broken) {
                close();
                return;
            }
            byte[] bytes = Arrays.copyOf(answer.array(), answer.position());
            int length = length(bytes);
            if (length < 0 || length > bytes.length) {
                return; // there is more to come
            }
            if (status(bytes) == TOO_MANY_REQUESTS) {
                refused++;
            }
            answer.clear();
            answered();
            idle.push(this);
        }

        private void answered() {
            if (waits) {
                waits = false;
                outstanding--;
            }
        }

        void close() {
            answered();
            idle.remove(this);
            try {
                channel.close();
            } catch (IOException e) {
                // it is of no use in any case
            }
        }
    }

    /** Returns how long an answer is, by its headers; -1 if those have not all come. */
    static int length(byte[] answer) {
        String text = new String(answer, StandardCharsets.ISO_8859_1);
        int end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            return -1;
        }
        int body = text.substring(0, end)
                .lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
                .mapToInt(line ->
                        Integer.parseInt(line.substring(line.indexOf(':') + 1).strip()))
                .findFirst()
                .orElse(0);
        return end + 4 + body;
    }

    /** Returns the status of an answer. */
    static int status(byte[] answer) {
        String first = new String(answer, 0, Math.min(answer.length, 16), StandardCharsets.ISO_8859_1);
        return Integer.parseInt(first.split(" ", 3)[1]);
    }
}
