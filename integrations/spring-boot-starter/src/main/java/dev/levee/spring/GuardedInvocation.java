package dev.levee.spring;

import dev.levee.core.CallContext;
import dev.levee.core.Gate;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.expression.Expression;
import org.springframework.util.ClassUtils;

/** How one method is guarded: by which policy, in which form, and what answers when it fails. Immutable. */
final class GuardedInvocation {
    private static final ParameterNameDiscoverer NAMES = new DefaultParameterNameDiscoverer();

    /** Kinds of policies that run what is inside at most once, besides gates. */
    private static final Set<Policy.Kind> ONCE =
            Set.of(Policy.Kind.TIMEOUT, Policy.Kind.FALLBACK, Policy.Kind.TRANSLATE, Policy.Kind.FAULTS);

    /** What is guarded until when. */
    enum Form {
        /** Until the method returns. */
        BLOCKING,
        /** As blocking, and an interrupt while waiting is thrown. */
        INTERRUPTIBLE,
        /** Until the stage ends. */
        STAGE,
        /** From subscription to the end. */
        MONO,
        /** From subscription to the end. */
        FLUX
    }

    private final Method method;
    private final LeveePolicies policies;
    private final String name;
    private final Form form;
    private final @Nullable Expression key;
    private final List<FallbackMethod> fallbacks;

    /** The policy; null if there is one for each key. */
    private final @Nullable Policy policy;

    private final boolean repeats;

    /** Whether the result may be one that ends later, which is not known before it is there. */
    private final boolean open;

    GuardedInvocation(
            Method method,
            LeveePolicies policies,
            String name,
            Form form,
            @Nullable Expression key,
            List<FallbackMethod> fallbacks) {
        this.method = method;
        this.policies = policies;
        this.name = name;
        this.form = form;
        this.key = key;
        this.fallbacks = fallbacks;
        this.open = method.getReturnType() == Object.class;
        this.policy = key == null ? policies.policy(name) : null;
        // A publisher may be subscribed to any number of times, and runs the method each time.
        this.repeats = form == Form.MONO || form == Form.FLUX || policy == null || mayRepeat(policy);
    }

    /** Whether a policy may run what is inside more than once, or cannot be told not to. */
    static boolean mayRepeat(Policy policy) {
        if (policy instanceof Pipeline pipeline) {
            return pipeline.policies().stream().anyMatch(GuardedInvocation::mayRepeat);
        }
        return !(policy instanceof Gate) && !ONCE.contains(policy.kind());
    }

    /** Runs the method under its policy. */
    @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        Attempts attempts = new Attempts(invocation, repeats);
        return switch (form) {
            case MONO -> ReactorCalls.mono(this, attempts);
            case FLUX -> ReactorCalls.flux(this, attempts);
            case STAGE -> stage(attempts);
            default -> blocking(attempts);
        };
    }

    private @Nullable Object blocking(Attempts attempts) throws Throwable {
        Object answer = answer(attempts);
        if (open && answer != null && GuardedMethods.endsLater(answer.getClass())) {
            if (answer instanceof Future<?> begun) {
                begun.cancel(true);
            }
            throw new IllegalStateException(describe(method) + " returned a "
                    + answer.getClass().getName() + ", which ends later than the method: declare it as its result, so"
                    + " that it is guarded to its end");
        }
        return answer;
    }

    private @Nullable Object answer(Attempts attempts) throws Throwable {
        try {
            Policy guard = policy(attempts);
            if (form == Form.INTERRUPTIBLE) {
                InterruptibleOperation<Object, Throwable> interruptible = attempts::run;
                return fitting(guard.callInterruptibly(interruptible));
            }
            return fitting(guard.call(attempts));
        } catch (Throwable failure) {
            FallbackMethod fallback = fallback(failure);
            if (fallback == null) {
                throw failure;
            }
            return fallback.answer(attempts.target(), attempts.arguments(), failure);
        }
    }

    /** Checks what the policies answered, of which a fallback need not know what the method returns. */
    private @Nullable Object fitting(@Nullable Object answer) {
        Class<?> result = method.getReturnType();
        boolean fits = answer == null ? !result.isPrimitive() : ClassUtils.isAssignableValue(result, answer);
        if (result != void.class && !fits) {
            throw new ClassCastException(describe(method) + " returns " + result.getName() + ", but the answer of \""
                    + name + "\" is "
                    + (answer == null ? "null" : "a " + answer.getClass().getName()));
        }
        return answer;
    }

    private CompletableFuture<Object> stage(Attempts attempts) {
        if (fallbacks.isEmpty()) {
            return callStage(attempts);
        }
        CallContext context = capture();
        return FallbackFuture.of(callStage(attempts), this, attempts, context);
    }

    private CompletableFuture<Object> callStage(Attempts attempts) {
        try {
            return policy(attempts).callAsync(() -> stageOf(attempts.runUnchecked()));
        } catch (RuntimeException noKey) {
            return CompletableFuture.failedFuture(noKey);
        }
    }

    @SuppressWarnings("unchecked") // of a method with this return type
    private static CompletionStage<Object> stageOf(@Nullable Object result) {
        if (result == null) {
            throw new IllegalStateException("a guarded method returned null instead of a stage");
        }
        return (CompletionStage<Object>) result;
    }

    /** Returns the context of the thread that calls, with what belongs to it, for a fallback on another one. */
    CallContext capture() {
        return policies.environment().capture();
    }

    Policy policy(Attempts attempts) {
        if (policy != null) {
            return policy;
        }
        MethodBasedEvaluationContext context =
                new MethodBasedEvaluationContext(attempts.target(), method, attempts.arguments(), NAMES);
        Object value = key == null ? null : key.getValue(context);
        if (value == null) {
            throw new IllegalArgumentException(
                    "the key of " + describe(method) + " must not be null: " + name + " has one policy for each key");
        }
        return policies.policy(name, value);
    }

    /** Returns what answers for a failure; null if nothing does. */
    @Nullable FallbackMethod fallback(Throwable failure) {
        for (FallbackMethod each : fallbacks) {
            if (each.answersFor(failure)) {
                policies.environment()
                        .listener()
                        .onDegraded(Policy.Kind.FALLBACK, name, each.method().getName(), failure);
                return each;
            }
        }
        return null;
    }

    boolean hasFallback() {
        return !fallbacks.isEmpty();
    }

    static String describe(Method method) {
        return "method \"" + method.getName() + "\" of "
                + method.getDeclaringClass().getName();
    }

    /** Runs the rest of an invocation, as often as the policy wants. */
    static final class Attempts implements Operation<Object, Throwable> {
        private final MethodInvocation invocation;
        private final boolean repeats;

        Attempts(MethodInvocation invocation, boolean repeats) {
            this.invocation = invocation;
            this.repeats = repeats;
        }

        @Override
        public Object run() throws Throwable {
            // An invocation can be walked once: it knows how far it has come.
            return Unchecked.<Object>nullable(
                    repeats && invocation instanceof ProxyMethodInvocation proxied
                            ? proxied.invocableClone().proceed()
                            : invocation.proceed());
        }

        @Nullable Object runUnchecked() {
            try {
                return run();
            } catch (Throwable failure) {
                throw Unchecked.<RuntimeException>asDeclared(failure);
            }
        }

        Object target() {
            Object target = invocation.getThis();
            return target == null ? invocation : target;
        }

        @Nullable Object[] arguments() {
            return invocation.getArguments();
        }
    }
}
