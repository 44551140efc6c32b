package dev.levee.loadbalancing.discovery;

import dev.levee.core.NanoClock;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Asks DNS servers, one after the other, until one has an answer: by UDP, and by TCP if the answer does not fit (RFC 1035, RFC 7766)
 * or looks forged. Each question has a socket and so a port of its own, connected to the server, so that the kernel drops what comes
 * from elsewhere. Thread-safe.
 */
final class DnsClient implements DnsExchange {
    private static final int MAX_UDP = 4096;
    private static final int MAX_STRAY = 64;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final List<InetSocketAddress> servers;
    private final int rounds;
    private final long timeoutNanos;
    private final NanoClock clock;
    private final RandomGenerator random;

    /**
     * A client.
     *
     * @param rounds how often each server is asked at most
     * @param timeoutNanos how long to wait for one answer
     * @param random cannot be foreseen
     */
    DnsClient(List<InetSocketAddress> servers, int rounds, long timeoutNanos, NanoClock clock, RandomGenerator random) {
        this.servers = servers;
        this.rounds = rounds;
        this.timeoutNanos = timeoutNanos;
        this.clock = clock;
        this.random = random;
    }

    @Override
    public DnsMessage ask(String name, int type, long deadlineNanos) throws IOException {
        IOException failure = new SocketTimeoutException("no time is left");
        for (int round = 0; round < rounds; round++) {
            for (InetSocketAddress server : servers) {
                if (deadlineNanos - clock.nanoTime() <= 0) {
                    throw failure;
                }
                try {
                    return ask(server, name, type, deadlineNanos);
                } catch (IOException failed) {
                    failure = new IOException(
                            name + ": " + server.getAddress().getHostAddress() + " failed: " + failed.getMessage(),
                            failed);
                }
            }
        }
        throw failure;
    }

    private DnsMessage ask(InetSocketAddress server, String name, int type, long deadlineNanos) throws IOException {
        byte[] question = DnsMessage.question(name, type, random);
        ByteBuffer answer = byUdp(server, question, end(deadlineNanos));
        if (DnsMessage.isTruncated(answer) || DnsMessage.match(question, answer) != DnsMessage.Match.SAME) {
            answer = byTcp(server, question, end(deadlineNanos));
        }
        DnsMessage message = DnsMessage.read(question, answer);
        int code = message.code();
        if (code != DnsMessage.NO_ERROR && code != DnsMessage.NO_SUCH_NAME) {
            throw new ProtocolException("it answered " + DnsMessage.text(code));
        }
        if (code == DnsMessage.NO_ERROR
                && message.answers().isEmpty()
                && !message.authoritative()
                && !message.recursive()) {
            throw new ProtocolException("it sent on to another server");
        }
        return message;
    }

    private long end(long deadlineNanos) {
        long now = clock.nanoTime();
        return now + Math.min(timeoutNanos, deadlineNanos - now);
    }

    /** What is not the answer to the question is passed over, and after too much of that the try is given up. */
    private ByteBuffer byUdp(InetSocketAddress server, byte[] question, long endNanos) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(server);
            socket.send(new DatagramPacket(question, question.length));
            byte[] buffer = new byte[MAX_UDP];
            for (int stray = 0; stray < MAX_STRAY; stray++) {
                socket.setSoTimeout(millisUntil(endNanos));
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                socket.receive(packet);
                ByteBuffer answer =
                        ByteBuffer.wrap(buffer, 0, packet.getLength()).slice();
                if (DnsMessage.match(question, answer) != DnsMessage.Match.OTHER) {
                    return answer;
                }
            }
            throw new ProtocolException("too many answers to other questions");
        } catch (java.io.UncheckedIOException unreachable) { // connect() on some platforms
            throw unreachable.getCause();
        }
    }

    private ByteBuffer byTcp(InetSocketAddress server, byte[] question, long endNanos) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(server, millisUntil(endNanos));
            socket.setTcpNoDelay(true);
            byte[] framed = ByteBuffer.allocate(2 + question.length)
                    .putShort((short) question.length)
                    .put(question)
                    .array();
            socket.getOutputStream().write(framed);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] frame = read(socket, in, new byte[2], endNanos);
            int length = (frame[0] & 0xFF) << 8 | (frame[1] & 0xFF);
            ByteBuffer answer = ByteBuffer.wrap(read(socket, in, new byte[length], endNanos));
            if (DnsMessage.match(question, answer) == DnsMessage.Match.OTHER) {
                throw new ProtocolException("it answered another question by TCP");
            }
            if (DnsMessage.isTruncated(answer)) {
                throw new ProtocolException("its answer is cut off by TCP too");
            }
            return answer;
        }
    }

    /** The time is for all bytes together, so that they cannot drip in for ever. */
    private byte[] read(Socket socket, DataInputStream in, byte[] bytes, long endNanos) throws IOException {
        int count = 0;
        while (count < bytes.length) {
            socket.setSoTimeout(millisUntil(endNanos));
            int more = in.read(bytes, count, bytes.length - count);
            if (more < 0) {
                throw new ProtocolException(
                        "it closed the connection after " + count + " of " + bytes.length + " bytes");
            }
            count += more;
        }
        return bytes;
    }

    /** At least 1, since 0 would be for ever. */
    private int millisUntil(long endNanos) throws SocketTimeoutException {
        long left = endNanos - clock.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException("it did not answer in time");
        }
        return (int) Math.min(Math.max(left / NANOS_PER_MILLI, 1), Integer.MAX_VALUE);
    }
}
