package dev.levee.benchmarks.spring;

import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code spring.guarded}: a method of a bean that an annotation puts under a retry, and that succeeds at once. Levee
 * and Resilience4j are configured by Spring Boot; Spring's own annotation needs no configuration. What is below all of
 * them is a proxy of the same kind whose advice does nothing.
 *
 * <pre>benchmarks/compare '^spring.guarded$'</pre>
 */
public class SpringGuarded {
    @Benchmark
    public String levee(Applications.LeveeState state) {
        return state.calls.call();
    }

    @Benchmark
    public String resilience4j(Applications.Resilience4jState state) {
        return state.calls.call();
    }

    @Benchmark
    public String spring(Applications.SpringState state) {
        return state.calls.call();
    }

    @Benchmark
    public String proxy(Applications.ProxyState state) {
        return state.calls.call();
    }
}
