package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ConfigTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Nested
    class Settings_of_health {
        private static final HealthCheck<String> CHECK = (address, timeout) -> true;

        private final HealthConfig<String> config = HealthConfig.<String>builder()
                .check(CHECK)
                .checkEvery(Duration.ofSeconds(7), 0.3)
                .checkTimeout(Duration.ofSeconds(2))
                .maxConcurrentChecks(4)
                .healthyAfter(5)
                .unhealthyAfter(6)
                .mustBeChecked(true)
                .consecutiveFailures(8)
                .failureRate(0.4, 9)
                .successRate(2.5, 11)
                .minEndpoints(12)
                .compareEvery(Duration.ofSeconds(13))
                .ejectFor(Duration.ofSeconds(14), Duration.ofSeconds(15))
                .maxEjected(0.6)
                .panicBelow(0.7)
                .refuseInPanic(true)
                .slowStart(Duration.ofSeconds(16), 1.5)
                .build();

        private static void assertSettings(HealthConfig<String> config) {
            assertThat(config.check()).isSameAs(CHECK);
            assertThat(config.checkEvery()).isEqualTo(Duration.ofSeconds(7));
            assertThat(config.checkJitter()).isEqualTo(0.3);
            assertThat(config.checkTimeout()).isEqualTo(Duration.ofSeconds(2));
            assertThat(config.maxConcurrentChecks()).isEqualTo(4);
            assertThat(config.healthyAfter()).isEqualTo(5);
            assertThat(config.unhealthyAfter()).isEqualTo(6);
            assertThat(config.mustBeChecked()).isTrue();
            assertThat(config.consecutiveFailures()).isEqualTo(8);
            assertThat(config.failureRate()).isEqualTo(0.4);
            assertThat(config.failureRateMinCalls()).isEqualTo(9);
            assertThat(config.successRateDeviations()).isEqualTo(2.5);
            assertThat(config.successRateMinCalls()).isEqualTo(11);
            assertThat(config.minEndpoints()).isEqualTo(12);
            assertThat(config.compareEvery()).isEqualTo(Duration.ofSeconds(13));
            assertThat(config.ejectFor()).isEqualTo(Duration.ofSeconds(14));
            assertThat(config.maxEjectFor()).isEqualTo(Duration.ofSeconds(15));
            assertThat(config.maxEjected()).isEqualTo(0.6);
            assertThat(config.panicBelow()).isEqualTo(0.7);
            assertThat(config.refuseInPanic()).isTrue();
            assertThat(config.slowStart()).isEqualTo(Duration.ofSeconds(16));
            assertThat(config.slowStartAggression()).isEqualTo(1.5);
        }

        @Test
        void can_all_be_read_and_taken_as_the_start_of_others() {
            assertSettings(config);
            assertSettings(config.toBuilder().build());
            HealthConfig<String> other = config.toBuilder().healthyAfter(1).build();
            assertThat(other.healthyAfter()).isEqualTo(1);
            assertSettings(config);
        }

        @Test
        void do_not_change_with_the_builder_that_made_them() {
            HealthConfig.Builder<String> builder = config.toBuilder();
            HealthConfig<String> before = builder.build();
            builder.healthyAfter(1);
            assertSettings(before);
        }

        @Test
        void are_given_to_a_balancer_as_they_are_or_changed() {
            LoadBalancerConfig<String> given =
                    LoadBalancerConfig.<String>builder().health(config).build();
            assertThat(given.health()).isSameAs(config);
            LoadBalancerConfig<String> changed =
                    given.toBuilder().health(health -> health.healthyAfter(1)).build();
            assertThat(changed.health().healthyAfter()).isEqualTo(1);
            assertThat(changed.health().unhealthyAfter()).isEqualTo(6);
        }

        @Test
        void are_refused_outside_their_ranges_and_nothing_is_set_then() {
            HealthConfig.Builder<String> builder = config.toBuilder();
            assertThatThrownBy(() -> builder.failureRate(0.5, 0)).hasMessageStartingWith("minCalls must be");
            assertThatThrownBy(() -> builder.successRate(3, 0)).hasMessageStartingWith("minCalls must be");
            assertThatThrownBy(() -> builder.checkEvery(SECOND, 2)).hasMessageStartingWith("jitter must be");
            assertThatThrownBy(() -> builder.ejectFor(SECOND, Duration.ZERO)).hasMessageStartingWith("max must be");
            assertThatThrownBy(() -> builder.slowStart(SECOND, 0)).hasMessageStartingWith("aggression must be");
            assertThatThrownBy(() -> builder.check(null)).hasMessage("check");
            assertSettings(builder.build());
        }
    }

    @Nested
    class Settings_of_a_balancer {
        @Test
        void can_all_be_read_and_taken_as_the_start_of_others() {
            List<Endpoint<String>> closed = new ArrayList<>();
            Consumer<Endpoint<String>> closer = closed::add;
            LoadBalancerConfig<String> config = LoadBalancerConfig.<String>builder()
                    .gatePerEndpoint(endpoint -> null)
                    .lease(SECOND)
                    .drain(Duration.ofSeconds(2), closer)
                    .totals(true)
                    .build();
            for (LoadBalancerConfig<String> same :
                    List.of(config, config.toBuilder().build())) {
                assertThat(same.gatePerEndpoint()).isSameAs(config.gatePerEndpoint());
                assertThat(same.outcomes()).isNull();
                assertThat(same.lease()).isEqualTo(SECOND);
                assertThat(same.health()).isNull();
                assertThat(same.drainDeadline()).isEqualTo(Duration.ofSeconds(2));
                assertThat(same.drainCloser()).isSameAs(closer);
                assertThat(same.totals()).isTrue();
            }
        }

        @Test
        void change_the_outcome_rule_from_the_standard_one_or_from_the_one_that_is_set() {
            LoadBalancerConfig.Builder<String> builder = LoadBalancerConfig.builder();
            builder.outcomes(rule -> rule.onResult(String.class, String::isEmpty, Verdict.THROTTLED));
            OutcomeRule first = builder.build().outcomes();
            assertThat(first.judge("", null)).isEqualTo(Verdict.THROTTLED);
            assertThat(first.judge("x", null)).isEqualTo(Verdict.SUCCESS);
            builder.outcomes(rule -> {
                assertThat(rule).isSameAs(first);
                return rule;
            });
        }

        @Test
        void are_refused_if_null() {
            LoadBalancerConfig.Builder<String> builder = LoadBalancerConfig.builder();
            assertThatThrownBy(() -> builder.outcomes((UnaryOperator<OutcomeRule>) null))
                    .hasMessage("change");
            assertThatThrownBy(() -> builder.outcomes(rule -> null)).hasMessage("outcomes");
            assertThatThrownBy(() -> builder.health((HealthConfig<String>) null))
                    .hasMessage("health");
            assertThatThrownBy(() -> builder.health((Consumer<HealthConfig.Builder<String>>) null))
                    .hasMessage("configure");
            assertThatThrownBy(() -> builder.drain(SECOND, null)).hasMessage("closer");
            assertThat(builder.build().drainDeadline()).isNull();
        }

        @Test
        void are_given_as_an_object_too() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.of(Balancers.endpoints(2)),
                    LoadBalancerConfig.<String>builder().totals(true).build());
            nodes.call(address -> address);
            assertThat(nodes.snapshot().stream().mapToLong(EndpointState::picks).sum())
                    .isEqualTo(1);
            assertThatThrownBy(() -> nodes.measure(null)).hasMessage("sink");
        }
    }

    @Test
    void states_of_endpoints_and_explanations_are_values() {
        LoadBalancer<String> nodes =
                LoadBalancer.of("nodes", BalancingStrategy.rendezvous(), EndpointSource.of(Balancers.endpoints(2)));
        assertThat(nodes.snapshot()).isEqualTo(nodes.snapshot()).hasSameHashCodeAs(nodes.snapshot());
        assertThat(nodes.forKey(1).explain())
                .isEqualTo(nodes.forKey(1).explain())
                .hasSameHashCodeAs(nodes.forKey(1).explain());
        assertThat(nodes.snapshot().get(0)).isNotEqualTo(nodes.snapshot().get(1));
    }
}
