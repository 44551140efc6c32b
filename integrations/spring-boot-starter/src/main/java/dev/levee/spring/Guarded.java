package dev.levee.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Guards a method, or all public methods of a type, with a policy or pipeline that is found by its name.
 *
 * <pre>{@code
 * @Guarded(value = "payments", fallback = "later")
 * Receipt charge(Order order) throws IOException { ... }
 *
 * Receipt later(Order order, CircuitOpenException open) { ... }
 * }</pre>
 *
 * <p>A method that returns a {@code CompletionStage} or {@code CompletableFuture} is guarded until the stage ends; a
 * {@code Mono} or {@code Flux} from its subscription to its end, and the method is called once for each attempt. Every
 * other method is guarded on the thread of its caller until it returns. The method runs inside the policy and outside
 * of {@code @Transactional} and {@code @Cacheable}: each attempt is a transaction of its own
 * ({@code levee.guarded.order} changes that). An annotation of your own may be annotated with this one. See ADR 128.
 *
 * <p>Guarded is what goes through the proxy of the bean. A private, static or final method, a type that is final, a
 * suspending function, a result that cannot be guarded to its end, an unknown name and a fallback that does not fit
 * fail the start with the name of the method. A call of an object to itself goes past the proxy; where it can be seen
 * in the code, a warning names it.
 *
 * @since 0.1
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface Guarded {
    /**
     * Returns the name of the policy or pipeline: one of the configuration, or a bean.
     *
     * @return the name
     */
    String value();

    /**
     * Returns the name of the method, of the same object, that answers when the call has failed: with the same
     * parameters, after which the exception may come, and a result that fits. Of several the one for the most special
     * exception answers. Default: none.
     *
     * @return the name, or an empty text
     */
    String fallback() default "";

    /**
     * Returns an expression of Spring for the key, if there is one policy for each key, such as {@code #tenant} or
     * {@code #order.customer}. Default: none.
     *
     * @return the expression, or an empty text
     */
    String key() default "";
}
