package dev.levee.examples.shortlink.engines;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.cluster.Parent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Redis on the loopback interface, which keeps nothing on disk: it is empty whenever it starts. */
public final class RedisEngine {
    private static final int PATIENCE_MILLIS = 1_000;

    private RedisEngine() {}

    /**
     * Serves until the process ends.
     *
     * @param wanted the port, 0 for any
     * @param directory where its log is
     */
    public static void run(int wanted, Path directory) {
        try {
            int port = wanted == 0 ? KeptServer.freePort() : wanted;
            Files.createDirectories(directory);
            List<String> command = List.of(
                    Programs.redis().toString(),
                    "--port",
                    String.valueOf(port),
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                    "--dir",
                    directory.toString());
            KeptServer server = KeptServer.start("redis-server", command, null, directory.resolve("redis.log"));
            server.await(() -> answers(port));
            server.serve(port);
        } catch (UsageException e) {
            Parent.failed(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            Parent.failed("cannot make the directory " + directory);
        }
    }

    /**
     * How to reach it.
     *
     * @param port where it serves
     * @return an address as clients of Redis take it
     */
    public static String url(int port) {
        return "redis://127.0.0.1:" + port;
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() == '+';
        } catch (IOException e) {
            return false;
        }
    }
}
