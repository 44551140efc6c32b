package dev.levee.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitOpenException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.web.context.request.async.DeferredResult;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Guarded methods in a context of Spring. */
class GuardedTest {
    private static final Duration WAIT = Duration.ofSeconds(20);

    private static final ApplicationContextRunner APP = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(LeveeAutoConfiguration.class, GuardedAutoConfiguration.class))
            .withPropertyValues(
                    "levee.policies.again.kind=retry",
                    "levee.policies.again.idempotent=true",
                    "levee.policies.again.backoff.initial=1ns",
                    "levee.policies.again.budget.unlimited=true",
                    "levee.policies.brake.kind=breaker",
                    "levee.policies.slot.kind=bulkhead",
                    "levee.policies.slot.max-concurrent=1",
                    "levee.policies.tenants.kind=bulkhead",
                    "levee.policies.tenants.max-concurrent=1",
                    "levee.policies.tenants.keys.max=100");

    private static ApplicationContextRunner with(Class<?>... beans) {
        ApplicationContextRunner runner = APP;
        for (Class<?> bean : beans) {
            runner = runner.withBean(bean);
        }
        return runner;
    }

    private static void refused(Class<?> bean, String... words) {
        with(bean).run(context -> {
            assertThat(context).hasFailed();
            Throwable failure = context.getStartupFailure();
            while (failure.getCause() != null) {
                failure = failure.getCause();
            }
            for (String word : words) {
                assertThat(failure).hasMessageContaining(word);
            }
        });
    }

    static class Client {
        final AtomicInteger calls = new AtomicInteger();

        @Guarded("again")
        public String twice(String text) throws IOException {
            if (calls.incrementAndGet() < 3) {
                throw new IOException("down");
            }
            return text + calls;
        }

        @Guarded(value = "brake", fallback = "later")
        public String charge(String order) throws IOException {
            calls.incrementAndGet();
            throw new IOException("down");
        }

        @SuppressWarnings("unused")
        private String later(String order, CircuitOpenException open) {
            return "open " + order;
        }

        @SuppressWarnings("unused")
        private String later(String order, Exception other) {
            return other.getMessage() + ' ' + order;
        }

        @Guarded("slot")
        CompletableFuture<String> stage(CompletableFuture<String> answer) {
            calls.incrementAndGet();
            return answer;
        }

        @Guarded(value = "brake", fallback = "stageLater")
        public CompletionStage<String> failing() {
            return CompletableFuture.failedFuture(new IOException("down"));
        }

        public CompletionStage<String> stageLater(Throwable why) {
            return CompletableFuture.completedFuture(why.getMessage());
        }

        @Guarded(value = "tenants", key = "#p0")
        public String ofTenant(String tenant, Inside inside) {
            return inside.run();
        }

        public void unguarded() {
            calls.incrementAndGet();
        }
    }

    interface Inside {
        String run();
    }

    @Test
    void a_blocking_method_is_repeated_and_its_exception_is_its_own() {
        with(Client.class).run(context -> {
            Client client = context.getBean(Client.class);
            assertThat(AopUtils.isCglibProxy(client)).isTrue();
            assertThat(client.twice("a")).isEqualTo("a3");
        });
    }

    @Test
    void the_fallback_for_the_most_special_exception_answers() {
        with(Client.class).run(context -> {
            Client client = context.getBean(Client.class);
            assertThat(client.charge("7")).isEqualTo("down 7");
            context.getBean("brake", CircuitBreaker.class).forceOpen();
            assertThat(client.charge("7")).isEqualTo("open 7");
        });
    }

    @Test
    void a_stage_is_guarded_until_it_ends() {
        with(Client.class).run(context -> {
            Client client = context.getBean(Client.class);
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            CompletableFuture<String> answer = new CompletableFuture<>();
            CompletableFuture<String> first = client.stage(answer);
            assertThat(slot.inFlight()).isEqualTo(1);
            assertThatThrownBy(() -> client.stage(answer).join()).hasCauseInstanceOf(BulkheadFullException.class);
            answer.complete("done");
            assertThat(first.join()).isEqualTo("done");
            assertThat(slot.inFlight()).isZero();
            assertThat(client.failing().toCompletableFuture().join()).isEqualTo("down");
        });
    }

    @Test
    void a_key_has_its_own_policy() {
        with(Client.class).run(context -> {
            Client client = context.getBean(Client.class);
            String both = client.ofTenant("a", () -> client.ofTenant("b", () -> "in"));
            assertThat(both).isEqualTo("in");
            assertThatThrownBy(() -> client.ofTenant("a", () -> client.ofTenant("a", () -> "in")))
                    .isInstanceOf(BulkheadFullException.class);
            assertThatThrownBy(() -> client.ofTenant(null, () -> "in"))
                    .hasMessageContaining("ofTenant")
                    .hasMessageContaining("must not be null");
        });
    }

    static class Reactive {
        final AtomicInteger calls = new AtomicInteger();
        final Sinks.Many<String> sink = Sinks.many().unicast().onBackpressureBuffer();

        @Guarded("again")
        public Mono<String> mono() {
            return Mono.deferContextual(context -> calls.incrementAndGet() < 3
                    ? Mono.error(new IOException("down"))
                    : Mono.just(context.get("user") + " " + calls));
        }

        @Guarded("slot")
        public Mono<String> never() {
            return Mono.never();
        }

        @Guarded("slot")
        public Flux<String> flux() {
            return sink.asFlux();
        }

        @Guarded(value = "brake", fallback = "none")
        public Flux<String> failing() {
            return Flux.concat(Flux.just("a"), Flux.error(new IOException("down")));
        }

        public Flux<String> none(IOException why) {
            return Flux.just(why.getMessage());
        }
    }

    @Test
    void a_mono_is_called_for_each_attempt_with_the_context_of_its_subscriber() {
        with(Reactive.class).run(context -> {
            Reactive client = context.getBean(Reactive.class);
            Mono<String> mono = client.mono();
            Reactive target = (Reactive) org.springframework.aop.framework.AopProxyUtils.getSingletonTarget(client);
            assertThat(target.calls).hasValue(0);
            assertThat(mono.contextWrite(each -> each.put("user", "ann")).block())
                    .isEqualTo("ann 3");
        });
    }

    @Test
    void a_cancel_of_a_mono_or_flux_gives_its_permit_back() {
        with(Reactive.class).run(context -> {
            Reactive client = context.getBean(Reactive.class);
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            Disposable waiting = client.never().subscribe();
            assertThat(slot.inFlight()).isEqualTo(1);
            waiting.dispose();
            assertThat(slot.inFlight()).isZero();
            Disposable reading = client.flux().subscribe();
            assertThat(slot.inFlight()).isEqualTo(1);
            reading.dispose();
            assertThat(slot.inFlight()).isZero();
        });
    }

    @Test
    void a_flux_is_guarded_from_its_first_to_its_last_element() {
        with(Reactive.class).run(context -> {
            Reactive client = context.getBean(Reactive.class);
            Reactive target = (Reactive) org.springframework.aop.framework.AopProxyUtils.getSingletonTarget(client);
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            List<String> seen = new ArrayList<>();
            client.flux().doOnComplete(() -> seen.add("end")).subscribe(seen::add);
            target.sink.tryEmitNext("a");
            List<Throwable> refused = new ArrayList<>();
            client.flux().subscribe(each -> {}, refused::add);
            assertThat(refused).singleElement().isInstanceOf(BulkheadFullException.class);
            target.sink.tryEmitNext("b");
            assertThat(slot.inFlight()).isEqualTo(1);
            target.sink.tryEmitComplete();
            assertThat(seen).containsExactly("a", "b", "end");
            assertThat(slot.inFlight()).isZero();
            assertThat(client.failing().collectList().block()).containsExactly("a", "down");
            assertThat(context.getBean("brake", CircuitBreaker.class).snapshot().failures())
                    .isEqualTo(1);
        });
    }

    @Guarded("brake")
    static class Whole {
        public void one() {
            throw new IllegalStateException("down");
        }

        @Guarded("again")
        public void two() {}

        void three() {}
    }

    @Retention(RetentionPolicy.RUNTIME)
    @Guarded("brake")
    @interface Careful {}

    interface Contract {
        @Guarded("brake")
        void call();
    }

    static class Implemented implements Contract {
        @Override
        public void call() {
            throw new IllegalStateException("down");
        }

        @Careful
        public void careful() {
            throw new IllegalStateException("down");
        }
    }

    @Test
    void an_annotation_stands_on_a_type_on_an_interface_or_on_an_annotation() {
        with(Whole.class, Implemented.class).run(context -> {
            CircuitBreaker brake = context.getBean("brake", CircuitBreaker.class);
            assertThatThrownBy(context.getBean(Whole.class)::one).hasMessage("down");
            context.getBean(Whole.class).two();
            context.getBean(Whole.class).three();
            assertThat(brake.snapshot().calls()).isEqualTo(1);
            assertThatThrownBy(context.getBean(Implemented.class)::call).hasMessage("down");
            assertThatThrownBy(context.getBean(Implemented.class)::careful).hasMessage("down");
            assertThat(brake.snapshot().calls()).isEqualTo(3);
        });
    }

    @Test
    void a_proxy_of_interfaces_guards_them_and_what_they_do_not_have_is_said() {
        APP.withPropertyValues("spring.aop.proxy-target-class=false")
                .withBean(ByInterface.class)
                .run(context -> {
                    Contract client = context.getBean(Contract.class);
                    assertThat(AopUtils.isJdkDynamicProxy(client)).isTrue();
                    assertThatThrownBy(client::call).hasMessage("down");
                    assertThat(context.getBean("brake", CircuitBreaker.class)
                                    .snapshot()
                                    .calls())
                            .isEqualTo(1);
                });
        APP.withPropertyValues("spring.aop.proxy-target-class=false")
                .withBean(Implemented.class)
                .run(context -> {
                    assertThat(context).hasFailed();
                    assertThat(context.getStartupFailure())
                            .hasMessageContaining("\"careful\"")
                            .hasMessageContaining("proxy of its interfaces");
                });
    }

    static class ByInterface implements Contract {
        @Override
        public void call() {
            throw new IllegalStateException("down");
        }
    }

    static class PrivateOne {
        @SuppressWarnings("UnusedMethod") // that it cannot be guarded is what is tested
        @Guarded("brake")
        private void hidden() {}
    }

    static class FinalOne {
        @Guarded("brake")
        public final void fixed() {}
    }

    static class StaticOne {
        @Guarded("brake")
        public static void shared() {}
    }

    static final class FinalClass {
        @Guarded("brake")
        public void call() {}
    }

    static class Suspending {
        @Guarded("brake")
        public Object load(String key, kotlin.coroutines.Continuation<? super String> then) {
            return key;
        }
    }

    static class PlainFuture {
        @Guarded("brake")
        public Future<String> load() {
            return new CompletableFuture<>();
        }
    }

    static class Unnamed {
        @Guarded("brakes")
        public void call() {}
    }

    static class NoFallback {
        @Guarded(value = "brake", fallback = "later")
        public String call(String text) {
            return text;
        }

        public String later(int other) {
            return "";
        }
    }

    static class WrongFallback {
        @Guarded(value = "brake", fallback = "later")
        public String call(String text) {
            return text;
        }

        public Integer later(String text, Throwable why) {
            return 1;
        }
    }

    static class NoKey {
        @Guarded("tenants")
        public void call() {}
    }

    static class NeedlessKey {
        @Guarded(value = "brake", key = "#p0")
        public void call(String key) {}
    }

    static class WrongKey {
        @Guarded(value = "tenants", key = "#p0..")
        public void call(String key) {}
    }

    static class KeyOfNothing {
        @Guarded(value = "tenants", key = "'a' + #tennant.trim()")
        public void call(String tenant) {}
    }

    static class RepeatedFlux {
        @Guarded("again")
        public Flux<String> call() {
            return Flux.empty();
        }
    }

    @Guarded("brake")
    static class FinalInWhole {
        public final void fixed() {}
    }

    @Test
    void what_cannot_be_guarded_fails_the_start_by_its_name() {
        refused(PrivateOne.class, "\"hidden\" of", "is private");
        refused(FinalOne.class, "\"fixed\" of", "is final");
        refused(FinalInWhole.class, "\"fixed\" of", "is final");
        refused(StaticOne.class, "\"shared\" of", "is static");
        refused(FinalClass.class, "\"call\" of", "final class");
        refused(Suspending.class, "\"load\" of", "suspending");
        refused(PlainFuture.class, "\"load\" of", "java.util.concurrent.Future");
        refused(Deferring.class, "\"load\" of", "DeferredResult, which cannot be guarded to its end");
        refused(Unnamed.class, "\"call\" of", "no policy \"brakes\"", "did you mean \"brake\"?");
        refused(NoFallback.class, "\"call\" of", "fallback \"later\"", "no such method", "later(int)");
        refused(WrongFallback.class, "\"call\" of", "fallback \"later\"", "later(java.lang.String");
        refused(NoKey.class, "\"call\" of", "needs a key");
        refused(NeedlessKey.class, "\"call\" of", "has a key");
        refused(WrongKey.class, "\"call\" of", "no expression");
        refused(KeyOfNothing.class, "\"call\" of", "#tennant", "its parameters are [tenant]");
        refused(RepeatedFlux.class, "\"call\" of", "Flux", "twice");
    }

    static class Deferring {
        @Guarded("slot")
        public DeferredResult<String> load() {
            return new DeferredResult<>();
        }
    }

    static class Vague {
        @Guarded("slot")
        public Object load(Object answer) {
            return answer;
        }
    }

    @Test
    void a_result_that_turns_out_to_end_later_is_refused() {
        with(Vague.class).run(context -> {
            Vague vague = context.getBean(Vague.class);
            CompletableFuture<String> later = new CompletableFuture<>();
            for (Object answer : List.of(later, Mono.just("later"), new DeferredResult<>())) {
                assertThatThrownBy(() -> vague.load(answer))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("\"load\" of")
                        .hasMessageContaining("ends later than the method");
            }
            assertThat(later).isCancelled();
            assertThat(vague.load("now")).isEqualTo("now");
            assertThat(vague.load(null)).isNull();
        });
    }

    /** What callers of a generic type call is a bridge of the class. */
    interface Handler<T> {
        void handle(T what);
    }

    abstract static class BaseHandler<T> implements Handler<T> {
        final AtomicInteger calls = new AtomicInteger();

        @Override
        public abstract void handle(T what);
    }

    static class GuardedHandler extends BaseHandler<String> {
        @Override
        @Guarded("again")
        public void handle(String what) {
            if (calls.incrementAndGet() % 3 != 0) {
                throw new IllegalStateException(what);
            }
        }
    }

    @Test
    void a_call_through_a_generic_type_is_guarded() {
        with(GuardedHandler.class).run(context -> {
            GuardedHandler bean = context.getBean(GuardedHandler.class);
            BaseHandler<String> ofBase = bean;
            ofBase.handle("a");
            Handler<String> ofInterface = bean;
            ofInterface.handle("a");
            bean.handle("a");
            GuardedHandler target = (GuardedHandler) AopProxyUtils.getSingletonTarget(bean);
            assertThat(target.calls).hasValue(9);
        });
    }

    static class Selfish {
        public void outer() {
            inner();
        }

        public void lambda(List<String> list) {
            list.forEach(each -> inner());
        }

        public void other(Selfish proxy) {
            proxy.inner();
        }

        @Guarded("slot")
        public void inner() {}
    }

    @Test
    void a_self_call_goes_past_the_proxy_and_is_seen_at_the_start() throws Exception {
        assertThat(SelfCalls.find(Selfish.class, List.of(Selfish.class.getMethod("inner"))))
                .containsExactlyInAnyOrder(
                        "\"outer\" calls the guarded \"inner\"", "\"lambda\" calls the guarded \"inner\"");
        with(Selfish.class).run(context -> {
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            Selfish bean = context.getBean(Selfish.class);
            slot.run(bean::outer);
            assertThatThrownBy(() -> slot.run(bean::inner)).isInstanceOf(BulkheadFullException.class);
            assertThatThrownBy(() -> slot.run(() -> bean.other(bean))).isInstanceOf(BulkheadFullException.class);
        });
    }

    static class Ordered {
        final AtomicInteger calls = new AtomicInteger();

        @Guarded("again")
        @Transactional
        public int transactional() {
            if (calls.incrementAndGet() < 3) {
                throw new IllegalStateException("down");
            }
            return calls.get();
        }

        @Guarded("brake")
        @Cacheable("values")
        public int cached(int key) {
            return calls.incrementAndGet();
        }
    }

    @Configuration
    @EnableTransactionManagement
    @EnableCaching
    static class Enabled {
        @Bean
        PlatformTransactionManager transactions() {
            return new Counting();
        }

        @Bean
        ConcurrentMapCacheManager caches() {
            return new ConcurrentMapCacheManager();
        }
    }

    @Configuration
    @EnableCaching(order = 0)
    static class CacheFirst {
        @Bean
        ConcurrentMapCacheManager caches() {
            return new ConcurrentMapCacheManager();
        }
    }

    static class Counting extends AbstractPlatformTransactionManager {
        private static final long serialVersionUID = 1L;
        int begun;
        int committed;
        int rolledBack;

        @Override
        protected Object doGetTransaction() {
            return new Object();
        }

        @Override
        protected void doBegin(Object transaction, TransactionDefinition definition) {
            begun++;
        }

        @Override
        protected void doCommit(DefaultTransactionStatus status) {
            committed++;
        }

        @Override
        protected void doRollback(DefaultTransactionStatus status) {
            rolledBack++;
        }
    }

    @Test
    void each_attempt_is_a_transaction_of_its_own() {
        with(Ordered.class, Enabled.class).run(context -> {
            assertThat(context.getBean(Ordered.class).transactional()).isEqualTo(3);
            Counting transactions = context.getBean(Counting.class);
            assertThat(transactions.begun).isEqualTo(3);
            assertThat(transactions.rolledBack).isEqualTo(2);
            assertThat(transactions.committed).isEqualTo(1);
        });
    }

    @Test
    void the_policy_is_outside_of_the_cache_unless_the_cache_is_put_further_out() {
        with(Ordered.class, Enabled.class).run(context -> {
            Ordered bean = context.getBean(Ordered.class);
            assertThat(bean.cached(1)).isEqualTo(bean.cached(1));
            context.getBean("brake", CircuitBreaker.class).forceOpen();
            assertThatThrownBy(() -> bean.cached(1)).isInstanceOf(CircuitOpenException.class);
        });
        with(CachedOnly.class, CacheFirst.class).run(context -> {
            CachedOnly bean = context.getBean(CachedOnly.class);
            int first = bean.cached(1);
            context.getBean("brake", CircuitBreaker.class).forceOpen();
            assertThat(bean.cached(1)).isEqualTo(first);
            assertThatThrownBy(() -> bean.cached(2)).isInstanceOf(CircuitOpenException.class);
        });
    }

    static class CachedOnly {
        final AtomicInteger calls = new AtomicInteger();

        @Guarded("brake")
        @Cacheable("values")
        public int cached(int key) {
            return calls.incrementAndGet();
        }
    }

    @Test
    void a_wrong_order_is_said() {
        APP.withPropertyValues("levee.guarded.oder=1")
                .run(context ->
                        assertThat(context.getStartupFailure()).hasMessageContaining("did you mean \"order\"?"));
    }

    static class Substituted {
        final AtomicInteger calls = new AtomicInteger();

        @Guarded("answered")
        public Flux<String> refused() {
            calls.incrementAndGet();
            return Flux.just("a");
        }

        @Guarded("answered")
        public Flux<String> broken() {
            return Flux.concat(Flux.just("a"), Flux.error(new IOException("down")));
        }

        @Guarded("emptied")
        public Flux<String> emptied() {
            return Flux.error(new IOException("down"));
        }
    }

    @Test
    void the_fallback_of_a_pipeline_answers_for_a_flux() {
        with(Substituted.class)
                .withPropertyValues(
                        "levee.policies.answered-fallback.value=later",
                        "levee.pipelines.answered=fallback,brake",
                        "levee.policies.emptied-fallback.nothing=true",
                        "levee.pipelines.emptied=fallback,brake")
                .run(context -> {
                    Substituted bean = context.getBean(Substituted.class);
                    assertThat(bean.refused().collectList().block(WAIT)).containsExactly("a");
                    assertThat(bean.broken().collectList().block(WAIT)).containsExactly("a", "later");
                    assertThat(bean.emptied().collectList().block(WAIT)).isEmpty();
                    context.getBean("brake", CircuitBreaker.class).forceOpen();
                    assertThat(bean.refused().collectList().block(WAIT)).containsExactly("later");
                    assertThat(bean.emptied().collectList().block(WAIT)).isEmpty();
                });
    }

    static class Transactions {
        @Guarded("brake")
        @Transactional
        public Mono<String> mono() {
            return Mono.just("a");
        }

        @Guarded("brake")
        @Transactional
        public Flux<String> flux() {
            return Flux.just("a");
        }
    }

    /** Stands for any advice further in, which sees each run of the method. */
    @Configuration
    static class Advised {
        static final AtomicInteger RUNS = new AtomicInteger();

        @Bean
        @org.springframework.context.annotation.Role(
                org.springframework.beans.factory.config.BeanDefinition.ROLE_INFRASTRUCTURE)
        static org.springframework.aop.Advisor runs() {
            org.springframework.aop.support.DefaultPointcutAdvisor advisor =
                    new org.springframework.aop.support.DefaultPointcutAdvisor(
                            org.springframework.aop.support.annotation.AnnotationMatchingPointcut.forMethodAnnotation(
                                    Transactional.class),
                            (org.aopalliance.intercept.MethodInterceptor) invocation -> {
                                RUNS.incrementAndGet();
                                return invocation.proceed();
                            });
            advisor.setOrder(org.springframework.core.Ordered.LOWEST_PRECEDENCE);
            return advisor;
        }
    }

    @Test
    void what_is_further_in_runs_at_each_subscription() {
        with(Transactions.class, Advised.class).run(context -> {
            Transactions bean = context.getBean(Transactions.class);
            Advised.RUNS.set(0);
            Mono<String> mono = bean.mono();
            assertThat(mono.block(WAIT)).isEqualTo("a");
            assertThat(mono.block(WAIT)).isEqualTo("a");
            assertThat(Advised.RUNS).hasValue(2);
            Flux<String> flux = bean.flux();
            assertThat(flux.repeat(2).collectList().block(WAIT)).containsExactly("a", "a", "a");
            assertThat(Advised.RUNS).hasValue(5);
        });
    }

    static class Timed {
        @Guarded("hurry")
        public Mono<Boolean> mono() {
            return Mono.deferContextual(context -> Mono.just(isShort(context.get(CallContext.class))));
        }

        @Guarded("hurry")
        public Flux<Boolean> flux() {
            return Flux.deferContextual(context -> Flux.just(isShort(context.get(CallContext.class))));
        }

        private static boolean isShort(CallContext context) {
            return context.deadline() != null
                    && context.deadline().remainingNanos()
                            <= Duration.ofMinutes(1).toNanos();
        }
    }

    @Test
    void the_deadline_of_the_subscriber_counts_and_that_of_the_policy_goes_on() {
        with(Timed.class)
                .withPropertyValues("levee.policies.hurry.kind=timeout", "levee.policies.hurry.after=1m")
                .run(context -> {
                    Timed bean = context.getBean(Timed.class);
                    CallContext late = CallContext.current()
                            .withDeadline(Deadline.after(
                                    Duration.ofHours(1), Environment.system().clock()));
                    assertThat(bean.mono()
                                    .contextWrite(c -> c.put(CallContext.class, late))
                                    .block(WAIT))
                            .isTrue();
                    assertThat(bean.flux()
                                    .contextWrite(c -> c.put(CallContext.class, late))
                                    .blockLast(WAIT))
                            .isTrue();
                    CallContext expired = CallContext.current()
                            .withDeadline(Deadline.after(
                                    Duration.ZERO, Environment.system().clock()));
                    assertThatThrownBy(() -> bean.mono()
                                    .contextWrite(c -> c.put(CallContext.class, expired))
                                    .block(WAIT))
                            .isInstanceOf(RefusedException.class);
                    assertThatThrownBy(() -> bean.flux()
                                    .contextWrite(c -> c.put(CallContext.class, expired))
                                    .blockLast(WAIT))
                            .isInstanceOf(RefusedException.class);
                });
    }

    abstract static class Repository<K, V> {
        @Guarded(value = "brake", fallback = "missing")
        public List<V> find(K key, List<K> more) {
            throw new IllegalStateException("down");
        }
    }

    static class Names extends Repository<String, Integer> {
        @SuppressWarnings("unused")
        private List<Integer> missing(String key, List<String> more, Exception why) {
            return List.of(key.length());
        }

        @Guarded(value = "brake", fallback = "other")
        public <T> T convert(Class<T> type, Object value) {
            throw new IllegalStateException("down");
        }

        public <T> T other(Class<T> type, Object value, Exception why) {
            return type.cast(value);
        }
    }

    @Test
    void a_fallback_fits_a_method_of_a_generic_class() {
        with(Names.class).run(context -> {
            Names bean = context.getBean(Names.class);
            assertThat(bean.find("abc", List.of())).containsExactly(3);
            assertThat(bean.convert(String.class, "x")).isEqualTo("x");
        });
    }

    abstract static class Loading<R> {
        abstract R begin();

        @Guarded("slot")
        public R load() {
            return begin();
        }
    }

    static class LoadingStage extends Loading<CompletableFuture<String>> {
        final CompletableFuture<String> answer = new CompletableFuture<>();

        @Override
        CompletableFuture<String> begin() {
            return answer;
        }
    }

    static class LoadingMono extends Loading<Mono<String>> {
        @Override
        Mono<String> begin() {
            return Mono.never();
        }
    }

    static class LoadingFuture extends Loading<Future<String>> {
        @Override
        Future<String> begin() {
            return new CompletableFuture<>();
        }
    }

    @Test
    void a_stage_behind_a_type_parameter_is_guarded_until_it_ends() {
        with(LoadingStage.class).run(context -> {
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            LoadingStage bean = context.getBean(LoadingStage.class);
            CompletableFuture<String> loaded = bean.load();
            assertThat(slot.inFlight()).isEqualTo(1);
            loaded.cancel(true);
        });
        with(LoadingMono.class).run(context -> {
            Bulkhead slot = context.getBean("slot", Bulkhead.class);
            Disposable loading = context.getBean(LoadingMono.class).load().subscribe();
            assertThat(slot.inFlight()).isEqualTo(1);
            loading.dispose();
            assertThat(slot.inFlight()).isZero();
        });
        refused(LoadingFuture.class, "\"load\" of", "java.util.concurrent.Future");
    }

    interface Api {
        @Guarded(value = "brake", fallback = "later")
        String call(String text);

        default String later(String text, CircuitOpenException open) {
            return "later " + text;
        }
    }

    interface WrongApi {
        @Guarded("brakes")
        String call(String text);
    }

    static class Fixed {
        @Guarded("brake")
        public final String call(String text) {
            return text;
        }
    }

    /** As those of HTTP interfaces, Feign and repositories. */
    private record Made<T>(Class<T> type, T object) implements FactoryBean<T> {
        @Override
        public T getObject() {
            return object;
        }

        @Override
        public Class<?> getObjectType() {
            return type;
        }
    }

    private static <T> ApplicationContextRunner made(Class<T> type, T object) {
        return APP.withBean("made", Made.class, () -> new Made<>(type, object))
                .withBean("user", Object.class, Object::new)
                .withInitializer(context -> context.addBeanFactoryPostProcessor(
                        beans -> beans.getBeanDefinition("user").setDependsOn("made")));
    }

    private static <T> T proxy(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> method.isDefault()
                        ? InvocationHandler.invokeDefault(self, method, arguments)
                        : "did " + arguments[0]));
    }

    @Test
    void what_a_factory_bean_makes_is_guarded() {
        made(Api.class, proxy(Api.class)).run(context -> {
            Api bean = context.getBean(Api.class);
            assertThat(bean.call("a")).isEqualTo("did a");
            context.getBean("brake", CircuitBreaker.class).forceOpen();
            assertThat(bean.call("a")).isEqualTo("later a");
        });
    }

    @Test
    void what_a_factory_bean_makes_and_cannot_be_guarded_is_said() {
        made(WrongApi.class, proxy(WrongApi.class))
                .run(context -> assertThatThrownBy(() -> context.getBean(WrongApi.class))
                        .hasRootCauseInstanceOf(LeveeConfigurationException.class)
                        .rootCause()
                        .hasMessageContaining("\"call\" of")
                        .hasMessageContaining("no policy \"brakes\""));
        made(Fixed.class, new Fixed())
                .run(context -> assertThatThrownBy(() -> context.getBean(Fixed.class))
                        .rootCause()
                        .hasMessageContaining("\"call\" of")
                        .hasMessageContaining("is final"));
    }

    @Configuration
    static class Scoped {
        @Bean
        @org.springframework.context.annotation.Scope(
                value = "prototype",
                proxyMode = org.springframework.context.annotation.ScopedProxyMode.TARGET_CLASS)
        Client scoped() {
            return new Client();
        }
    }

    @Test
    void what_stands_for_a_bean_of_a_scope_is_guarded_there() {
        with(Scoped.class).run(context -> {
            assertThat(context).hasNotFailed();
            Client client = context.getBean("scoped", Client.class);
            assertThat(client.charge("7")).isEqualTo("down 7");
            assertThat(context.getBean("brake", CircuitBreaker.class).snapshot().failures())
                    .isEqualTo(1);
        });
    }
}
