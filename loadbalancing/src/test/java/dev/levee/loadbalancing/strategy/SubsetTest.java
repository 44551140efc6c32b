package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SubsetTest {
    private static List<Endpoint<String>> endpoints(int size, boolean weighted) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(Endpoint.of(String.format("e%04d", i), weighted ? 1 + i % 4 : 1));
        }
        return endpoints;
    }

    /** Keeps what the inner strategy is given. */
    private static final class Looking implements BalancingStrategy {
        private Candidates seen;

        @Override
        public Picker over(Candidates candidates) {
            seen = candidates;
            return hash -> 0;
        }
    }

    private static Candidates slice(int client, int clients, int minimum, FakeCandidates candidates) {
        Looking inner = new Looking();
        BalancingStrategy.subset(client, clients, minimum, inner).over(candidates);
        return inner.seen;
    }

    private static Set<String> ids(Candidates slice) {
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < slice.size(); i++) {
            ids.add(slice.endpoint(i).id());
        }
        return ids;
    }

    @Property
    void all_clients_together_cover_every_endpoint_by_its_weight(
            @ForAll @IntRange(min = 1, max = 60) int size,
            @ForAll @IntRange(min = 1, max = 40) int clients,
            @ForAll @IntRange(min = 1, max = 20) int minimum,
            @ForAll boolean weighted) {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(size, weighted), endpoint -> true);
        double[] coverage = new double[size];
        for (int client = 0; client < clients; client++) {
            Candidates slice = slice(client, clients, minimum, candidates);
            double total = 0;
            for (int i = 0; i < slice.size(); i++) {
                total += slice.weight(i);
            }
            for (int i = 0; i < slice.size(); i++) {
                coverage[Integer.parseInt(slice.endpoint(i).id().substring(1))] += slice.weight(i) / total;
            }
        }
        double all = 0;
        for (int i = 0; i < size; i++) {
            all += candidates.weight(i);
        }
        for (int i = 0; i < size; i++) {
            assertThat(coverage[i]).isCloseTo(clients * candidates.weight(i) / all, within(1e-6));
        }
    }

    @Property
    void a_slice_has_the_minimum_and_not_much_more(
            @ForAll @IntRange(min = 1, max = 300) int size,
            @ForAll @IntRange(min = 1, max = 300) int clients,
            @ForAll @IntRange(min = 1, max = 20) int minimum) {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(size, false), endpoint -> true);
        int client = clients / 3;
        int found = slice(client, clients, minimum, candidates).size();
        assertThat(found).isGreaterThanOrEqualTo(Math.min(minimum, size));
        // Whole slices of 1 / clients, and a part of an endpoint at each end.
        assertThat(found).isLessThanOrEqualTo(minimum + (int) Math.ceil(size / (double) clients) + 2);
    }

    @Test
    void few_clients_or_few_endpoints_use_all() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(10, false), endpoint -> true);
        assertThat(slice(2, 5, 12, candidates)).isSameAs(candidates);
        assertThat(slice(0, 1, 1, candidates)).isSameAs(candidates);
    }

    @Test
    void one_endpoint_more_changes_two_places_of_a_slice_at_most() {
        List<Endpoint<String>> some = endpoints(200, false);
        Random random = new Random(3);
        for (int round = 0; round < 30; round++) {
            FakeCandidates before = FakeCandidates.of(1, some, endpoint -> true);
            List<Endpoint<String>> more = new ArrayList<>(some);
            more.add(random.nextInt(some.size()), Endpoint.of("new " + round));
            FakeCandidates after = FakeCandidates.of(1, more, endpoint -> true);
            for (int client = 0; client < 50; client++) {
                Set<String> changed = ids(slice(client, 50, 12, after));
                changed.removeAll(ids(slice(client, 50, 12, before)));
                assertThat(changed).hasSizeLessThanOrEqualTo(2);
            }
            some = more;
        }
    }

    @Test
    void an_unhealthy_endpoint_moves_no_other() {
        List<Endpoint<String>> all = endpoints(100, false);
        FakeCandidates allHealthy = FakeCandidates.of(1, all, endpoint -> true);
        Set<String> before = ids(slice(3, 40, 12, allHealthy));
        String down = before.iterator().next();
        FakeCandidates candidates =
                FakeCandidates.of(1, all, endpoint -> !endpoint.id().equals(down));
        before.remove(down);
        assertThat(ids(slice(3, 40, 12, candidates))).isEqualTo(before);
    }

    @Test
    void a_slice_of_which_most_is_unhealthy_grows() {
        List<Endpoint<String>> all = endpoints(100, false);
        Set<String> mine = ids(slice(3, 40, 12, FakeCandidates.of(1, all, endpoint -> true)));
        FakeCandidates candidates = FakeCandidates.of(1, all, endpoint -> !mine.contains(endpoint.id()));
        Candidates slice = slice(3, 40, 12, candidates);
        assertThat(slice.size()).isBetween(10, 40);
    }

    @Test
    void when_the_slice_refuses_the_others_take_the_call() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(100, false), endpoint -> true);
        BalancingStrategy.Picker picker = BalancingStrategy.subset(3, 40, BalancingStrategy.powerOfTwoChoices())
                .over(candidates);
        Set<Integer> mine = new HashSet<>();
        for (int i = 0; i < 2_000; i++) {
            mine.add(picker.pick(0));
        }
        assertThat(mine).hasSizeBetween(12, 16);
        for (int i = 0; i < 50; i++) {
            assertThat(picker.pick(0, index -> !mine.contains(index))).isNotIn(mine);
        }
        assertThat(picker.pick(0, index -> false)).isEqualTo(-1);
        assertThat(picker.explain(0, index -> true).reason())
                .matches("client 3 of 40 uses 1\\d of 100 endpoints, 12.5 % of the ring; e.* has 0 in flight.*");
    }

    @Test
    void calls_of_all_clients_are_spread_evenly() {
        for (BalancingStrategy inner : List.of(
                BalancingStrategy.powerOfTwoChoices(),
                BalancingStrategy.leastConnections(),
                BalancingStrategy.leastTime(),
                BalancingStrategy.roundRobin(),
                BalancingStrategy.weightedRoundRobin(),
                BalancingStrategy.random(),
                BalancingStrategy.weightedRandom())) {
            int[] counts = new int[50];
            FakeCandidates candidates = FakeCandidates.of(1, endpoints(50, false), endpoint -> true);
            for (int client = 0; client < 37; client++) {
                BalancingStrategy.Picker picker =
                        BalancingStrategy.subset(client, 37, 12, inner).over(candidates);
                for (int i = 0; i < 5_000; i++) {
                    counts[picker.pick(0)]++;
                }
            }
            double mean = Arrays.stream(counts).average().orElseThrow();
            // A random draw has a deviation of 1.6 %; random subsets of 12 would have one of 29 %.
            assertThat(Arrays.stream(counts).min().orElseThrow())
                    .as("%s", inner)
                    .isGreaterThan((int) (0.92 * mean));
            assertThat(Arrays.stream(counts).max().orElseThrow())
                    .as("%s", inner)
                    .isLessThan((int) (1.08 * mean));
        }
    }

    @Test
    void wrong_arguments_are_refused() {
        BalancingStrategy inner = BalancingStrategy.random();
        assertThatThrownBy(() -> BalancingStrategy.subset(5, 5, inner))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("client must be from 0 to 4, but was 5");
        assertThatThrownBy(() -> BalancingStrategy.subset(-1, 5, inner)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BalancingStrategy.subset(0, 0, inner)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BalancingStrategy.subset(0, 5, 0, inner)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void the_largest_numbers_do_not_overflow() {
        assertThat(SubsetStrategy.width(Integer.MAX_VALUE, 1, Integer.MAX_VALUE))
                .isEqualTo(Integer.MAX_VALUE);
        assertThat(SubsetStrategy.width(12, Integer.MAX_VALUE, Integer.MAX_VALUE))
                .isEqualTo(12);
        assertThat(SubsetStrategy.width(12, Integer.MAX_VALUE, 1)).isEqualTo(1);
    }
}
