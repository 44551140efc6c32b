package dev.levee.spring.cloud;

import dev.levee.loadbalancing.LoadBalancerConfig;
import org.springframework.cloud.client.ServiceInstance;

/**
 * Changes the settings of the balancer of a service: its breakers, health, lease. Declare it as a bean.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface InstanceBalancerCustomizer {
    /**
     * Changes settings.
     *
     * @param serviceId the service
     * @param config the settings, as {@link InstanceBalancer} has them
     */
    void customize(String serviceId, LoadBalancerConfig.Builder<ServiceInstance> config);
}
