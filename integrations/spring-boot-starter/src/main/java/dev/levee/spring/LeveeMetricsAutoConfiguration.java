package dev.levee.spring;

import dev.levee.micrometer.LeveeMeters;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * Shows the figures of all policies as meters of Micrometer. Boot binds them to the registries of the application.
 *
 * @since 0.1
 */
@AutoConfiguration(after = LeveeAutoConfiguration.class)
@ConditionalOnClass(MeterBinder.class)
public class LeveeMetricsAutoConfiguration {
    /** Made by Spring. */
    public LeveeMetricsAutoConfiguration() {}

    /**
     * Returns the meters of all policies of the configuration. Replace it by a bean of your own to measure more, or
     * with other settings.
     *
     * @param policies the policies
     * @return the meters; closed with the application
     */
    @Bean
    @ConditionalOnBean(LeveePolicies.class)
    @ConditionalOnMissingBean(LeveeMeters.class)
    LeveeMeters leveeMeters(LeveePolicies policies) {
        return LeveeMeters.of(policies);
    }
}
