package dev.levee.examples.shortlink.smoke;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Connections over which one thread sends requests and receives the answers. Plain sockets and no other thread, because
 * what makes the load shares the processors with the service that it measures. Not thread-safe.
 */
final class Wires implements AutoCloseable {
    private static final int MAX_ANSWER = 8_192;

    /** Servers close a connection that is idle for 30 s. */
    private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final long patienceNanos;
    private final Selector selector;
    private final Map<URI, Deque<Wire>> idle = new HashMap<>();

    /** Those with a request, the earliest one first, and some that have been answered since. */
    private final Deque<Exchange> sent = new ArrayDeque<>();

    private int outstanding;
    private int most;

    private static final class Exchange {
        final Wire wire;
        final Consumer<@Nullable Answer> receiver;
        final long patientUntil;

        Exchange(Wire wire, Consumer<@Nullable Answer> receiver, long patientUntil) {
            this.wire = wire;
            this.receiver = receiver;
            this.patientUntil = patientUntil;
        }
    }

    /**
     * No connection yet.
     *
     * @param patienceNanos after this time an answer is not waited for any more
     */
    Wires(long patienceNanos) {
        this.patienceNanos = patienceNanos;
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many requests have no answer yet. */
    int outstanding() {
        return outstanding;
    }

    /** The most that had no answer at once. */
    int mostOutstanding() {
        return most;
    }

    /**
     * Sends a request, without waiting for anything.
     *
     * @param receiver gets the answer in {@link #receive}, or null if the connection broke or the answer did not come
     *     in time
     * @return whether the server took it; if not, nothing is received
     */
    boolean send(URI server, byte[] request, Consumer<@Nullable Answer> receiver) {
        long now = System.nanoTime();
        Deque<Wire> waiting = idleTo(server);
        for (Wire wire = waiting.poll(); wire != null; wire = waiting.poll()) {
            if (now - wire.idleSince < MAX_IDLE_NANOS && sent(wire, request, receiver, now)) {
                return true;
            }
            wire.close();
        }
        Wire wire;
        try {
            wire = new Wire(server);
        } catch (IOException refused) {
            return false;
        }
        if (!sent(wire, request, receiver, now)) {
            wire.close();
            return false;
        }
        return true;
    }

    private Deque<Wire> idleTo(URI server) {
        return idle.computeIfAbsent(server, it -> new ArrayDeque<>());
    }

    private boolean sent(Wire wire, byte[] request, Consumer<@Nullable Answer> receiver, long now) {
        try {
            wire.send(request);
        } catch (IOException broken) { // the server has closed it, or takes no more
            return false;
        }
        Exchange exchange = new Exchange(wire, receiver, now + patienceNanos);
        wire.exchange = exchange;
        sent.add(exchange);
        most = Math.max(most, ++outstanding);
        return true;
    }

    /** Receives what has come; if nothing has, what comes first within this time. */
    void receive(long nanos) {
        try {
            if (nanos > 0) {
                selector.select((nanos + MILLI - 1) / MILLI);
            } else {
                selector.selectNow();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (SelectionKey key : selector.selectedKeys()) {
            ((Wire) key.attachment()).read();
        }
        selector.selectedKeys().clear();
        giveUp(System.nanoTime());
    }

    private void giveUp(long now) {
        for (Exchange first = sent.peek(); first != null; first = sent.peek()) {
            if (first.wire.exchange == first) {
                if (first.patientUntil - now > 0) {
                    return;
                }
                first.wire.close();
            }
            sent.remove();
        }
    }

    @Override
    public void close() {
        for (SelectionKey key : selector.keys()) {
            ((Wire) key.attachment()).closeChannel();
        }
        try {
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A connection with at most one request that has no answer. */
    private final class Wire {
        private final URI server;
        private final SocketChannel channel;
        private final ByteBuffer bytes = ByteBuffer.allocate(MAX_ANSWER);
        private @Nullable Exchange exchange;
        private long idleSince;

        Wire(URI server) throws IOException {
            this.server = server;
            channel = SocketChannel.open(new InetSocketAddress(server.getHost(), server.getPort()));
            try {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ, this);
            } catch (IOException e) {
                closeChannel();
                throw e;
            }
        }

        /** A request is much smaller than what the system takes at once. */
        void send(byte[] request) throws IOException {
            if (channel.write(ByteBuffer.wrap(request)) < request.length) {
                throw new IOException("the connection takes no request");
            }
        }

        void read() {
            Answer answer;
            try {
                if (channel.read(bytes) < 0) {
                    close();
                    return;
                }
                answer = Answer.read(bytes.array(), bytes.position());
            } catch (IOException broken) {
                close();
                return;
            }
            if (answer != null) {
                bytes.clear();
                idleSince = System.nanoTime();
                idleTo(server).push(this);
                end(answer);
            } else if (!bytes.hasRemaining()) {
                close();
            }
        }

        /** The receiver may send over this connection at once. */
        private void end(@Nullable Answer answer) {
            Exchange ended = exchange;
            if (ended != null) {
                exchange = null;
                outstanding--;
                ended.receiver.accept(answer);
            }
        }

        void close() {
            idleTo(server).remove(this);
            closeChannel();
            end(null);
        }

        private void closeChannel() {
            try {
                channel.close();
            } catch (IOException e) {
                // it is of no use in any case
            }
        }
    }
}
