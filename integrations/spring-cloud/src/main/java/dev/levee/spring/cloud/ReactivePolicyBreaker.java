package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.Function;
import org.springframework.cloud.client.circuitbreaker.ReactiveCircuitBreaker;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A policy as a reactive circuit breaker of Spring Cloud. Nothing happens before a subscription; nothing blocks. */
record ReactivePolicyBreaker(Policy policy) implements ReactiveCircuitBreaker {
    @Override
    public <T> Mono<T> run(Mono<T> toRun, Function<Throwable, Mono<T>> fallback) {
        Require.nonNull("toRun", toRun);
        Require.nonNull("fallback", fallback);
        return PublisherCalls.mono(policy, toRun).onErrorResume(ReactivePolicyBreaker::mayFallBack, fallback);
    }

    @Override
    public <T> Flux<T> run(Flux<T> toRun, Function<Throwable, Flux<T>> fallback) {
        Require.nonNull("toRun", toRun);
        Require.nonNull("fallback", fallback);
        return PublisherCalls.flux(policy, toRun).onErrorResume(ReactivePolicyBreaker::mayFallBack, fallback);
    }

    /** A status that only shall be counted is no reason for a fallback. */
    private static boolean mayFallBack(Throwable error) {
        return !(error instanceof CountedStatusException) && !(error instanceof VirtualMachineError);
    }
}
