package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Probes that take long: the time passes while they run. */
class NodeProberTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(Runnable::run).build();
    private Duration takes = Duration.ZERO;
    private long failedMeanwhile;
    private boolean heardMeanwhile;

    private NodeProber prober(Duration every, DatabaseNode node) {
        ClusterRoles roles = new ClusterRoles("db", List.of(node), 1_000, usable -> {});
        ReplicationProbe probe = new ReplicationProbe() {
            @Override
            public NodeReading read(Connection connection) {
                Duration now = takes;
                takes = Duration.ZERO;
                time.advance(now);
                failedMeanwhile = node.failedProbes.sum();
                heardMeanwhile = roles.primary().complete();
                return new NodeReading(false, 5);
            }

            @Override
            public long position(Connection connection) {
                return 5;
            }
        };
        RoutingConfig config = RoutingConfig.builder()
                .probe(probe)
                .probeEvery(every)
                .probeTimeout(TIMEOUT)
                .build();
        return new NodeProber("db", node, config, roles, new ConnectionDefaults(), environment);
    }

    private static DatabaseNode node() throws SQLException {
        return new DatabaseNode("r", new FakeNodes.Node("r").source());
    }

    @Test
    void a_probe_within_its_timeout_is_not_late_whatever_timers_come_meanwhile() throws Exception {
        NodeProber prober = prober(Duration.ofMillis(100), node());
        prober.probeNow();
        takes = Duration.ofMillis(900);
        prober.probeNow();
        assertThat(failedMeanwhile).isZero();
        prober.close();
    }

    @Test
    void a_first_probe_that_does_not_come_back_is_one_more_time_out_with_each_interval() throws Exception {
        NodeProber prober = prober(Duration.ofSeconds(1), node());
        takes = Duration.ofSeconds(5);
        prober.probeNow();
        assertThat(failedMeanwhile).isBetween(4L, 5L);
        assertThat(heardMeanwhile).isTrue();
        prober.close();
    }
}
