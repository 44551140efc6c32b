package dev.levee.core;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/** A stage of a careless library: it can complete any number of times. Only {@code whenComplete} is there. */
final class TwiceStage<T> {
    private final List<BiConsumer<T, Throwable>> waiting = new ArrayList<>();

    @SuppressWarnings("unchecked")
    CompletionStage<T> asStage() {
        return (CompletionStage<T>) Proxy.newProxyInstance(
                CompletionStage.class.getClassLoader(),
                new Class<?>[] {CompletionStage.class},
                (proxy, method, arguments) -> {
                    if (!method.getName().equals("whenComplete")) {
                        throw new UnsupportedOperationException(method.getName());
                    }
                    waiting.add((BiConsumer<T, Throwable>) arguments[0]);
                    return proxy;
                });
    }

    void end(T value) {
        waiting.forEach(callback -> callback.accept(value, null));
    }
}
