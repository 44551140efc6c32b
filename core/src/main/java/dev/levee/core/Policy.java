package dev.levee.core;

import dev.levee.core.internal.Require;
import java.lang.reflect.Method;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One decision about one call: a retry, a breaker, a limit, or a {@link Pipeline} of several.
 *
 * <p>A policy is built once, shared by all threads, and guards calls of any type. {@link #call} is the form to start
 * with; {@link #callAsync} guards calls that answer with a {@link CompletionStage}, {@link #wrap} a whole client at
 * once. Blocking and asynchronous calls share one state. To write a policy of your own implement {@link Gate} (admits
 * and learns) or {@link Around} (repeats, delays, replaces); a plain {@code Policy} works in a pipeline too and costs
 * one lambda for each call. See ADR 2.
 *
 * @since 0.1
 */
public interface Policy {
    /**
     * The kind of decision that a policy makes; used in messages, to print pipelines, and to warn about harmful orders.
     */
    enum Kind {
        /** Repeats a call. */
        RETRY("retry"),
        /** Bounds how long a call may take. */
        TIMEOUT("timeout"),
        /** Starts a second call when the first is slow. */
        HEDGE("hedge"),
        /** Replaces a failure. */
        FALLBACK("fallback"),
        /** Stops calling a dependency that fails. */
        BREAKER("breaker"),
        /** Bounds the rate of calls. */
        LIMITER("limiter"),
        /** Bounds how many calls are in flight. */
        BULKHEAD("bulkhead"),
        /** Injects failures and delays on purpose. */
        FAULTS("faults"),
        /** Anything else. */
        OTHER("policy");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /**
         * Returns the word that messages and pipelines print.
         *
         * @return a noun in lower case, such as {@code breaker}
         */
        public String label() {
            return label;
        }
    }

    /**
     * Returns the name of this policy in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Returns the kind of decision that this policy makes.
     *
     * @return the kind; {@link Kind#OTHER} by default
     */
    default Kind kind() {
        return Kind.OTHER;
    }

    /**
     * Returns the environment from which time, waiting and randomness come.
     *
     * @return the environment that it was built with
     */
    default Environment environment() {
        return Environment.system();
    }

    /**
     * Runs an operation under this policy, on the calling thread. Blocks as long as the operation and the policy do.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws RefusedException if a gate did not admit the call; the operation did not run then, unless
     *     {@link RefusedException#mayHaveRun} says that an earlier attempt may have
     */
    <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X;

    /**
     * Runs an action under this policy; see {@link #call}.
     *
     * @param action the action to run
     * @param <X> what it throws
     * @throws X what the action threw, the same object
     */
    default <X extends Throwable> void run(Action<X> action) throws X {
        call(action);
    }

    /**
     * Runs an operation that may be interrupted; see {@link #call}. An interrupt that ends a wait of the policy itself
     * is thrown as {@code InterruptedException} by this form; {@link #call} sets the flag again and ends the wait with
     * another exception, such as {@link InterruptedWaitException}.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws besides {@code InterruptedException}
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws InterruptedException if the thread was interrupted in the operation or while the policy waited
     */
    @SuppressWarnings("unchecked") // it throws X and InterruptedException only, both declared here
    default <T extends @Nullable Object, X extends Throwable> T callInterruptibly(
            InterruptibleOperation<T, X> operation) throws X, InterruptedException {
        return call((Operation<T, X>) (Operation<T, ?>) operation);
    }

    /**
     * Runs an asynchronous operation. Never blocks and never throws: what the supplier throws, or a refusal, completes
     * the future.
     *
     * <p>Cancelling the future cancels the stage behind it, a queued wait, a pending delay. A permit is held until the
     * stage has really ended, and a cancelled call is no evidence about the dependency.
     *
     * @param operation starts the work and returns its stage
     * @param <T> the result of the stage
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation);

    /**
     * Guards every method of a client.
     *
     * <p>The result implements the interface: methods that return {@link CompletionStage} or {@link CompletableFuture}
     * go through {@link #callAsync}, all others through {@link #call}; checked exceptions come through as the client
     * threw them; {@code equals}, {@code hashCode} and {@code toString} are the client's and are not guarded.
     *
     * @param type the interface
     * @param target the client
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside
     */
    default <I> I wrap(Class<I> type, I target) {
        return wrap(type, target, method -> this);
    }

    /**
     * Guards the methods of a client, each with the policy that a function chooses.
     *
     * @param type the interface
     * @param target the client
     * @param choice called once for each method, by this call; null leaves the method unguarded
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside
     */
    static <I> I wrap(Class<I> type, I target, Function<? super Method, ? extends @Nullable Policy> choice) {
        return GuardedClient.of(type, target, choice);
    }

    /**
     * Guards a supplier.
     *
     * @param supplier the supplier to guard
     * @param <T> the type of its results
     * @return a supplier that runs under this policy
     * @throws NullPointerException if {@code supplier} is null
     */
    default <T extends @Nullable Object> Supplier<T> decorateSupplier(Supplier<T> supplier) {
        Operation<T, RuntimeException> operation = Require.nonNull("supplier", supplier)::get;
        return () -> call(operation);
    }

    /**
     * Guards a callable.
     *
     * @param callable the callable to guard
     * @param <T> what it returns
     * @return a callable that runs under this policy
     * @throws NullPointerException if {@code callable} is null
     */
    default <T extends @Nullable Object> Callable<T> decorateCallable(Callable<T> callable) {
        Operation<T, Exception> operation = Require.nonNull("callable", callable)::call;
        return () -> call(operation);
    }

    /**
     * Guards a runnable.
     *
     * @param runnable the runnable to guard
     * @return a runnable that runs under this policy
     * @throws NullPointerException if {@code runnable} is null
     */
    default Runnable decorateRunnable(Runnable runnable) {
        Action<RuntimeException> action = Require.nonNull("runnable", runnable)::run;
        return () -> run(action);
    }

    /**
     * Guards a function.
     *
     * @param function the function to guard
     * @param <A> its argument
     * @param <T> what it returns
     * @return a function that runs under this policy; costs one lambda for each call
     * @throws NullPointerException if {@code function} is null
     */
    default <A extends @Nullable Object, T extends @Nullable Object> Function<A, T> decorateFunction(
            Function<A, T> function) {
        Require.nonNull("function", function);
        return argument -> call(() -> function.apply(argument));
    }

    /**
     * Guards a supplier of stages.
     *
     * @param supplier the supplier to guard
     * @param <T> the result of the stages
     * @return a supplier whose futures run under this policy; see {@link #callAsync}
     * @throws NullPointerException if {@code supplier} is null
     */
    default <T extends @Nullable Object> Supplier<CompletableFuture<T>> decorateStage(
            Supplier<? extends CompletionStage<T>> supplier) {
        Require.nonNull("supplier", supplier);
        return () -> callAsync(supplier);
    }
}
