package dev.levee.core;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * What the methods of a client return, with the type parameters that its class binds, and which results end later than
 * the method. See ADR 69.
 */
final class ResultTypes {
    /** The last parameter of a Kotlin method that suspends. */
    private static final String CONTINUATION = "kotlin.coroutines.Continuation";

    private final Class<?> client;
    private final Map<TypeVariable<?>, Type> bound = new HashMap<>();

    ResultTypes(Class<?> client) {
        this.client = client;
        bind(client);
    }

    private void bind(@Nullable Type type) {
        if (type instanceof ParameterizedType generic) {
            Type[] arguments = generic.getActualTypeArguments();
            TypeVariable<?>[] parameters = ((Class<?>) generic.getRawType()).getTypeParameters();
            for (int i = 0; i < parameters.length; i++) {
                bound.put(parameters[i], arguments[i]);
            }
        }
        Class<?> raw = type instanceof ParameterizedType generic
                ? (Class<?>) generic.getRawType()
                : type instanceof Class<?> plain ? plain : null;
        if (raw != null) {
            bind(raw.getGenericSuperclass());
            for (Type parent : raw.getGenericInterfaces()) {
                bind(parent);
            }
        }
    }

    /** Returns what callers of a method get. */
    Class<?> declared(Method method) {
        return erased(method.getGenericReturnType());
    }

    /** Returns what the client's own method returns, which may be narrower than what callers are told. */
    Class<?> returned(Method method) {
        try {
            return erased(client.getMethod(method.getName(), method.getParameterTypes())
                    .getGenericReturnType());
        } catch (NoSuchMethodException hidden) {
            return declared(method);
        }
    }

    /** Returns what the stage or future that a method returns completes with. */
    Class<?> completedWith(Method method) {
        Type result = resolved(method.getGenericReturnType());
        return result instanceof ParameterizedType generic && generic.getActualTypeArguments().length == 1
                ? erased(generic.getActualTypeArguments()[0])
                : Object.class;
    }

    private Type resolved(Type type) {
        Type known = type;
        while (known instanceof TypeVariable<?> variable && bound.get(variable) != null) {
            known = bound.get(variable);
        }
        return known instanceof WildcardType wildcard ? resolved(wildcard.getUpperBounds()[0]) : known;
    }

    private Class<?> erased(Type type) {
        Type known = resolved(type);
        if (known instanceof Class<?> plain) {
            return plain;
        }
        if (known instanceof ParameterizedType generic) {
            return (Class<?>) generic.getRawType();
        }
        if (known instanceof TypeVariable<?> variable) {
            return erased(variable.getBounds()[0]);
        }
        return known instanceof GenericArrayType array
                ? erased(array.getGenericComponentType()).arrayType()
                : Object.class;
    }

    static boolean isStage(Class<?> type) {
        return CompletionStage.class.isAssignableFrom(type);
    }

    static boolean isFuture(Class<?> type) {
        return Future.class.isAssignableFrom(type);
    }

    /** Whether a method hands its result to a continuation. */
    static boolean suspends(Method method) {
        int last = method.getParameterCount() - 1;
        return last >= 0 && method.getParameterTypes()[last].getName().equals(CONTINUATION);
    }

    /** Whether a future of ours can be what a method returns. */
    static boolean takesFuture(Class<?> type) {
        return type.isAssignableFrom(CompletableFuture.class);
    }
}
