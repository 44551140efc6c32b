package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.Explanation;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LeastTimeTest {
    private static final long MILLI = 1_000_000L;

    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().random(new Random(1)).build();
    private final UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(3));

    private LoadBalancer<String> balancer() {
        return LoadBalancer.of("nodes", BalancingStrategy.leastTime(), source, config -> {}, environment);
    }

    private void call(LoadBalancer<String> nodes, ToLongFunction<String> millis) {
        nodes.call(address -> {
            time.advance(Duration.ofMillis(millis.applyAsLong(address)));
            return address;
        });
    }

    private static long latency(LoadBalancer<String> nodes, String id) {
        return nodes.snapshot().stream()
                .filter(state -> state.endpoint().id().equals(id))
                .findFirst()
                .orElseThrow()
                .latencyNanos();
    }

    private static Map<String, Integer> picks(LoadBalancer<String> nodes, int picks) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < picks; i++) {
            try (Ticket<String> ticket = nodes.pick()) {
                counts.merge(ticket.endpoint().id(), 1, Integer::sum);
            }
        }
        return counts;
    }

    @Test
    void a_slow_endpoint_is_avoided_and_tried_again_later() {
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 100; i++) {
            call(nodes, id -> id.equals("e01") ? 300 : 10);
        }
        assertThat(latency(nodes, "e00")).isEqualTo(10 * MILLI);
        assertThat(latency(nodes, "e01")).isGreaterThan(250 * MILLI);
        assertThat(picks(nodes, 200)).doesNotContainKey("e01");
        time.advance(Duration.ofSeconds(25));
        assertThat(latency(nodes, "e01")).isEqualTo(10 * MILLI);
        assertThat(picks(nodes, 200)).containsKey("e01");
    }

    @Test
    void microseconds_make_a_difference() {
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 100; i++) {
            nodes.call(id -> {
                time.advance(Duration.ofNanos(id.equals("e01") ? 70_000 : 50_000));
                return id;
            });
        }
        assertThat(picks(nodes, 200)).doesNotContainKey("e01");
    }

    @Test
    void a_stalled_endpoint_is_avoided_before_any_call_has_ended() {
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 50; i++) {
            call(nodes, id -> 10);
        }
        List<Ticket<String>> open = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            open.add(nodes.pick());
        }
        time.advance(Duration.ofMillis(10));
        open.stream()
                .filter(ticket -> !ticket.endpoint().id().equals("e02"))
                .forEach(ticket -> ticket.complete(Verdict.SUCCESS));
        open.removeIf(ticket -> !ticket.endpoint().id().equals("e02"));
        // As many in flight everywhere, but those of e02 do not end.
        for (int i = 0; i < 20; i++) {
            open.add(nodes.pick());
        }
        time.advance(Duration.ofMillis(200));
        assertThat(picks(nodes, 100)).doesNotContainKey("e02");
        assertThat(latency(nodes, "e02")).isGreaterThan(200 * MILLI);
    }

    @Test
    void one_that_comes_starts_at_the_median_of_the_others() {
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 400; i++) {
            call(nodes, id -> id.equals("e00") ? 5 : id.equals("e01") ? 20 : 100);
            time.advance(Duration.ofSeconds(1));
        }
        List<Endpoint<String>> more = new ArrayList<>(Balancers.endpoints(4));
        source.set(more);
        assertThat(latency(nodes, "e03")).isEqualTo(20 * MILLI);
    }

    @Test
    void calls_that_fail_fast_do_not_attract_others() {
        LoadBalancer<String> nodes = balancer();
        int[] failed = new int[1];
        for (int i = 0; i < 2_000; i++) {
            try {
                nodes.call(id -> {
                    time.advance(Duration.ofMillis(id.equals("e01") ? 1 : 20));
                    if (id.equals("e01")) {
                        throw new IllegalStateException("down");
                    }
                    return id;
                });
            } catch (IllegalStateException down) {
                failed[0]++;
            }
        }
        assertThat(failed[0]).isLessThan(20);
    }

    @Test
    void the_explanation_gives_the_figures() {
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 50; i++) {
            call(nodes, id -> id.equals("e01") ? 30 : 10);
        }
        time.advance(Duration.ofMillis(500));
        source.set(List.of(Endpoint.of("e00"), Endpoint.of("e01")));
        Explanation<String> explanation = nodes.explain();
        assertThat(explanation.endpoint()).isEqualTo(Endpoint.of("e00"));
        assertThat(explanation.reason())
                .matches("least time: e00 costs 10 ms \\(10 ms a call, 0 in flight\\),"
                        + " against e01 costs 2\\d(\\.\\d)? ms \\(2\\d(\\.\\d)? ms a call, 0 in flight\\)");
    }

    @Test
    void a_decay_out_of_range_is_refused() {
        assertThatThrownBy(() -> BalancingStrategy.leastTime(Duration.ofNanos(999_999)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("decay must be from 1ms to 1h, but was 999.999us");
        assertThatThrownBy(() -> BalancingStrategy.leastTime(Duration.ofDays(365_000_000)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void idle_endpoints_of_which_nothing_is_known_share_by_weight() {
        source.set(List.of(Endpoint.of("a", 6), Endpoint.of("b", 3), Endpoint.of("c", 1)));
        Map<String, Integer> picks = picks(balancer(), 20_000);
        assertThat(picks.get("a") / 2e4).isCloseTo(0.6, within(0.02));
        assertThat(picks.get("c") / 2e4).isCloseTo(0.1, within(0.02));
    }

    @Test
    void where_several_are_slow_a_pair_of_them_gets_few_calls() {
        source.set(Balancers.endpoints(12));
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 400; i++) {
            call(nodes, id -> id.compareTo("e04") < 0 ? 100 : 10);
        }
        Map<String, Integer> picks = picks(nodes, 10_000);
        int slow = picks.entrySet().stream()
                .filter(entry -> entry.getKey().compareTo("e04") < 0)
                .mapToInt(Map.Entry::getValue)
                .sum();
        assertThat(slow).isLessThan(250); // one pair of eleven would make 909
    }

    // ---- two scenarios, in small: servers that take as many calls at once as come

    /** Times are in nanoseconds; a negative one is that of a call which fails. */
    private interface Server {
        long call(int server, long now);
    }

    private record Open(Ticket<String> ticket, long end, boolean fails) {}

    /** The share of calls that succeed within a second, of a client that sends one each millisecond for a minute. */
    private static double succeeded(BalancingStrategy strategy, int servers, int seed, Server server) {
        ManualTime time = new ManualTime();
        Random random = new Random(seed);
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                strategy,
                EndpointSource.of(Balancers.endpoints(servers)),
                config -> config.lease(Duration.ofSeconds(Long.MAX_VALUE)),
                time.environment().toBuilder().random(new Random(seed)).build());
        PriorityQueue<Open> open = new PriorityQueue<>((a, b) -> Long.compare(a.end, b.end));
        long start = time.environment().clock().nanoTime();
        int good = 0;
        int calls = 60_000;
        for (int i = 0; i < calls; i++) {
            long next = start + i * MILLI + random.nextInt(1_000_000);
            for (Open first = open.peek(); first != null && first.end <= next; first = open.peek()) {
                time.advance(Duration.ofNanos(
                        Math.max(0, first.end - time.environment().clock().nanoTime())));
                first.ticket.complete(first.fails ? Verdict.FAILURE : Verdict.SUCCESS);
                open.poll();
            }
            time.advance(Duration.ofNanos(
                    Math.max(0, next - time.environment().clock().nanoTime())));
            Ticket<String> ticket = nodes.pick();
            long took = server.call(Integer.parseInt(ticket.endpoint().id().substring(1)), next - start);
            boolean late = Math.abs(took) > 1_000_000_000L;
            open.add(new Open(ticket, next + Math.abs(took), took < 0));
            good += took > 0 && !late ? 1 : 0;
        }
        return good / (double) calls;
    }

    /** The slow replica of Linkerd's article (2016): 11 servers of 167 ms, one takes 2 s for half of the time. */
    @Test
    void a_slow_replica_gets_less_than_a_call_in_a_thousand() {
        for (int seed = 0; seed < 3; seed++) {
            Random noise = new Random(seed);
            double share = succeeded(
                    BalancingStrategy.leastTime(),
                    11,
                    seed,
                    (server, now) -> server == 4 && now > 15_000 * MILLI && now < 45_000 * MILLI
                            ? 2_000 * MILLI
                            : (long) ((167 + 5 * noise.nextGaussian()) * MILLI));
            assertThat(share).isGreaterThan(0.999);
        }
    }

    @Test
    void a_sink_hole_gets_far_less_than_its_share() {
        for (int seed = 0; seed < 3; seed++) {
            Random noise = new Random(seed);
            double share = succeeded(
                    BalancingStrategy.leastTime(),
                    20,
                    seed,
                    (server, now) -> server == 4 ? -MILLI : (long) ((167 + 5 * noise.nextGaussian()) * MILLI));
            assertThat(share).isGreaterThan(0.998); // a fair share would be 0.95
        }
    }

    // ---- long bodies among short calls

    /** How many short calls of a minute an endpoint gets that has long ones in flight meanwhile. */
    private static int besideLongCalls(int servers, int perSecond, long tookMillis, int longCalls) {
        ManualTime time = new ManualTime();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.leastTime(),
                EndpointSource.of(Balancers.endpoints(servers)),
                config -> config.lease(Duration.ofSeconds(Long.MAX_VALUE)),
                time.environment().toBuilder().random(new Random(3)).build());
        PriorityQueue<Open> open = new PriorityQueue<>((a, b) -> Long.compare(a.end, b.end));
        long gap = 1_000_000_000L / perSecond;
        List<Ticket<String>> kept = new ArrayList<>();
        int got = 0;
        for (int i = -perSecond; i < 60 * perSecond; i++) {
            long now = time.environment().clock().nanoTime();
            if (i >= 0 && kept.size() < longCalls) { // all of them at once
                Ticket<String> ticket = nodes.pick();
                while (!ticket.endpoint().id().equals("e00")) {
                    ticket.close();
                    ticket = nodes.pick();
                }
                kept.add(ticket);
                i--;
                continue;
            }
            Ticket<String> ticket = nodes.pick();
            open.add(new Open(ticket, now + tookMillis * MILLI, false));
            got += i >= 0 && ticket.endpoint().id().equals("e00") ? 1 : 0;
            for (Open first = open.peek(); first != null && first.end <= now + gap; first = open.peek()) {
                time.advance(Duration.ofNanos(
                        Math.max(0, first.end - time.environment().clock().nanoTime())));
                first.ticket.complete(Verdict.SUCCESS);
                open.poll();
            }
            time.advance(Duration.ofNanos(
                    Math.max(0, now + gap - time.environment().clock().nanoTime())));
        }
        return got;
    }

    /** Endpoints, short calls a second, what each takes in milliseconds, and long calls at one endpoint. */
    @ParameterizedTest
    @CsvSource({"2, 500, 10, 1", "2, 500, 2, 1", "3, 100, 5, 1", "4, 1000, 5, 1", "4, 1000, 20, 3", "10, 1000, 5, 2"})
    void a_long_body_does_not_starve_its_endpoint(int servers, int perSecond, long tookMillis, int longCalls) {
        int fair = besideLongCalls(servers, perSecond, tookMillis, 0);
        assertThat(besideLongCalls(servers, perSecond, tookMillis, longCalls)).isGreaterThan(fair / 4);
    }

    @Test
    void a_stalled_endpoint_gets_a_call_in_a_tenth_of_the_decay_and_no_more() {
        source.set(Balancers.endpoints(2));
        LoadBalancer<String> nodes = balancer();
        for (int i = 0; i < 50; i++) {
            call(nodes, id -> 10);
        }
        int stalled = 0;
        for (int i = 0; i < 6_000; i++) { // a minute
            Ticket<String> ticket = nodes.pick();
            time.advance(Duration.ofMillis(10));
            if (ticket.endpoint().id().equals("e01")) {
                stalled++; // and stays open
            } else {
                ticket.complete(Verdict.SUCCESS);
            }
        }
        assertThat(stalled).isBetween(5, 65);
    }
}
