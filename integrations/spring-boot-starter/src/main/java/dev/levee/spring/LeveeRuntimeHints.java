package dev.levee.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.TypeReference;
import org.springframework.util.ClassUtils;

/**
 * What a native image must know of the starter that does not follow from its beans: types that are found by name, and
 * the files of the live page.
 */
final class LeveeRuntimeHints implements RuntimeHintsRegistrar {
    LeveeRuntimeHints() {}

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
        for (String each : LeveeHealth.PACKAGES) {
            if (ClassUtils.isPresent(each + ".HealthIndicator", classLoader)) {
                hints.proxies().registerJdkProxy(TypeReference.of(each + ".HealthIndicator"));
                hints.reflection()
                        .registerType(TypeReference.of(each + ".Health"), MemberCategory.INVOKE_PUBLIC_METHODS)
                        .registerType(TypeReference.of(each + ".Health$Builder"), MemberCategory.INVOKE_PUBLIC_METHODS);
            }
        }
        hints.resources().registerPattern("dev/levee/console/*");
    }
}
