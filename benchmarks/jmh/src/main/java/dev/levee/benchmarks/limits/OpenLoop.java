package dev.levee.benchmarks.limits;

import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpServer;
import dev.levee.http.server.ExchangeRateLimitFilter;
import dev.levee.ratelimit.AddressKey;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.http.ClientAddresses;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What decisions of a limiter add to real work, with times counted from the intended arrival, so that what waits behind
 * a delay is not hidden (coordinated omission).
 *
 * <pre>benchmarks/open-loop</pre>
 */
public final class OpenLoop {
    private static final int DECISIONS_PER_SECOND = 100_000;
    private static final int KEYS = 100_000;
    private static final int SECONDS = 10;
    private static final int CONNECTIONS = 8;
    private static final int BLOCKS = 7;
    private static final int BLOCK_SECONDS = 3;

    /** A rate is sustained if the slowest of a thousand answers is no later than that. */
    private static final double SUSTAINED_MILLIS = 10;

    private static final double MILLI = 1e6;

    private OpenLoop() {}

    /**
     * Measures and prints.
     *
     * @param arguments none
     * @throws Exception if the loopback fails
     */
    public static void main(String... arguments) throws Exception {
        decisions();
        overHttp();
        System.exit(0);
    }

    private static void decisions() {
        ZipfKeys keys = new ZipfKeys(KEYS);
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of(
                "open loop",
                config -> config.limit(Limit.perSecond(KeyedLimiters.PER_SECOND).burst(KeyedLimiters.BURST))
                        .maxKeys(KEYS));
        for (boolean limited : new boolean[] {true, false, true, false}) { // the first two warm up
            double[] latencies = new double[SECONDS * DECISIONS_PER_SECOND];
            long gap = 1_000_000_000L / DECISIONS_PER_SECOND;
            long admitted = 0;
            long start = System.nanoTime();
            for (int i = 0; i < latencies.length; i++) {
                long intended = start + i * gap;
                long now = System.nanoTime();
                while (now - intended < 0) {
                    Thread.onSpinWait();
                    now = System.nanoTime();
                }
                if (limited && limiter.tryAcquireOrWaitNanos(keys.get(i)) == 0) {
                    admitted++;
                }
                latencies[i] = System.nanoTime() - intended;
            }
            Arrays.sort(latencies);
            System.out.printf(
                    Locale.ROOT,
                    "%,d decisions a second, %s: p50 %.0f ns, p99 %.0f ns, p99.9 %.3f ms, max %.3f ms;"
                            + " %d %% admitted%n",
                    DECISIONS_PER_SECOND,
                    limited ? "keyed limiter" : "nothing asked",
                    quantile(latencies, 0.5),
                    quantile(latencies, 0.99),
                    quantile(latencies, 0.999) / MILLI,
                    latencies[latencies.length - 1] / MILLI,
                    100 * admitted / latencies.length);
        }
    }

    private static void overHttp() throws Exception {
        KeyedRateLimiter<AddressKey> limiter =
                KeyedRateLimiter.of("clients", Limit.perSecond(1_000_000).burst(1_000_000));
        try (Server bare = new Server(null);
                Server limited = new Server(limiter)) {
            for (Server server : List.of(bare, limited, bare, limited)) {
                load(server, 4_000, BLOCK_SECONDS);
            }
            int rate = sustained(bare);
            double[] without = new double[BLOCKS];
            double[] with = new double[BLOCKS];
            for (int i = 0; i < BLOCKS; i++) {
                without[i] = quantile(load(bare, rate, BLOCK_SECONDS), 0.999) / MILLI;
                with[i] = quantile(load(limited, rate, BLOCK_SECONDS), 0.999) / MILLI;
            }
            Arrays.sort(without);
            Arrays.sort(with);
            System.out.printf(
                    Locale.ROOT,
                    "%,d requests a second over HTTP, p99.9, median of %d blocks of %d s: without a limiter %.3f ms"
                            + " (%.3f to %.3f), with one %.3f ms (%.3f to %.3f), difference %.3f ms%n",
                    rate,
                    BLOCKS,
                    BLOCK_SECONDS,
                    without[BLOCKS / 2],
                    without[0],
                    without[BLOCKS - 1],
                    with[BLOCKS / 2],
                    with[0],
                    with[BLOCKS - 1],
                    with[BLOCKS / 2] - without[BLOCKS / 2]);
        }
    }

