package dev.levee.grpc;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A line between client and server that can be cut: connections are reset, as when a machine dies. */
final class CutProxy implements AutoCloseable {
    private final ServerSocket front;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final int target;

    CutProxy(int target) {
        this.target = target;
        try {
            front = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    int port() {
        return front.getLocalPort();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = front.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(client);
            sockets.add(server);
            start(() -> pump(client, server));
            start(() -> pump(server, client));
        }
    }

    private static void pump(Socket from, Socket to) throws IOException {
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[8192];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                out.write(buffer, 0, read);
                out.flush();
            }
        }
    }

    private interface Io {
        void run() throws IOException;
    }

    private static void start(Io task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException closed) {
                // the line was cut
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    /** Resets all connections; new ones are possible. */
    void cut() {
        for (Socket each : sockets) {
            try {
                each.setSoLinger(true, 0);
                each.close();
            } catch (IOException gone) {
                // as wanted
            }
        }
    }

    @Override
    public void close() {
        try {
            front.close();
        } catch (IOException gone) {
            // as wanted
        }
        cut();
    }
}
