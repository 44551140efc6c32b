package dev.levee.core;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A proxy on loopback in front of a server, which breaks what goes through it: cuts connections, refuses new ones,
 * holds bytes back, delays them, or forwards half of an answer and cuts then.
 */
public final class FaultProxy implements AutoCloseable {
    private static final int BUFFER_BYTES = 16 * 1024;

    private final ServerSocket listening;
    private final InetSocketAddress server;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicLong accepted = new AtomicLong();
    private boolean requestsFrozen;
    private boolean answersFrozen;
    private volatile boolean refusing;
    private volatile long delayNanos;
    private volatile boolean halving;

    private FaultProxy(ServerSocket listening, InetSocketAddress server) {
        this.listening = listening;
        this.server = server;
    }

    /** Starts a proxy in front of a port of loopback. */
    public static FaultProxy to(int port) {
        try {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            FaultProxy proxy =
                    new FaultProxy(new ServerSocket(0, 1024, loopback), new InetSocketAddress(loopback, port));
            daemon(proxy::accept, "proxy-accept");
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The port to connect to. */
    public int port() {
        return listening.getLocalPort();
    }

    /** How many connections were accepted so far. */
    public long accepted() {
        return accepted.get();
    }

    /** Closes all connections at once, with a reset. New ones are served. */
    public void cut() {
        links.forEach(Link::cut);
    }

    /** From now on connections are closed as soon as they are accepted, or served again. */
    public void refuse(boolean on) {
        refusing = on;
    }

    /** Holds all bytes back in both directions, until {@link #thaw}. */
    public void freeze() {
        freeze(true, true);
    }

    /** Lets requests through to the server, and holds its answers back, until {@link #thaw}. */
    public void freezeAnswers() {
        freeze(false, true);
    }

    /** Forwards what was held back, and all that comes. */
    public void thaw() {
        freeze(false, false);
    }

    private void freeze(boolean requests, boolean answers) {
        lock.lock();
        try {
            requestsFrozen = requests;
            answersFrozen = answers;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Delays what goes through, in each direction. */
    public void delay(Duration each) {
        delayNanos = each.toNanos();
    }

    /** The next answer on each connection is forwarded by half, and the connection is cut then. */
    public void halveAnswers(boolean on) {
        halving = on;
    }

    @Override
    public void close() {
        thaw();
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cut();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                accepted.incrementAndGet();
                if (refusing) {
                    client.setSoLinger(true, 0);
                    client.close();
                    continue;
                }
                serve(client);
            } catch (IOException e) {
                // the proxy was closed, or the client is gone
            }
        }
    }

    private void serve(Socket client) throws IOException {
        Socket inner = new Socket();
        try {
            inner.connect(server);
        } catch (IOException e) {
            client.setSoLinger(true, 0);
            client.close();
            return;
        }
        client.setTcpNoDelay(true);
        inner.setTcpNoDelay(true);
        Link link = new Link(client, inner);
        links.add(link);
        daemon(() -> link.pump(client, inner, true), "proxy-requests");
        daemon(() -> link.pump(inner, client, false), "proxy-answers");
    }

    private static void daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void awaitThaw(boolean request) throws InterruptedException {
        lock.lock();
        try {
            while (request ? requestsFrozen : answersFrozen) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A connection of a client, and the one to the server that belongs to it. */
    private final class Link {
        private final Socket client;
        private final Socket inner;

        Link(Socket client, Socket inner) {
            this.client = client;
            this.inner = inner;
        }

        void pump(Socket from, Socket to, boolean request) {
            byte[] buffer = new byte[BUFFER_BYTES];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    if (delayNanos > 0) {
                        TimeUnit.NANOSECONDS.sleep(delayNanos);
                    }
                    awaitThaw(request);
                    if (!request && halving) {
                        out.write(buffer, 0, read / 2);
                        out.flush();
                        break;
                    }
                    out.write(buffer, 0, read);
                    out.flush();
                }
            } catch (IOException | InterruptedException e) {
                // the link ends, see below
            }
            cut();
        }

        void cut() {
            links.remove(this);
            for (Socket each : new Socket[] {client, inner}) {
                try {
                    each.setSoLinger(true, 0);
                    each.close();
                } catch (IOException e) {
                    // closed already
                }
            }
        }
    }
}
