package dev.levee.core;

import dev.levee.core.internal.NoOutcome;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One call of a method of a wrapped client, as the operation that policies run: blocking by {@link #run}, asynchronous
 * by {@link #get}.
 *
 * <p>A blocking call may find that the result ends later. It then keeps the result, and leaves the policies by a
 * cancel, which is no evidence for any of them and is neither repeated nor replaced; the call begins anew as an
 * asynchronous one, whose first attempt is that result. See ADR 69.
 */
class GuardedCall
        implements Operation<@Nullable Object, Throwable>, Supplier<CompletionStage<@Nullable Object>>, Invocation {
    /** In place of a result: the blocking call has ended. */
    private static final Object ENDED = new Object();

    private final GuardedMethod guarded;
    private final Object target;
    private final @Nullable Object[] arguments;

    /** A result that ends later and that has begun: found by the blocking form, used up by the asynchronous one. */
    private final AtomicReference<@Nullable Object> begun;

    private volatile boolean returnedValue;
    private volatile boolean begunStage;

    GuardedCall(GuardedMethod guarded, Object target, @Nullable Object[] arguments, @Nullable Object begun) {
        this.guarded = guarded;
        this.target = target;
        this.arguments = arguments;
        this.begun = new AtomicReference<>(begun);
    }

    @Override
    @SuppressWarnings("NullAway") // T is @Nullable Object here
    public @Nullable Object run() throws Throwable {
        if (!guarded.isOpen()) {
            return guarded.invoke(target, arguments);
        }
        if (begun.get() != null) {
            throw new EndsLater();
        }
        Object result = guarded.invoke(target, arguments);
        if (!(result instanceof CompletionStage<?>) && !(result instanceof Future<?>)) {
            return result;
        }
        if (!begun.compareAndSet(null, result)) { // another attempt was first, or the caller has gone
            CallFuture.cancelIfPossible(result, new CancellationException("another attempt was first"));
        }
        throw new EndsLater();
    }

    /** Ends the blocking form. Returns the result that it has found to end later, or null. */
    @Nullable Object end() {
        return begun.getAndSet(ENDED);
    }

    @Override
    @SuppressWarnings("NullAway") // a null stage is reported by callAsync
    public CompletionStage<@Nullable Object> get() {
        Object result = begun.getAndSet(null);
        if (result == null) {
            try {
                result = guarded.invoke(target, arguments);
            } catch (Throwable thrown) {
                returnedValue = true;
                return CompletableFuture.failedFuture(thrown);
            }
        }
        if (result instanceof CompletionStage<?> || result instanceof Future<?>) {
            begunStage = true;
            return stageOf(result);
        }
        if (!guarded.isOpen()) {
            return null;
        }
        returnedValue = true;
        return CompletableFuture.completedFuture(result);
    }

    /** Returns the result that has begun if no attempt has used it, as a stage; else null. */
    @Nullable CompletionStage<@Nullable Object> takeBegun() {
        Object left = begun.getAndSet(null);
        return left == null ? null : stageOf(left);
    }

    @SuppressWarnings("unchecked") // as the caller of the method does
    private CompletionStage<@Nullable Object> stageOf(Object result) {
        Policy policy = guarded.policy();
        return result instanceof CompletionStage<?> || policy == null
                ? (CompletionStage<@Nullable Object>) result
                : AwaitedFuture.of((Future<?>) result, policy.environment().executor());
    }

    /** Whether an attempt of the asynchronous form has thrown or returned a value, and no stage or future. */
    boolean hasReturnedValue() {
        return returnedValue;
    }

    /** Whether an attempt of the asynchronous form has returned a stage or future. */
    boolean hasBegunStage() {
        return begunStage;
    }

    @Override
    public Method method() {
        return guarded.method();
    }

    @Override
    public List<@Nullable Object> arguments() {
        return Collections.<@Nullable Object>unmodifiableList(Arrays.<@Nullable Object>asList(arguments));
    }

    @Override
    public Class<?> resultType() {
        return guarded.resultType();
    }

    @Override
    public String toString() {
        return guarded.toString();
    }

    /** A call of a method that declares the interrupt. */
    static final class Interruptible extends GuardedCall
            implements InterruptibleOperation<@Nullable Object, Throwable> {
        Interruptible(GuardedMethod guarded, Object target, @Nullable Object[] arguments) {
            super(guarded, target, arguments, null);
        }

        @Override
        @SuppressWarnings("NullAway") // as above
        public @Nullable Object run() throws Throwable {
            return super.run();
        }
    }

    /** Takes a blocking call out of its policies. */
    private static final class EndsLater extends CancellationException implements NoOutcome {
        private static final long serialVersionUID = 1L;

        EndsLater() {
            super("the result ends later than the method that returned it");
        }

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it changes nothing
        public Throwable fillInStackTrace() {
            return this;
        }
    }
}
