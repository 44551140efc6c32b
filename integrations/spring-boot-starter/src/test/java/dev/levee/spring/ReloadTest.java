package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.core.env.MapPropertySource;

/** Settings that change while the application runs. */
class ReloadTest {
    private static final String[] ALL = {
        "levee.policies.a-retry.idempotent=true",
        "levee.policies.a-retry.max-attempts=2",
        "levee.policies.a-retry.backoff.initial=1ns",
        "levee.policies.a-breaker.consecutive-failures=50",
        "levee.policies.a-timeout.after=5s",
        "levee.policies.a-bulkhead.max-concurrent=10",
        "levee.policies.a-limiter.permits=1000000",
        "levee.policies.a-fallback.value=old",
        "levee.policies.a-hedge.idempotent=true",
        "levee.policies.a-hedge.delay=1h",
        "levee.policies.c-adaptive-bulkhead.max-limit=100",
        "levee.policies.d-shedding-bulkhead.max-concurrent=10",
        "levee.policies.e-faults.inject[0].failure=java.io.IOException",
        "levee.policies.k-bulkhead.max-concurrent=2",
        "levee.policies.k-bulkhead.keys.max=100",
        "levee.policies.k-bulkhead.keys.patterns[0].pattern=big-*",
        "levee.policies.k-bulkhead.keys.patterns[0].max-concurrent=20",
        "levee.pipelines.a=fallback,retry,breaker,limiter,timeout,bulkhead"
    };

    private interface Body {
        void run(AssertableApplicationContext context, Map<String, Object> changes) throws Throwable;
    }

    private static void withAll(Body body) {
        with(body, ALL);
    }

