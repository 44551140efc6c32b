package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Pipeline;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.signals.Ending;
import dev.levee.micrometer.LeveeMeters;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Policies of the configuration as meters. */
class MetersTest {
    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(LeveeAutoConfiguration.class, LeveeMetricsAutoConfiguration.class))
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
                .run(context ->
                        assertThat(context).hasSingleBean(LeveeMeters.class).hasBean("mine"));
    }

    @Test
    void a_meter_has_the_objective_of_its_properties() {
        APP.withPropertyValues(
                        "levee.pipelines.b=meter,retry",
                        "levee.policies.b-meter.objective.target=0.999",
                        "levee.policies.b-meter.objective.within=300ms",
                        "levee.policies.b-meter.objective.burn-rate=2")
                .run(context -> {
                    context.getBean("b", Pipeline.class).run(() -> {});
                    assertThat(context.getBean("b-meter", CallMeter.class).ended(Ending.SUCCESS))
                            .isEqualTo(1);
                    SimpleMeterRegistry registry = new SimpleMeterRegistry();
                    context.getBean(LeveeMeters.class).bindTo(registry);
                    assertThat(registry.find("levee.meter.calls")
                                    .tags("name", "b-meter", "ending", "success")
                                    .functionCounter()
                                    .count())
                            .isEqualTo(1);
                });
    }

    @Test
    void a_wrong_objective_is_named() {
        APP.withPropertyValues("levee.policies.b-meter.objective.target=1.5")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("levee.policies.b-meter.objective.target = \"1.5\"")
                        .hasStackTraceContaining("must be more than 0 and less than 1"));
        APP.withPropertyValues("levee.policies.b-meter.objective.within=300ms")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("levee.policies.b-meter.objective.target: must be set"));
        APP.withPropertyValues(
                        "levee.policies.b-meter.objective.target=0.9", "levee.policies.b-meter.objective.burn-rate=0")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("levee.policies.b-meter.objective.burn-rate = \"0\""));
    }
}
