package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** Which endpoints are ejected for failures in a row: the same as by comparing each with each. */
class EjectionsTest {
    private static final int RUN = 3;
    private static final long SECOND = 1_000_000_000L;

    private static HealthConfig<String> config(double maxEjected) {
        return HealthConfig.<String>builder()
                .consecutiveFailures(RUN)
                .maxEjected(maxEjected)
                .build();
    }

    private static NodeHealth node(HealthConfig<String> config, OutcomeCounters counters) {
        EndpointHealth health = EndpointHealth.joined(EndpointHealth.Rules.of(config), true, 0);
        return new NodeHealth("a", health, new OutcomeObserver(counters, new PauseDetector(0), () -> {}));
    }

    /** Endpoints with outcomes of every kind: with the same seed the same ones. */
    private static List<NodeHealth> nodes(HealthConfig<String> config, int size, long seed, long now) {
        Random random = new Random(seed);
        int kind = random.nextInt(4);
        List<NodeHealth> nodes = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            OutcomeCounters counters = new OutcomeCounters(RUN);
            NodeHealth node = node(config, counters);
            // Few seconds, so that many outcomes have the same age; some after the review has begun.
            long at = now - random.nextInt(6) * SECOND;
            int successes = random.nextInt(3) * random.nextInt(5);
            for (int call = 0; call < successes; call++) {
                counters.success(at);
            }
            if (random.nextBoolean()) {
                node.nextStep(0);
            }
            int failures = kind == 0 ? random.nextInt(12) : random.nextInt(4) == 0 ? random.nextInt(40) : 0;
            for (int call = 0; call < failures; call++) {
                counters.failure(at + random.nextInt(2) * SECOND);
            }
            if (kind == 2 && random.nextInt(3) == 0) {
                counters.success(now + SECOND);
            }
            int state = random.nextInt(10);
            if (state == 0) {
                node.health = node.health.drain(true, now);
            } else if (state == 1) {
                node.health = node.health.eject("earlier", now);
            } else if (state == 2) {
                node.weigh(RUN, 0.4);
            }
            nodes.add(node);
        }
        return nodes;
    }

    private static List<String> states(List<NodeHealth> nodes) {
        return nodes.stream()
                .map(node -> node.health.state() + " " + node.health.why())
                .toList();
    }

    @Property
    void the_same_endpoints_are_ejected_as_by_comparing_each_with_each(
            @ForAll @IntRange(max = 40) int size,
            @ForAll long seed,
            @ForAll @LongRange(min = -10, max = 10) long clock,
            @ForAll @IntRange(max = 4) int share) {
        HealthConfig<String> config = config(share / 4.0);
        long now = Long.MAX_VALUE + clock * SECOND; // past the end of the numbers, or just before it
        List<NodeHealth> nodes = nodes(config, size, seed, now);
        List<NodeHealth> same = nodes(config, size, seed, now);
        Ejections ejections = new Ejections(config);
        QuadraticEjections model = new QuadraticEjections(config);
        for (int review = 0; review < 2; review++) {
            ejections.byRuns(nodes, now);
            model.byRuns(same, now);
            assertThat(states(nodes)).isEqualTo(states(same));
            assertThat(ejections.count()).isEqualTo(model.count);
            assertThat(ejections.isSuspended()).isEqualTo(model.suspended);
        }
    }

    /** Counters that count how often they are read. */
    private static final class Read extends OutcomeCounters {
        private long reads;

        Read() {
            super(RUN);
        }

        @Override
        long run() {
            reads++;
            return super.run();
        }

        @Override
        long lastNanos() {
            reads++;
            return super.lastNanos();
        }
    }

    @Test
    void of_several_outliers_those_with_the_lowest_success_rate_are_ejected_where_not_all_may_be() {
        HealthConfig<String> config = HealthConfig.<String>builder()
                .failureRate(0.5, 20)
                .minEndpoints(2)
                .maxEjected(0.2)
                .build();
        List<NodeHealth> nodes = new ArrayList<>();
        for (int failures : new int[] {0, 60, 0, 90, 0, 0, 0}) {
            OutcomeCounters counters = new OutcomeCounters(0);
            NodeHealth node = node(config, counters);
            for (int call = 0; call < 100; call++) {
                if (call < failures) {
                    counters.failure(0);
                } else {
                    counters.success(0);
                }
            }
            node.nextStep(0);
            nodes.add(node);
        }
        new Ejections(config).byRates(nodes, SECOND);
        assertThat(nodes.stream().map(node -> node.health.isEjected()))
                .containsExactly(false, false, false, true, false, false, false);
        assertThat(nodes.get(3).health.why()).isEqualTo("90 of 100 calls failed");
    }

    @Test
    void counters_are_not_read_once_for_each_other_endpoint() {
        HealthConfig<String> config = config(1.0);
        List<Read> counters = new ArrayList<>();
        List<NodeHealth> nodes = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Read read = new Read();
            for (int call = 0; call < 10; call++) {
                read.failure(call);
            }
            read.reads = 0;
            counters.add(read);
            nodes.add(node(config, read));
        }
        new Ejections(config).byRuns(nodes, 10);
        assertThat(counters).allSatisfy(read -> assertThat(read.reads).isBetween(1L, 10L));
    }

    /** Calls change the runs while they are sorted. */
    @Test
    void runs_that_change_while_they_are_compared_do_not_confuse_the_order() {
        HealthConfig<String> config = config(1.0);
        Random random = new Random(5);
        for (int review = 0; review < 20; review++) {
            List<NodeHealth> nodes = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                OutcomeCounters unsteady = new OutcomeCounters(RUN) {
                    @Override
                    long run() {
                        return RUN + (long) random.nextInt(1_000);
                    }
                };
                unsteady.success(1);
                nodes.add(node(config, unsteady));
            }
            assertThatCode(() -> new Ejections(config).byRuns(nodes, 10)).doesNotThrowAnyException();
        }
    }

    /** How it was: each suspect is compared with each other endpoint. */
    private static final class QuadraticEjections {
        private final double maxShare;
        private final long fadeNanos;
        private long count;
        private boolean suspended;

        QuadraticEjections(HealthConfig<?> config) {
            maxShare = config.maxEjected();
            fadeNanos = Nanos.of(config.ejectFor());
        }

        void byRuns(List<NodeHealth> nodes, long now) {
            List<NodeHealth> suspects = nodes.stream()
                    .filter(node -> node.health.isUsable() && node.run() >= RUN)
                    .filter(node -> node.hasOutcomeSince(now - fadeNanos))
                    .sorted(Comparator.comparingLong(NodeHealth::run).reversed())
                    .toList();
            for (NodeHealth suspect : suspects) {
                long length = suspect.run();
                double rate = rateOfPeers(suspect, nodes);
                if (suspect.weigh(RUN, rate) >= RUN - 1e-9) {
                    eject(suspect, nodes, length + " failures in a row", now);
                } else if (rate >= 0.5) {
                    suspended = true;
                }
            }
        }

        private static double rateOfPeers(NodeHealth suspect, List<NodeHealth> nodes) {
            long since = suspect.runSince();
            int during = 0;
            int failingDuring = 0;
            int ever = 0;
            int failingEver = 0;
            long failures = 0;
            long calls = 0;
            for (NodeHealth node : nodes) {
                if (node == suspect || !node.health.isUsable() || !node.hasOutcome()) {
                    continue;
                }
                int failing = node.run() > 0 ? 1 : 0;
                ever++;
                failingEver += failing;
                if (node.hasOutcomeSince(since)) {
                    during++;
                    failingDuring += failing;
                }
                if (node.run() < RUN) {
                    failures += node.recentFailures();
                    calls += node.recentFailures() + node.recentSuccesses();
                }
            }
            double last = during > 0 ? (double) failingDuring / during : ever > 0 ? (double) failingEver / ever : 0.0;
            double recent = calls >= 10 ? (double) failures / calls : 0.0;
            return Math.max(last > 0.25 ? last : 0.0, recent);
        }

        private void eject(NodeHealth node, List<NodeHealth> nodes, String why, long now) {
            int all = 0;
            int usable = 0;
            for (NodeHealth one : nodes) {
                all += one.health.isDraining() ? 0 : 1;
                usable += one.health.isUsable() ? 1 : 0;
            }
            int allowed = maxShare == 0.0 ? 0 : Math.max(1, (int) (maxShare * all + 1e-9));
            if (node.health.isUsable() && usable > 1 && all - usable < allowed) {
                node.health = node.health.eject(why, now);
                count++;
            }
        }
    }
}
