package dev.levee.spring;

import dev.levee.spring.LeveeConfigurationException.Problem;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * Looks at every bean with guarded methods: at its class before it is made a proxy, and then at the proxy. What cannot
 * be guarded fails the start. See ADR 128.
 */
final class GuardedBeans implements BeanPostProcessor, SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;
    private final GuardedMethods methods;

    /** The guarded methods of each class. */
    private final Map<Class<?>, List<Method>> classes = new ConcurrentHashMap<>();

    /** The beans that are to be looked at again when all are there. */
    private final Map<String, Object> waiting = new ConcurrentHashMap<>();

    private volatile boolean started;

    GuardedBeans(ConfigurableListableBeanFactory beans, GuardedMethods methods) {
        this.beans = beans;
        this.methods = methods;
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Class<?> type = ClassUtils.getUserClass(bean);
        if (guarded(type).isEmpty()) {
            return bean;
        }
        waiting.put(beanName, bean);
        return bean;
    }

    private List<Method> guarded(Class<?> type) {
        List<Method> known = classes.get(type);
        if (known == null) {
            known = methods.require(type);
            classes.put(type, known);
            SelfCalls.warn(type, known);
        }
        return known;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        Object raw = waiting.get(beanName);
        if (raw == null) {
            requireProduct(bean, beanName);
        } else if (started || !isSingleton(beanName)) {
            waiting.remove(beanName);
            requireProxy(beanName, raw, bean);
        }
        return bean;
    }

    /** What a factory bean has made is seen here for the first time, as a proxy if it is to be one. */
    private void requireProduct(Object bean, String beanName) {
        if (bean instanceof AopInfrastructureBean) { // stands for a bean of a scope, which is looked at itself
            return;
        }
        Object target = AopProxyUtils.getSingletonTarget(bean);
        Object raw = target == null ? bean : target;
        if (!guarded(ClassUtils.getUserClass(raw)).isEmpty()) {
            requireProxy(beanName, raw, bean);
        }
    }

    private boolean isSingleton(String beanName) {
        return beans.containsBeanDefinition(beanName)
                && beans.getBeanDefinition(beanName).isSingleton();
    }

    @Override
    public void afterSingletonsInstantiated() {
        started = true;
        waiting.forEach((name, raw) -> {
            Object made = beans.getSingleton(name);
            if (made != null) {
                requireProxy(name, raw, made);
            }
        });
        waiting.clear();
    }

    private void requireProxy(String beanName, Object raw, Object made) {
        List<Problem> problems = new ArrayList<>();
        for (Method method : guarded(ClassUtils.getUserClass(raw))) {
            String why = whyUnguarded(method, raw, made);
            if (why != null) {
                problems.add(new Problem(
                        "@Guarded on " + GuardedInvocation.describe(method),
                        null,
                        "bean \"" + beanName + "\" " + why,
                        null));
            }
        }
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
    }

    private static @Nullable String whyUnguarded(Method method, Object raw, Object made) {
        if (raw == made) {
            return "has no proxy: it was made before the beans that make proxies";
        }
        if (AopUtils.isJdkDynamicProxy(made)) {
            for (Class<?> type : made.getClass().getInterfaces()) {
                if (ClassUtils.hasMethod(type, method.getName(), method.getParameterTypes())) {
                    return null;
                }
            }
            return "has a proxy of its interfaces, which do not have the method: move it to an interface, or set"
                    + " spring.aop.proxy-target-class=true";
        }
        return null;
    }
}
