package dev.levee.dns;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** A DNS server on loopback, by UDP and TCP, that answers as the test says, nonsense included. */
final class LoopbackDns implements AutoCloseable {
    /** Makes the datagrams that answer a question; none means silence. */
    volatile Function<byte[], List<byte[]>> byUdp = question -> List.of();
    /** Makes the message that answers; null closes the connection. */
    volatile Function<byte[], byte[]> byTcp = question -> null;
    /** From elsewhere, before the real answer. */
    volatile Function<byte[], byte[]> spoofed = question -> null;

    /** Whether the last question by UDP had EDNS. The functions above get questions without it. */
    volatile boolean extended;

    final AtomicInteger udpQuestions = new AtomicInteger();
    final AtomicInteger tcpQuestions = new AtomicInteger();
    final List<byte[]> questions = new CopyOnWriteArrayList<>();
    final List<Integer> ports = new CopyOnWriteArrayList<>();

    private final ServerSocket tcp;
    private final DatagramSocket udp;

    LoopbackDns() throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        ServerSocket server = null;
        DatagramSocket datagrams = null;
        for (int attempt = 0; datagrams == null; attempt++) {
            server = new ServerSocket(0, 10, loopback);
            try {
                datagrams = new DatagramSocket(server.getLocalPort(), loopback);
            } catch (SocketException taken) {
                server.close();
                if (attempt == 20) {
                    throw taken;
                }
            }
        }
        tcp = server;
        udp = datagrams;
        start(this::serveUdp);
        start(this::serveTcp);
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void start(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException closed) {
                // as the test wants it
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.getLocalPort());
    }

    private void serveUdp() throws IOException {
        byte[] buffer = new byte[512];
        while (true) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            udp.receive(packet);
            byte[] question = withoutEdns(Arrays.copyOf(buffer, packet.getLength()));
            extended = question.length < packet.getLength();
            udpQuestions.incrementAndGet();
            questions.add(question);
            ports.add(packet.getPort());
            byte[] forged = spoofed.apply(question);
            if (forged != null) {
                try (DatagramSocket elsewhere = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                    elsewhere.send(new DatagramPacket(forged, forged.length, packet.getSocketAddress()));
                }
            }
            for (byte[] answer : byUdp.apply(question)) {
                udp.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            }
        }
    }

    private static byte[] withoutEdns(byte[] question) {
        int end = 12;
        while (question[end] != 0) {
            end += question[end] + 1;
        }
        byte[] plain = Arrays.copyOf(question, end + 5);
        plain[11] = 0;
        return plain;
    }

    private void serveTcp() throws IOException {
        while (true) {
            Socket socket = tcp.accept();
            start(() -> answer(socket));
        }
    }

    private void answer(Socket socket) throws IOException {
        try (socket) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] question = new byte[in.readUnsignedShort()];
            in.readFully(question);
            tcpQuestions.incrementAndGet();
            byte[] answer = byTcp.apply(withoutEdns(question));
            if (answer != null) {
                socket.getOutputStream()
                        .write(ByteBuffer.allocate(2 + answer.length)
                                .putShort((short) answer.length)
                                .put(answer)
                                .array());
                in.read(); // until the client has had enough
            }
        }
    }

    @Override
    public void close() throws IOException {
        tcp.close();
        udp.close();
    }

    /** Writes an answer byte by byte, so that it can be a wrong one. */
    static final class Answer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final byte[] question;
        private int flags = 0x8180;
        private int answers;
        private int additional;
        private final ByteArrayOutputStream more = new ByteArrayOutputStream();

        Answer(byte[] question) {
            this.question = question;
        }

        static Answer to(byte[] question) {
            return new Answer(question);
        }

        Answer flags(int value) {
            flags = value;
            return this;
        }

        Answer code(int code) {
            flags |= code;
            return this;
        }

        Answer truncated() {
            flags |= 0x0200;
            return this;
        }

        /** The name of the question, as a pointer. */
        static byte[] pointer(int to) {
            return new byte[] {(byte) (0xC0 | to >> 8), (byte) to};
        }

        static byte[] name(String name) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (String label : name.split("\\.", -1)) {
                out.write(label.length());
                out.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
            }
            out.write(0);
            return out.toByteArray();
        }

        Answer a(int ttl, int... address) {
            byte[] bytes = new byte[address.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) address[i];
            }
            return record(pointer(12), address.length == 4 ? 1 : 28, ttl, bytes);
        }

        Answer record(byte[] name, int type, int ttl, byte[] data) {
            answers++;
            write(out, name, type, ttl, data.length, data);
            return this;
        }

        Answer additional(byte[] name, int type, int ttl, byte[] data) {
            additional++;
            write(more, name, type, ttl, data.length, data);
            return this;
        }

        static void write(ByteArrayOutputStream to, byte[] name, int type, int ttl, int length, byte[] data) {
            to.writeBytes(name);
            to.writeBytes(ByteBuffer.allocate(10)
                    .putShort((short) type)
                    .putShort((short) 1)
                    .putInt(ttl)
                    .putShort((short) length)
                    .array());
            to.writeBytes(data);
        }

        byte[] bytes() {
            byte[] head = question.clone();
            ByteBuffer.wrap(head)
                    .putShort(2, (short) flags)
                    .putShort(6, (short) answers)
                    .putShort(10, (short) additional);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(head);
            all.writeBytes(out.toByteArray());
            all.writeBytes(more.toByteArray());
            return all.toByteArray();
        }
    }
}
