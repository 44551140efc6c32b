package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Bounded loads and calls that come at the very moment at which the set changes. */
class ChangingBoundsTest {
    private static final List<Endpoint<String>> EVEN = List.of(Endpoint.of("a"), Endpoint.of("b"));
    /** So that an even share is far above the bound of a. */
    private static final List<Endpoint<String>> UNEVEN = List.of(Endpoint.of("a"), Endpoint.of("b", 99));

    /** Runs once after the picker of a set has been made, before the set is published. */
    private final AtomicReference<Runnable> madeSet = new AtomicReference<>(ChangingBoundsTest::nothing);
    /** Runs once after a pick, before the call reserves its place. */
    private final AtomicReference<Runnable> picked = new AtomicReference<>(ChangingBoundsTest::nothing);

    private final UpdatableEndpoints<String> source = EndpointSource.updatable(EVEN);
    private final LoadBalancer<String> balancer = LoadBalancer.of("nodes", new Hooked(null), source);

    private static void nothing() {}

    private final class Hooked implements BalancingStrategy {
        private final BalancingStrategy bounded;

        Hooked(@Nullable BalancingStrategy ofBalancer) {
            bounded = ofBalancer == null ? BalancingStrategy.boundedLoads(0.25) : ofBalancer;
        }

        @Override
        public BalancingStrategy forBalancer(Environment environment) {
            return new Hooked(bounded.forBalancer(environment));
        }

        @Override
        public @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
            return bounded.newTracker(endpoint);
        }

        @Override
        public Picker over(Candidates candidates) {
            Picker picker = bounded.over(candidates);
            madeSet.getAndSet(ChangingBoundsTest::nothing).run();
            return new Picker() {
                @Override
                public int pick(long hash) {
                    int index = picker.pick(hash);
                    picked.getAndSet(ChangingBoundsTest::nothing).run();
                    return index;
                }

                @Override
                public int pick(long hash, IntPredicate eligible) {
                    return picker.pick(hash, eligible);
                }
            };
        }
    }

    private List<Ticket<String>> take(int count) {
        List<Ticket<String>> tickets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tickets.add(balancer.pick());
        }
        return tickets;
    }

    @Test
    void a_call_between_the_making_of_a_set_and_its_publication_gets_a_place() {
        take(20);
        List<Ticket<String>> meanwhile = new ArrayList<>();
        madeSet.set(() -> meanwhile.addAll(take(20)));
        source.set(UNEVEN);
        assertThat(meanwhile).hasSize(20);
        assertThat(meanwhile).anyMatch(ticket -> ticket.endpoint().id().equals("a"));
    }

    @Test
    void a_call_that_picked_from_the_old_set_and_finds_its_endpoint_full_picks_from_the_new_one() {
        take(20);
        for (int i = 0; i < 20; i++) {
            source.set(EVEN);
            take(1);
            picked.set(() -> {
                source.set(UNEVEN);
                take(1); // from now on the new bound holds
            });
            assertThat(take(1)).hasSize(1);
        }
    }

    @Test
    void a_set_that_is_never_published_bounds_nothing() {
        take(20);
        madeSet.set(() -> {
            throw new IllegalStateException("on purpose");
        });
        try {
            source.set(UNEVEN);
        } catch (IllegalStateException thrown) {
            assertThat(thrown).hasMessage("on purpose");
        }
        assertThat(take(40)).anyMatch(ticket -> ticket.endpoint().id().equals("a"));
    }
}
