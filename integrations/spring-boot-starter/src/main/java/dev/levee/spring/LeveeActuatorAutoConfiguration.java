package dev.levee.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.EnvironmentAware;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Shows the policies in the actuator.
 *
 * @since 0.1
 */
@AutoConfiguration(before = LeveeAutoConfiguration.class)
@ConditionalOnClass(name = "org.springframework.boot.actuate.endpoint.annotation.Endpoint")
@Import(LeveeActuatorAutoConfiguration.Health.class)
public class LeveeActuatorAutoConfiguration {
    /** Made by Spring. */
    public LeveeActuatorAutoConfiguration() {}

    /** The endpoint, and the events for it, which cost something: only if it can be reached. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnAvailableEndpoint(LeveeEndpoint.class)
    static class Reachable {
        Reachable() {}

        @Bean
        RecentEvents leveeRecentEvents() {
            return new RecentEvents();
        }

        @Bean
        LeveeEndpoint leveeEndpoint(
                LeveePolicies policies, ConfigurableEnvironment configuration, RecentEvents events) {
            PolicyRegistry registry = (PolicyRegistry) policies;
            return new LeveeEndpoint(registry, new EndpointSettings(configuration, registry), events);
        }
    }

    /** Registers the indicator under the type that this version of Boot has. */
    static final class Health implements ImportBeanDefinitionRegistrar, EnvironmentAware {
        private @Nullable Environment environment;

        Health() {}

        @Override
        public void setEnvironment(Environment environment) {
            this.environment = environment;
        }

        @Override
        public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
            Environment configuration = environment;
            Class<?> type = LeveeHealth.indicatorType();
            if (type == null || configuration == null || !isEnabled(configuration)) {
                return;
            }
            // Factory methods and no lambdas, so that code can be generated ahead of time.
            RootBeanDefinition health = new RootBeanDefinition(LeveeHealth.class);
            health.setAutowireMode(RootBeanDefinition.AUTOWIRE_CONSTRUCTOR);
            registry.registerBeanDefinition("leveeHealth", health);
            RootBeanDefinition indicator = new RootBeanDefinition();
            indicator.setTargetType(type);
            indicator.setFactoryBeanName("leveeHealth");
            indicator.setFactoryMethodName("indicator");
            registry.registerBeanDefinition("leveeHealthIndicator", indicator);
        }

        private static boolean isEnabled(Environment environment) {
            boolean all = environment.getProperty("management.health.defaults.enabled", Boolean.class, true);
            return environment.getProperty("management.health.levee.enabled", Boolean.class, all);
        }
    }
}
