package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which node is the primary, and which may be read. */
class RolesTest {
    @Test
    void the_node_that_takes_writes_is_the_primary_and_the_others_are_read() throws Exception {
        try (FakeNodes nodes = new FakeNodes("a", "b", "c")) {
            nodes.node("a").replica(5);
            nodes.node("b").primary(5);
            nodes.node("c").replica(5);
            nodes.start();
            nodes.probe();
            assertThat(nodes.primary()).isEqualTo("b");
            assertThat(nodes.readable()).containsExactly("a", "c");
            assertThat(FakeNodes.who(nodes.routing)).isEqualTo("b");
            assertThat(FakeNodes.who(nodes.routing.reads())).isIn("a", "c");
        }
    }

    @Test
    void no_node_is_the_primary_before_each_has_answered_or_is_taken_for_dead() throws Exception {
        DatabaseNode old = new DatabaseNode("old", new FakeNodes.Node("old").source());
        DatabaseNode next = new DatabaseNode("next", new FakeNodes.Node("next").source());
        ClusterRoles roles = new ClusterRoles("db", List.of(old, next), 1_000, usable -> {});
        roles.answered(old, new NodeReading(true, 10, 1, ""), 0);
        assertThat(roles.primary().node()).isNull();
        assertThat(roles.primary().complete()).isFalse();
        roles.failed(next, true);
        assertThat(roles.primary().node()).as("one time-out says little").isNull();
        roles.answered(next, new NodeReading(true, 10, 2, ""), 0);
        assertThat(roles.primary().node()).isSameAs(next);
    }

    @Test
    void two_nodes_that_take_writes_are_both_refused_until_one_gives_way() throws Exception {
        try (FakeNodes nodes = new FakeNodes("a", "b")) {
            nodes.node("a").primary(5);
            nodes.node("b").primary(5);
            nodes.start();
            assertThatThrownBy(() -> FakeNodes.who(nodes.routing))
                    .isInstanceOf(NoPrimaryException.class)
                    .hasMessageStartingWith("data source \"db\": ")
                    .hasMessageContaining("a (timeline 0) and b (timeline 0) all take writes");
            nodes.node("a").replica(5);
            nodes.probe();
            assertThat(FakeNodes.who(nodes.routing)).isEqualTo("b");
        }
    }

    @Test
    void of_two_that_take_writes_the_higher_timeline_is_the_primary_and_the_other_is_not_read() throws Exception {
        try (FakeNodes nodes = new FakeNodes("old", "new")) {
            nodes.node("old").primary(900).timeline(1);
            nodes.node("new").primary(500).timeline(2);
            nodes.start();
            nodes.probe();
            assertThat(nodes.primary()).isEqualTo("new");
            assertThat(nodes.readable()).isEmpty();
            assertThat(nodes.status("old").why()).contains("takes writes, but is not the primary");
        }
    }

    @Test
    void a_timeline_that_was_seen_once_fences_the_older_ones_for_good() throws Exception {
        try (FakeNodes nodes = new FakeNodes("old", "new")) {
            nodes.node("old").primary(10).timeline(1);
            nodes.node("new").replica(10).timeline(1);
            nodes.start();
            nodes.node("old").dead = true;
            nodes.probe();
            assertThat(nodes.primary()).as("one that does not answer stays it").isEqualTo("old");
            nodes.node("new").primary(10).timeline(2);
            nodes.probe();
            assertThat(nodes.primary()).isEqualTo("new");
            nodes.node("new").dead = true;
            nodes.node("old").dead = false;
            nodes.probe();
            nodes.probe();
            assertThat(nodes.primary()).isEqualTo("new");
            assertThatThrownBy(() -> FakeNodes.who(nodes.routing)).isInstanceOf(SQLException.class);
        }
    }

