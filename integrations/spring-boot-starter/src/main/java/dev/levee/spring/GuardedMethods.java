package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.internal.LaterResults;
import dev.levee.spring.GuardedInvocation.Form;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.BridgeMethodResolver;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.MethodClassKey;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Which methods are guarded and how, found once for each method; and whether they can be guarded at all. Thread-safe.
 */
final class GuardedMethods {
    private static final String CONTINUATION = "kotlin.coroutines.Continuation";

    /** Results of handlers of Spring MVC that are written later. */
    private static final Set<String> WEB = Set.of(
            "org.springframework.web.context.request.async.DeferredResult",
            "org.springframework.web.context.request.async.WebAsyncTask",
            "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
            "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody");

    private static final boolean REACTOR =
            ClassUtils.isPresent("reactor.core.publisher.Flux", GuardedMethods.class.getClassLoader());

    private static final ParameterNameDiscoverer NAMES = new DefaultParameterNameDiscoverer();

    private final Supplier<LeveePolicies> policies;

    private final Map<MethodClassKey, GuardedInvocation> found = new ConcurrentHashMap<>();

    GuardedMethods(Supplier<LeveePolicies> policies) {
        this.policies = policies;
    }

    /** Returns the annotation that counts for a method of a class; null if it is not guarded. */
    static @Nullable Guarded annotation(Method method, Class<?> type) {
        // A bridge is what callers of a generic type call, and a proxy calls the object behind it from there.
        if (method.getDeclaringClass() == Object.class || (method.isSynthetic() && !method.isBridge())) {
            return null;
        }
        Method specific = BridgeMethodResolver.findBridgedMethod(AopUtils.getMostSpecificMethod(method, type));
        Guarded own = AnnotatedElementUtils.findMergedAnnotation(specific, Guarded.class);
        if (own == null && !specific.equals(method)) {
            own = AnnotatedElementUtils.findMergedAnnotation(method, Guarded.class);
        }
        if (own != null || !Modifier.isPublic(specific.getModifiers()) || Modifier.isStatic(specific.getModifiers())) {
            return own;
        }
        Guarded all = AnnotatedElementUtils.findMergedAnnotation(type, Guarded.class);
        return all != null
                ? all
                : AnnotatedElementUtils.findMergedAnnotation(specific.getDeclaringClass(), Guarded.class);
    }

    /** Returns how a method is guarded that has an annotation. */
    GuardedInvocation of(Method method, Class<?> type) {
        MethodClassKey key = new MethodClassKey(method, type);
        GuardedInvocation known = found.get(key);
        if (known == null) {
            known = make(method, type);
            found.put(key, known);
        }
        return known;
    }

    /**
     * Returns the guarded methods of a class.
     *
     * @throws LeveeConfigurationException with all that cannot be guarded
     */
    List<Method> require(Class<?> type) {
        List<Method> guarded = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        for (Method method : ReflectionUtils.getUniqueDeclaredMethods(type, GuardedMethods::isReal)) {
            if (annotation(method, type) == null) {
                continue;
            }
            try {
                requireReachable(method, type);
                of(method, type);
                guarded.add(method);
            } catch (LeveeConfigurationException told) {
                problems.addAll(told.problems());
            } catch (IllegalArgumentException wrong) {
                problems.add(new Problem(
                        "@Guarded on " + GuardedInvocation.describe(method),
                        null,
                        String.valueOf(wrong.getMessage()),
                        null));
            }
        }
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
        return guarded;
    }

    private static boolean isReal(Method method) {
        return !method.isBridge() && !method.isSynthetic() && method.getDeclaringClass() != Object.class;
    }

    private static void requireReachable(Method method, Class<?> type) {
        int modifiers = method.getModifiers();
        String why = Modifier.isPrivate(modifiers)
                ? "is private"
                : Modifier.isStatic(modifiers)
                        ? "is static"
                        : Modifier.isFinal(modifiers) && !isOfInterface(method, type)
                                ? "is final"
                                : Modifier.isFinal(type.getModifiers()) && !isOfInterface(method, type)
                                        ? "is of a final class"
                                        : null;
        if (why != null) {
            throw new IllegalArgumentException(why + ", so that no proxy can guard it");
        }
        if (Modifier.isFinal(modifiers) && !Modifier.isFinal(type.getModifiers())) {
            throw new IllegalArgumentException("is final, so that no proxy can guard it");
        }
    }

