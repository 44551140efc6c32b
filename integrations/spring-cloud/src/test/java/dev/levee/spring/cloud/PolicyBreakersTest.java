package dev.levee.spring.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitOpenException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.FallbackConfig;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.springframework.cloud.client.circuitbreaker.NoFallbackAvailableException;
import org.springframework.cloud.client.circuitbreaker.ReactiveCircuitBreaker;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.env.MapPropertySource;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

class PolicyBreakersTest {
    private static final CircuitBreaker OPEN = open("open");

    private static CircuitBreaker open(String name) {
        CircuitBreaker breaker = CircuitBreaker.of(name, c -> c.consecutiveFailures(1));
        breaker.callAsync(() -> CompletableFuture.failedFuture(new IllegalStateException("first")));
        return breaker;
    }

    private static LeveeCircuitBreakerFactory blocking(Policy policy) {
        return LeveeCircuitBreakerFactory.of(CloudPolicies.of(id -> policy));
    }

    private static ReactiveCircuitBreaker reactive(Policy policy) {
        return LeveeReactiveCircuitBreakerFactory.of(CloudPolicies.of(id -> policy))
                .create("id");
    }

    private static Retry retry(int attempts) {
        return Retry.of("retry", c -> c.maxAttempts(attempts).backoff(Backoff.fixed(Duration.ZERO)));
    }

    // Blocking

    @Test
    void a_call_goes_through_the_policy_and_its_failure_to_the_fallback() {
        AtomicInteger runs = new AtomicInteger();
        String answer = blocking(retry(3))
                .create("id")
                .run(
                        () -> {
                            runs.incrementAndGet();
                            throw new IllegalStateException("no");
                        },
                        error -> "instead of " + error.getMessage());
        assertThat(answer).isEqualTo("instead of no");
        assertThat(runs).hasValue(3);
    }

    @Test
    void a_refusal_goes_to_the_fallback_or_is_the_cause_of_the_exception_without_one() {
        assertThat(blocking(OPEN).create("id").<Throwable>run(() -> null, error -> error))
                .isInstanceOf(CircuitOpenException.class);
        assertThatThrownBy(() -> blocking(OPEN).create("id").run(() -> "never"))
                .isInstanceOf(NoFallbackAvailableException.class)
                .hasCauseInstanceOf(RefusedException.class);
    }

    @Test
    void the_fallback_may_throw_what_it_likes() {
        assertThatThrownBy(() -> blocking(OPEN).create("id").run(() -> "never", error -> {
                    throw new UnsupportedOperationException("mine");
                }))
                .hasMessage("mine");
    }

    @Test
    void the_end_of_the_virtual_machine_is_no_reason_for_a_fallback() {
        OutOfMemoryError error = new OutOfMemoryError("test");
        assertThatThrownBy(() -> blocking(retry(1))
                        .create("id")
                        .run(
                                () -> {
                                    throw error;
                                },
                                thrown -> "never"))
                .isSameAs(error);
    }

