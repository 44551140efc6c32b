package dev.levee.examples.shortlink.engines;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;

/**
 * A client of Redis that notices soon when the server goes, and as soon when it is back: Lettuce alone keeps commands
 * for a server that is away, and waits up to 30 seconds between its tries to connect.
 */
public final class RedisConnection implements AutoCloseable {
    private static final int THREADS = 2;
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration RECONNECT = Duration.ofMillis(100);

    private final ClientResources resources;
    private final RedisClient client;

    private RedisConnection(ClientResources resources, RedisClient client) {
        this.resources = resources;
        this.client = client;
    }

    /**
     * Makes a client; nothing connects yet.
     *
     * @param url the address of the server
     * @return the client, to be closed
     */
    public static RedisConnection to(String url) {
        ClientResources resources = ClientResources.builder()
                .ioThreadPoolSize(THREADS)
                .computationThreadPoolSize(THREADS)
                .reconnectDelay(Delay.constant(RECONNECT))
                .build();
        RedisURI address = RedisURI.create(url);
        address.setTimeout(CONNECT);
        RedisClient client = RedisClient.create(resources, address);
        client.setOptions(ClientOptions.builder()
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .socketOptions(SocketOptions.builder().connectTimeout(CONNECT).build())
                .build());
        return new RedisConnection(resources, client);
    }

    /**
     * The client of Lettuce.
     *
     * @return closed with this
     */
    public RedisClient client() {
        return client;
    }

    @Override
    public void close() {
        client.shutdown();
        resources.shutdown();
    }
}