    private static boolean isOfInterface(Method method, Class<?> type) {
        return Arrays.stream(ClassUtils.getAllInterfacesForClass(type))
                .anyMatch(each -> ClassUtils.hasMethod(each, method.getName(), method.getParameterTypes()));
    }

    private GuardedInvocation make(Method method, Class<?> type) {
        Guarded guarded = annotation(method, type);
        if (guarded == null) {
            throw new IllegalArgumentException(GuardedInvocation.describe(method) + " is not guarded");
        }
        Method specific = BridgeMethodResolver.findBridgedMethod(AopUtils.getMostSpecificMethod(method, type));
        LeveePolicies all = policies.get();
        boolean keyed = all.isKeyed(guarded.value());
        if (keyed && guarded.key().isEmpty()) {
            throw new IllegalArgumentException(
                    "needs a key, because \"" + guarded.value() + "\" is one policy for each key");
        }
        if (!keyed && !guarded.key().isEmpty()) {
            throw new IllegalArgumentException("has a key, but \"" + guarded.value()
                    + "\" is one policy for all: set levee.policies.NAME.keys.max of one of its policies");
        }
        Form form = form(specific, type);
        if (form == Form.FLUX && keyed) {
            throw new IllegalArgumentException("returns a Flux, which cannot be guarded by a policy for each key");
        }
        if (form == Form.FLUX && GuardedInvocation.mayRepeat(all.policy(guarded.value()))) {
            requireNoRepeats(all.policy(guarded.value()));
        }
        return new GuardedInvocation(
                specific,
                all,
                guarded.value(),
                form,
                expression(guarded.key(), specific),
                fallbacks(guarded, specific, type));
    }

    /** Elements that were delivered cannot be taken back, so that a flux cannot be repeated within the call. */
    private static void requireNoRepeats(Policy policy) {
        throw new IllegalArgumentException("returns a Flux, whose elements would come twice from " + policy
                + ": use a pipeline without a policy that repeats, and Flux.retryWhen for the rest");
    }

    private static @Nullable Expression expression(String key, Method method) {
        if (key.isEmpty()) {
            return null;
        }
        try {
            SpelExpression expression = (SpelExpression) new SpelExpressionParser().parseExpression(key);
            requireVariables(expression.getAST(), method);
            return expression;
        } catch (ParseException wrong) {
            throw new IllegalArgumentException(
                    "has the key \"" + key + "\", which is no expression: " + wrong.getMessage(), wrong);
        }
    }

    /** A variable that is no parameter would be null in every call. */
    private static void requireVariables(SpelNode node, Method method) {
        @Nullable String @Nullable [] names = NAMES.getParameterNames(method);
        if (node instanceof VariableReference) {
            String name = node.toStringAST().substring(1);
            boolean known = name.equals("root")
                    || name.equals("this")
                    || (names != null && Arrays.asList(names).contains(name))
                    || IntStream.range(0, method.getParameterCount())
                            .anyMatch(i -> name.equals("p" + i) || name.equals("a" + i));
            if (!known) {
                throw new IllegalArgumentException("has a key with #" + name + ", but "
                        + (names == null
                                ? "the names of its parameters are not known: compile with -parameters, or use #p0"
                                : "its parameters are " + Arrays.toString(names)));
            }
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            requireVariables(node.getChild(i), method);
        }
    }

