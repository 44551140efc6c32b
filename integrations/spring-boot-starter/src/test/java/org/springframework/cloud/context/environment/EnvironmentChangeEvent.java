package org.springframework.cloud.context.environment;

import java.util.Set;
import org.springframework.context.ApplicationEvent;

/** What Spring Cloud publishes when the environment has changed. */
public class EnvironmentChangeEvent extends ApplicationEvent {
    private static final long serialVersionUID = 1L;

    /** Names the properties that have changed. */
    public EnvironmentChangeEvent(Set<String> keys) {
        super(keys);
    }
}
