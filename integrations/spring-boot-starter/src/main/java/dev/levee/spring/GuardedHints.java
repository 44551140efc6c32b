package dev.levee.spring;

import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Lets a native image look for annotations on the methods of a bean with guarded ones, and call its fallbacks. Spring
 * makes the proxies themselves ahead of time.
 */
final class GuardedHints implements BeanRegistrationAotProcessor {
    GuardedHints() {}

    @Override
    public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean registeredBean) {
        Class<?> type = ClassUtils.getUserClass(registeredBean.getBeanClass());
        return hasGuarded(type)
                ? (context, code) -> register(context.getRuntimeHints().reflection(), type)
                : null;
    }

    private static boolean hasGuarded(Class<?> type) {
        try {
            for (Method method : ReflectionUtils.getUniqueDeclaredMethods(type)) {
                if (GuardedMethods.annotation(method, type) != null) {
                    return true;
                }
            }
        } catch (IllegalStateException | LinkageError unreadable) { // a bean with optional types, and none of ours
            return false;
        }
        return false;
    }

    private static void register(ReflectionHints hints, Class<?> type) {
        for (Class<?> each = type; each != null && each != Object.class; each = each.getSuperclass()) {
            hints.registerType(each, MemberCategory.INVOKE_DECLARED_METHODS);
        }
        for (Class<?> each : ClassUtils.getAllInterfacesForClass(type)) {
            hints.registerType(each, MemberCategory.INVOKE_DECLARED_METHODS);
        }
    }
}
