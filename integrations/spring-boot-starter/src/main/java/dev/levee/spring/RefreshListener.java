package dev.levee.spring;

import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.event.GenericApplicationListener;
import org.springframework.core.ResolvableType;

/**
 * Reloads the policies when Spring Cloud says that the environment has changed. The event is known by its name, so that
 * Spring Cloud need not be there.
 */
final class RefreshListener implements GenericApplicationListener {
    private static final Logger LOG = LoggerFactory.getLogger(LeveePolicies.class);
    private static final String EVENT = "org.springframework.cloud.context.environment.EnvironmentChangeEvent";

    private final Supplier<LeveePolicies> policies;

    RefreshListener(Supplier<LeveePolicies> policies) {
        this.policies = policies;
    }

    @Override
    public boolean supportsEventType(ResolvableType eventType) {
        return eventType.toClass().getName().equals(EVENT);
    }

    @Override
    public void onApplicationEvent(ApplicationEvent event) {
        try {
            policies.get().reload();
        } catch (LeveeConfigurationException wrong) {
            LOG.error(
                    "levee: the changed configuration is wrong, and all policies are as they were: {}",
                    wrong.getMessage());
        } catch (RuntimeException failed) { // of a customizer: the refresh of other beans goes on
            LOG.error("levee: the changed configuration cannot be applied, and all policies are as they were", failed);
        }
    }
}
