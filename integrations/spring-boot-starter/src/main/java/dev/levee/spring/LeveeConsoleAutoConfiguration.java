package dev.levee.spring;

import dev.levee.console.Console;
import dev.levee.core.Listener;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Serves the live page of {@code levee-console} with everything that the configuration names, if
 * {@code levee.console.enabled} says so: on loopback, and without buttons unless there is a token.
 *
 * @since 0.1
 */
@AutoConfiguration(before = LeveeAutoConfiguration.class)
@ConditionalOnClass(Console.class)
@Conditional(LeveeConsoleAutoConfiguration.Enabled.class)
public class LeveeConsoleAutoConfiguration {
    /** Made by Spring. */
    public LeveeConsoleAutoConfiguration() {}

    /**
     * Serves the page. Replace it by a bean of your own, which gets the same cards and events.
     *
     * @param configuration where the settings are
     * @return the console; closed with the application
     */
    @Bean
    @Lazy(false)
    @ConditionalOnMissingBean(Console.class)
    Console leveeConsole(ConfigurableEnvironment configuration) {
        return ConsoleContents.start(PageSettings.read(configuration));
    }

    /**
     * Passes the events of all policies to the page.
     *
     * @param console the page
     * @return its listener
     */
    @Bean
    Listener leveeConsoleEvents(Console console) {
        return console.listener();
    }

    /**
     * Counts the keys that are refused, for the cards of the page.
     *
     * @return the listener that counts them
     */
    @Bean
    ConsoleContents.RefusedKeys leveeConsoleRefusedKeys() {
        return new ConsoleContents.RefusedKeys();
    }

    /**
     * Puts what there is on the page when all of it is made.
     *
     * @param console the page
     * @param refused what counts keys
     * @param policies those of the configuration
     * @param beans the others of the application
     * @return what fills the page
     */
    @Bean
    @Lazy(false)
    ConsoleContents leveeConsoleContents(
            Console console,
            ConsoleContents.RefusedKeys refused,
            LeveePolicies policies,
            ConfigurableListableBeanFactory beans) {
        return new ConsoleContents(console, refused, (PolicyRegistry) policies, beans);
    }

    /** Whether the configuration asks for a page. */
    static final class Enabled implements Condition {
        Enabled() {}

        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return PolicyBeans.asksForPage(context.getEnvironment());
        }
    }
}
