package dev.levee.spring;

import java.lang.reflect.Method;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.StaticMethodMatcherPointcutAdvisor;

/** Puts guarded methods into their policies. */
final class GuardedAdvisor extends StaticMethodMatcherPointcutAdvisor {
    private static final long serialVersionUID = 1L;

    GuardedAdvisor(GuardedMethods methods, int order) {
        super(new Guarding(methods));
        setOrder(order);
    }

    @Override
    public boolean matches(Method method, Class<?> targetClass) {
        return GuardedMethods.annotation(method, targetClass) != null;
    }

    /** Runs one call of a guarded method. */
    private record Guarding(GuardedMethods methods) implements MethodInterceptor {
        @Override
        public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
            Object target = invocation.getThis();
            Class<?> type =
                    target == null ? invocation.getMethod().getDeclaringClass() : AopUtils.getTargetClass(target);
            return methods.of(invocation.getMethod(), type).invoke(invocation);
        }
    }
}
