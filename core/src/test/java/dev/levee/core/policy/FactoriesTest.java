package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The static factories of all policies of this package. */
class FactoriesTest {
    static Stream<Class<?>> types() {
        return Stream.of(
                Bulkhead.class,
                Fallback.class,
                Faults.class,
                Hedge.class,
                Retry.class,
                RetryBudget.class,
                Timeout.class,
                Translate.class);
    }

    @ParameterizedTest
    @MethodSource("types")
    void every_short_form_has_one_with_an_environment(Class<?> type) {
        List<Method> factories = Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isStatic(method.getModifiers()) && method.getReturnType() == type)
                .filter(method -> method.getParameterCount() > 0)
                .toList();
        List<String> withEnvironment = factories.stream()
                .filter(method -> List.of(method.getParameterTypes()).contains(Environment.class))
                .map(FactoriesTest::withoutEnvironment)
                .toList();
        assertThat(factories).isNotEmpty();
        assertThat(factories.stream().map(FactoriesTest::withoutEnvironment)).isSubsetOf(withEnvironment);
    }

    private static String withoutEnvironment(Method factory) {
        List<Class<?>> parameters = new ArrayList<>(List.of(factory.getParameterTypes()));
        parameters.remove(Environment.class);
        return factory.getName() + parameters;
    }
}
