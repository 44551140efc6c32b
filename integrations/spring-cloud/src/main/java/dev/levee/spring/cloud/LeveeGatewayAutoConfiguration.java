package dev.levee.spring.cloud;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.cloud.gateway.filter.factory.SpringCloudCircuitBreakerFilterFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.web.reactive.DispatcherHandler;

/**
 * The filter {@code CircuitBreaker} of Spring Cloud Gateway, on WebFlux.
 *
 * @since 0.1
 */
@AutoConfiguration(
        after = LeveeCircuitBreakerAutoConfiguration.class,
        beforeName = "org.springframework.cloud.gateway.config.GatewayAutoConfiguration")
@ConditionalOnClass({GlobalFilter.class, DispatcherHandler.class})
@ConditionalOnProperty(name = "spring.cloud.gateway.server.webflux.enabled", matchIfMissing = true)
public class LeveeGatewayAutoConfiguration {
    /** Made by Spring. */
    public LeveeGatewayAutoConfiguration() {}

    /**
     * Returns the filter {@code CircuitBreaker}.
     *
     * @param breakers gives the policy of a route
     * @param dispatchers handles fallback URIs
     * @return the factory
     */
    @Bean
    @ConditionalOnBean(LeveeReactiveCircuitBreakerFactory.class)
    @ConditionalOnMissingBean(SpringCloudCircuitBreakerFilterFactory.class)
    public LeveeCircuitBreakerFilterFactory leveeCircuitBreakerFilterFactory(
            LeveeReactiveCircuitBreakerFactory breakers, ObjectProvider<DispatcherHandler> dispatchers) {
        return LeveeCircuitBreakerFilterFactory.of(breakers, dispatchers);
    }

    /**
     * Returns the filter that ends balanced requests whose client has gone.
     *
     * @return the filter
     */
    @Bean
    @ConditionalOnClass(name = "org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer")
    @ConditionalOnMissingBean
    public TicketFilter leveeTicketFilter() {
        return TicketFilter.create();
    }
}
