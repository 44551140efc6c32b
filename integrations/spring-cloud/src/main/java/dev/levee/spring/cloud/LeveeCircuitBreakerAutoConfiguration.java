package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory;
import org.springframework.cloud.client.circuitbreaker.Customizer;
import org.springframework.cloud.client.circuitbreaker.ReactiveCircuitBreakerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Mono;

/**
 * Circuit breakers of Spring Cloud by the beans of type {@link Policy}: an id is the name of a bean, and one that is
 * not gets a breaker with the default settings.
 *
 * @since 0.1
 */
@AutoConfiguration
@ConditionalOnClass(CircuitBreakerFactory.class)
@Conditional(LeveeCircuitBreakerAutoConfiguration.CircuitBreakerSwitch.class)
public class LeveeCircuitBreakerAutoConfiguration {
    /** Made by Spring. */
    public LeveeCircuitBreakerAutoConfiguration() {}

    /** Whether there are to be breakers. */
    static final class CircuitBreakerSwitch extends CloudSwitch {
        CircuitBreakerSwitch() {
            super("levee.cloud.circuit-breaker.enabled");
        }
    }

    /**
     * Returns the policies by the names of beans.
     *
     * @param beans where the policies are
     * @return the policies
     */
    @Bean
    @ConditionalOnMissingBean
    public CloudPolicies leveeCloudPolicies(ListableBeanFactory beans) {
        return CloudPolicies.of(id ->
                beans.containsBean(id) && beans.isTypeMatch(id, Policy.class) ? beans.getBean(id, Policy.class) : null);
    }

    /**
     * Returns the factory of blocking breakers.
     *
     * @param policies the policy of each id
     * @param customizers change the factory
     * @return the factory
     */
    @Bean
    @ConditionalOnMissingBean(CircuitBreakerFactory.class)
    public LeveeCircuitBreakerFactory leveeCircuitBreakerFactory(
            CloudPolicies policies, ObjectProvider<Customizer<LeveeCircuitBreakerFactory>> customizers) {
        LeveeCircuitBreakerFactory factory = LeveeCircuitBreakerFactory.of(policies);
        customizers.orderedStream().forEach(customizer -> customizer.customize(factory));
        return factory;
    }

    /** Apart, because Reactor need not be there. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(Mono.class)
    static class ReactiveBreakers {
        @Bean
        @ConditionalOnMissingBean(ReactiveCircuitBreakerFactory.class)
        LeveeReactiveCircuitBreakerFactory leveeReactiveCircuitBreakerFactory(
                CloudPolicies policies, ObjectProvider<Customizer<LeveeReactiveCircuitBreakerFactory>> customizers) {
            LeveeReactiveCircuitBreakerFactory factory = LeveeReactiveCircuitBreakerFactory.of(policies);
            customizers.orderedStream().forEach(customizer -> customizer.customize(factory));
            return factory;
        }
    }
}
