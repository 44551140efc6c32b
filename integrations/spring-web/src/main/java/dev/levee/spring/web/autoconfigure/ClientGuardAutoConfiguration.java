package dev.levee.spring.web.autoconfigure;

import dev.levee.core.Environment;
import dev.levee.core.Policy;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.web.client.RestClient;

/**
 * Guards the HTTP clients that are configured under {@code levee.http.clients}: in every {@code RestClient.Builder},
 * {@code WebClient.Builder} and {@code RestTemplate} that is a bean, requests for the name of a client go through it.
 *
 * @since 0.1
 */
@AutoConfiguration
@ConditionalOnClass(RestClient.class)
public class ClientGuardAutoConfiguration {
    /** Made by Spring. */
    public ClientGuardAutoConfiguration() {}

    /**
     * Returns the guards, by the policies that are beans.
     *
     * @param properties where the configuration is
     * @param beans where the policies are
     * @param environments the environment of the policies, if there is one
     * @return the guards
     */
    @Bean
    @ConditionalOnMissingBean
    public ClientGuards leveeClientGuards(
            org.springframework.core.env.Environment properties,
            ListableBeanFactory beans,
            ObjectProvider<Environment> environments) {
        return ClientGuards.bind(
                Binder.get(properties),
                name -> beans.containsBean(name) && beans.isTypeMatch(name, Policy.class)
                        ? beans.getBean(name, Policy.class)
                        : null,
                environments.getIfUnique(Environment::system));
    }

    @Bean
    static GuardedBuilders leveeGuardedBuilders(ObjectProvider<ClientGuards> guards) {
        return new GuardedBuilders(() -> guards.getObject().guards());
    }
}
