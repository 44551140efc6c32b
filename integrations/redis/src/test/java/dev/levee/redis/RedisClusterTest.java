package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.PermitRequest;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A real cluster of three servers. */
class RedisClusterTest {
    private static final int SLOTS = 16384;
    private static final Limit TEN = Limit.of(10, Duration.ofHours(10));

    @Test
    void a_batch_is_spread_over_the_slots_that_it_needs_and_charged_once() throws Exception {
        List<RedisServer> servers = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                servers.add(
                        RedisServer.start("--cluster-enabled", "yes", "--cluster-port", Integer.toString(freePort())));
            }
            join(servers);
            RedisClusterClient client = RedisClusterClient.create(servers.stream()
                    .map(it -> it.uri())
                    .map(io.lettuce.core.RedisURI::create)
                    .toList());
            try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
                spread(connection);
                oneServer(servers.get(0));
            } finally {
                client.shutdown(0, 1, TimeUnit.SECONDS);
            }
        } finally {
            servers.forEach(RedisServer::close);
        }
    }

    private static void spread(StatefulRedisClusterConnection<String, String> connection) {
        RedisQuotaStore store =
                RedisQuotaStore.of(connection, config -> config.shards(16).startFull(true));
        List<QuotaRequest> requests = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            requests.add(new QuotaRequest(
                    "api {x}", "key" + i, new QuotaTerms(TEN, 0, 0), 0, Long.MAX_VALUE, 4, 4, 4, Long.MAX_VALUE));
        }
        QuotaBatch batch = new QuotaBatch("a", 1, requests);
        for (int i = 0; i < 2; i++) {
            List<QuotaGrant> grants =
                    store.take(batch).orTimeout(30, TimeUnit.SECONDS).join();
            assertThat(grants).extracting(QuotaGrant::permits).containsOnly(4L).hasSize(200);
            assertThat(grants).extracting(QuotaGrant::remaining).containsOnly(6L);
        }
        connection
                .getPartitions()
                .forEach(node -> assertThat(connection
                                .getConnection(node.getNodeId())
                                .sync()
                                .dbsize())
                        .isPositive());
        assertThat(RedisPermitStore.of(connection, config -> config.shards(16).startFull(true))
                        .renew(new PermitRequest("pool", "a", 1, 10, 1_000_000_000, 0, 0, 4, 4))
                        .orTimeout(30, TimeUnit.SECONDS)
                        .join()
                        .permits())
                .isEqualTo(4);
    }

    /** A connection to one server only is told that it is one of a cluster. */
    private static void oneServer(RedisServer server) {
        RedisClient client = RedisClient.create(server.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 50; i++) {
                            String prefix = "p" + i;
                            QuotaRequest request = new QuotaRequest(
                                    "api", "k", new QuotaTerms(TEN, 0, 0), 0, Long.MAX_VALUE, 1, 1, 1, Long.MAX_VALUE);
                            RedisQuotaStore.of(connection, config -> config.prefix(prefix))
                                    .take(new QuotaBatch("a", 1, List.of(request)))
                                    .join();
                        }
                    })
                    .hasCauseInstanceOf(RedisLimitException.class)
                    .hasMessageContaining("the server is one of a cluster; use a connection of RedisClusterClient");
        } finally {
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    private static int freePort() throws Exception {
        try (java.net.ServerSocket socket =
                new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Each server gets a third of the slots, and hears of the others. */
    private static void join(List<RedisServer> servers) throws Exception {
        List<String> command = new ArrayList<>(List.of("redis-cli", "--cluster", "create"));
        servers.forEach(each -> command.add("127.0.0.1:" + each.port()));
        command.addAll(List.of("--cluster-replicas", "0", "--cluster-yes"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).contains("All " + SLOTS + " slots covered");
        for (RedisServer server : servers) {
            RedisClient client = RedisClient.create(server.uri());
            try (StatefulRedisConnection<String, String> connection = client.connect()) {
                long start = System.nanoTime();
                while (!connection.sync().clusterInfo().contains("cluster_state:ok")) {
                    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(60));
                    TimeUnit.MILLISECONDS.sleep(50);
                }
            } finally {
                client.shutdown(0, 1, TimeUnit.SECONDS);
            }
        }
    }
}
