package dev.levee.core;

import dev.levee.core.internal.Answering;
import dev.levee.core.internal.Require;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The handler of the proxy that {@link Policy#wrap} returns. See ADR 69. */
final class GuardedClient implements InvocationHandler {
    private static final @Nullable Object[] NO_ARGUMENTS = {};

    private final Object target;
    private final Map<Method, GuardedMethod> methods = new ConcurrentHashMap<>();

    private GuardedClient(Object target) {
        this.target = target;
    }

    static <I> I of(Class<I> type, I target, Function<? super Method, ? extends @Nullable Policy> choice) {
        Require.nonNull("target", target);
        Require.nonNull("choice", choice);
        if (!Require.nonNull("type", type).isInterface()) {
            throw new IllegalArgumentException("type must be an interface, but was " + type.getName());
        }
        if (!type.isInstance(target)) {
            throw new IllegalArgumentException("target must be a " + type.getName() + ", but was a "
                    + target.getClass().getName());
        }
        GuardedClient handler = new GuardedClient(target);
        ResultTypes types = new ResultTypes(target.getClass());
        for (Method method : type.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers())) {
                handler.methods.put(method, guarded(accessible(method, type), target, types, choice));
            }
        }
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Returns a method that can be called although its interface may not be public. */
    private static Method accessible(Method method, Class<?> type) {
        if (!method.trySetAccessible()) {
            throw new IllegalArgumentException("type must be an interface that " + GuardedClient.class.getModule()
                    + " may call, but " + type.getName() + " is not accessible in " + type.getModule());
        }
        return method;
    }

    private static GuardedMethod guarded(
            Method method,
            Object target,
            ResultTypes types,
            Function<? super Method, ? extends @Nullable Policy> choice) {
        Policy policy = isObjectMethod(method) || isClose(method, target) ? null : choice.apply(method);
        if (policy == null) {
            return GuardedMethod.unguarded(method);
        }
        requireDistinct(method, policy, target);
        GuardedMethod guarded = GuardedMethod.of(method, policy, types);
        requireFits(policy, guarded);
        return guarded;
    }

    /** Asks those policies that answer in place of the client whether their answers fit the method. */
    private static void requireFits(Policy policy, GuardedMethod guarded) {
        if (policy instanceof Pipeline pipeline) {
            pipeline.policies().forEach(each -> requireFits(each, guarded));
        } else if (policy instanceof Answering answering) {
            answering.requireFits(guarded.method(), guarded.resultType());
        }
    }

    /** Whether a method frees what the client holds, which must not be refused. */
    private static boolean isClose(Method method, Object target) {
        return target instanceof AutoCloseable && method.getName().equals("close") && method.getParameterCount() == 0;
    }

    /** Refuses a policy that guards the method already, in a client that was wrapped before. See ADR 8. */
    private static void requireDistinct(Method method, Policy policy, Object target) {
        if (!Proxy.isProxyClass(target.getClass())
                || !(Proxy.getInvocationHandler(target) instanceof GuardedClient inner)) {
            return;
        }
        GuardedMethod guarded = inner.methods.get(method);
        Policy other = guarded == null ? null : guarded.policy();
        if (other != null) {
            LinkedPipeline.requireDistinct(LinkedPipeline.flatten(policy, other));
        }
        requireDistinct(method, policy, inner.target);
    }

    /** Whether an interface redeclares a method that every object has. */
    private static boolean isObjectMethod(Method method) {
        try {
            Object.class.getMethod(method.getName(), method.getParameterTypes());
            return true;
        } catch (NoSuchMethodException notOfObject) {
            return false;
        }
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method called, Object @Nullable [] arguments) throws Throwable {
        @Nullable Object[] given = arguments == null ? NO_ARGUMENTS : arguments;
        GuardedMethod guarded = methods.get(called);
        if (guarded == null) { // a method of Object that the interface does not redeclare
            guarded = GuardedMethod.unguarded(called);
        }
        if (isEquals(called)) {
            given = new Object[] {unwrap(given[0])};
        }
        return guarded.call(target, given);
    }

    private static boolean isEquals(Method method) {
        return method.getName().equals("equals")
                && method.getParameterCount() == 1
                && method.getParameterTypes()[0] == Object.class;
    }

    private static @Nullable Object unwrap(@Nullable Object other) {
        if (other != null
                && Proxy.isProxyClass(other.getClass())
                && Proxy.getInvocationHandler(other) instanceof GuardedClient guarded) {
            return guarded.target;
        }
        return other;
    }
}
