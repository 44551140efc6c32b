package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryConfig;
import dev.levee.core.policy.Timeout;
import dev.levee.ratelimit.RateLimiter;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;

/** Policies and pipelines from properties, and as beans. */
class ConfigurationTest {
    static final ApplicationContextRunner APP =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(LeveeAutoConfiguration.class));

    private static ApplicationContextRunner with(String... properties) {
        return APP.withPropertyValues(properties);
    }

    private static void fails(String property, String reason, String... properties) {
        with(properties).run(context -> {
            assertThat(context).hasFailed();
            Throwable failure = context.getStartupFailure();
            while (!(failure instanceof LeveeConfigurationException) && failure.getCause() != null) {
                failure = failure.getCause();
            }
            assertThat(failure).isInstanceOf(LeveeConfigurationException.class);
            assertThat(failure.getMessage()).contains(property).contains(reason);
            assertThat(new LeveeFailureAnalyzer().analyze(failure).getDescription())
                    .contains(property);
        });
    }

    @Test
    void without_a_property_there_is_nothing() {
        APP.run(context ->
                assertThat(context.getBean(LeveePolicies.class).names()).isEmpty());
    }

    @Test
    void policies_and_pipelines_are_beans_of_their_names_and_types() {
        with(
                        "levee.policies.payments-retry.max-attempts=4",
                        "levee.policies.payments-breaker.failure-rate=0.25",
                        "levee.policies.payments-timeout.after=2s",
                        "levee.policies.slots.kind=bulkhead",
                        "levee.policies.slots.max-concurrent=7",
                        "levee.pipelines.payments=retry,breaker,timeout,slots")
                .withUserConfiguration(Injected.class)
                .run(context -> {
                    Injected injected = context.getBean(Injected.class);
                    assertThat(injected.payments).isInstanceOf(Pipeline.class);
                    assertThat(injected.payments.name()).isEqualTo("payments");
                    assertThat(((Pipeline) injected.payments).policies())
                            .extracting(Policy::name)
                            .containsExactly("payments-retry", "payments-breaker", "payments-timeout", "slots");
                    assertThat(context.getBean(CircuitBreaker.class)).isSameAs(injected.breaker);
                    assertThat(injected.breaker.config().failureRate()).isEqualTo(0.25);
                    assertThat(context.getBean(Retry.class)).hasToString(injected.retry.toString());
                    assertThat(injected.retry.toString()).contains("up to 4 attempts");
                    assertThat(context.getBean("slots", Bulkhead.class)).isSameAs(injected.byType);
                    assertThat(context.getBean(LeveePolicies.class).policy("slots"))
                            .isSameAs(injected.byType);
                });
    }

    @Configuration
    static class Injected {
        @Autowired
        @Qualifier("payments") Policy payments;

        @Autowired
        @Qualifier("payments-breaker") CircuitBreaker breaker;

        @Autowired
        @Qualifier("payments-retry") Retry retry;

        @Autowired
        Bulkhead byType;
    }

    @Test
    void a_kind_in_a_pipeline_is_a_policy_with_the_defaults_for_this_pipeline_alone() {
        with(
                        "levee.defaults.timeout.after=3s",
                        "levee.defaults.retry.max-attempts=5",
                        "levee.policies.b-retry.max-attempts=2",
                        "levee.pipelines.a=retry,timeout",
                        "levee.pipelines.b=retry,timeout")
                .run(context -> {
                    assertThat(context.getBean("a-retry")).asString().contains("up to 5 attempts");
                    assertThat(context.getBean("b-retry")).asString().contains("up to 2 attempts");
                    assertThat(context.getBeansOfType(Timeout.class)).containsOnlyKeys("a-timeout", "b-timeout");
                    assertThat(context.getBean("a-timeout")).asString().contains("PT3S");
                });
    }

    @Test
    void a_policy_of_its_own_name_is_shared_by_pipelines_and_a_pipeline_stands_in_another_one() {
        with(
                        "levee.policies.database.kind=bulkhead",
                        "levee.pipelines.inner=breaker,database",
                        "levee.pipelines.outer=retry,inner",
                        "levee.pipelines.other=database")
                .run(context -> {
                    Pipeline outer = context.getBean("outer", Pipeline.class);
                    Pipeline other = context.getBean("other", Pipeline.class);
                    assertThat(outer.policies())
                            .extracting(Policy::name)
                            .containsExactly("outer-retry", "inner-breaker", "database");
                    assertThat(other.policies().get(0))
                            .isSameAs(outer.policies().get(2));
                });
    }

    @Test
    void a_bean_of_the_application_stands_in_a_pipeline() {
        with("levee.pipelines.payments=retry,mine")
                .withUserConfiguration(Own.class)
                .run(context -> {
                    Pipeline payments = context.getBean("payments", Pipeline.class);
                    assertThat(payments.policies().get(1)).isSameAs(context.getBean("mine"));
                });
    }

    @Configuration
    static class Own {
        @Bean
        Bulkhead mine() {
            return Bulkhead.of("mine", 3);
        }
    }

    @Test
    void two_beans_of_one_name_fail_the_start_with_both() {
        ApplicationContextRunner runner = with("levee.policies.mine.kind=retry").withUserConfiguration(Own.class);
        runner.run(context -> {
            assertThat(context).hasFailed();
            assertThat(context.getStartupFailure())
                    .hasMessageContaining("levee.policies.mine")
                    .hasMessageContaining("there is a bean \"mine\" already")
                    .hasMessageContaining("Own");
        });
        fails(
                "levee.pipelines.a",
                "is the name of a policy too",
                "levee.policies.a.kind=retry",
                "levee.pipelines.a=retry");
    }

    @Test
    void another_name_of_a_bean_is_taken_too() {
        with("levee.policies.mine.kind=retry")
                .withUserConfiguration(Aliased.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("levee.policies.mine: \"mine\" is another name of the bean [other]"));
    }

    @Configuration
    static class Aliased {
        @Bean({"other", "mine"})
        Bulkhead other() {
            return Bulkhead.of("other", 3);
        }
    }

    @Test
    void a_bean_that_comes_later_takes_no_name() {
        for (String section : List.of("policies.mine.kind", "pipelines.mine")) {
            with("levee." + section + "=retry")
                    .withConfiguration(AutoConfigurations.of(Late.class))
                    .run(context -> assertThat(context.getStartupFailure())
                            .hasMessageContaining("levee." + section.replace(".kind", ""))
                            .hasMessageContaining("Late"));
            with("levee." + section + "=retry")
                    .withAllowBeanDefinitionOverriding(true)
                    .withUserConfiguration(Latest.class)
                    .run(context -> assertThat(context.getStartupFailure())
                            .rootCause()
                            .hasMessageContaining("levee." + section.replace(".kind", ""))
                            .hasMessageContaining("there is a bean \"mine\" already"));
            with("levee." + section + "=retry")
                    .withAllowBeanDefinitionOverriding(true)
                    .withConfiguration(AutoConfigurations.of(LateAlias.class))
                    .run(context -> assertThat(context.getStartupFailure())
                            .rootCause()
                            .hasMessageContaining("\"mine\" is another name of the bean [other]"));
        }
    }

    @AutoConfiguration(after = LeveeAutoConfiguration.class)
    static class Late {
        @Bean
        Bulkhead mine() {
            return Bulkhead.of("mine", 3);
        }
    }

    @Configuration
    static class Latest {
        @Bean
        static BeanDefinitionRegistryPostProcessor latest() {
            return registry -> registry.registerBeanDefinition("mine", new RootBeanDefinition(Object.class));
        }
    }

    @AutoConfiguration(after = LeveeAutoConfiguration.class)
    static class LateAlias {
        @Bean({"other", "mine"})
        Bulkhead other() {
            return Bulkhead.of("other", 3);
        }
    }

    @Test
    void two_names_of_one_source_that_are_one_fail_the_start() {
        fails(
                "levee.pipelines.a",
                "stands in one place as \"levee.pipelines.a\" and as \"levee.pipelines.A\"",
                "levee.pipelines.a=retry",
                "levee.pipelines.A=breaker");
        fails(
                "levee.policies.my-retry.max-attempts",
                "levee.policies.myRetry.max-attempts",
                "levee.policies.my-retry.max-attempts=2",
                "levee.policies.myRetry.max-attempts=3");
        fails(
                "levee.policies.x-retry.max-attempts",
                "levee.policies.x-retry.maxAttempts",
                "levee.policies.x-retry.max-attempts=2",
                "levee.policies.x-retry.maxAttempts=3");
        fails("levee.pipelines.a", "one name", "levee.pipelines.a[0]=retry", "levee.pipelines.A[0]=breaker");
    }

    @Test
    void a_name_is_written_otherwise_in_another_source() {
        with("levee.policies.x-retry.max-attempts=2")
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource("first", Map.of("levee.policies.xRetry.maxAttempts", "4"))))
                .run(context ->
                        assertThat(context.getBean(Retry.class)).asString().contains("up to 4 attempts"));
    }

    @Test
    void a_bean_that_is_no_policy_is_named_with_its_pipeline() {
        for (String more : List.of("", ",t-bulkhead")) {
            with(
                            "levee.pipelines.a=retry,text" + more,
                            "levee.policies.t-bulkhead.max-concurrent=1",
                            "levee.policies.t-bulkhead.keys.max=3")
                    .withBean("text", String.class, () -> "text")
                    .run(context -> assertThat(context.getStartupFailure())
                            .rootCause()
                            .hasMessage("levee.pipelines.a = \"text\": names a bean that is no policy"));
        }
        with("levee.pipelines.a=retry,nothing")
                .withUserConfiguration(Absent.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage("levee.pipelines.a = \"nothing\": names a bean that is no policy"));
    }

    @Configuration
    static class Absent {
        @Bean
        Bulkhead nothing() {
            return null;
        }
    }

    @Test
    void a_wrong_value_is_said_once() {
        with("levee.policies.x-timeout.after=500")
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOfSatisfying(
                                LeveeConfigurationException.class,
                                wrong -> assertThat(wrong.problems()).hasSize(1)));
    }

    @Test
    void a_wrong_value_names_property_value_and_bound() {
        fails(
                "levee.policies.x-retry.max-attempts = \"0\"",
                "must be at least 1, but was 0",
                "levee.policies.x-retry.max-attempts=0");
        fails(
                "levee.policies.x-breaker.failure-rate = \"1.5\"",
                "but was 1.5",
                "levee.policies.x-breaker.failure-rate=1.5");
        fails(
                "levee.policies.x-retry.max-attempts = \"three\"",
                "must be a whole number",
                "levee.policies.x-retry.max-attempts=three");
        fails(
                "levee.defaults.bulkhead.max-concurrent = \"-1\"",
                "must be at least 1",
                "levee.defaults.bulkhead.max-concurrent=-1");
        fails(
                "levee.policies.x-retry.backoff.max = \"1ms\"",
                "max",
                "levee.policies.x-retry.backoff.initial=1s",
                "levee.policies.x-retry.backoff.max=1ms");
        fails(
                "levee.policies.x-retry.backoff.jitter = \"some\"",
                "must be one of [none, full, equal, decorrelated]",
                "levee.policies.x-retry.backoff.jitter=some");
        fails("levee.policies.x-retry.budget.ratio = \"2\"", "ratio", "levee.policies.x-retry.budget.ratio=2");
        fails(
                "levee.policies.x-breaker.outcomes.ignored[0] = \"com.example.None\"",
                "must be the name of a class",
                "levee.policies.x-breaker.outcomes.ignored[0]=com.example.None");
        fails(
                "levee.policies.x-breaker.outcomes.ignored = \"java.lang.String\"",
                "must be the name of an exception",
                "levee.policies.x-breaker.outcomes.ignored=java.lang.String");
    }

    @Test
    void settings_that_contradict_each_other_name_the_policy() {
        fails(
                "levee.policies.x-breaker",
                "window",
                "levee.policies.x-breaker.count-window=10",
                "levee.policies.x-breaker.time-window=10s");
        fails("levee.policies.x-limiter.permits", "must be set", "levee.policies.x-limiter.per=1s");
        fails("levee.policies.x-timeout.after", "must be set", "levee.policies.x-timeout.kind=timeout");
        fails(
                "levee.policies.x-limiter.burst",
                "only for the algorithm token-bucket",
                "levee.policies.x-limiter.permits=1",
                "levee.policies.x-limiter.burst=1",
                "levee.policies.x-limiter.algorithm=fixed-window");
    }

    @Test
    void a_duration_needs_a_unit() {
        for (String wrong : List.of("500", "1.5s", "2 weeks", "", "s", "-5s", "1m30s", "PT")) {
            fails(
                    "levee.policies.x-timeout.after = \"" + wrong + '"',
                    "must be a duration",
                    "levee.policies.x-timeout.after=" + wrong);
        }
        fails("levee.policies.x-timeout.after = \"0s\"", "more than zero", "levee.policies.x-timeout.after=0s");
        fails("levee.policies.x-timeout.after = \"-PT5S\"", "more than zero", "levee.policies.x-timeout.after=-PT5S");
        for (String right : List.of("500ms", "2s", "1m", "1h", "1d", "10us", "10ns", "PT1M30S", "forever", " 5 s ")) {
            with("levee.policies.x-timeout.after=" + right)
                    .run(context -> assertThat(context).hasNotFailed());
        }
    }

    @Test
    void an_unknown_property_names_the_nearest_one() {
        fails(
                "levee.policies.x-retry.max-atempts",
                "did you mean \"max-attempts\"?",
                "levee.policies.x-retry.max-atempts=3");
        fails("levee.policy.x-retry.max-attempts", "did you mean \"policies\"?", "levee.policy.x-retry.max-attempts=3");
        fails(
                "levee.defaults.retries.max-attempts",
                "did you mean \"retry\"?",
                "levee.defaults.retries.max-attempts=3");
        fails(
                "levee.policies.x-retry.backoff.inital",
                "did you mean \"initial\"?",
                "levee.policies.x-retry.backoff.inital=1s");
        fails("levee.defaults.retry.failure-rate", "is no property of", "levee.defaults.retry.failure-rate=0.5");
        fails("levee.policies.x.kind = \"brake\"", "did you mean \"breaker\"?", "levee.policies.x.kind=brake");
        fails("levee.policies.x.kind", "must be set", "levee.policies.x.max-attempts=3");
        fails("levee.policies.x-retry.backoff", "no value of its own", "levee.policies.x-retry.backoff=1s");
    }

    @Test
    void a_value_where_only_properties_below_it_are_known_is_refused() {
        fails("levee.policies.a-breaker = \"on\"", "properties below it", "levee.policies.a-breaker=on");
        fails("levee.defaults.breaker = \"1\"", "properties below it", "levee.defaults.breaker=1");
        fails("levee.guarded = \"5\"", "properties below it", "levee.guarded=5");
        fails("levee = \"retry\"", "sections below it", "levee=retry");
        with("levee.policies.a-breaker=") // as YAML says nothing
                .run(context -> assertThat(context).hasSingleBean(CircuitBreaker.class));
    }

    @Test
    void a_name_of_a_bean_of_Springs_own_is_refused() {
        fails("levee.pipelines.environment", "there is a bean \"environment\"", "levee.pipelines.environment=retry");
    }

    @Test
    void properties_of_other_modules_are_checked_too() {
        fails("levee.http", "needs levee-spring-web", "levee.http.clients.catalog.endpoints=http://10.0.0.1");
        fails("levee.cloud.loadbalancers", "is no property of levee.cloud", "levee.cloud.loadbalancers.enabled=false");
        fails("levee.cloud.load-balancer.enabled", "true or false", "levee.cloud.load-balancer.enabled=nein");
        with("levee.cloud.load-balancer.enabled=false", "levee.cloud.circuitBreaker.enabled=true")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void a_pipeline_names_what_is_not_there_twice_or_in_a_circle() {
        fails("levee.pipelines.a", "did you mean \"retry\"?", "levee.pipelines.a=retri");
        fails(
                "levee.pipelines.a[1] = \"nothing\"",
                "names no policy",
                "levee.pipelines.a[0]=retry",
                "levee.pipelines.a[1]=nothing");
        fails("levee.pipelines.a", "twice", "levee.pipelines.a=retry,retry");
        fails("levee.pipelines.a", "twice", "levee.pipelines.a=b,b-retry", "levee.pipelines.b=retry");
        fails("levee.pipelines.a", "contains itself: a -> b -> a", "levee.pipelines.a=b", "levee.pipelines.b=a");
        fails("levee.pipelines.a", "contains itself: a -> a", "levee.pipelines.a=a");
        fails("levee.pipelines.a", "must list", "levee.pipelines.a=");
    }

    @Test
    void all_that_is_wrong_is_said_at_once() {
        with(
                        "levee.policies.x-retry.max-attempts=0",
                        "levee.policies.y-breaker.failure-rate=7",
                        "levee.pipelines.p=x-retry,nothing")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining("levee.policies.x-retry.max-attempts")
                        .hasMessageContaining("levee.policies.y-breaker.failure-rate")
                        .hasMessageContaining("levee.pipelines.p"));
    }

    @Test
    void a_variable_of_the_process_sets_a_property() {
        APP.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new org.springframework.core.env.SystemEnvironmentPropertySource(
                                "systemEnvironment",
                                java.util.Map.of("LEVEE_POLICIES_MYRETRY_MAXATTEMPTS", "9", "LEVEE_PORT", "tcp://x"))))
                .withPropertyValues("levee.policies.my-retry.max-attempts=4")
                .run(context ->
                        assertThat(context.getBean("my-retry")).asString().contains("up to 9 attempts"));
    }

    @Test
    void a_list_of_one_source_is_not_mixed_with_that_of_another() {
        APP.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addLast(new org.springframework.core.env.MapPropertySource(
                                "later",
                                java.util.Map.of(
                                        "levee.pipelines.a[0]", "bulkhead", "levee.pipelines.a[1]", "breaker"))))
                .withPropertyValues("levee.pipelines.a[0]=retry")
                .run(context -> assertThat(context.getBean("a", Pipeline.class).policies())
                        .hasSize(1));
    }

    @Test
    void a_customizer_sets_what_properties_cannot() throws Exception {
        with("levee.policies.x-retry.max-attempts=2", "levee.policies.x-retry.idempotent=true")
                .withUserConfiguration(Customized.class)
                .run(context -> {
                    AtomicInteger calls = new AtomicInteger();
                    Retry retry = context.getBean(Retry.class);
                    assertThatThrownBy(() -> retry.call(() -> {
                                calls.incrementAndGet();
                                throw new IOException("down");
                            }))
                            .hasMessage("down");
                    assertThat(calls).hasValue(1);
                    assertThat(Customized.NAMES).containsExactly("x-retry");
                });
    }

    @Configuration
    static class Customized {
        static final List<String> NAMES = new ArrayList<>();

        @Bean
        PolicyCustomizer<RetryConfig.Builder> once() {
            NAMES.clear();
            return PolicyCustomizer.of(RetryConfig.Builder.class, (name, retry) -> {
                NAMES.add(name);
                retry.maxAttempts(1);
            });
        }
    }

    @Test
    void keys_have_policies_of_their_own_by_patterns() {
        with(
                        "levee.policies.tenant-bulkhead.max-concurrent=2",
                        "levee.policies.tenant-bulkhead.keys.max=1000",
                        "levee.policies.tenant-bulkhead.keys.patterns[0].pattern=big-*",
                        "levee.policies.tenant-bulkhead.keys.patterns[0].max-concurrent=50",
                        "levee.pipelines.tenants=breaker,tenant-bulkhead")
                .run(context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    assertThat(policies.isKeyed("tenants")).isTrue();
                    assertThat(((Bulkhead) policies.policy("tenant-bulkhead", "small")).maxConcurrent())
                            .isEqualTo(2);
                    assertThat(((Bulkhead) policies.policy("tenant-bulkhead", "big-1")).maxConcurrent())
                            .isEqualTo(50);
                    Pipeline small = (Pipeline) policies.policy("tenants", "small");
                    assertThat(small).isSameAs(policies.policy("tenants", "small"));
                    assertThat(small.policies().get(1)).isSameAs(policies.policy("tenant-bulkhead", "small"));
                    assertThat(small.policies().get(0)).isSameAs(context.getBean("tenants-breaker"));
                    assertThatThrownBy(() -> policies.policy("tenants"))
                            .hasMessageContaining("\"tenants\"")
                            .hasMessageContaining("key");
                });
        fails(
                "levee.policies.a-bulkhead.keys.patterns[1].max-concurrent = \"0\"",
                "at least 1",
                "levee.policies.a-bulkhead.keys.max=10",
                "levee.policies.a-bulkhead.keys.patterns[0].pattern=a",
                "levee.policies.a-bulkhead.keys.patterns[1].pattern=b",
                "levee.policies.a-bulkhead.keys.patterns[1].max-concurrent=0");
        fails(
                "levee.policies.a-bulkhead.keys.patterns",
                "can never count",
                "levee.policies.a-bulkhead.keys.max=10",
                "levee.policies.a-bulkhead.keys.patterns[0].pattern=*",
                "levee.policies.a-bulkhead.keys.patterns[1].pattern=b");
    }

    @Test
    void keys_of_one_text_are_one_key() {
        with("levee.policies.tenant-bulkhead.keys.max=10", "levee.pipelines.tenants=breaker,tenant-bulkhead")
                .run(context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    Policy seven = policies.policy("tenant-bulkhead", 7);
                    assertThat(policies.policy("tenant-bulkhead", "7")).isSameAs(seven);
                    assertThat(policies.policy("tenant-bulkhead", 7L)).isSameAs(seven);
                    assertThat(policies.policy("tenants", 7L)).isSameAs(policies.policy("tenants", 7));
                    assertThat(((Pipeline) policies.policy("tenants", "7")).policies())
                            .contains(seven);
                });
    }

    @Test
    void every_kind_is_made_with_its_settings() {
        with(
                        "levee.policies.a-limiter.permits=100",
                        "levee.policies.a-limiter.per=1s",
                        "levee.policies.a-limiter.burst=10",
                        "levee.policies.b-limiter.algorithm=calendar",
                        "levee.policies.b-limiter.permits=5",
                        "levee.policies.b-limiter.calendar-unit=days",
                        "levee.policies.b-limiter.calendar-zone=Europe/Berlin",
                        "levee.policies.c-adaptive-bulkhead.algorithm=aimd",
                        "levee.policies.c-adaptive-bulkhead.partitions.live=0.8",
                        "levee.policies.c-adaptive-bulkhead.partitions.batch=0.2",
                        "levee.policies.d-shedding-bulkhead.max-concurrent=9",
                        "levee.policies.e-shedder.bulkhead=d-shedding-bulkhead",
                        "levee.policies.f-throttle.multiplier=3",
                        "levee.policies.g-faults.inject[0].latency=10ms",
                        "levee.policies.g-faults.inject[0].rate=0.1",
                        "levee.policies.g-faults.inject[1].failure=java.io.IOException",
                        "levee.policies.h-hedge.idempotent=true",
                        "levee.policies.h-hedge.delay=50ms",
                        "levee.policies.i-fallback.value=7",
                        "levee.policies.i-fallback.type=java.lang.Integer",
                        "levee.policies.j-retry.budget.shared=all",
                        "levee.policies.j-retry.outcomes.ignored=java.lang.IllegalStateException,java.io.IOException",
                        "levee.budgets.all.ratio=0.1")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBeansOfType(RateLimiter.class)).hasSize(2);
                    assertThat(context.getBean("a-limiter", RateLimiter.class).limit())
                            .hasToString("100 per 1s, burst 10");
                    Policy fallback = context.getBean("i-fallback", Policy.class);
                    Object answer = fallback.call(() -> {
                        throw new IllegalStateException("down");
                    });
                    assertThat(answer).isEqualTo(7);
                    assertThat(Duration.ofSeconds(1)).isPositive();
                });
        fails(
                "levee.policies.j-retry.budget.shared = \"al\"",
                "did you mean \"all\"?",
                "levee.policies.j-retry.budget.shared=al",
                "levee.budgets.all.ratio=0.1");
        fails("levee.policies.e-shedder.bulkhead", "must name a bulkhead", "levee.policies.e-shedder.bulkhead=nothing");
        fails(
                "levee.policies.i-fallback.value = \"x\"",
                "cannot be converted to java.lang.Integer",
                "levee.policies.i-fallback.value=x",
                "levee.policies.i-fallback.type=java.lang.Integer");
    }

    @Test
    void a_list_with_a_gap_fails_the_start() {
        String gap = "comes after a gap: there is no ";
        fails(
                "levee.pipelines.a[2] = \"breaker\"",
                gap + "levee.pipelines.a[1]",
                "levee.pipelines.a[0]=retry",
                "levee.pipelines.a[2]=breaker");
        fails("levee.pipelines.a[1] = \"retry\"", gap + "levee.pipelines.a[0]", "levee.pipelines.a[1]=retry");
        for (String list : List.of("outcomes.ignored", "outcomes.failure", "outcomes.only")) {
            fails(
                    "levee.policies.a-breaker." + list + "[2]",
                    gap + "levee.policies.a-breaker." + list + "[1]",
                    "levee.policies.a-breaker." + list + "[0]=java.io.IOException",
                    "levee.policies.a-breaker." + list + "[2]=java.lang.IllegalStateException");
        }
        fails(
                "levee.policies.a-faults.inject[1]",
                gap + "levee.policies.a-faults.inject[0]",
                "levee.policies.a-faults.inject[1].failure=java.io.IOException");
        fails(
                "levee.policies.a-bulkhead.keys.patterns[2]",
                gap + "levee.policies.a-bulkhead.keys.patterns[1]",
                "levee.policies.a-bulkhead.keys.max=10",
                "levee.policies.a-bulkhead.keys.patterns[0].pattern=a*",
                "levee.policies.a-bulkhead.keys.patterns[2].pattern=b*");
        fails("levee.health.down[1]", gap + "levee.health.down[0]", "levee.health.down[1]=a-breaker");
    }

    @Test
    void a_value_and_a_list_of_one_name_fail_the_start() {
        String both = "stands in one place as one value and as a list";
        fails("levee.pipelines.a", both, "levee.pipelines.a=retry", "levee.pipelines.a[0]=breaker");
        fails("levee.pipelines.a", both, "levee.pipelines.a[0]=breaker", "levee.pipelines.a=retry");
        fails(
                "levee.policies.a-breaker.outcomes.ignored",
                both,
                "levee.policies.a-breaker.outcomes.ignored=java.io.IOException",
                "levee.policies.a-breaker.outcomes.ignored[0]=java.lang.IllegalStateException");
    }

    @Test
    void a_list_with_an_empty_element_fails_the_start() {
        String empty = "has an empty element";
        for (String elements : List.of("retry,,breaker", "retry, ,breaker", "retry,breaker,", ",")) {
            fails("levee.pipelines.a = ", empty, "levee.pipelines.a=" + elements);
        }
        fails("levee.pipelines.a[1]", "is an empty element", "levee.pipelines.a[0]=retry", "levee.pipelines.a[1]=");
        fails(
                "levee.policies.a-breaker.outcomes.ignored",
                empty,
                "levee.policies.a-breaker.outcomes.ignored=java.io.IOException,,java.lang.IllegalStateException");
        fails("levee.health.down", empty, "levee.policies.a-breaker.kind=breaker", "levee.health.down=a-breaker,");
        fails("levee.health.down[0]", "is an empty element", "levee.health.down[0]=");
        with("levee.policies.a-breaker.outcomes.ignored=", "levee.health.down=")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void what_stands_below_a_list_and_is_no_element_fails_the_start() {
        String none = "is no element of a list";
        fails("levee.pipelines.a.first", none, "levee.pipelines.a.first=retry");
        fails("levee.pipelines.a.last", none, "levee.pipelines.a[0]=retry", "levee.pipelines.a.last=breaker");
        fails("levee.health.down.x", none, "levee.health.down.x=a-breaker");
    }

    @Test
    void a_placeholder_that_nothing_resolves_is_said() {
        fails(
                "levee.policies.a-fallback.value",
                "has a placeholder that cannot be resolved",
                "levee.policies.a-fallback.value=${nobody.knows}");
        fails(
                "levee.policies.a-timeout.after",
                "has a placeholder that cannot be resolved",
                "levee.policies.a-timeout.after=${levee.policies.a-timeout.after}");
        with("levee.policies.a-timeout.after=${nobody.knows:7s}")
                .run(context ->
                        assertThat(context.getBean("a-timeout")).asString().contains("PT7S"));
    }

    @Test
    void what_another_algorithm_needs_is_said_where_it_would_do_nothing() {
        fails(
                "levee.policies.a-limiter.per",
                "is not for the algorithm calendar",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.per=1h",
                "levee.policies.a-limiter.algorithm=calendar",
                "levee.policies.a-limiter.calendar-unit=days");
        fails(
                "levee.policies.a-limiter.calendar-zone",
                "is only for the algorithm calendar",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.calendar-zone=Europe/Berlin");
        fails(
                "levee.policies.a-adaptive-bulkhead.window",
                "is only for the algorithms aimd, vegas and gradient2",
                "levee.policies.a-adaptive-bulkhead.window=1s");
        fails(
                "levee.policies.a-adaptive-bulkhead.smoothing",
                "is only for the algorithms vegas and gradient2",
                "levee.policies.a-adaptive-bulkhead.algorithm=aimd",
                "levee.policies.a-adaptive-bulkhead.smoothing=0.5");
        fails(
                "levee.policies.a-faults",
                "max-latency must have a latency too",
                "levee.policies.a-faults.inject[0].hang=true",
                "levee.policies.a-faults.inject[0].max-latency=5s");
    }

    @Test
    void what_belongs_together_is_said_at_the_property_that_is_wrong() {
        fails(
                "levee.policies.a-limiter.calendar-unit = \"nanos\"",
                "unit must be one of",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.algorithm=calendar",
                "levee.policies.a-limiter.calendar-unit=nanos");
        fails(
                "levee.policies.a-limiter.permits = \"0\"",
                "permits must be at least 1",
                "levee.policies.a-limiter.permits=0");
        fails(
                "levee.policies.a-limiter.initial-permits = \"5\"",
                "initialPermits must be from 0 to 3",
                "levee.policies.a-limiter.permits=3",
                "levee.policies.a-limiter.initial-permits=5");
        fails(
                "levee.policies.a-limiter.cold-factor = \"NaN\"",
                "coldFactor must be",
                "levee.policies.a-limiter.permits=3",
                "levee.policies.a-limiter.algorithm=warm-up",
                "levee.policies.a-limiter.warm-up=1s",
                "levee.policies.a-limiter.cold-factor=NaN");
        fails(
                "levee.policies.a-bulkhead.max-waiting = \"-1\"",
                "maxWaiting must be at least 0",
                "levee.policies.a-bulkhead.max-waiting=-1");
        fails(
                "levee.policies.a-meter.objective.within = \"0s\"",
                "within must be more than zero",
                "levee.policies.a-meter.objective.target=0.99",
                "levee.policies.a-meter.objective.within=0s");
        fails(
                "levee.policies.a-adaptive-bulkhead.tolerance = \"0\"",
                "tolerance must be at least 1",
                "levee.policies.a-adaptive-bulkhead.algorithm=gradient2",
                "levee.policies.a-adaptive-bulkhead.tolerance=0");
        fails(
                "levee.policies.a-adaptive-bulkhead.partitions.a = \"0\"",
                "must be more than 0",
                "levee.policies.a-adaptive-bulkhead.partitions.a=0");
        fails(
                "levee.policies.a-breaker.ramp.shares",
                "ramp share must be more than 0",
                "levee.policies.a-breaker.ramp.step=1s",
                "levee.policies.a-breaker.ramp.shares=0");
        fails(
                "levee.policies.a-breaker.open-for-multiplier = \"0.5\"",
                "multiplier must be at least 1",
                "levee.policies.a-breaker.open-for=1s",
                "levee.policies.a-breaker.open-for-max=1m",
                "levee.policies.a-breaker.open-for-multiplier=0.5");
        fails(
                "levee.policies.a-hedge.min-delay = \"5s\"",
                "at most max-delay",
                "levee.policies.a-hedge.idempotent=true",
                "levee.policies.a-hedge.min-delay=5s");
        fails(
                "levee.policies.a-fallback.value = \"\"",
                "cannot be converted to java.lang.Integer",
                "levee.policies.a-fallback.type=java.lang.Integer",
                "levee.policies.a-fallback.value=");
    }

    @Test
    void a_number_has_no_letter_at_its_end() {
        for (String number : List.of("1d", "0.5f", "0x1p-1", "1.D")) {
            fails(
                    "levee.policies.a-breaker.failure-rate",
                    "must be a number",
                    "levee.policies.a-breaker.failure-rate=" + number);
        }
        with("levee.policies.a-breaker.failure-rate=5e-1")
                .run(context -> assertThat(
                                context.getBean(CircuitBreaker.class).config().failureRate())
                        .isEqualTo(0.5));
    }

    @Test
    void a_hedge_has_a_fixed_delay_or_one_that_is_found() {
        fails(
                "levee.policies.a-hedge.delay-at-percentile = \"0.5\"",
                "delay is set",
                "levee.policies.a-hedge.idempotent=true",
                "levee.policies.a-hedge.delay=1s",
                "levee.policies.a-hedge.delay-at-percentile=0.5");
    }
}
