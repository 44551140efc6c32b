package dev.levee.spring;

import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.TypeReference;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotContribution;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;

/** Lets a native image find the exceptions that the configuration names, as they were when it was made. */
final class FailureTypeHints implements BeanFactoryInitializationAotProcessor {
    FailureTypeHints() {}

    @Override
    public @Nullable BeanFactoryInitializationAotContribution processAheadOfTime(
            ConfigurableListableBeanFactory beanFactory) {
        if (!beanFactory.containsLocalBean(ConfigurableApplicationContext.ENVIRONMENT_BEAN_NAME)) {
            return null;
        }
        ConfigurableEnvironment environment = beanFactory.getBean(
                ConfigurableApplicationContext.ENVIRONMENT_BEAN_NAME, ConfigurableEnvironment.class);
        Set<String> names = new TreeSet<>();
        PolicyBeans.plan(environment, beanFactory)
                .policies()
                .values()
                .forEach(policy -> policy.effective().forEach((property, value) -> {
                    for (String word : value.split(",", -1)) {
                        if (word.indexOf('.') > 0 && isException(word.trim(), beanFactory.getBeanClassLoader())) {
                            names.add(word.trim());
                        }
                    }
                }));
        return names.isEmpty()
                ? null
                : (context, code) -> names.forEach(
                        name -> context.getRuntimeHints().reflection().registerType(TypeReference.of(name)));
    }

    private static boolean isException(String name, @Nullable ClassLoader loader) {
        return ClassUtils.isPresent(name, loader)
                && Throwable.class.isAssignableFrom(ClassUtils.resolveClassName(name, loader));
    }
}
