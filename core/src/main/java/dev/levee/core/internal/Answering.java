package dev.levee.core.internal;

import java.lang.reflect.Method;

/** A policy that answers in place of a client, and can tell beforehand which answers do not fit. See ADR 69. */
public interface Answering {
    /**
     * Checks that the answers fit a method of a client that is being wrapped.
     *
     * @param method the method
     * @param result what an answer must be, which may be primitive; {@code Object} if more is not known, {@code void}
     *     if any will do
     * @throws IllegalArgumentException if an answer that is known does not fit
     */
    void requireFits(Method method, Class<?> result);

    /**
     * Returns a method as messages name it.
     *
     * @param method the method
     * @return its interface, its name and its parameters, by their simple names
     */
    static String text(Method method) {
        StringBuilder parameters = new StringBuilder();
        for (Class<?> parameter : method.getParameterTypes()) {
            parameters.append(parameters.isEmpty() ? "" : ", ").append(parameter.getSimpleName());
        }
        return method.getDeclaringClass().getSimpleName() + "." + method.getName() + "(" + parameters + ")";
    }
}
