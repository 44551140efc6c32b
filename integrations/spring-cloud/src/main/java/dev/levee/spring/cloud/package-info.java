/**
 * Spring Cloud on Levee: circuit breakers, load balancing of service instances, and the gateway's filter.
 *
 * <p>{@link dev.levee.spring.cloud.LeveeCircuitBreakerFactory} and
 * {@link dev.levee.spring.cloud.LeveeReactiveCircuitBreakerFactory} give policies to Spring Cloud Circuit Breaker,
 * {@link dev.levee.spring.cloud.InstanceBalancer} picks service instances. On a class path with auto-configuration
 * nothing has to be declared. See ADR 131.
 */
@NullMarked
package dev.levee.spring.cloud;

import org.jspecify.annotations.NullMarked;
