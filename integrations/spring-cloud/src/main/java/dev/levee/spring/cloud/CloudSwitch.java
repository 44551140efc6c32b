package dev.levee.spring.cloud;

import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Whether a part is switched on: unless a property says false, off or no, as everywhere under {@code levee}. */
abstract class CloudSwitch implements Condition {
    private final String property;

    CloudSwitch(String property) {
        this.property = property;
    }

    @Override
    public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
        try {
            return context.getEnvironment().getProperty(property, Boolean.class, true);
        } catch (ConversionException wrong) {
            throw new IllegalArgumentException(property + " must be true or false", wrong);
        }
    }
}
