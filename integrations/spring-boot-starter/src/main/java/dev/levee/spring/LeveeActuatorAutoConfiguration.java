package dev.levee.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
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
    static final class Health implements ImportBeanDefinitionRegistrar, EnvironmentAware, BeanFactoryAware {
        private @Nullable ConfigurableEnvironment environment;
        private @Nullable ConfigurableListableBeanFactory beans;

        Health() {}

        @Override
        public void setEnvironment(Environment environment) {
            this.environment = (ConfigurableEnvironment) environment;
        }

        @Override
        public void setBeanFactory(BeanFactory beanFactory) {
            this.beans = (ConfigurableListableBeanFactory) beanFactory;
        }

        @Override
        public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
            ConfigurableEnvironment configuration = environment;
            ConfigurableListableBeanFactory factory = beans;
            Class<?> type = LeveeHealth.indicatorType();
            if (type == null || configuration == null || factory == null || !isEnabled(configuration)) {
                return;
            }
            register(type, registry, configuration, factory);
        }

        private static boolean isEnabled(Environment environment) {
            boolean all = environment.getProperty("management.health.defaults.enabled", Boolean.class, true);
            return environment.getProperty("management.health.levee.enabled", Boolean.class, all);
        }

        private static <T> void register(
                Class<T> type,
                BeanDefinitionRegistry registry,
                ConfigurableEnvironment configuration,
                ConfigurableListableBeanFactory factory) {
            registry.registerBeanDefinition("leveeHealthIndicator", new RootBeanDefinition(type, () -> {
                PolicyRegistry policies = (PolicyRegistry) factory.getBean(LeveePolicies.class);
                LeveeHealth health = new LeveeHealth(policies, LeveeHealth.down(configuration, policies.plan()));
                return type.cast(health.indicator(type));
            }));
        }
    }
}
