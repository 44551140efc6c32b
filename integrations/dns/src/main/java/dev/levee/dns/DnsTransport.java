package dev.levee.dns;

import dev.levee.core.NanoClock;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;

/**
 * Sends one message to one server and waits for the answer: by UDP, and by TCP if the answer does not fit (RFC 1035,
 * RFC 7766). dnsjava writes and reads the messages. Thread-safe.
 *
 * <p>Each query has a socket, and so a port, of its own, connected to the server, so that the kernel drops what comes
 * from elsewhere. The calling thread waits: no selector thread is shared by the whole JVM, and there is nothing to
 * close. See ADR 57.
 */
final class DnsTransport {
    private static final int MAX_UDP_BYTES = 4096;
    private static final int MAX_STRAY = 64;
    private static final int ID_BYTES = 2;
    private static final int COUNTS_OF_RECORDS = 6;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final NanoClock clock;

    DnsTransport(NanoClock clock) {
        this.clock = clock;
    }

    /**
     * Returns the answer of a server.
     *
     * @param endNanos a reading of the clock after which the answer is not awaited any more; TCP has the time that UDP
     *     has left
     */
    Message send(InetSocketAddress server, Message query, long endNanos) throws IOException {
        byte[] answer = byUdp(server, query, endNanos);
        if (isTruncated(answer)) {
            answer = byTcp(server, query, endNanos);
        }
        return read(answer);
    }

    static Message read(byte[] answer) throws ProtocolException {
        try {
            return new Message(answer);
        } catch (IOException | RuntimeException wrong) {
            ProtocolException unreadable = new ProtocolException("the answer cannot be read: " + wrong.getMessage());
            unreadable.initCause(wrong);
            throw unreadable;
        }
    }

    /** What is not the answer to the query is skipped, and after many of that the attempt ends. */
    private byte[] byUdp(InetSocketAddress server, Message query, long endNanos) throws IOException {
        byte[] question = query.toWire();
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(server);
            socket.send(new DatagramPacket(question, question.length));
            byte[] buffer = new byte[MAX_UDP_BYTES];
            for (int stray = 0; stray < MAX_STRAY; stray++) {
                socket.setSoTimeout(millisUntil(endNanos));
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                socket.receive(packet);
                byte[] answer = Arrays.copyOf(buffer, packet.getLength());
                if (answers(query, answer)) {
                    return answer;
                }
            }
            throw new ProtocolException("too many answers to other questions");
        } catch (UncheckedIOException unreachable) { // connect() on some platforms
            throw unreachable.getCause();
        } catch (IllegalArgumentException unsupported) { // IPv6 in a JVM that has IPv4 only
            throw new IOException("its address cannot be used: " + unsupported.getMessage(), unsupported);
        }
    }

    private byte[] byTcp(InetSocketAddress server, Message query, long endNanos) throws IOException {
        byte[] question = query.toWire();
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
            byte[] answer = read(socket, in, new byte[length], endNanos);
            if (!answers(query, answer)) {
                throw new ProtocolException("it answered another question by TCP");
            }
            if (isTruncated(answer)) {
                throw new ProtocolException("its answer is cut off by TCP too");
            }
            return answer;
        }
    }

    /**
     * Whether a message is the answer to a query, by the id, the kind of message and the question; whatever else it
     * says. A server that could not read the query, as an old one does with EDNS, may leave the question out.
     */
    static boolean answers(Message query, byte[] answer) {
        Message head = head(answer);
        return head != null
                && head.getHeader().getID() == query.getHeader().getID()
                && head.getHeader().getFlag(Flags.QR)
                && head.getHeader().getOpcode() == Opcode.QUERY
                && (head.getQuestion() == null
                        ? isUnread(head.getHeader().getRcode())
                        : query.getQuestion().equals(head.getQuestion()));
    }

    private static boolean isUnread(int code) {
        return code == Rcode.FORMERR || code == Rcode.NOTIMP;
    }

    /** Returns the header and the question of a message, or null if it has none. */
    private static @Nullable Message head(byte[] answer) {
        if (answer.length < Header.LENGTH) {
            return null;
        }
        byte[] head = answer.clone();
        Arrays.fill(head, COUNTS_OF_RECORDS, Header.LENGTH, (byte) 0);
        try {
            return new Message(head);
        } catch (IOException | RuntimeException unreadable) {
            return null;
        }
    }

    private static boolean isTruncated(byte[] answer) {
        return (answer[ID_BYTES] & 0x02) != 0;
    }

    /** The time is for all bytes together, so that a server cannot send them one by one for ever. */
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
