package dev.levee.benchmarks.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.util.concurrent.atomic.AtomicInteger;

/** The server of a run, on loopback; its port is the property {@code redis.port}. */
final class Server {
    /** The name of the property. */
    static final String PORT = "redis.port";

    private static final AtomicInteger NAMES = new AtomicInteger();

    private Server() {}

    static int port() {
        return Integer.getInteger(PORT);
    }

    static RedisClient lettuce() {
        return RedisClient.create(RedisURI.create("127.0.0.1", port()));
    }

    /** A name that no earlier iteration or process has used. */
    static String newName(String what) {
        return what + "-" + ProcessHandle.current().pid() + "-" + NAMES.incrementAndGet();
    }
}