    private static Form form(Method method, Class<?> type) {
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length > 0 && parameters[parameters.length - 1].getName().equals(CONTINUATION)) {
            throw new IllegalArgumentException("is a suspending function, which cannot be guarded: guard a method that"
                    + " returns a CompletableFuture or a Mono, and await that");
        }
        // What is a T in a generic class may be a stage in its subclass, this one.
        Class<?> result = ResolvableType.forMethodReturnType(method, type).resolve(method.getReturnType());
        if (result == CompletableFuture.class || result == CompletionStage.class) {
            return Form.STAGE;
        }
        if (REACTOR && ReactorCalls.isMono(result)) {
            return Form.MONO;
        }
        if (REACTOR && ReactorCalls.isFlux(result)) {
            return Form.FLUX;
        }
        if (CompletionStage.class.isAssignableFrom(result)
                || Future.class.isAssignableFrom(result)
                || isStream(result)
                || (result != Object.class
                        && !java.util.Optional.class.isAssignableFrom(result)
                        && ReactiveAdapterRegistry.getSharedInstance().getAdapter(result) != null)) {
            throw new IllegalArgumentException("returns " + result.getName() + ", which cannot be guarded to its end:"
                    + " return a CompletableFuture, a CompletionStage, a Mono or a Flux");
        }
        boolean interruptible = Arrays.asList(method.getExceptionTypes()).contains(InterruptedException.class);
        return interruptible ? Form.INTERRUPTIBLE : Form.BLOCKING;
    }

    private static boolean isStream(Class<?> type) {
        return LaterResults.isStream(type) || LaterResults.isNamed(type, WEB);
    }

    /** Whether an object of a class may end later than the method that returned it. */
    static boolean endsLater(Class<?> type) {
        return LaterResults.endsLater(type) || LaterResults.isNamed(type, WEB);
    }

    private static List<FallbackMethod> fallbacks(Guarded guarded, Method method, Class<?> type) {
        String name = guarded.fallback();
        if (name.isEmpty()) {
            return List.of();
        }
        List<FallbackMethod> fits = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (Method each : ReflectionUtils.getUniqueDeclaredMethods(type, GuardedMethods::isReal)) {
            if (!each.getName().equals(name) || each.equals(method)) {
                continue;
            }
            FallbackMethod fallback = fit(each, method, type);
            if (fallback == null) {
                others.add(each.toGenericString());
            } else {
                fallback.method().setAccessible(true);
                fits.add(fallback);
            }
        }
        if (fits.isEmpty()) {
            throw new IllegalArgumentException("has the fallback \"" + name + "\", but there is no such method with the"
                    + " parameters " + Arrays.toString(method.getParameterTypes())
                    + ", perhaps an exception after them, and the result "
                    + method.getGenericReturnType().getTypeName()
                    + (others.isEmpty() ? "" : ", only " + others));
        }
        fits.sort(Comparator.comparingInt(GuardedMethods::generality));
        return List.copyOf(fits);
    }

    private static @Nullable FallbackMethod fit(Method each, Method method, Class<?> type) {
        Class<?>[] wanted = method.getParameterTypes();
        Class<?>[] has = each.getParameterTypes();
        boolean withFailure = has.length == wanted.length + 1 && Throwable.class.isAssignableFrom(has[wanted.length]);
        if (!withFailure && has.length != wanted.length) {
            return null;
        }
        for (int i = 0; i < wanted.length; i++) {
            // What is a T in a generic class is what its subclass, this one, makes of it.
            Class<?> given = ResolvableType.forMethodParameter(method, i, type).resolve(wanted[i]);
            if (!ClassUtils.isAssignable(has[i], given)) {
                return null;
            }
        }
        ResolvableType result = ResolvableType.forMethodReturnType(method, type);
        ResolvableType answer = ResolvableType.forMethodReturnType(each, type);
        boolean fits = method.getReturnType() == void.class
                ? each.getReturnType() == void.class
                : result.isAssignableFrom(answer);
        // The methods of a proxy class of the JDK are closed to others, those of its interfaces are not.
        Method callable = Proxy.isProxyClass(type) ? ClassUtils.getInterfaceMethodIfPossible(each, type) : each;
        return fits ? new FallbackMethod(callable, withFailure ? has[wanted.length] : null) : null;
    }

    /** Less for a more special exception. */
    private static int generality(FallbackMethod method) {
        int depth = 0;
        for (Class<?> type = method.failure(); type != null; type = type.getSuperclass()) {
            depth++;
        }
        return -depth;
    }
}
