package dev.levee.core;

import dev.levee.core.internal.Require;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The handler of the proxy that {@link Policy#wrap} returns. */
final class GuardedClient implements InvocationHandler {
    private static final Object[] NO_ARGUMENTS = {};

    private final Object target;
    private final Map<Method, Guarded> methods = new ConcurrentHashMap<>();

    private GuardedClient(Object target) {
        this.target = target;
    }

    static <I> I of(Class<I> type, I target, Function<? super Method, ? extends @Nullable Policy> choice) {
        Require.nonNull("target", target);
        Require.nonNull("choice", choice);
        if (!Require.nonNull("type", type).isInterface()) {
            throw new IllegalArgumentException("type must be an interface, but was " + type.getName());
        }
        GuardedClient handler = new GuardedClient(target);
        for (Method method : type.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())) {
                continue;
            }
            // Needed where the interface is not public.
            if (!method.trySetAccessible()) {
                throw new IllegalArgumentException("type must be an interface that " + GuardedClient.class.getModule()
                        + " may call, but " + type.getName() + " is not accessible in " + type.getModule());
            }
            Policy policy = choice.apply(method);
            requireDistinct(method, policy, target);
            handler.methods.put(method, new Guarded(method, isObjectMethod(method) ? null : policy));
        }
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Refuses a policy that guards the method already, in a client that was wrapped before. See ADR 8. */
    private static void requireDistinct(Method method, @Nullable Policy policy, Object target) {
        if (policy == null
                || !Proxy.isProxyClass(target.getClass())
                || !(Proxy.getInvocationHandler(target) instanceof GuardedClient inner)) {
            return;
        }
        Guarded guarded = inner.methods.get(method);
        if (guarded != null && guarded.policy != null) {
            LinkedPipeline.requireDistinct(LinkedPipeline.flatten(policy, guarded.policy));
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
    @SuppressWarnings("NullAway") // T is @Nullable Object here
    public @Nullable Object invoke(Object proxy, Method called, Object @Nullable [] arguments) throws Throwable {
        Object[] given = arguments == null ? NO_ARGUMENTS : arguments;
        Guarded guarded = methods.get(called);
        Method method = guarded == null ? called : guarded.method;
        Policy policy = guarded == null ? null : guarded.policy;
        if (policy == null) {
            return invokeTarget(method, isEquals(method) ? new Object[] {unwrap(given[0])} : given);
        }
        if (method.getReturnType().isAssignableFrom(CompletableFuture.class)
                && CompletionStage.class.isAssignableFrom(method.getReturnType())) {
            return policy.callAsync(() -> invokeForStage(method, given));
        }
        if (declaresInterrupt(method)) {
            InterruptibleOperation<@Nullable Object, Throwable> operation = () -> invokeTarget(method, given);
            return policy.callInterruptibly(operation);
        }
        Operation<@Nullable Object, Throwable> operation = () -> invokeTarget(method, given);
        return policy.call(operation);
    }

    /**
     * Whether a method declares the interrupt. An exception that it does not declare would reach its caller wrapped.
     */
    private static boolean declaresInterrupt(Method method) {
        for (Class<?> declared : method.getExceptionTypes()) {
            if (declared.isAssignableFrom(InterruptedException.class)) {
                return true;
            }
        }
        return false;
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

    private @Nullable Object invokeTarget(Method method, @Nullable Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getTargetException();
        }
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // a null stage is reported by callAsync
    private CompletionStage<@Nullable Object> invokeForStage(Method method, Object[] arguments) {
        try {
            return (CompletionStage<@Nullable Object>) invokeTarget(method, arguments);
        } catch (Throwable thrown) {
            return CompletableFuture.failedFuture(thrown);
        }
    }

    /**
     * A method and the policy that guards it. The method is the one that was made accessible; a proxy passes another
     * object, which is not.
     */
    private record Guarded(Method method, @Nullable Policy policy) {}
}
