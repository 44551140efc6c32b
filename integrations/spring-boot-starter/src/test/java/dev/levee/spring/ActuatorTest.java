package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Faults;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.actuate.autoconfigure.endpoint.PropertiesEndpointAccessResolver;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.InvocationContext;
import org.springframework.boot.actuate.endpoint.OperationFilter;
import org.springframework.boot.actuate.endpoint.SecurityContext;
import org.springframework.boot.actuate.endpoint.invoke.convert.ConversionServiceParameterValueMapper;
import org.springframework.boot.actuate.endpoint.web.EndpointMediaTypes;
import org.springframework.boot.actuate.endpoint.web.ExposableWebEndpoint;
import org.springframework.boot.actuate.endpoint.web.WebOperation;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpointDiscoverer;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Health and endpoint. */
class ActuatorTest {
    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(LeveeAutoConfiguration.class, LeveeActuatorAutoConfiguration.class))
            .withPropertyValues(
                    "levee.policies.a-breaker.open-for=10s",
                    "levee.policies.b-breaker.kind=breaker",
                    "levee.policies.c-faults.inject[0].latency=1ms",
                    "levee.policies.d-fallback.value=secret?",
                    "levee.pipelines.a=retry,breaker",
                    "spring.jmx.enabled=true",
                    "management.endpoints.jmx.exposure.include=*",
                    "management.endpoints.web.exposure.include=*");

    private static Map<String, Object> health(AssertableApplicationContext context) throws Exception {
        Class<?> type = LeveeHealth.indicatorType();
        Object health = type.getMethod("health").invoke(context.getBean("leveeHealthIndicator", type));
        Object details = health.getClass().getMethod("getDetails").invoke(health);
        return Map.of(
                "status",
                health.getClass().getMethod("getStatus").invoke(health).toString(),
                "details",
                details);
    }

    /** All tests of this module run on Boot 4, and once more on Boot 3.5. */
    @Test
    void the_health_is_of_the_Boot_that_is_there() {
        String version = System.getProperty("tests.boot", "4.");
        assertThat(SpringBootVersion.getVersion()).startsWith(version);
        assertThat(LeveeHealth.indicatorType()).hasPackage(LeveeHealth.PACKAGES.get(version.startsWith("4") ? 0 : 1));
    }

    @Test
    void an_open_breaker_is_a_detail_of_the_health_and_not_down() {
        APP.run(context -> {
            context.getBean("a-breaker", CircuitBreaker.class).forceOpen();
            assertThat(health(context))
                    .containsEntry("status", "UP")
                    .containsEntry("details", Map.of("a-breaker", "FORCED_OPEN", "b-breaker", "CLOSED"));
        });
    }

    @Test
    void an_open_breaker_is_down_if_it_is_asked_for_by_its_name() {
        APP.withPropertyValues("levee.health.down=a-breaker").run(context -> {
            context.getBean("b-breaker", CircuitBreaker.class).forceOpen();
            assertThat(health(context)).containsEntry("status", "UP");
            context.getBean("a-breaker", CircuitBreaker.class).forceOpen();
            assertThat(health(context)).containsEntry("status", "DOWN");
        });
        APP.withPropertyValues("levee.health.down=a-braker")
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(LeveeConfigurationException.class)
                        .hasMessageContaining("did you mean \"a-breaker\"?"));
        APP.withPropertyValues("management.health.levee.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean("leveeHealthIndicator"));
    }

    private static Collection<WebOperation> operations(AssertableApplicationContext context) {
        PropertiesEndpointAccessResolver access = new PropertiesEndpointAccessResolver(context.getEnvironment());
        Collection<ExposableWebEndpoint> endpoints = new WebEndpointDiscoverer(
                        context,
                        new ConversionServiceParameterValueMapper(),
                        EndpointMediaTypes.DEFAULT,
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(OperationFilter.byAccess(access)))
                .getEndpoints();
        return endpoints.iterator().next().getOperations();
    }

    private static Object invoke(AssertableApplicationContext context, String id, Map<String, Object> arguments) {
        WebOperation operation = operations(context).stream()
                .filter(each -> each.getId().equals(id))
                .findFirst()
                .orElseThrow(() -> new AssertionError(id + " is none of "
                        + operations(context).stream().map(WebOperation::getId).toList()));
        return operation.invoke(new InvocationContext(SecurityContext.NONE, arguments));
    }

    @Test
    void it_is_read_only_unless_told_otherwise() {
        APP.run(context -> assertThat(operations(context))
                .extracting(each -> each.getRequestPredicate().getHttpMethod().name())
                .containsOnly("GET"));
        APP.withPropertyValues("management.endpoint.levee.access=UNRESTRICTED")
                .run(context -> assertThat(operations(context))
                        .extracting(each ->
                                each.getRequestPredicate().getHttpMethod().name())
                        .containsExactlyInAnyOrder("GET", "GET", "POST", "POST"));
        APP.withPropertyValues("management.endpoint.levee.access=NONE")
                .run(context -> assertThat(context).doesNotHaveBean(LeveeEndpoint.class));
    }

    @Test
    void it_costs_nothing_if_it_cannot_be_reached() {
        APP.withPropertyValues(
                        "management.endpoints.web.exposure.include=health",
                        "management.endpoints.jmx.exposure.include=health")
                .run(context -> assertThat(context).doesNotHaveBean(RecentEvents.class));
    }

    @Test
    @SuppressWarnings("unchecked")
    void it_lists_policies_pipelines_figures_and_events() {
        APP.run(context -> {
            context.getBean("a-breaker", CircuitBreaker.class).forceOpen();
            Map<String, Object> all = (Map<String, Object>) invoke(context, "levee", Map.of());
            Map<String, Map<String, Object>> policies = (Map<String, Map<String, Object>>) all.get("policies");
            assertThat(policies).containsOnlyKeys("a-breaker", "b-breaker", "c-faults", "d-fallback", "a-retry");
            assertThat(policies.get("a-breaker"))
                    .containsEntry("kind", "breaker")
                    .containsEntry("state", "FORCED_OPEN")
                    .containsEntry("settings", Map.of("open-for", "10s"));
            assertThat((Map<String, Object>) policies.get("a-breaker").get("figures"))
                    .isNotEmpty();
            assertThat(all.get("pipelines")).isEqualTo(Map.of("a", List.of("a-retry", "a-breaker")));
            List<RecentEvents.Event> events = (List<RecentEvents.Event>) all.get("events");
            assertThat(events.get(0).policy()).isEqualTo("a-breaker");
            assertThat(events.get(0).detail()).isEqualTo("CLOSED -> FORCED_OPEN");
            assertThat(invoke(context, "levee-name", Map.of("name", "a-retry"))).isInstanceOf(Map.class);
            assertThat(invoke(context, "levee-name", Map.of("name", "x"))).isNull();
        });
    }

    @Test
    void breakers_and_faults_are_switched_and_settings_changed() {
        APP.withPropertyValues("management.endpoint.levee.access=UNRESTRICTED").run(context -> {
            LeveeEndpoint endpoint = context.getBean(LeveeEndpoint.class);
            CircuitBreaker breaker = context.getBean("a-breaker", CircuitBreaker.class);
            endpoint.change("a-breaker", "force-open", "30s", null, null);
            assertThat(breaker.state()).isEqualTo(State.FORCED_OPEN);
            endpoint.change("a-breaker", "reset", null, null, null);
            assertThat(breaker.state()).isEqualTo(State.CLOSED);
            Faults faults = context.getBean(Faults.class);
            endpoint.change("c-faults", "on", "1m", null, null);
            assertThat(faults.isOn()).isTrue();
            endpoint.change("c-faults", "off", null, null, null);
            assertThat(faults.isOn()).isFalse();
            endpoint.change("a-breaker", null, null, "open-for", "20s");
            assertThat(breaker.config().openFor()).hasSeconds(20);
            endpoint.change("a-breaker", null, null, "openFor", "30s");
            assertThat(breaker.config().openFor()).hasSeconds(30);
            endpoint.change("a-breaker", null, null, "open-for", "");
            assertThat(breaker.config().openFor()).hasSeconds(10);
            assertThat(endpoint.reload()).containsEntry("changed", java.util.Set.of());
        });
    }

    @Test
    void a_setting_of_a_policy_whose_name_differs_in_case_alone_stays() {
        APP.withPropertyValues(
                        "management.endpoint.levee.access=UNRESTRICTED",
                        "levee.policies.[Pay_breaker].kind=breaker",
                        "levee.policies.[pay_breaker].kind=breaker")
                .run(context -> {
                    LeveeEndpoint endpoint = context.getBean(LeveeEndpoint.class);
                    endpoint.change("Pay_breaker", null, null, "open-for", "20s");
                    endpoint.change("pay_breaker", null, null, "open-for", "30s");
                    assertThat(context.getBean("Pay_breaker", CircuitBreaker.class)
                                    .config()
                                    .openFor())
                            .hasSeconds(20);
                    assertThat(context.getBean("pay_breaker", CircuitBreaker.class)
                                    .config()
                                    .openFor())
                            .hasSeconds(30);
                });
    }

    @Test
    void a_wrong_request_changes_nothing_and_says_why() {
        APP.withPropertyValues("management.endpoint.levee.access=UNRESTRICTED", "a.secret=hidden")
                .run(context -> {
                    LeveeEndpoint endpoint = context.getBean(LeveeEndpoint.class);
                    CircuitBreaker breaker = context.getBean("a-breaker", CircuitBreaker.class);
                    refused(endpoint, "a-breaker", "explode", null, null, null, "force-open");
                    refused(endpoint, "a-breaker", "force-open", "30", null, null, "unit");
                    refused(endpoint, "a-breaker", "reset", "30s", null, null, "time is for");
                    refused(endpoint, "a-retry", "reset", null, null, null, "no actions");
                    refused(endpoint, "a-breaker", null, null, null, null, "either");
                    refused(endpoint, "a-breaker", "reset", null, "open-for", "1s", "either");
                    refused(endpoint, "a-breaker", null, null, "open-for", "-1s", "levee.policies.a-breaker.open-for");
                    refused(endpoint, "a-breaker", null, null, "open-for", null, "value must be given");
                    refused(endpoint, "a-breaker", "reset", null, null, "1s", "value must not be given");
                    refused(endpoint, "a-breaker", null, null, "open-four", "1s", "did you mean \"open-for\"?");
                    refused(endpoint, "a-breaker", null, null, "totals", "true", "needs a restart");
                    refused(endpoint, "a-breaker", null, null, "outcomes.ignored", "java.lang.Error", "classes");
                    refused(endpoint, "d-fallback", null, null, "value", "${a.secret}", "plain text");
                    refused(endpoint, "d-fallback", null, null, "type", "java.lang.Integer", "classes");
                    refused(endpoint, "a-breaker", null, null, "../x", "1", "name of a setting");
                    assertThat(breaker.state()).isEqualTo(State.CLOSED);
                    assertThat(breaker.config().openFor()).hasSeconds(10);
                    assertThat(endpoint.change("nothing", "reset", null, null, null))
                            .isNull();
                    assertThat(context.getEnvironment().getPropertySources().contains(EndpointSettings.SOURCE))
                            .isFalse();
                });
    }

    private static void refused(
            LeveeEndpoint endpoint,
            String name,
            String action,
            String time,
            String property,
            String value,
            String reason) {
        assertThatThrownBy(() -> endpoint.change(name, action, time, property, value))
                .isInstanceOfSatisfying(
                        InvalidEndpointRequestException.class,
                        refusal -> assertThat(refusal.getReason()).contains(reason));
    }

    @Test
    void events_are_bounded_and_floods_are_thinned() {
        RecentEvents events = new RecentEvents();
        for (int i = 0; i < 1000; i++) {
            events.onStateChange(dev.levee.core.Policy.Kind.BREAKER, "b", "A", "B" + i);
            events.onRefused(dev.levee.core.Policy.Kind.BREAKER, "b");
        }
        assertThat(events.newestFirst()).hasSize(RecentEvents.MAX_EVENTS);
        assertThat(events.newestFirst().get(0).detail()).isEqualTo("A -> B999");
        assertThat(events.skipped()).isPositive();
    }

    @Test
    @SuppressWarnings("unchecked")
    void no_key_of_a_call_is_shown() {
        APP.withPropertyValues("levee.policies.k-breaker.keys.max=10", "levee.policies.k-breaker-fixed.kind=breaker")
                .run(context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    CircuitBreaker keyed = (CircuitBreaker) policies.policy("k-breaker", "ann-mary@example.org");
                    keyed.forceOpen();
                    assertThatThrownBy(() -> keyed.call(() -> "never")).isInstanceOf(RefusedException.class);
                    ((CircuitBreaker) policies.policy("k-breaker-fixed")).forceOpen();
                    Map<String, Object> all = (Map<String, Object>) invoke(context, "levee", Map.of());
                    assertThat(all.toString()).doesNotContain("ann").doesNotContain("example.org");
                    assertThat((List<RecentEvents.Event>) all.get("events"))
                            .extracting(RecentEvents.Event::policy)
                            .containsExactly("k-breaker-fixed", "k-breaker", "k-breaker");
                });
    }
}
