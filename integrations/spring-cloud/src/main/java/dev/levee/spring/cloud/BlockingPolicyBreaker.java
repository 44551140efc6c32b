package dev.levee.spring.cloud;

import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.circuitbreaker.CircuitBreaker;

/** A policy as a circuit breaker of Spring Cloud. Everything happens on the thread of the caller. */
record BlockingPolicyBreaker(Policy policy) implements CircuitBreaker {
    @Override
    public <T> T run(Supplier<T> toRun, Function<@Nullable Throwable, T> fallback) {
        Require.nonNull("toRun", toRun);
        Require.nonNull("fallback", fallback);
        Operation<T, RuntimeException> operation = toRun::get;
        try {
            return policy.call(operation);
        } catch (VirtualMachineError error) {
            throw error;
        } catch (Throwable thrown) {
            return fallback.apply(thrown);
        }
    }
}
