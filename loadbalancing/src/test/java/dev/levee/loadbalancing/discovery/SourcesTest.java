package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Sources made of other sources. */
class SourcesTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final UpdatableEndpoints<String> first = EndpointSource.updatable(List.of(Endpoint.of("a")));
    private final UpdatableEndpoints<String> second = EndpointSource.updatable(List.of(Endpoint.of("b", 3)));
    private final Told<String> told = new Told<>();

    @Nested
    class Merge {

        @Test
        void is_all_of_them_told_once_at_first_and_after_each_change() {
            EndpointSource.merge(first, second).subscribe(told);
            second.set(List.of(Endpoint.of("c")));
            first.set(List.of());
            assertThat(told.lines()).containsExactly("a b*3.0", "a c", "c");
        }

        @Test
        void does_not_wait_for_one_that_has_not_answered() {
            EndpointSource<String> silent = receiver -> () -> {};
            EndpointSource.merge(silent, first).subscribe(told);
            assertThat(told.lines()).containsExactly("a");
        }

        @Test
        void says_nothing_until_one_has_answered() {
            EndpointSource<String> silent = receiver -> () -> {};
            EndpointSource.merge(silent, silent).subscribe(told);
            assertThat(told.lines()).isEmpty();
        }

        @Test
        void one_that_fails_keeps_its_share() {
            AtomicInteger calls = new AtomicInteger();
            EndpointSource<String> failing = EndpointSource.polling(
                    "registry",
                    () -> {
                        if (calls.incrementAndGet() > 1) {
                            throw new IllegalStateException("down");
                        }
                        return List.of(Endpoint.of("r"));
                    },
                    ofSeconds(10),
                    environment);
            EndpointSource.merge(failing, first).subscribe(told);
            time.advance(ofSeconds(100));
            first.set(List.of(Endpoint.of("c")));
            assertThat(told.lines()).containsExactly("r a", "r c");
        }

        @Test
        void of_one_endpoint_twice_is_one_with_both_weights() {
            second.set(List.of(Endpoint.of("a", 2)));
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.merge(first, second),
                    config -> {},
                    environment);
            assertThat(balancer.snapshot())
                    .singleElement()
                    .satisfies(state -> assertThat(state.endpoint().weight()).isEqualTo(3.0));
        }

        @Test
        void of_one_id_with_two_addresses_is_refused_and_the_setter_hears_it() {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.merge(first, second),
                    config -> {},
                    environment);
            assertThatThrownBy(() -> second.set(List.of(new Endpoint<>("a", "elsewhere", 1))))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(balancer.snapshot()).hasSize(2);
        }

        @Test
        void closes_all_and_also_those_before_one_that_cannot_be_subscribed_to() {
            EndpointSource<String> polled = polled();
            EndpointSource<String> broken = receiver -> {
                throw new IllegalStateException("broken");
            };
            EndpointSource.merge(polled, polled).subscribe(told).close();
            assertThat(time.pendingTimers()).isZero();
            assertThatThrownBy(() -> EndpointSource.merge(polled, broken).subscribe(told))
                    .hasMessage("broken");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void of_none_is_refused() {
            assertThatThrownBy(EndpointSource::<String>merge).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private EndpointSource<String> polled() {
        return EndpointSource.polling("registry", () -> List.of(Endpoint.of("r")), ofSeconds(10), environment);
    }

    @Nested
    class MapAndFilter {
        private final Endpoint<String> full = new Endpoint<>("id", "host", 2.5, 3, Map.of("zone", "z", "version", "7"));

        @Test
        void map_keeps_all_but_the_address() {
            Told<URI> uris = new Told<>();
            EndpointSource.of(List.of(full))
                    .map(host -> URI.create("http://" + host))
                    .subscribe(uris);
            assertThat(uris.last())
                    .containsExactly(new Endpoint<>("id", URI.create("http://host"), 2.5, 3, full.labels()));
        }

        @Test
        void mapEndpoints_changes_what_it_likes() {
            EndpointSource.of(List.of(full))
                    .mapEndpoints(endpoint -> endpoint.withWeight(1).withPriority(0))
                    .subscribe(told);
            assertThat(told.lines()).containsExactly("id{version=7, zone=z}");
        }

        @Test
        void filter_leaves_those_that_pass_and_none_if_none_does() {
            EndpointSource.merge(first, second)
                    .filter(endpoint -> endpoint.weight() > 1)
                    .subscribe(told);
            second.set(List.of());
            assertThat(told.lines()).containsExactly("b*3.0", "");
        }

        @Test
        void a_function_that_throws_leaves_the_receiver_what_it_had() {
            EndpointSource.of(List.of(full));
            first.map(address -> {
                        if (address.equals("bad")) {
                            throw new IllegalArgumentException("bad");
                        }
                        return address;
                    })
                    .subscribe(told);
            assertThatThrownBy(() -> first.set(List.of(Endpoint.of("bad")))).hasMessage("bad");
            first.set(List.of(Endpoint.of("good")));
            assertThat(told.lines()).containsExactly("a", "good");
        }

        @Test
        void an_update_through_map_keeps_counters_of_those_that_stay() {
            UpdatableEndpoints<InetSocketAddress> sockets = EndpointSource.updatable(List.of(socket(1), socket(2)));
            LoadBalancer<URI> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.leastConnections(),
                    sockets.map(it -> URI.create("http://" + it.getHostString() + ":" + it.getPort())),
                    config -> {},
                    environment);
            balancer.pick();
            balancer.pick();
            sockets.set(List.of(socket(2), socket(3)));
            assertThat(balancer.snapshot())
                    .extracting(state -> state.endpoint().address() + " " + state.inFlight())
                    .containsExactly("http://10.0.0.2:80 1", "http://10.0.0.3:80 0");
        }

        private Endpoint<InetSocketAddress> socket(int last) {
            return Endpoint.of(HostPort.parse("10.0.0." + last + ":80"));
        }
    }

    @Nested
    class Background {

        @Test
        void nobody_waits_for_the_first_answer() {
            polled().inBackground(environment).subscribe(told);
            assertThat(told.sets).isEmpty();
            time.runReady();
            assertThat(told.lines()).containsExactly("r");
        }

        @Test
        void closed_before_it_began_it_never_begins() {
            polled().inBackground(environment).subscribe(told).close();
            time.runReady();
            assertThat(told.sets).isEmpty();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void closed_while_the_first_look_runs_leaves_nothing_behind() {
            EndpointSource.Subscription[] subscription = new EndpointSource.Subscription[1];
            subscription[0] = EndpointSource.polling(
                            "registry",
                            () -> {
                                subscription[0].close();
                                return List.of(Endpoint.of("r"));
                            },
                            ofSeconds(10),
                            environment)
                    .inBackground(environment)
                    .subscribe(told);
            time.runReady();
            assertThat(told.sets).isEmpty();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void closed_later_it_closes_the_source() {
            EndpointSource.Subscription subscription =
                    polled().inBackground(environment).subscribe(told);
            time.runReady();
            subscription.close();
            assertThat(time.pendingTimers()).isZero();
        }
    }
}
