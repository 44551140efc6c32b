package dev.levee.spring.cloud;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.cloud.loadbalancer.core.ServiceInstanceListSupplier;
import org.springframework.cloud.loadbalancer.support.LoadBalancerClientFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * The beans of one service, in the context that Spring Cloud makes for it. Without {@code @Configuration}, so that no
 * scan of components finds it and puts them into the application.
 */
class InstanceBalancerConfiguration {
    /** The child context closes it. */
    @Bean
    @ConditionalOnMissingBean(ReactorServiceInstanceLoadBalancer.class)
    InstanceBalancer leveeInstanceBalancer(
            Environment environment,
            LoadBalancerClientFactory clients,
            ObjectProvider<BalancingStrategy> strategy,
            ObjectProvider<InstanceBalancerCustomizer> customizers,
            ObjectProvider<dev.levee.core.Environment> time) {
        String service = LoadBalancerClientFactory.getName(environment);
        ObjectProvider<ServiceInstanceListSupplier> instances =
                clients.getLazyProvider(service, ServiceInstanceListSupplier.class);
        return InstanceBalancer.of(
                service,
                instances::getIfAvailable,
                strategy.getIfUnique(BalancingStrategy::powerOfTwoChoices),
                config -> customizers.orderedStream().forEach(customizer -> customizer.customize(service, config)),
                time.getIfUnique(dev.levee.core.Environment::system));
    }

    @Bean
    @ConditionalOnMissingBean
    TicketLifecycle leveeTicketLifecycle() {
        return TicketLifecycle.create();
    }
}
