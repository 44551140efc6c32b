package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.micrometer.LeveeMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Policies of the configuration as meters. */
class MetersTest {
    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(LeveeAutoConfiguration.class, LeveeMetricsAutoConfiguration.class))
            .withPropertyValues("levee.policies.a-breaker.open-for=10s", "levee.pipelines.a=retry,breaker");

    @Test
    void each_policy_has_meters_under_its_name() {
        APP.run(context -> {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            context.getBean(LeveeMeters.class).bindTo(registry);
            assertThat(state(registry, "closed")).isEqualTo(1);
            context.getBean("a-breaker", CircuitBreaker.class).forceOpen();
            LeveeMeters other = LeveeMeters.of(context.getBean(LeveePolicies.class));
            SimpleMeterRegistry later = new SimpleMeterRegistry();
            other.bindTo(later);
            assertThat(state(later, "forced_open")).isEqualTo(1);
            assertThat(state(later, "closed")).isZero();
        });
    }

    private static double state(SimpleMeterRegistry registry, String state) {
        return registry.get("levee.breaker.state")
                .tags("name", "a-breaker", "state", state)
                .gauge()
                .value();
    }

    @Test
    void without_Micrometer_there_are_no_meters_and_no_failure() {
        APP.withClassLoader(new FilteredClassLoader("io.micrometer.core", "dev.levee.micrometer"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("leveeMeters"));
    }

    @Test
    void meters_of_the_application_win() {
        APP.withBean("mine", LeveeMeters.class, () -> LeveeMeters.of())
                .run(context -> assertThat(context).hasSingleBean(LeveeMeters.class).hasBean("mine"));
    }
}
