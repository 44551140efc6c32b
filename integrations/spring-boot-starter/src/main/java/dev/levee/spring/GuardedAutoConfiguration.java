package dev.levee.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.context.EnvironmentAware;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Guards methods with {@link Guarded}. Needs no AspectJ.
 *
 * @since 0.1
 */
@AutoConfiguration(after = LeveeAutoConfiguration.class)
@Import(GuardedAutoConfiguration.Proxies.class)
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
public class GuardedAutoConfiguration {
    /** Made by Spring. */
    public GuardedAutoConfiguration() {}

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static GuardedMethods leveeGuardedMethods(ObjectProvider<LeveePolicies> policies) {
        return new GuardedMethods(policies::getObject);
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static GuardedAdvisor leveeGuardedAdvisor(GuardedMethods methods, ConfigurableEnvironment configuration) {
        return new GuardedAdvisor(methods, GuardedOrder.read(configuration));
    }

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static GuardedBeans leveeGuardedBeans(ConfigurableListableBeanFactory beans, GuardedMethods methods) {
        return new GuardedBeans(beans, methods);
    }

    /** Makes sure that beans with advice become proxies, as Boot does it: of their classes, unless told otherwise. */
    static final class Proxies implements ImportBeanDefinitionRegistrar, EnvironmentAware {
        private @Nullable Environment environment;

        Proxies() {}

        @Override
        public void setEnvironment(Environment environment) {
            this.environment = environment;
        }

        @Override
        public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
            AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
            if (environment == null || environment.getProperty("spring.aop.proxy-target-class", Boolean.class, true)) {
                AopConfigUtils.forceAutoProxyCreatorToUseClassProxying(registry);
            }
        }
    }
}