    /** Raises the rate by a tenth until it is not sustained, and returns the last one that was. */
    private static int sustained(Server server) throws Exception {
        int rate = 1_000;
        while (isSustained(server, rate * 11 / 10)) {
            rate = rate * 11 / 10;
        }
        System.out.printf(
                Locale.ROOT, "sustained: %,d requests a second (p99.9 below %.0f ms)%n", rate, SUSTAINED_MILLIS);
        return rate;
    }

    /** In one of two tries. */
    private static boolean isSustained(Server server, int perSecond) throws Exception {
        for (int i = 0; i < 2; i++) {
            if (quantile(load(server, perSecond, 2), 0.999) < SUSTAINED_MILLIS * MILLI) {
                return true;
            }
        }
        return false;
    }

    /** Returns the sorted latencies from the intended arrivals, in nanoseconds. */
    private static double[] load(Server server, int perSecond, int seconds) throws Exception {
        List<Connection> connections = new ArrayList<>();
        long start = System.nanoTime() + 50_000_000L;
        for (int i = 0; i < CONNECTIONS; i++) {
            long gap = 1_000_000_000L * CONNECTIONS / perSecond;
            Connection connection = new Connection(
                    server.port(), start + i * gap / CONNECTIONS, gap, perSecond * seconds / CONNECTIONS);
            connections.add(connection);
            connection.start();
        }
        List<double[]> all = new ArrayList<>();
        for (Connection connection : connections) {
            connection.join();
            if (connection.failure != null) {
                throw new IllegalStateException(connection.failure);
            }
            all.add(connection.latencies);
        }
        return all.stream().flatMapToDouble(Arrays::stream).sorted().toArray();
    }

    private static double quantile(double[] sorted, double share) {
        return sorted[(int) Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
    }

    /** Sends requests at fixed times, one after the other. */
    private static final class Connection extends Thread {
        private static final byte[] REQUEST =
                "GET / HTTP/1.1\r\nHost: loopback\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

        private final int port;
        private final long start;
        private final long gap;
        private final double[] latencies;
        private volatile @Nullable Exception failure;

        private Connection(int port, long start, long gap, int requests) {
            this.port = port;
            this.start = start;
            this.gap = gap;
            latencies = new double[requests];
        }

        @Override
        public void run() {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setTcpNoDelay(true);
                InputStream in = new BufferedInputStream(socket.getInputStream());
                for (int i = 0; i < latencies.length; i++) {
                    long intended = start + i * gap;
                    for (long left = intended - System.nanoTime(); left > 0; left = intended - System.nanoTime()) {
                        LockSupport.parkNanos(left);
                    }
                    socket.getOutputStream().write(REQUEST);
                    answer(in);
                    latencies[i] = System.nanoTime() - intended;
                }
            } catch (IOException thrown) {
                failure = thrown;
            }
        }

        /** Reads headers, and a body of the two bytes that the server sends. */
        private static void answer(InputStream in) throws IOException {
            int ends = 0;
            int status = 0;
            for (int i = 0; ends < 4; i++) {
                int next = in.read();
                if (next < 0) {
                    throw new IOException("the connection was closed");
                }
                if (i >= 9 && i < 12) {
                    status = 10 * status + next - '0';
                }
                ends = next == '\r' || next == '\n' ? ends + 1 : 0;
            }
            if (status != 200) {
                throw new IOException("status " + status);
            }
            in.skipNBytes(Server.BODY.length);
        }
    }

    /** The JDK's, with a filter or without. */
    private static final class Server implements AutoCloseable {
        private static final byte[] BODY = {'o', 'k'};

        private final HttpServer server;
        private final ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);

        private Server(@Nullable KeyedRateLimiter<AddressKey> limiter) throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(threads);
            HttpContext context = server.createContext(URI.create("/").getPath(), exchange -> {
                exchange.sendResponseHeaders(200, BODY.length);
                exchange.getResponseBody().write(BODY);
                exchange.close();
            });
            if (limiter != null) {
                context.getFilters()
                        .add(ExchangeRateLimitFilter.of(
                                limiter, ExchangeRateLimitFilter.clientAddress(ClientAddresses.peer())));
            }
            server.start();
        }

        private int port() {
            return server.getAddress().getPort();
        }

        @Override
        public void close() {
            server.stop(0);
            threads.shutdownNow();
        }
    }
}
