package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Gate;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.KeyPatterns;
import dev.levee.core.Keyed;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.FingerprintMismatchException;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.FallbackConfig;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.core.policy.Translate;
import dev.levee.jdbc.JdbcIdempotencyStore;
import dev.levee.jdbc.TransactionalIdempotency;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.ServerLoadRecorder;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.work.WorkQueue;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A name or a key with a line break in it forges no second line: names are refused, keys are escaped. */
class NamesFromOutsideTest {
    private static final String FORGED = "pay\nERROR all is lost";
    private static final String SHOWN = "pay\\u000AERROR all is lost";

    private static final List<Class<?>> NAMED = List.of(
            AdaptiveBulkhead.class,
            AdaptiveThrottle.class,
            Bulkhead.class,
            Cache.class,
            CircuitBreaker.class,
            Fallback.class,
            Faults.class,
            Hedge.class,
            Idempotency.class,
            JdbcIdempotencyStore.class,
            Keyed.class,
            KeyedRateLimiter.class,
            LoadBalancer.class,
            PriorityShedder.class,
            RateLimiter.class,
            Retry.class,
            RetryBudget.class,
            ServerLoadRecorder.class,
            SheddingBulkhead.class,
            Timeout.class,
            TransactionalIdempotency.class,
            Translate.class,
            WorkQueue.class);

    @TestFactory
    Stream<DynamicTest> no_factory_takes_a_name_with_a_line_break() {
        return NAMED.stream()
                .flatMap(type -> factories(type)
                        .map(factory -> DynamicTest.dynamicTest(
                                type.getSimpleName()
                                        + '.'
                                        + factory.getName()
                                        + Arrays.toString(factory.getParameterTypes()),
                                () -> assertRefused(() -> make(factory)))));
    }

    private static Stream<Method> factories(Class<?> type) {
        List<Method> factories = Arrays.stream(type.getMethods())
                .filter(it -> it.getDeclaringClass() == type && Modifier.isStatic(it.getModifiers()))
                .filter(it -> it.getReturnType() == type)
                .filter(it -> List.of(it.getParameterTypes()).contains(String.class))
                .toList();
        assertThat(factories).as(type.getName()).isNotEmpty();
        return factories.stream();
    }

