package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import java.util.List;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Makes the policies and pipelines of the configuration, and a bean of each.
 *
 * @since 0.1
 */
@SuppressWarnings("exports") // what is imported is for Spring alone
@AutoConfiguration
@Import(PolicyBeans.class)
public class LeveeAutoConfiguration {
    /** Made by Spring. */
    public LeveeAutoConfiguration() {}

    /**
     * Returns the environment of all policies: time and threads of this process, and the events to all beans of type
     * {@link Listener}. Replace it by a bean of your own, as for tests.
     *
     * @param listeners the listeners of the application
     * @return the environment
     */
    @Bean
    @ConditionalOnMissingBean(Environment.class)
    Environment leveeEnvironment(ObjectProvider<Listener> listeners) {
        List<Listener> all = listeners.orderedStream().toList();
        return all.isEmpty()
                ? Environment.system()
                : Environment.system().toBuilder()
                        .listener(Listener.all(all.toArray(new Listener[0])))
                        .build();
    }

    /**
     * Returns the policies of the configuration.
     *
     * @param beans the beans of the application
     * @param configuration its properties
     * @param environment that of all policies
     * @param customizers what sets more than properties can
     * @return the policies
     */
    @Bean
    LeveePolicies leveePolicies(
            ConfigurableListableBeanFactory beans,
            ConfigurableEnvironment configuration,
            Environment environment,
            ObjectProvider<PolicyCustomizer<?>> customizers) {
        ConfiguredPlan plan = PolicyBeans.plan(configuration, beans);
        PolicyBeans.requireOurs(plan, beans);
        return new PolicyRegistry(
                plan,
                () -> PolicyBeans.plan(configuration, beans),
                environment,
                name -> {
                    try {
                        return beans.isTypeMatch(name, Policy.class) && beans.getBean(name) instanceof Policy policy
                                ? policy
                                : null;
                    } catch (NoSuchBeanDefinitionException none) {
                        return null;
                    }
                },
                customizers.orderedStream().toList());
    }

    /**
     * Reloads the policies when Spring Cloud has changed the environment.
     *
     * @param policies the policies
     * @return the listener
     */
    @Bean
    static RefreshListener leveeRefreshListener(ObjectProvider<LeveePolicies> policies) {
        return new RefreshListener(policies::getObject);
    }
}
