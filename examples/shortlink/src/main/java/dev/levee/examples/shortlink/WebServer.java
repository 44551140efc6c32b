package dev.levee.examples.shortlink;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.levee.core.Measured;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An HTTP server on the loopback interface. */
public final class WebServer implements AutoCloseable {
    /**
     * How many connections may wait to be accepted: the default of 50 is less than a crowd, and a dropped connection is
     * retried after a second.
     */
    private static final int BACKLOG = 1024;

    static {
        System.setProperty(
                "sun.net.httpserver.nodelay", "true"); // else a small answer waits 40 ms for an acknowledgement
        System.setProperty(
                "sun.net.httpserver.maxIdleConnections", "1000"); // else the next of 200 is closed, in use again or not
    }

    private final HttpServer server;
    private final ExecutorService threads;
    private final Runnable behind;
    private Measured figures = sink -> {};

    private WebServer(HttpServer server, ExecutorService threads, Runnable behind) {
        this.server = server;
        this.threads = threads;
        this.behind = behind;
    }

    /**
     * Starts a server.
     *
     * @param port the port, 0 for any
     * @param threads how many requests are handled at once
     * @param handler answers every request
     * @param behind closes what is behind the server
     * @return the server
     * @throws UsageException if the port is in use
     */
    public static WebServer start(int port, int threads, HttpHandler handler, Runnable behind) throws UsageException {
        try {
            InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            HttpServer server = HttpServer.create(address, BACKLOG);
            ExecutorService executor = Executors.newFixedThreadPool(threads);
            server.setExecutor(executor);
            server.createContext("/", handler);
            server.start();
            return new WebServer(server, executor, behind);
        } catch (BindException e) {
            throw new UsageException("port " + port + " is in use");
        } catch (IOException e) {
            throw new UsageException("cannot serve on port " + port + ": " + e.getMessage());
        }
    }

    /**
     * Says what its figures are.
     *
     * @param value what measures; called on any thread
     * @return this
     */
    public WebServer measuredBy(Measured value) {
        figures = value;
        return this;
    }

    /**
     * What its policies measure.
     *
     * @return the figures, none unless said
     */
    public Measured figures() {
        return figures;
    }

    /**
     * Where it serves.
     *
     * @return the port
     */
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
        behind.run();
    }
}
