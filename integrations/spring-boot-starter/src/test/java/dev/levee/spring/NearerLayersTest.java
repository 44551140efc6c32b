package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ContextConsumer;

/** What a policy says itself counts more than what it gets from the defaults, also where both do not go together. */
class NearerLayersTest {
    private static void run(ContextConsumer<AssertableApplicationContext> consumer, String... properties) {
        ConfigurationTest.APP.withPropertyValues(properties).run(context -> {
            assertThat(context).hasNotFailed();
            consumer.accept(context);
        });
    }

    private static void fails(String property, String reason, String... properties) {
        ConfigurationTest.APP
                .withPropertyValues(properties)
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOfSatisfying(
                                LeveeConfigurationException.class,
                                wrong -> assertThat(wrong.problems())
                                        .singleElement()
                                        .satisfies(problem -> {
                                            assertThat(problem.property()).isEqualTo(property);
                                            assertThat(problem.value()).isNotNull();
                                            assertThat(problem.reason()).contains(reason);
                                        })));
    }

    @Test
    void another_window_of_a_breaker_replaces_that_of_the_defaults() {
        String counted = "levee.defaults.breaker.count-window=50";
        run(
                context -> {
                    CircuitBreakerConfig config =
                            context.getBean(CircuitBreaker.class).config();
                    assertThat(config.timeWindow()).isEqualTo(Duration.ofSeconds(10));
                    assertThat(config.countWindow()).isZero();
                    assertThat(config.failureRate()).isEqualTo(0.25);
                },
                counted,
                "levee.defaults.breaker.failure-rate=0.25",
                "levee.policies.a-breaker.time-window=10s");
        run(
                context -> assertThat(
                                context.getBean(CircuitBreaker.class).config().consecutiveFailures())
                        .isEqualTo(5),
                counted,
                "levee.defaults.breaker.failure-rate=0.25",
                "levee.defaults.breaker.min-calls=9",
                "levee.defaults.breaker.slow-call-rate=0.5",
                "levee.defaults.breaker.slow-call-duration=1s",
                "levee.policies.a-breaker.consecutive-failures=5");
        run(
                context -> assertThat(
                                context.getBean(CircuitBreaker.class).config().failureRate())
                        .isEqualTo(0.75),
                "levee.defaults.breaker.consecutive-failures=5",
                "levee.policies.a-breaker.failure-rate=0.75");
    }

    @Test
    void another_algorithm_needs_nothing_of_the_defaults() {
        run(
                context ->
                        assertThat(context.getBean(RateLimiter.class).limit()).hasToString("5 per 1s, sliding log"),
                "levee.defaults.limiter.burst=100",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.algorithm=sliding-log");
        run(
                context -> assertThat(context.getBean(RateLimiter.class).limit())
                        .asString()
                        .contains("per day"),
                "levee.defaults.limiter.per=10s",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.algorithm=calendar",
                "levee.policies.a-limiter.calendar-unit=days");
        run(
                context -> assertThat(context).hasBean("a-adaptive-bulkhead"),
                "levee.defaults.adaptive-bulkhead.algorithm=gradient2",
                "levee.defaults.adaptive-bulkhead.tolerance=2",
                "levee.policies.a-adaptive-bulkhead.algorithm=vegas");
    }

    @Test
    void what_a_pattern_says_replaces_what_does_not_go_with_it() {
        run(
                context -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    assertThat(((RateLimiter) policies.policy("a-limiter", "x")).limit())
                            .hasToString("5 per 1s, burst 9");
                    assertThat(((RateLimiter) policies.policy("a-limiter", "big")).limit())
                            .hasToString("5 per 1s, sliding log");
                },
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.burst=9",
                "levee.policies.a-limiter.keys.max=10",
                "levee.policies.a-limiter.keys.patterns[0].pattern=big",
                "levee.policies.a-limiter.keys.patterns[0].algorithm=sliding-log");
    }

    @Test
    void shapes_delays_budgets_and_answers_replace_those_of_the_defaults() {
        run(
                context -> assertThat(context.getBean(Retry.class)).isNotNull(),
                "levee.defaults.retry.backoff.multiplier=3",
                "levee.defaults.retry.backoff.max=5s",
                "levee.defaults.retry.backoff.jitter=decorrelated",
                "levee.policies.a-retry.backoff.shape=fixed");
        run(
                context -> assertThat(context).hasBean("a-hedge"),
                "levee.defaults.hedge.idempotent=true",
                "levee.defaults.hedge.delay-at-percentile=0.9",
                "levee.defaults.hedge.min-samples=7",
                "levee.policies.a-hedge.delay=50ms");
        run(
                context -> assertThat(context).hasBean("a-hedge"),
                "levee.defaults.hedge.idempotent=true",
                "levee.defaults.hedge.delay=50ms",
                "levee.policies.a-hedge.delay-at-percentile=0.9");
        run(
                context -> assertThat(context).hasBean("a-retry"),
                "levee.budgets.all.ratio=0.1",
                "levee.defaults.retry.budget.ratio=0.2",
                "levee.defaults.retry.budget.unlimited=false",
                "levee.policies.a-retry.budget.shared=all",
                "levee.policies.b-retry.budget.unlimited=true");
        run(
                context -> assertThat(context).hasBean("a-fallback"),
                "levee.defaults.fallback.value=7",
                "levee.defaults.fallback.type=java.lang.Integer",
                "levee.policies.a-fallback.nothing=true",
                "levee.policies.b-fallback.value=8",
                "levee.policies.c-fallback.nothing=false");
        run(
                context -> assertThat(
                                context.getBean("a-fallback", Policy.class).<Object, RuntimeException>call(() -> {
                                    throw new IllegalStateException("down");
                                }))
                        .isEqualTo("8"),
                "levee.defaults.fallback.nothing=true",
                "levee.policies.a-fallback.value=8");
        run(
                context -> assertThat(context).hasBean("a-bulkhead"),
                "levee.defaults.bulkhead.max-wait=1s",
                "levee.policies.a-bulkhead.max-concurrent=3",
                "levee.policies.b-bulkhead.max-waiting=3");
    }

    @Test
    void a_limit_that_is_found_replaces_a_fixed_one() {
        run(
                context -> {
                    assertThat(context.getBean("a-shedding-bulkhead", SheddingBulkhead.class)
                                    .maxConcurrent())
                            .isEqualTo(4);
                    assertThat(context.getBean("b-shedding-bulkhead", SheddingBulkhead.class)
                                    .maxConcurrent())
                            .isEqualTo(9);
                },
                "levee.defaults.shedding-bulkhead.max-concurrent=9",
                "levee.defaults.shedding-bulkhead.adaptive.initial-limit=4",
                "levee.policies.a-shedding-bulkhead.adaptive.enabled=true",
                "levee.policies.b-shedding-bulkhead.max-waiting=5");
        run(
                context -> assertThat(context.getBean("a-shedding-bulkhead", SheddingBulkhead.class)
                                .maxConcurrent())
                        .isEqualTo(9),
                "levee.defaults.shedding-bulkhead.adaptive.enabled=true",
                "levee.policies.a-shedding-bulkhead.max-concurrent=9");
    }

    @Test
    void what_does_nothing_in_a_policy_fails_the_start() {
        fails(
                "levee.policies.a-retry.backoff.max",
                "is not for the shape fixed",
                "levee.policies.a-retry.backoff.shape=fixed",
                "levee.policies.a-retry.backoff.max=5s");
        fails(
                "levee.defaults.retry.backoff.max",
                "is not for the shape fixed",
                "levee.defaults.retry.backoff.shape=fixed",
                "levee.defaults.retry.backoff.max=5s",
                "levee.policies.a-retry.max-attempts=2",
                "levee.policies.b-retry.max-attempts=2");
        fails(
                "levee.policies.a-retry.backoff.jitter",
                "must be decorrelated",
                "levee.policies.a-retry.backoff.shape=decorrelated",
                "levee.policies.a-retry.backoff.jitter=equal");
        fails(
                "levee.policies.a-shedding-bulkhead.adaptive.max-limit",
                "needs adaptive.enabled",
                "levee.policies.a-shedding-bulkhead.adaptive.max-limit=50");
        fails(
                "levee.policies.a-shedding-bulkhead.adaptive.algorithm",
                "needs adaptive.enabled",
                "levee.policies.a-shedding-bulkhead.adaptive.algorithm=vegas");
        fails(
                "levee.policies.a-hedge.min-samples",
                "delay is set",
                "levee.policies.a-hedge.idempotent=true",
                "levee.policies.a-hedge.delay=1s",
                "levee.policies.a-hedge.min-samples=5");
        fails(
                "levee.policies.a-limiter.max-waiting",
                "needs max-wait",
                "levee.policies.a-limiter.permits=5",
                "levee.policies.a-limiter.max-waiting=5");
        fails(
                "levee.policies.a-fallback.type",
                "nothing is true",
                "levee.policies.a-fallback.nothing=true",
                "levee.policies.a-fallback.type=java.lang.Integer");
    }

    @Test
    void what_only_a_queue_of_a_bulkhead_has_fails_the_start_without_one() {
        for (String property : List.of("max-wait=1s", "refuse-without-time=false", "newest-first-when-late=true")) {
            String name = property.substring(0, property.indexOf('='));
            fails("levee.policies.a-bulkhead." + name, "needs max-waiting", "levee.policies.a-bulkhead." + property);
            fails(
                    "levee.policies.a-bulkhead." + name,
                    "needs max-waiting",
                    "levee.policies.a-bulkhead.max-waiting=0",
                    "levee.policies.a-bulkhead." + property);
        }
        run(
                context -> assertThat(context.getBean(Bulkhead.class)).isNotNull(),
                "levee.policies.a-bulkhead.max-waiting=5",
                "levee.policies.a-bulkhead.refuse-without-time=false",
                "levee.policies.a-bulkhead.newest-first-when-late=false");
    }

    @Test
    void what_a_retry_would_take_from_a_budget_or_add_to_a_hint_that_it_has_not_fails_the_start() {
        fails(
                "levee.policies.a-retry.throttled-cost",
                "is not for budget.unlimited",
                "levee.policies.a-retry.budget.unlimited=true",
                "levee.policies.a-retry.throttled-cost=3");
        fails(
                "levee.policies.a-retry.hint-jitter",
                "is not for max-hint: 0s",
                "levee.policies.a-retry.max-hint=0s",
                "levee.policies.a-retry.hint-jitter=0.5");
        run(
                context -> assertThat(context).hasBean("a-retry"),
                "levee.defaults.retry.throttled-cost=3",
                "levee.policies.a-retry.budget.unlimited=true");
    }

    @Test
    void defaults_that_do_nothing_in_any_policy_fail_the_start() {
        fails(
                "levee.defaults.meter.objective.within",
                "needs objective.target",
                "levee.defaults.meter.objective.within=300ms",
                "levee.pipelines.p=meter");
        fails(
                "levee.defaults.meter.objective.burn-rate",
                "needs objective.target",
                "levee.defaults.meter.objective.burn-rate=2",
                "levee.policies.a-meter.kind=meter",
                "levee.policies.b-meter.kind=meter");
        fails(
                "levee.defaults.bulkhead.newest-first-when-late",
                "needs max-waiting",
                "levee.defaults.bulkhead.newest-first-when-late=false",
                "levee.policies.a-bulkhead.max-concurrent=3");
        fails(
                "levee.defaults.limiter.calendar-zone",
                "is only for the algorithm calendar",
                "levee.defaults.limiter.calendar-zone=Europe/Berlin",
                "levee.policies.a-limiter.permits=3");
    }

    @Test
    void defaults_that_one_policy_has_a_use_for_are_left_out_of_the_others() {
        run(
                context -> assertThat(context).hasBean("p"),
                "levee.defaults.meter.objective.within=300ms",
                "levee.pipelines.p=meter",
                "levee.policies.a-meter.objective.target=0.99");
        run(
                context -> assertThat(context).hasBean("p"),
                "levee.defaults.bulkhead.max-wait=1s",
                "levee.pipelines.p=bulkhead",
                "levee.policies.a-bulkhead.max-waiting=3");
        run(
                context -> assertThat(context.getBean(LeveePolicies.class).policy("a-bulkhead", "big-1"))
                        .isNotNull(),
                "levee.defaults.bulkhead.max-wait=1s",
                "levee.policies.a-bulkhead.max-concurrent=3",
                "levee.policies.a-bulkhead.keys.max=10",
                "levee.policies.a-bulkhead.keys.patterns[0].pattern=big-*",
                "levee.policies.a-bulkhead.keys.patterns[0].max-waiting=3");
        run(context -> assertThat(context).hasNotFailed(), "levee.defaults.meter.objective.within=300ms");
    }

    @Test
    void a_name_in_the_health_is_checked_where_nothing_asks_for_it() {
        fails(
                "levee.health.down",
                "did you mean \"a-breaker\"?",
                "levee.policies.a-breaker.kind=breaker",
                "levee.health.down=b-breaker");
        fails(
                "levee.health.down[1]",
                "names no breaker",
                "levee.policies.a-breaker.kind=breaker",
                "levee.policies.a-retry.kind=retry",
                "levee.health.down[0]=a-breaker",
                "levee.health.down[1]=a-retry");
        run(context -> assertThat(context).hasBean("p"), "levee.pipelines.p=breaker", "levee.health.down=p-breaker");
    }
}
