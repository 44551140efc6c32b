package dev.levee.spring;

import dev.levee.jdbc.GuardedDataSource;
import javax.sql.DataSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Guards the data sources that are configured under {@code levee.data-sources}, by the names of their beans. Needs
 * {@code levee-jdbc}.
 *
 * @since 0.1
 */
@AutoConfiguration(after = LeveeAutoConfiguration.class)
@ConditionalOnClass({GuardedDataSource.class, DataSource.class})
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
public class LeveeDataSourceAutoConfiguration {
    /** Made by Spring. */
    public LeveeDataSourceAutoConfiguration() {}

    @Bean
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static GuardedDataSources leveeGuardedDataSources(
            ConfigurableListableBeanFactory beans,
            ConfigurableEnvironment configuration,
            ObjectProvider<LeveePolicies> policies) {
        return new GuardedDataSources(
                beans, PolicyBeans.plan(configuration, beans).dataSources(), policies::getObject);
    }
}