    @Test
    void a_replica_that_has_seen_a_higher_timeline_unseats_the_primary() throws Exception {
        try (FakeNodes nodes = new FakeNodes("old", "replica")) {
            nodes.node("old").primary(10).timeline(1);
            nodes.node("replica").replica(10).timeline(1);
            nodes.start();
            nodes.node("replica").timeline(2);
            nodes.probe();
            assertThatThrownBy(() -> FakeNodes.who(nodes.routing))
                    .isInstanceOf(NoPrimaryException.class)
                    .hasMessageContaining("no node takes writes at timeline 2")
                    .hasMessageContaining("old is of the older timeline 1");
        }
    }

    @Test
    void a_replica_of_an_older_timeline_or_of_another_database_is_not_read() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "stray", "other")) {
            nodes.node("p").primary(10).timeline(2).cluster = "x";
            nodes.node("stray").replica(10).timeline(1).cluster = "x";
            nodes.node("other").replica(10).timeline(2).cluster = "y";
            nodes.start();
            nodes.probe();
            assertThat(nodes.readable()).isEmpty();
            assertThat(nodes.status("stray").why()).contains("timeline 1");
            assertThat(nodes.status("other").why()).contains("another database");
        }
    }

    @Test
    void a_connection_to_a_node_that_is_not_the_primary_any_more_executes_and_commits_nothing() throws Exception {
        try (FakeNodes nodes = new FakeNodes("a", "b")) {
            nodes.node("a").primary(10).timeline(1);
            nodes.node("b").replica(10).timeline(1);
            nodes.start();
            try (Connection open = nodes.routing.getConnection();
                    Connection each = nodes.routing.getConnection()) {
                open.setAutoCommit(false);
                Statement late = each.createStatement();
                late.executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
                open.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (2, 'x')");
                nodes.node("b").primary(10).timeline(2);
                nodes.probe();
                assertThatThrownBy(open::commit)
                        .isInstanceOf(NoPrimaryException.class)
                        .hasMessageContaining("now b is");
                assertThatThrownBy(() -> late.executeUpdate("INSERT INTO t (id, v) VALUES (3, 'x')"))
                        .isInstanceOf(NoPrimaryException.class);
            }
            assertThat(nodes.node("a").value(1)).isEqualTo("x");
            assertThat(nodes.node("a").value(2)).isNull();
            assertThat(nodes.node("a").value(3)).isNull();
        }
    }

    @Test
    void a_failed_write_to_a_server_that_became_read_only_is_followed_by_a_probe_at_once() throws Exception {
        try (FakeNodes nodes = new FakeNodes("a", "b")) {
            nodes.node("a").primary(10);
            nodes.node("b").replica(10);
            nodes.start();
            nodes.node("a").dead = true;
            nodes.node("b").primary(10);
            assertThatThrownBy(() -> FakeNodes.who(nodes.routing)).isInstanceOf(SQLException.class);
            nodes.time.runReady();
            assertThat(nodes.primary()).isEqualTo("b");
        }
    }

    @Test
    void a_replica_leaves_when_it_is_behind_and_comes_back() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r")) {
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            nodes.start(config -> config.maxLag(Duration.ofSeconds(5)));
            nodes.probe();
            assertThat(nodes.readable()).containsExactly("r");
            for (int i = 1; i <= 4; i++) {
                nodes.node("p").position = 10L + i;
                nodes.probe();
            }
            assertThat(nodes.readable()).as("4 s").containsExactly("r");
            for (int i = 5; i <= 8; i++) {
                nodes.node("p").position = 10L + i;
                nodes.probe();
            }
            assertThat(nodes.readable()).isEmpty();
            assertThat(nodes.status("r").why()).contains("behind");
            assertThat(nodes.status("r").lag()).isGreaterThan(Duration.ofSeconds(5));
            assertThat(FakeNodes.who(nodes.routing.reads()))
                    .as("the primary instead")
                    .isEqualTo("p");
            nodes.node("r").position = 18;
            nodes.probe();
            assertThat(nodes.readable()).containsExactly("r");
        }
    }

    @Test
    void a_replica_that_is_years_behind_is_never_read() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r")) {
            nodes.node("p").primary(1_000_000);
            nodes.node("r").replica(3);
            nodes.start(config -> config.maxLag(Duration.ofDays(365)));
            for (int i = 0; i < 5; i++) {
                nodes.probe();
                assertThat(nodes.readable()).isEmpty();
                assertThat(FakeNodes.who(nodes.routing.reads())).isEqualTo("p");
            }
            assertThat(nodes.status("r").why()).contains("behind all that is known");
        }
    }

    @Test
    void no_replica_is_read_before_a_primary_was_seen() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r")) {
            nodes.node("p").dead = true;
            nodes.node("r").replica(3);
            nodes.start();
            nodes.probe();
            assertThatThrownBy(() -> FakeNodes.who(nodes.routing.reads()))
                    .isInstanceOf(NoPrimaryException.class)
                    .hasMessageContaining("p does not answer");
        }
    }

    @Test
    void an_idle_primary_makes_no_lag() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r")) {
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            nodes.start();
            nodes.time.advance(Duration.ofHours(3));
            assertThat(nodes.readable()).containsExactly("r");
            assertThat(nodes.status("r").lag()).isZero();
        }
    }

    @Test
    void while_the_primary_is_dead_replicas_are_read_but_not_one_that_stands_still() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r", "s")) {
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            nodes.node("s").replica(10);
            nodes.start();
            nodes.probe();
            nodes.node("p").dead = true;
            nodes.time.advance(Duration.ofMinutes(5));
            assertThat(nodes.readable()).containsExactly("r", "s");
            for (int i = 0; i < 20; i++) { // only this process does not reach the primary
                nodes.node("r").replica(11L + i);
                nodes.probe();
            }
            assertThat(nodes.readable()).containsExactly("r");
        }
    }

    @Test
    void a_dead_replica_leaves_and_comes_back_and_reads_go_on() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r", "s")) {
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            nodes.node("s").replica(10);
            nodes.start();
            nodes.probe();
            nodes.node("r").dead = true;
            for (int i = 0; i < 20; i++) {
                assertThat(FakeNodes.who(nodes.routing.reads())).isEqualTo("s");
            }
            nodes.probe();
            assertThat(nodes.readable()).containsExactly("s");
            nodes.node("r").dead = false;
            nodes.probe();
            assertThat(nodes.readable()).containsExactly("r", "s");
        }
    }

    @Test
    void a_replica_that_comes_back_gets_its_share_slowly() throws Exception {
        try (FakeNodes nodes = new FakeNodes("p", "r", "s")) {
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            nodes.node("s").replica(10);
            nodes.start(config -> config.slowStart(Duration.ofSeconds(100)));
            nodes.time.advance(Duration.ofSeconds(200));
            nodes.node("r").dead = true;
            nodes.probe();
            nodes.node("r").dead = false;
            nodes.probe();
            int early = 0;
            for (int i = 0; i < 1000; i++) {
                early += FakeNodes.who(nodes.routing.reads()).equals("r") ? 1 : 0;
            }
            assertThat(early).isBetween(10, 300);
            nodes.time.advance(Duration.ofSeconds(200));
            int late = 0;
            for (int i = 0; i < 1000; i++) {
                late += FakeNodes.who(nodes.routing.reads()).equals("r") ? 1 : 0;
            }
            assertThat(late).isBetween(400, 600);
        }
    }

    @Test
    void probes_keep_one_connection_each_and_give_it_back() throws Exception {
        FakeNodes nodes = new FakeNodes("p", "r");
        nodes.node("p").primary(10);
        nodes.node("r").replica(10);
        nodes.start();
        nodes.time.advance(Duration.ofMinutes(2));
        assertThat(nodes.node("p").opened).hasValue(1);
        assertThat(nodes.node("r").opened).hasValue(1);
        nodes.close();
        assertThat(nodes.node("p").lent()).isZero();
        assertThat(nodes.node("r").lent()).isZero();
        assertThat(nodes.time.pendingTimers()).isZero();
        assertThatThrownBy(() -> nodes.routing.getConnection()).hasMessageContaining("closed");
    }
}
