package dev.levee.spring;

import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.AotDetector;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.EnvironmentAware;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.util.ClassUtils;

/**
 * Registers a bean for each policy and pipeline of the configuration, after the beans of the application: a bean of the
 * same name is a mistake of one of them, and is said.
 */
final class PolicyBeans implements ImportBeanDefinitionRegistrar, EnvironmentAware, BeanFactoryAware {
    /** Which policy of the configuration a bean stands for. */
    private static final String MARK = "dev.levee.policy";

    private static final String PAGE = "levee.console.enabled";

    private @Nullable ConfigurableEnvironment environment;
    private @Nullable ConfigurableListableBeanFactory beans;

    PolicyBeans() {}

    @Override
    public void setEnvironment(Environment environment) {
        this.environment = (ConfigurableEnvironment) environment;
    }

    @Override
    public void setBeanFactory(BeanFactory beanFactory) {
        this.beans = (ConfigurableListableBeanFactory) beanFactory;
    }

    /** Returns what the configuration asks for. */
    static ConfiguredPlan plan(ConfigurableEnvironment environment, ConfigurableListableBeanFactory beans) {
        return PlanReader.read(Settings.read(environment), name -> beans.containsBean(name) && !isOurs(beans, name));
    }

    private static boolean isOurs(ConfigurableListableBeanFactory beans, String name) {
        return beans.containsBeanDefinition(name)
                && beans.getBeanDefinition(name).hasAttribute(MARK);
    }

    @Override
    public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        if (environment == null || beans == null) {
            throw new IllegalStateException("environment and bean factory must be set first");
        }
        ConfigurableListableBeanFactory factory = beans;
        ConfiguredPlan plan = plan(environment, factory);
        List<Problem> clashes = new ArrayList<>();
        plan.policies().values().forEach(policy -> {
            requireFree(policy.name(), policy.path(), registry, factory, clashes);
            Class<? extends Policy> type = policy.kind().type();
            if (policy.keys() == null && clashes.isEmpty()) {
                register(policy.name(), policy.path(), type, registry);
            }
        });
        plan.pipelines().values().forEach(pipeline -> {
            requireFree(pipeline.name(), pipeline.path(), registry, factory, clashes);
            if (!plan.isKeyed(pipeline.name()) && clashes.isEmpty()) {
                register(pipeline.name(), pipeline.path(), Pipeline.class, registry);
            }
        });
        requireJdbc(plan, factory.getBeanClassLoader(), clashes);
        requireWeb(environment, factory.getBeanClassLoader(), clashes);
        if (asksForPage(environment)
                && !ClassUtils.isPresent("dev.levee.console.Console", factory.getBeanClassLoader())) {
            clashes.add(new Problem(
                    PAGE, environment.getProperty(PAGE), "needs levee-console among the dependencies", null));
        }
        if (!clashes.isEmpty()) {
            throw new LeveeConfigurationException(clashes);
        }
    }

    private static void requireWeb(
            ConfigurableEnvironment environment, @Nullable ClassLoader loader, List<Problem> problems) {
        Settings.SettingNode http = Settings.read(environment).at("http");
        if (http != null && !ClassUtils.isPresent("dev.levee.spring.web.ClientGuard", loader)) {
            problems.add(new Problem(http.path(), null, "needs levee-spring-web among the dependencies", null));
        }
    }

    /** Returns whether the configuration asks for a live page; what is neither yes nor no is said elsewhere. */
    static boolean asksForPage(Environment environment) {
        try {
            return SettingType.FLAG.parse().apply(environment.getProperty(PAGE, "false"));
        } catch (IllegalArgumentException wrong) {
            return false;
        }
    }

    private static void requireJdbc(ConfiguredPlan plan, @Nullable ClassLoader loader, List<Problem> problems) {
        if (!ClassUtils.isPresent("dev.levee.jdbc.GuardedDataSource", loader)) {
            plan.dataSources()
                    .values()
                    .forEach(source -> problems.add(
                            new Problem(source.path(), null, "needs levee-jdbc among the dependencies", null)));
        }
    }

    private static void requireFree(
            String name,
            String path,
            BeanDefinitionRegistry registry,
            ConfigurableListableBeanFactory factory,
            List<Problem> clashes) {
        if (factory.containsSingleton(name) && !registry.containsBeanDefinition(name)) {
            String reason = "there is a bean \"" + name + "\" of Spring's own already: give it another name";
            clashes.add(new Problem(path, null, reason, null));
        } else if (registry.isAlias(name)) {
            clashes.add(alias(name, path, factory));
        } else if (registry.containsBeanDefinition(name)) {
            clashes.add(taken(name, path, registry.getBeanDefinition(name)));
        }
    }

    private static Problem taken(String name, String path, BeanDefinition other) {
        String from = other.getResourceDescription();
        String method = other.getFactoryMethodName();
        String reason = String.format(
                Locale.ROOT,
                "there is a bean \"%s\" already%s%s: remove one of them, or give it another name",
                name,
                method == null ? "" : ", of the method " + method,
                from == null ? "" : ", in " + from);
        return new Problem(path, null, reason, null);
    }

    private static Problem alias(String name, String path, ConfigurableListableBeanFactory factory) {
        String reason = "\"" + name + "\" is another name of the bean " + List.of(factory.getAliases(name))
                + " already: give it another name";
        return new Problem(path, null, reason, null);
    }

    /**
     * Fails if a bean of the application was put in the place of one of ours after that was registered, where Spring
     * allows it: what is injected would not be what pipelines have.
     */
    static void requireOurs(ConfiguredPlan plan, ConfigurableListableBeanFactory beans) {
        if (AotDetector.useGeneratedArtifacts()) {
            return; // was checked when the code was generated, which leaves the mark out
        }
        Map<String, String> paths = new LinkedHashMap<>();
        plan.policies().values().forEach(policy -> paths.put(policy.name(), policy.path()));
        plan.pipelines().values().forEach(pipeline -> paths.put(pipeline.name(), pipeline.path()));
        List<Problem> clashes = new ArrayList<>();
        paths.forEach((name, path) -> {
            if (beans instanceof BeanDefinitionRegistry registry && registry.isAlias(name)) {
                clashes.add(alias(name, path, beans));
            } else if (beans.containsBeanDefinition(name) && !isOurs(beans, name)) {
                clashes.add(taken(name, path, beans.getBeanDefinition(name)));
            }
        });
        if (!clashes.isEmpty()) {
            throw new LeveeConfigurationException(clashes);
        }
    }

    private static void register(
            String name, String path, Class<? extends Policy> type, BeanDefinitionRegistry registry) {
        // A factory method and no lambda, so that code can be generated ahead of time.
        RootBeanDefinition definition = new RootBeanDefinition();
        definition.setTargetType(type);
        definition.setFactoryBeanName("leveePolicies");
        definition.setFactoryMethodName("policy");
        definition.getConstructorArgumentValues().addIndexedArgumentValue(0, name);
        definition.setAttribute(MARK, name);
        definition.setDestroyMethodName("");
        definition.setDescription("of the configuration under levee");
        definition.setResourceDescription(path);
        registry.registerBeanDefinition(name, definition);
    }
}