    @Test
    void an_unknown_id_gets_a_breaker_of_its_own_which_both_worlds_share() {
        CloudPolicies policies = CloudPolicies.of(id -> null);
        Policy policy = policies.policy("payments");
        assertThat(policy).isInstanceOf(CircuitBreaker.class).isSameAs(policies.policy("payments"));
        assertThat(policy.name()).isEqualTo("payments");
        assertThat(policies.policy("other")).isNotSameAs(policy);
        assertThatThrownBy(() -> LeveeCircuitBreakerFactory.of(policies).create(" "))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void ids_can_be_configured_in_code_as_spring_cloud_has_it() {
        LeveeCircuitBreakerFactory factory = blocking(retry(1));
        factory.configure(builder -> builder.policy(OPEN), "a", "b");
        assertThat(factory.create("a").<Throwable>run(() -> null, error -> error))
                .isInstanceOf(RefusedException.class);
        assertThat(factory.create("c").run(() -> "fine", error -> "no")).isEqualTo("fine");
        factory.configureDefault(id -> OPEN);
        assertThat(factory.create("c").run(() -> "fine", error -> "no")).isEqualTo("no");
        assertThatThrownBy(() -> factory.configure(builder -> {}, "d"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("circuit breaker \"d\": policy must be set");
    }

    @Test
    void an_id_without_a_policy_of_its_own_has_that_of_its_group() {
        Map<String, Policy> beans = Map.of("orders", OPEN, "orders.get", retry(1));
        CloudPolicies policies = CloudPolicies.of(beans::get);
        LeveeCircuitBreakerFactory factory = LeveeCircuitBreakerFactory.of(policies);
        LeveeReactiveCircuitBreakerFactory reactive = LeveeReactiveCircuitBreakerFactory.of(policies);

        assertThat(factory.create("orders.put", "orders").run(() -> "fine", error -> "no"))
                .isEqualTo("no");
        assertThat(reactive.create("orders.put", "orders")
                        .run(Mono.just("fine"), error -> Mono.just("no"))
                        .block())
                .isEqualTo("no");
        assertThat(factory.create("orders.get", "orders").run(() -> "fine", error -> "no"))
                .isEqualTo("fine");
        assertThat(policies.policy("stock.get", "stock")).isSameAs(policies.policy("stock.get"));
        factory.configure(builder -> builder.policy(OPEN), "stock");
        assertThat(factory.create("stock.put", "stock").run(() -> "fine", error -> "no"))
                .isEqualTo("no");
        assertThatThrownBy(() -> factory.create("a", " ")).isInstanceOf(IllegalArgumentException.class);
    }

    // Mono

    @Test
    void a_mono_goes_through_the_policy_at_each_subscription() {
        AtomicInteger subscriptions = new AtomicInteger();
        Mono<String> guarded = reactive(retry(3))
                .run(Mono.defer(() -> subscriptions.incrementAndGet() % 3 == 0
                        ? Mono.just("third")
                        : Mono.error(new IllegalStateException("no"))));
        assertThat(subscriptions).as("nothing happens before").hasValue(0);
        assertThat(guarded.block()).isEqualTo("third");
        assertThat(guarded.block()).isEqualTo("third");
        assertThat(subscriptions).hasValue(6);
    }

    @Test
    void a_mono_may_be_empty_fail_or_be_refused() {
        ReactiveCircuitBreaker breaker = reactive(retry(1));
        assertThat(breaker.run(Mono.empty()).block()).isNull();
        IllegalStateException error = new IllegalStateException("mine");
        assertThatThrownBy(() -> breaker.run(Mono.error(error), Mono::error).block())
                .isSameAs(error);
        assertThatThrownBy(() -> breaker.run(Mono.error(error)).block())
                .isInstanceOf(NoFallbackAvailableException.class)
                .hasRootCause(error);
        assertThat(breaker.run(Mono.<String>error(error), thrown -> Mono.just("instead"))
                        .block())
                .isEqualTo("instead");
        assertThat(reactive(OPEN)
                        .run(
                                Mono.just("never"),
                                thrown -> Mono.just(thrown.getClass().getSimpleName()))
                        .block())
                .isEqualTo("CircuitOpenException");
    }

    @Test
    void the_context_of_the_subscriber_reaches_every_attempt_and_the_fallback() {
        List<String> seen = new ArrayList<>();
        Mono<String> source = Mono.deferContextual(context -> {
            seen.add(context.get("user"));
            return Mono.error(new IllegalStateException("no"));
        });
        String answer = reactive(retry(3))
                .run(source, error -> Mono.deferContextual(context -> Mono.just(context.get("user"))))
                .contextWrite(context -> context.put("user", "ada"))
                .block();
        assertThat(seen).containsExactly("ada", "ada", "ada");
        assertThat(answer).isEqualTo("ada");
    }

    @Test
    void a_cancelled_mono_cancels_its_source_and_gives_its_permit_back() {
        Bulkhead bulkhead = Bulkhead.of("b", 1);
        AtomicInteger cancelled = new AtomicInteger();
        Disposable running = reactive(bulkhead)
                .run(Mono.never().doOnCancel(cancelled::incrementAndGet))
                .subscribe();
        assertThat(reactive(bulkhead)
                        .run(Mono.just("in"), error -> Mono.just("full"))
                        .block())
                .isEqualTo("full");
        running.dispose();
        assertThat(cancelled).hasValue(1);
        assertThat(reactive(bulkhead).run(Mono.just("in")).block()).isEqualTo("in");
    }

    @Test
    void the_time_limit_of_a_policy_ends_a_mono_and_cancels_its_source() {
        ManualTime time = new ManualTime();
        AtomicInteger cancelled = new AtomicInteger();
        AtomicReference<Throwable> failed = new AtomicReference<>();
        reactive(Timeout.of("t", Duration.ofSeconds(5), time.environment()))
                .run(Mono.never().doOnCancel(cancelled::incrementAndGet), Mono::error)
                .subscribe(value -> {}, failed::set);
        time.advance(Duration.ofSeconds(4));
        assertThat(failed.get()).as("no hidden limit").isNull();
        time.advance(Duration.ofSeconds(1));
        assertThat(failed.get()).isInstanceOf(TimedOutException.class);
        assertThat(cancelled).hasValue(1);
    }

    // Flux

    @Test
    void a_flux_streams_with_the_demand_of_its_subscriber_and_ends_with_its_source() {
        List<Integer> got = new ArrayList<>();
        List<Long> requested = new ArrayList<>();
        BaseSubscriber<Integer> slow = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(org.reactivestreams.Subscription subscription) {
                request(2);
            }

            @Override
            protected void hookOnNext(Integer value) {
                got.add(value);
            }
        };
        reactive(retry(3)).run(Flux.range(1, 5).doOnRequest(requested::add)).subscribe(slow);
        assertThat(got).containsExactly(1, 2);
        slow.request(10);
        assertThat(got).containsExactly(1, 2, 3, 4, 5);
        assertThat(requested).containsExactly(2L, 10L);
        assertThat(slow.isDisposed()).isTrue();
    }

    @Test
    void a_flux_that_has_begun_is_not_repeated() {
        AtomicInteger subscriptions = new AtomicInteger();
        Flux<String> source = Flux.defer(() -> {
            subscriptions.incrementAndGet();
            return Flux.concat(Flux.just("a", "b"), Flux.error(new IllegalStateException("broken off")));
        });
        List<String> got = new ArrayList<>();
        assertThatThrownBy(() -> reactive(retry(3))
                        .run(source, Flux::error)
                        .doOnNext(got::add)
                        .blockLast())
                .hasMessage("broken off");
        assertThat(got).containsExactly("a", "b");
        assertThat(subscriptions).hasValue(1);
    }

    @Test
    void a_flux_counts_when_it_ends_and_holds_its_permit_until_then() {
        Bulkhead bulkhead = Bulkhead.of("b", 1);
        Sinks.Many<String> events = Sinks.many().unicast().onBackpressureBuffer();
        List<String> got = new ArrayList<>();
        reactive(Pipeline.of(bulkhead)).run(events.asFlux()).subscribe(got::add);
        events.tryEmitNext("first").orThrow();
        assertThat(got).containsExactly("first");
        List<String> second = reactive(bulkhead)
                .run(Flux.just("x"), error -> Flux.just("refused"))
                .collectList()
                .block();
        assertThat(second).containsExactly("refused");
        events.tryEmitComplete().orThrow();
        assertThat(reactive(bulkhead).run(Flux.just("x")).collectList().block()).containsExactly("x");
    }

    @Test
    void a_cancelled_flux_cancels_its_source() {
        AtomicInteger cancelled = new AtomicInteger();
        assertThat(reactive(retry(2))
                        .run(Flux.range(1, 100).doOnCancel(cancelled::incrementAndGet))
                        .take(3)
                        .collectList()
                        .block())
                .containsExactly(1, 2, 3);
        assertThat(cancelled).hasValue(1);
    }

    @Test
    void the_answer_of_a_fallback_in_the_policy_comes_after_the_elements() {
        Fallback fallback = Fallback.of(
                "f", FallbackConfig.builder().thenValue("later", "later").build());
        ReactiveCircuitBreaker breaker = reactive(Pipeline.of(fallback, retry(1)));
        assertThat(breaker.run(Flux.just("a")).collectList().block()).containsExactly("a");
        assertThat(breaker.run(Flux.concat(Flux.just("a"), Flux.error(new IllegalStateException("no"))))
                        .collectList()
                        .block())
                .containsExactly("a", "later");
        assertThat(reactive(Pipeline.of(fallback, OPEN))
                        .run(Flux.just("a"))
                        .collectList()
                        .block())
                .containsExactly("later");
    }

    @Test
    void the_time_limit_of_a_policy_goes_on_in_the_context_of_the_subscriber() {
        ReactiveCircuitBreaker breaker = reactive(Timeout.of("t", Duration.ofMinutes(1)));
        CallContext late = CallContext.current()
                .withDeadline(
                        Deadline.after(Duration.ofHours(1), Environment.system().clock()));
        Mono<Long> left = Mono.deferContextual(
                context -> Mono.just(context.get(CallContext.class).deadline().remainingNanos()));
        assertThat(breaker.run(left)
                        .contextWrite(c -> c.put(CallContext.class, late))
                        .block())
                .isLessThanOrEqualTo(Duration.ofMinutes(1).toNanos());
        assertThat(breaker.run(left.flux())
                        .contextWrite(c -> c.put(CallContext.class, late))
                        .blockLast())
                .isLessThanOrEqualTo(Duration.ofMinutes(1).toNanos());
    }

    @Test
    void a_part_is_switched_off_by_every_word_for_no() {
        assertThat(has("yes", CloudPolicies.class)).isTrue();
        assertThat(has("yes", LeveeLoadBalancerAutoConfiguration.class)).isTrue();
        for (String off : List.of("false", "off", "no")) {
            assertThat(has(off, CloudPolicies.class)).as(off).isFalse();
            assertThat(has(off, LeveeLoadBalancerAutoConfiguration.class))
                    .as(off)
                    .isFalse();
        }
        assertThatThrownBy(() -> has("perhaps", CloudPolicies.class))
                .rootCause()
                .isNotNull();
    }

    private static boolean has(String enabled, Class<?> bean) {
        try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource(
                            "test",
                            Map.of(
                                    "levee.cloud.circuit-breaker.enabled",
                                    enabled,
                                    "levee.cloud.load-balancer.enabled",
                                    enabled)));
            context.register(LeveeCircuitBreakerAutoConfiguration.class, LeveeLoadBalancerAutoConfiguration.class);
            context.refresh();
            return context.getBeanNamesForType(bean).length > 0;
        }
    }
}
