package dev.levee.redis.cache;

import dev.levee.loadbalancing.hash.ShardMap;
import io.lettuce.core.RedisClient;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The servers of a tier, and which of them has a key: one that is read, and while keys move another one. */
final class TierServers implements AutoCloseable {
    /** A set of servers and the map over their names. */
    record Shards(ShardMap map, Map<String, TierNode> nodes) {
        TierNode of(byte[] key) {
            if (nodes.size() == 1) {
                return nodes.values().iterator().next();
            }
            return of(map.shardOf(key));
        }

        TierNode of(String name) {
            TierNode node = nodes.get(name);
            if (node == null) {
                throw new IllegalStateException("there is no server " + name);
            }
            return node;
        }
    }

    /**
     * Where keys are.
     *
     * @param read where they are read and filled
     * @param also where changes are told as well; null unless keys move
     */
    record Routing(Shards read, @Nullable Shards also) {}

    private final BiFunction<String, RedisClient, TierNode> open;
    private volatile Routing routing;

    /** Whether keys move, or are about to. */
    private final AtomicBoolean moving = new AtomicBoolean();

    private volatile boolean closed;

    TierServers(Map<String, RedisClient> clients, BiFunction<String, RedisClient, TierNode> open) {
        this.open = open;
        this.routing = new Routing(shards(clients, Map.of()), null);
    }

    void start() {
        routing.read().nodes().values().forEach(TierNode::start);
    }

    private Shards shards(Map<String, RedisClient> clients, Map<String, TierNode> there) {
        Map<String, TierNode> nodes = new LinkedHashMap<>();
        clients.forEach((name, client) -> {
            TierNode known = there.get(name);
            nodes.put(name, known == null ? open.apply(name, client) : known);
        });
        return new Shards(ShardMap.of(clients.keySet()), nodes);
    }

    Routing routing() {
        return routing;
    }

    /** Returns the server where a key is read and filled. */
    TierNode of(byte[] key) {
        return routing.read().of(key);
    }

    /** Returns the servers that are told of a change of a key. */
    List<TierNode> toldOf(byte[] key) {
        Routing now = routing;
        TierNode first = now.read().of(key);
        TierNode second = now.also() == null ? first : now.also().of(key);
        return second == first ? List.of(first) : List.of(first, second);
    }

    /** Returns all servers. */
    List<TierNode> all() {
        Routing now = routing;
        List<TierNode> all = new ArrayList<>(now.read().nodes().values());
        if (now.also() != null) {
            now.also().nodes().values().stream()
                    .filter(each -> !all.contains(each))
                    .forEach(all::add);
        }
        return all;
    }

    /** Opens the servers of another set, which may take a while; changes are told there as well from now on. */
    Shards beginMove(Map<String, RedisClient> clients) {
        if (!moving.compareAndSet(false, true)) {
            throw new IllegalStateException("keys are being moved already");
        }
        boolean begun = false;
        try {
            Shards next = opened(clients);
            begun = true;
            return next;
        } finally {
            if (!begun) {
                moving.set(false);
            }
        }
    }

    private Shards opened(Map<String, RedisClient> clients) {
        Routing now = routing;
        Shards next = shards(clients, now.read().nodes());
        next.nodes().forEach((name, node) -> {
            if (!now.read().nodes().containsKey(name)) {
                node.start();
            }
        });
        routing = new Routing(now.read(), next);
        if (closed) { // meanwhile
            close(next, now.read());
        }
        return next;
    }

    /** Takes {@link #beginMove} back. */
    void abandonMove() {
        Routing now = routing;
        routing = new Routing(now.read(), null);
        close(now.also(), now.read());
        moving.set(false);
    }

    private static void close(@Nullable Shards gone, Shards there) {
        if (gone != null) {
            gone.nodes().forEach((name, node) -> {
                if (!there.nodes().containsKey(name)) {
                    node.close();
                }
            });
        }
    }

    void switchReads(Shards next) {
        routing = new Routing(next, routing.read());
    }

    void endMove(Shards next) {
        Shards before = routing.also();
        routing = new Routing(next, null);
        close(before, next);
        moving.set(false);
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        all().forEach(TierNode::close);
    }
}
