package dev.levee.spring.cloud;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.cloud.loadbalancer.annotation.LoadBalancerClients;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.context.annotation.Conditional;

/**
 * An {@link InstanceBalancer} for each service, unless the application has a load balancer of its own for it.
 *
 * @since 0.1
 */
@AutoConfiguration
@ConditionalOnClass(ReactorServiceInstanceLoadBalancer.class)
@Conditional(LeveeLoadBalancerAutoConfiguration.LoadBalancerSwitch.class)
@SuppressWarnings("exports") // Spring alone sees the configuration of a service
@LoadBalancerClients(defaultConfiguration = InstanceBalancerConfiguration.class)
public class LeveeLoadBalancerAutoConfiguration {
    /** Made by Spring. */
    public LeveeLoadBalancerAutoConfiguration() {}

    /** Whether instances are to be balanced. */
    static final class LoadBalancerSwitch extends CloudSwitch {
        LoadBalancerSwitch() {
            super("levee.cloud.load-balancer.enabled");
        }
    }
}
