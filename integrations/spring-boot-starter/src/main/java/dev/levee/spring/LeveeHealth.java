package dev.levee.spring;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.internal.Unchecked;
import dev.levee.spring.ConfiguredPlan.PolicyPlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import dev.levee.spring.Settings.SettingNode;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;

/**
 * What the health of an application says of its breakers: their states, and that all is well, because an instance that
 * is taken out of service for a dependency that fails helps nothing. A breaker that {@code levee.health.down} lists is
 * an exception. Boot 3.5 and 4 have the types in different packages; both are served by name. See ADR 129.
 */
final class LeveeHealth {
    static final List<String> PACKAGES =
            List.of("org.springframework.boot.health.contributor", "org.springframework.boot.actuate.health");

    private final PolicyRegistry policies;

    private final List<String> down;

    LeveeHealth(LeveePolicies policies, ConfigurableEnvironment configuration) {
        this.policies = (PolicyRegistry) policies;
        SettingNode node = Settings.read(configuration).at("health");
        this.down = node == null ? List.of() : names(node);
    }

    /** Returns the interface of an indicator in this application; null if it has none. */
    static @Nullable Class<?> indicatorType() {
        ClassLoader loader = LeveeHealth.class.getClassLoader();
        for (String each : PACKAGES) {
            if (ClassUtils.isPresent(each + ".HealthIndicator", loader)) {
                return ClassUtils.resolveClassName(each + ".HealthIndicator", loader);
            }
        }
        return null;
    }

    private static List<String> names(SettingNode health) {
        return named(health).stream()
                .map(SettingNode::value)
                .filter(Objects::nonNull)
                .toList();
    }

    private static List<SettingNode> named(SettingNode health) {
        SettingNode node = health.at("down");
        return node == null ? List.of() : node.elements();
    }

    /** Says which names are no breakers of the configuration, also where nothing asks for the health. */
    static void require(SettingNode health, Map<String, PolicyPlan> policies, Set<String> broken, List<Problem> to) {
        for (SettingNode node : named(health)) {
            String name = node.value();
            PolicyPlan policy = policies.get(name);
            if (name != null
                    && !name.isBlank()
                    && !broken.contains(name)
                    && (policy == null || policy.kind().type() != CircuitBreaker.class || policy.keys() != null)) {
                to.add(node.problem(
                        "names no breaker of the configuration" + Settings.suggestion(name, policies.keySet())));
            }
        }
    }

    static List<String> down(Values values) {
        return values.list(
                "down",
                SettingType.TEXT,
                "The breakers that make the application DOWN while they are open. Default:" + " none.");
    }

    /** Returns the status by its name. */
    String status() {
        for (String name : down) {
            if (policies.policy(name) instanceof CircuitBreaker breaker && isOpen(breaker)) {
                return "DOWN";
            }
        }
        return "UP";
    }

    private static boolean isOpen(CircuitBreaker breaker) {
        State state = breaker.state();
        return state == State.OPEN || state == State.FORCED_OPEN;
    }

    /** Returns the states of all breakers. */
    Map<String, String> details() {
        Map<String, String> states = new LinkedHashMap<>();
        policies.single().forEach((name, policy) -> {
            if (policy instanceof CircuitBreaker breaker) {
                states.put(name, breaker.state().name());
            }
        });
        return states;
    }

    /** Returns this as an indicator of the application's Boot. */
    Object indicator() {
        Class<?> type = indicatorType();
        if (type == null) {
            throw new IllegalStateException("this application has no health");
        }
        return proxy(type);
    }

    private Object proxy(Class<?> type) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            if (method.getName().equals("health") && method.getParameterCount() == 0) {
                return health(type);
            }
            if (method.isDefault()) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
            }
            return ofObject(proxy, method, arguments);
        };
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private static @Nullable Object ofObject(Object proxy, Method method, @Nullable Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "health of levee";
        };
    }

    private Object health(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        try {
            Class<?> health = Class.forName(type.getPackageName() + ".Health", true, loader);
            Object builder = health.getMethod("status", String.class).invoke(null, status());
            builder.getClass().getMethod("withDetails", Map.class).invoke(builder, details());
            return builder.getClass().getMethod("build").invoke(builder);
        } catch (InvocationTargetException thrown) {
            throw Unchecked.<RuntimeException>asDeclared(thrown.getCause() == null ? thrown : thrown.getCause());
        } catch (ReflectiveOperationException other) {
            throw new IllegalStateException("the health of this version of Spring Boot is not known", other);
        }
    }
}
