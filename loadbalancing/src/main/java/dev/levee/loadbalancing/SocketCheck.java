package dev.levee.loadbalancing;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * The health checks over a socket of their own: no client, no pool, nothing that a balanced client may have filled up.
 */
final class SocketCheck {
    private static final int MAX_HEAD = 16 * 1024;
    /** The system clock, since the timeouts of sockets are in its time. */
    private static final NanoClock CLOCK = NanoClock.system();

    private final long deadline;

    private SocketCheck(Duration timeout) {
        deadline = CLOCK.nanoTime() + Nanos.of(timeout);
    }

    static boolean connects(InetSocketAddress address, Duration timeout) throws IOException {
        SocketCheck check = new SocketCheck(timeout);
        try (Socket socket = new Socket()) { // of which nothing is read
            check.connect(
                    socket, address.isUnresolved() ? resolved(address.getHostString(), address.getPort()) : address);
            return true;
        }
    }

    /**
     * Whether a page is answered.
     *
     * @param name what the host is called in the certificate and the request; null for what the address says
     * @param trust what is trusted; null for what the JVM trusts
     */
    static boolean answers(URI uri, String path, @Nullable String name, @Nullable SSLContext trust, Duration timeout)
            throws IOException {
        boolean tls = "https".equalsIgnoreCase(uri.getScheme());
        String host = uri.getHost();
        if (host == null || !(tls || "http".equalsIgnoreCase(uri.getScheme()))) {
            throw new IOException("not an address of the form http://host:port: "
                    + Text.printable(Addresses.withoutSecrets(uri.toString())));
        }
        int port = uri.getPort() >= 0 ? uri.getPort() : tls ? 443 : 80;
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        String authority = name == null ? uri.getRawAuthority().replaceFirst("^.*@", "") : name;
        SocketCheck check = new SocketCheck(timeout);
        try (Socket socket = check.new BoundedSocket()) {
            check.connect(socket, resolved(bare, port));
            if (!tls) {
                return check.exchange(socket, authority, path);
            }
            SSLSocketFactory factory =
                    trust == null ? (SSLSocketFactory) SSLSocketFactory.getDefault() : trust.getSocketFactory();
            String verified = name == null ? bare : name;
            try (SSLSocket secure = (SSLSocket) factory.createSocket(socket, verified, port, true)) {
                SSLParameters parameters = secure.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secure.setSSLParameters(parameters);
                secure.startHandshake();
                return check.exchange(secure, authority, path);
            }
        }
    }

    private static InetSocketAddress resolved(String host, int port) throws UnknownHostException {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new UnknownHostException(host);
        }
        return address;
    }

    private void connect(Socket socket, InetSocketAddress address) throws IOException {
        socket.setTcpNoDelay(true);
        socket.connect(address, leftMillis());
    }

    private boolean exchange(Socket socket, String authority, String path) throws IOException {
        String request = "GET " + path + " HTTP/1.1\r\nHost: " + authority
                + "\r\nUser-Agent: levee-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        HeadReader head = new HeadReader(socket);
        int status = statusOf(head.line());
        while (status < 200) { // 100 Continue, 103 Early Hints: the response is still to come
            while (!head.line().isEmpty()) {
                // skip the headers
            }
            status = statusOf(head.line());
        }
        if (status > 299) {
            throw new IOException("status " + status);
        }
        return true;
    }

    private static int statusOf(String line) throws IOException {
        if (line.matches("HTTP/1\\.[01] [1-5][0-9][0-9]( .*)?")) {
            return Integer.parseInt(line.substring(9, 12));
        }
        throw new IOException("not a response in HTTP/1.1");
    }

    private int leftMillis() throws SocketTimeoutException {
        long left = deadline - CLOCK.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException("timed out");
        }
        return (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
    }

    /**
     * Checks the deadline before each read, since a server may send a byte now and then; below TLS, which reads whole
     * records.
     */
    private final class BoundedSocket extends Socket {
        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read() throws IOException {
                    setSoTimeout(leftMillis());
                    return super.read();
                }

                @Override
                public int read(byte[] bytes, int offset, int length) throws IOException {
                    setSoTimeout(leftMillis());
                    return super.read(bytes, offset, length);
                }
            };
        }
    }

    /** Reads the lines of a response head of bounded length. */
    private static final class HeadReader {
        private final InputStream in;
        private final byte[] buffer = new byte[512];
        private int at;
        private int end;
        private int total;

        HeadReader(Socket socket) throws IOException {
            this.in = socket.getInputStream();
        }

        String line() throws IOException {
            StringBuilder line = new StringBuilder();
            int c = next();
            while (c != '\n') {
                line.append((char) c);
                c = next();
            }
            int length = line.length();
            return length > 0 && line.charAt(length - 1) == '\r' ? line.substring(0, length - 1) : line.toString();
        }

        private int next() throws IOException {
            if (at == end) {
                end = in.read(buffer);
                at = 0;
                if (end < 0) {
                    throw new IOException("the connection ended before the response");
                }
            }
            total++;
            if (total > MAX_HEAD) {
                throw new IOException("the head of the response is longer than " + MAX_HEAD + " bytes");
            }
            return buffer[at++] & 0xFF;
        }
    }
}
