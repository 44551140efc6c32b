package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.FaultProxy;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** That the server and the proxy of the other tests do what they say. */
@SuppressWarnings("try") // closes what it has made on purpose
class RealServerTest {

    @Test
    void a_server_answers_through_a_proxy_until_it_is_killed() {
        try (RedisServer server = RedisServer.start();
                FaultProxy proxy = FaultProxy.to(server.port());
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + proxy.port());
                StatefulRedisConnection<String, String> connection = client.connect()) {
            connection.sync().set("a", "b");
            proxy.cut();
            assertThat(getAgain(connection)).isEqualTo("b");
            server.kill();
            server.restart();
            assertThat(getAgain(connection)).isNull();
            server.kill();
            proxy.refuse(true);
            assertThatThrownBy(client::connect).hasMessageContaining("Unable to connect");
        }
    }

    /** A command that is written before the client has noticed the cut fails with it. */
    private static String getAgain(StatefulRedisConnection<String, String> connection) {
        while (true) {
            try {
                return connection.sync().get("a");
            } catch (RedisException cut) {
                assertThat(cut).hasRootCauseInstanceOf(IOException.class);
            }
        }
    }
}
