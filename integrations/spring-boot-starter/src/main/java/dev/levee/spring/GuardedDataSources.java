package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.jdbc.GuardedDataSource;
import dev.levee.spring.ConfiguredPlan.DataSourcePlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Puts policies around the data sources of the application that the configuration names. A name that is no data source,
 * or one that could not be guarded, fails the start. See ADR 162.
 */
final class GuardedDataSources implements BeanPostProcessor, SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;
    private final Map<String, DataSourcePlan> plans;
    private final Supplier<LeveePolicies> policies;

    /** The names of the beans that are guarded. */
    private final Set<String> guarded = ConcurrentHashMap.newKeySet();

    GuardedDataSources(
            ConfigurableListableBeanFactory beans,
            Map<String, DataSourcePlan> plans,
            Supplier<LeveePolicies> policies) {
        this.beans = beans;
        this.plans = plans;
        this.policies = policies;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!(bean instanceof DataSource source)) {
            return bean;
        }
        DataSourcePlan plan = plans.get(Settings.uniform(beanName));
        if (plan == null) {
            return bean;
        }
        GuardedDataSource made;
        try {
            made = GuardedDataSource.of(beanName, source, policy(plan));
        } catch (IllegalArgumentException wrong) {
            throw new LeveeConfigurationException(
                    new Problem(plan.path() + ".pipeline", plan.pipeline(), String.valueOf(wrong.getMessage()), null));
        }
        guarded.add(beanName);
        return made;
    }

    private Policy policy(DataSourcePlan plan) {
        return policies.get().policy(plan.pipeline());
    }

    @Override
    public void afterSingletonsInstantiated() {
        List<Problem> problems = new ArrayList<>();
        String[] names = beans.getBeanNamesForType(DataSource.class, true, false);
        plans.forEach((uniform, plan) -> {
            String why = whyUnguarded(uniform, names);
            if (why != null) {
                problems.add(new Problem(plan.path(), null, why, null));
            }
        });
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
    }

    private @Nullable String whyUnguarded(String uniform, String[] names) {
        boolean found = false;
        for (String name : names) {
            if (Settings.uniform(name).equals(uniform)) {
                found = true;
                if (!guarded.contains(name) && beans.containsSingleton(name)) {
                    return "cannot guard bean \"" + name + "\", which was made before the beans that guard others";
                }
            }
        }
        List<String> all = List.of(names);
        return found ? null : "names no bean that is a DataSource, only " + all + Settings.suggestion(uniform, all);
    }
}