    private static Object make(Method factory) throws Throwable {
        Object[] arguments = Arrays.stream(factory.getParameterTypes())
                .map(NamesFromOutsideTest::argument)
                .toArray();
        try {
            return factory.invoke(null, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    private static Object argument(Class<?> type) {
        if (type == String.class) {
            return FORGED;
        } else if (type == Environment.class) {
            return Environment.system();
        } else if (type == Duration.class) {
            return Duration.ofSeconds(1);
        } else if (type == int.class) {
            return 1;
        } else if (type == long.class) {
            return 1L;
        } else if (type == double.class) {
            return 1.0;
        } else if (type == Limit.class) {
            return Limit.perSecond(1);
        } else if (type == Class.class) {
            return Runnable.class;
        } else if (type.isArray()) {
            return java.lang.reflect.Array.newInstance(type.getComponentType(), 0);
        } else if (type.isInterface()) {
            return Proxy.newProxyInstance(
                    NamesFromOutsideTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, them) -> null);
        }
        return defaults(type);
    }

    private static Object defaults(Class<?> type) {
        try {
            Object builder = type.getMethod("builder").invoke(null);
            return builder.getClass().getMethod("build").invoke(builder);
        } catch (ReflectiveOperationException e) {
            return null; // settings without defaults; the name is looked at first
        }
    }

    private static void assertRefused(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\\u000A")
                .hasMessageNotContaining("\n");
    }

    @Test
    void no_name_of_a_part_has_a_line_break() {
        assertRefused(() -> Environment.closeable(FORGED));
        assertRefused(() -> FallbackConfig.builder().then(FORGED, failure -> 1));
        assertRefused(() -> FallbackConfig.builder().thenValue(FORGED, 1));
        assertRefused(() -> FallbackConfig.builder().thenClient(FORGED, Runnable.class, () -> {}));
        assertRefused(() -> Fallback.chain("p", c -> c.then("a", failure -> 1).then(FORGED, failure -> 1)));
    }

    @Test
    void a_look_up_by_a_text_from_outside_shows_it_escaped() {
        assertRefused(() -> FallbackConfig.builder().thenValue("a", 1).build().callSource(FORGED));
        assertRefused(() -> KeyPatterns.when("*", 1).and(FORGED, 2));
        assertRefused(() -> KeyPatterns.when("*\n*", 1).and(FORGED, 2));
    }

    @Test
    void refusals_for_what_is_named_outside_of_the_library_show_the_name_escaped() {
        Gate gate = new Forger();
        assertOneLine(ExecutorRejectedException.of(gate, new RuntimeException("full")));
        assertOneLine(ExecutorRejectedException.onCallersThread(gate));
        assertOneLine(DeadlineExpiredException.shared("gate", FORGED));
        assertOneLine(DeadlineExpiredException.shared("gate", FORGED).detached());
        assertOneLine(new InterruptedWaitException("gate", FORGED, new InterruptedException()));
        assertOneLine(new FingerprintMismatchException(FORGED, "key"));
        assertOneLine(new FingerprintMismatchException("charges", FORGED));
        assertOneLine(new IdempotencyRefusedException(
                "charges",
                FORGED,
                IdempotencyRefusedException.Reason.IN_PROGRESS,
                "it runs",
                RefusedException.UNKNOWN,
                null));
        assertThatThrownBy(() -> Pipeline.of(gate, gate))
                .hasMessageContaining(SHOWN)
                .hasMessageNotContaining("\n");
    }

    @Test
    void a_conflict_of_names_shows_name_and_key_escaped() {
        Keyed<String, Gate> gates = Keyed.of("gates", 10, Duration.ofHours(1), key -> new Forger());
        gates.get("one");
        assertThatThrownBy(() -> gates.get(FORGED))
                .hasMessageContaining("\"" + SHOWN + "\"")
                .hasMessageContaining("of key " + SHOWN)
                .hasMessageNotContaining("\n");
    }

    @Test
    void a_key_of_a_client_is_escaped_in_each_refusal() {
        Idempotency<String> charges = Idempotency.of("charges", c -> c.maxWait(Duration.ZERO));
        assertThatThrownBy(() -> charges.call(FORGED, "print", () -> {
            throw new IOException("down");
        }));
        assertThatThrownBy(() -> charges.call(FORGED, "print", () -> "x"))
                .satisfies(NamesFromOutsideTest::assertOneLine);
        assertThatThrownBy(() -> charges.call(FORGED, "another", () -> "x"))
                .satisfies(NamesFromOutsideTest::assertOneLine);
        CompletableFuture<String> running = charges.callAsync("2" + FORGED, "print", CompletableFuture<String>::new);
        assertThatThrownBy(() -> charges.call("2" + FORGED, "print", () -> "x"))
                .satisfies(NamesFromOutsideTest::assertOneLine);
        running.cancel(false);
    }

    @Test
    void a_failure_of_a_store_is_told_in_one_line() {
        Cache<String, String> users = Cache.of("users");
        assertThatThrownBy(() -> users.get(FORGED, key -> {
                    throw new IOException("no row for " + key);
                }))
                .satisfies(NamesFromOutsideTest::assertOneLine);
        assertThatThrownBy(() -> users.get(FORGED, key -> users.get(key, again -> "x")))
                .satisfies(NamesFromOutsideTest::assertOneLine);
    }

    private static void assertOneLine(Throwable thrown) {
        assertThat(thrown.getMessage()).contains(thrown instanceof FingerprintMismatchException ? "" : SHOWN);
        assertThat(thrown.getMessage().lines()).hasSize(1);
    }

    /** A gate of a user, whose name is nowhere checked. */
    private static final class Forger implements Gate {
        @Override
        public String name() {
            return FORGED;
        }

        @Override
        public Kind kind() {
            return Kind.OTHER;
        }

        @Override
        public Environment environment() {
            return Environment.system();
        }

        @Override
        public OutcomeRule outcomes() {
            return OutcomeRule.standard();
        }

        @Override
        public int timing() {
            return 0;
        }

        @Override
        public long tryEnter(long nowNanos) {
            return 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {}

        @Override
        public RefusedException refusal() {
            throw new IllegalStateException("it never refuses");
        }
    }
}
