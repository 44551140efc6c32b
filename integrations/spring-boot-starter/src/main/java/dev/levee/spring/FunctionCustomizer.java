package dev.levee.spring;

import dev.levee.core.internal.Require;
import java.util.function.BiConsumer;

/** The implementation of {@link PolicyCustomizer#of}. */
record FunctionCustomizer<B>(Class<B> builderType, BiConsumer<? super String, ? super B> function)
        implements PolicyCustomizer<B> {
    FunctionCustomizer {
        Require.nonNull("type", builderType);
        Require.nonNull("function", function);
    }

    @Override
    public void customize(String name, B builder) {
        function.accept(name, builder);
    }
}