    private static void with(Body body, String... properties) {
        Map<String, Object> changes = new HashMap<>();
        ConfigurationTest.APP
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource("changes", changes)))
                .withPropertyValues(properties)
                .run(context -> {
                    try {
                        body.run(context, changes);
                    } catch (Exception | Error thrown) {
                        throw thrown;
                    } catch (Throwable thrown) {
                        throw new AssertionError(thrown);
                    }
                });
    }

    @Test
    void every_policy_gets_its_new_settings_and_stays_the_same_object() {
        withAll((context, changes) -> {
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            Bulkhead small = (Bulkhead) policies.policy("k-bulkhead", "small");
            Bulkhead big = (Bulkhead) policies.policy("k-bulkhead", "big-1");
            changes.put("levee.policies.a-retry.max-attempts", 4);
            changes.put("levee.policies.a-breaker.consecutive-failures", 7);
            changes.put("levee.policies.a-timeout.after", "9s");
            changes.put("levee.policies.a-bulkhead.max-concurrent", "3");
            changes.put("levee.policies.a-limiter.permits", "5");
            changes.put("levee.policies.a-fallback.value", "new");
            changes.put("levee.policies.a-hedge.delay", "2h");
            changes.put("levee.policies.c-adaptive-bulkhead.max-limit", "50");
            changes.put("levee.policies.d-shedding-bulkhead.max-concurrent", "4");
            changes.put("levee.policies.e-faults.inject[0].failure", "java.lang.IllegalStateException");
            changes.put("levee.policies.k-bulkhead.max-concurrent", "1");
            changes.put("levee.policies.k-bulkhead.keys.patterns[0].pattern", "big-*");
            changes.put("levee.policies.k-bulkhead.keys.patterns[0].max-concurrent", "30");
            context.publishEvent(new EnvironmentChangeEvent(Set.copyOf(changes.keySet())));

            Pipeline pipeline = context.getBean("a", Pipeline.class);
            AtomicInteger calls = new AtomicInteger();
            Object answer = pipeline.call(() -> {
                calls.incrementAndGet();
                throw new IOException("down");
            });
            assertThat(answer).isEqualTo("new");
            assertThat(calls).hasValue(4);
            assertThat(context.getBean(CircuitBreaker.class).config().consecutiveFailures())
                    .isEqualTo(7);
            assertThat(context.getBean("a-timeout")).asString().contains("PT9S");
            assertThat(context.getBean("a-bulkhead", Bulkhead.class).maxConcurrent())
                    .isEqualTo(3);
            assertThat(context.getBean(RateLimiter.class).limit()).isEqualTo(Limit.perSecond(5));
            assertThat(context.getBean("d-shedding-bulkhead", Bulkhead.class).maxConcurrent())
                    .isEqualTo(4);
            Faults faults = context.getBean(Faults.class);
            faults.switchOn();
            assertThatThrownBy(() -> faults.call(() -> "fine")).isInstanceOf(IllegalStateException.class);
            assertThat(small.maxConcurrent()).isEqualTo(1);
            assertThat(big.maxConcurrent()).isEqualTo(30);
            assertThat(((Bulkhead) policies.policy("k-bulkhead", "big-2")).maxConcurrent())
                    .isEqualTo(30);
            assertThat(policies.reload()).isEmpty();
        });
    }

    @Test
    void the_algorithm_of_a_limiter_changes_and_what_is_used_stays_used() {
        with(
                (context, changes) -> {
                    RateLimiter limiter = context.getBean(RateLimiter.class);
                    assertThat(limiter.tryAcquire(7)).isTrue();
                    changes.put("levee.policies.day-limiter.algorithm", "sliding-log");
                    assertThat(context.getBean(LeveePolicies.class).reload()).containsExactly("day-limiter");
                    assertThat(limiter.limit()).isEqualTo(Limit.slidingLog(9, Duration.ofDays(1)));
                    assertThat(limiter.availablePermits()).isEqualTo(2);
                },
                "levee.policies.day-limiter.permits=9",
                "levee.policies.day-limiter.per=1d");
    }

    @Test
    void a_removed_property_is_its_default_again() {
        withAll((context, changes) -> {
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            changes.put("levee.policies.a-breaker.min-calls", "3");
            assertThatThrownBy(policies::reload).hasMessageContaining("minCalls");
            changes.remove("levee.policies.a-breaker.min-calls");
            changes.put("levee.policies.a-breaker.open-for", "7s");
            assertThat(policies.reload()).containsExactly("a-breaker");
            CircuitBreaker breaker = context.getBean(CircuitBreaker.class);
            assertThat(breaker.config().openFor()).hasSeconds(7);
            changes.clear();
            assertThat(policies.reload()).containsExactly("a-breaker");
            assertThat(breaker.config().openFor()).hasSeconds(30);
        });
    }

    @Test
    void one_wrong_value_leaves_all_policies_as_they_were() {
        withAll((context, changes) -> {
            changes.put("levee.policies.a-bulkhead.max-concurrent", "3");
            changes.put("levee.policies.a-breaker.consecutive-failures", "0");
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            assertThatThrownBy(policies::reload)
                    .hasMessageContaining("levee.policies.a-breaker.consecutive-failures = \"0\"")
                    .hasMessageContaining("at least 1");
            context.publishEvent(new EnvironmentChangeEvent(Set.of()));
            assertThat(context.getBean("a-bulkhead", Bulkhead.class).maxConcurrent())
                    .isEqualTo(10);
            assertThat(context.getBean(CircuitBreaker.class).config().consecutiveFailures())
                    .isEqualTo(50);
        });
    }

    @Test
    void a_customizer_that_fails_changes_nothing_and_lets_the_refresh_of_others_go_on() {
        AtomicInteger customized = new AtomicInteger();
        Map<String, Object> changes = new HashMap<>();
        ConfigurationTest.APP
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource("changes", changes)))
                .withPropertyValues(ALL)
                .withBean(
                        "broken",
                        PolicyCustomizer.class,
                        () -> PolicyCustomizer.of(CircuitBreakerConfig.Builder.class, (name, builder) -> {
                            if (customized.incrementAndGet() > 1) {
                                throw new IllegalStateException("broken");
                            }
                        }))
                .run(context -> {
                    changes.put("levee.policies.a-bulkhead.max-concurrent", "3");
                    changes.put("levee.policies.a-breaker.consecutive-failures", "7");
                    context.publishEvent(new EnvironmentChangeEvent(Set.of()));
                    assertThat(customized.get()).isGreaterThan(1);
                    assertThat(context.getBean("a-bulkhead", Bulkhead.class).maxConcurrent())
                            .isEqualTo(10);
                    assertThat(context.getBean(CircuitBreaker.class).config().consecutiveFailures())
                            .isEqualTo(50);
                });
    }

    @Test
    void what_needs_a_restart_changes_nothing_and_is_named() {
        Map<String, String> restarts = Map.of(
                "levee.policies.a-bulkhead.max-waiting", "5",
                "levee.policies.a-limiter.max-wait", "5s",
                "levee.policies.a-breaker.totals", "true",
                "levee.policies.a-breaker.outcomes.ignored", "java.io.IOException",
                "levee.policies.new-retry.max-attempts", "5",
                "levee.pipelines.a", "retry",
                "levee.policies.k-bulkhead.keys.max", "7",
                "levee.budgets.b.ratio", "0.1");
        withAll((context, changes) -> {
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            for (Map.Entry<String, String> each : restarts.entrySet()) {
                changes.clear();
                changes.put("levee.policies.a-retry.max-attempts", "9");
                changes.put(each.getKey(), each.getValue());
                String shown = each.getKey().replace(".max-attempts", "").replace(".b.ratio", "");
                assertThatThrownBy(policies::reload)
                        .as(each.getKey())
                        .hasMessageContaining(shown)
                        .hasMessageContaining("needs a restart");
                assertThat(context.getBean(Retry.class)).asString().contains("up to 2 attempts");
            }
        });
    }

    @Test
    void a_step_that_fails_takes_back_those_before_it() {
        withAll((context, changes) -> {
            context.getBean(Faults.class).switchOn();
            changes.put("levee.policies.a-retry.max-attempts", "9");
            changes.put("levee.policies.e-faults.inject[0].failure", "java.lang.IllegalStateException");
            assertThatThrownBy(() -> context.getBean(LeveePolicies.class).reload())
                    .hasMessageContaining("levee.policies.e-faults")
                    .hasMessageContaining("while they are switched on");
            assertThat(context.getBean(Retry.class)).asString().contains("up to 2 attempts");
        });
    }

    @Test
    void counters_do_not_go_back() {
        withAll((context, changes) -> {
            Retry retry = context.getBean(Retry.class);
            CountingRetry.fail(retry);
            LiveRetry live = (LiveRetry) retry;
            RetiredCounters counters = RetiredCounters.NONE.and(
                    sink -> sink.value("x", dev.levee.core.Metric.counter("retry.repeated", "x"), 3), null);
            counters = counters.and(
                    sink -> sink.value("x", dev.levee.core.Metric.counter("retry.repeated", "x"), 4), null);
            List<Double> seen = new ArrayList<>();
            counters.measure(
                    sink -> sink.value("x", dev.levee.core.Metric.counter("retry.repeated", "x"), 1),
                    (policy, metric, value) -> seen.add(value));
            assertThat(seen).containsExactly(8.0);
            assertThat(live.budget()).isNotNull();
        });
    }

    private static final class CountingRetry {
        static void fail(Retry retry) {
            assertThatThrownBy(() -> retry.call(() -> {
                        throw new IOException("down");
                    }))
                    .hasMessage("down");
        }
    }

    @Test
    void a_thousand_changes_under_load_leave_no_permit_behind() {
        Body body = (context, changes) -> {
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            Pipeline pipeline = context.getBean("a", Pipeline.class);
            Bulkhead bulkhead = context.getBean("a-bulkhead", Bulkhead.class);
            CountDownLatch stop = new CountDownLatch(1);
            AtomicInteger wrong = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                Thread thread = new Thread(() -> {
                    while (stop.getCount() > 0) {
                        try {
                            pipeline.call(() -> {
                                LockSupport.parkNanos(50_000);
                                return "fine";
                            });
                        } catch (BulkheadFullException full) {
                            LockSupport.parkNanos(50_000);
                        } catch (RuntimeException other) {
                            wrong.incrementAndGet();
                        }
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (int i = 0; i < 1000; i++) {
                changes.put("levee.policies.a-bulkhead.max-concurrent", 1 + i % 20);
                changes.put("levee.policies.a-breaker.consecutive-failures", 10 + i % 7);
                policies.reload();
            }
            stop.countDown();
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(60));
            }
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.maxConcurrent()).isEqualTo(1 + 999 % 20);
            assertThat(wrong).hasValue(0);
        };
        with(
                body,
                "levee.policies.a-breaker.consecutive-failures=50",
                "levee.policies.a-bulkhead.max-concurrent=10",
                "levee.pipelines.a=breaker,bulkhead");
    }

    @Test
    void what_other_modules_read_once_is_named() {
        withAll((context, changes) -> {
            LeveePolicies policies = context.getBean(LeveePolicies.class);
            for (String each : List.of("levee.http.clients.catalog.endpoints", "levee.cloud.load-balancer.enabled")) {
                changes.clear();
                changes.put("levee.policies.a-retry.max-attempts", "9");
                changes.put(each, "true");
                assertThatThrownBy(policies::reload).hasMessageContaining(each).hasMessageContaining("needs a restart");
                assertThat(context.getBean(Retry.class)).asString().contains("up to 2 attempts");
            }
        });
    }

    @Test
    void a_key_that_gets_another_pattern_gets_all_of_it_or_it_is_said() {
        with(
                (context, changes) -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    Bulkhead big = (Bulkhead) policies.policy("k-bulkhead", "big");
                    changes.put("levee.policies.k-bulkhead.keys.patterns[0].pattern", "large");
                    changes.put("levee.policies.k-bulkhead.keys.patterns[0].max-concurrent", "9");
                    changes.put("levee.policies.k-bulkhead.keys.patterns[0].max-waiting", "5");
                    assertThatThrownBy(policies::reload)
                            .hasMessageContaining("levee.policies.k-bulkhead.keys.patterns")
                            .hasMessageContaining("needs a restart");
                    assertThat(big.maxConcurrent()).isEqualTo(9);
                },
                "levee.policies.k-bulkhead.keys.max=10",
                "levee.policies.k-bulkhead.keys.patterns[0].pattern=big",
                "levee.policies.k-bulkhead.keys.patterns[0].max-concurrent=9",
                "levee.policies.k-bulkhead.keys.patterns[0].max-waiting=5");
        with(
                (context, changes) -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    CircuitBreaker big = (CircuitBreaker) policies.policy("k-breaker", "big");
                    changes.put("levee.policies.k-breaker.keys.patterns[0].pattern", "big");
                    changes.put("levee.policies.k-breaker.keys.patterns[0].open-for", "7s");
                    assertThat(policies.reload()).containsExactly("k-breaker");
                    assertThat(big.config().openFor()).hasSeconds(7);
                },
                "levee.policies.k-breaker.totals=true",
                "levee.policies.k-breaker.keys.max=10");
        with(
                (context, changes) -> {
                    LeveePolicies policies = context.getBean(LeveePolicies.class);
                    policies.policy("k-breaker", "big");
                    changes.put("levee.policies.k-breaker.keys.patterns[0].pattern", "big");
                    changes.put("levee.policies.k-breaker.keys.patterns[0].slow-call-rate", "0.5");
                    changes.put("levee.policies.k-breaker.keys.patterns[0].slow-call-duration", "1s");
                    assertThatThrownBy(policies::reload)
                            .isInstanceOf(LeveeConfigurationException.class)
                            .hasMessageContaining("levee.policies.k-breaker")
                            .hasMessageContaining("slow-call-duration");
                },
                "levee.policies.k-breaker.keys.max=10",
                "levee.policies.k-breaker.keys.patterns[0].pattern=big",
                "levee.policies.k-breaker.keys.patterns[0].open-for=5s");
    }

    @Test
    void a_counter_that_is_read_during_a_change_does_not_go_back() throws Exception {
        CountedRetry first = new CountedRetry(1);
        LiveRetry live = new LiveRetry("x", Environment.system(), null, RetryBudget.unlimited(), first);
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<String> wrong = new AtomicReference<>();
        AtomicLong reads = new AtomicLong();
        Thread reader = new Thread(() -> {
            double[] last = new double[1];
            while (done.getCount() > 0) {
                live.measure((policy, metric, value) -> {
                    if (value < last[0]) {
                        wrong.set(value + " after " + last[0]);
                    }
                    last[0] = value;
                });
                reads.incrementAndGet();
            }
        });
        reader.start();
        for (int i = 0; i < 20_000 && wrong.get() == null; i++) {
            long before = reads.get();
            for (int wait = i * 31 % 997; wait > 0; wait--) { // so that it meets every moment of a reading
                Thread.onSpinWait();
            }
            live.exchange(new CountedRetry(i % 2), null, RetryBudget.unlimited());
            while (reads.get() < before + 3 && wrong.get() == null) { // the next count would hide what fell
                Thread.onSpinWait();
            }
        }
        done.countDown();
        reader.join();
        assertThat(wrong).hasNullValue();
    }

    /** Has counted already. */
    private static final class CountedRetry implements Retry {
        private final int count;

        CountedRetry(int count) {
            this.count = count;
        }

        @Override
        public void measure(Sink sink) {
            sink.value("x", dev.levee.core.Metric.counter("retry.repeated", "x"), count);
        }

        @Override
        public String name() {
            return "x";
        }

        @Override
        public Environment environment() {
            return Environment.system();
        }

        @Override
        public <T, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> CompletableFuture<T> aroundAsync(Inner inner, Supplier<? extends CompletionStage<T>> operation) {
            throw new UnsupportedOperationException();
        }
    }
}
