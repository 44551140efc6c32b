package dev.levee.core;

import dev.levee.core.internal.Answering;
import dev.levee.core.internal.LaterResults;
import dev.levee.core.internal.SafeLog;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A method of a wrapped client, the policy that guards it, and until when: until it returns, or until what it returns
 * has ended. See ADR 69.
 */
final class GuardedMethod {
    private static final Logger LOG = LoggerFactory.getLogger(Policy.class);

    /** How the result of a method ends. */
    private enum ResultEnd {
        /** When the method returns. */
        RETURNED,
        /** When its stage or future ends. */
        LATER,
        /** Known for each result only when it is there. */
        OPEN
    }

    private final Method method;
    private final @Nullable Policy policy;
    private final ResultEnd ending;
    private final Class<?> resultType;
    private final boolean interruptible;

    /** Whether the latest result of a method whose results may be either ended later. */
    private volatile boolean latestEndedLater;

    private volatile boolean warned;

    private GuardedMethod(
            Method method, @Nullable Policy policy, ResultEnd ending, Class<?> resultType, boolean interruptible) {
        this.method = method;
        this.policy = policy;
        this.ending = ending;
        this.resultType = resultType;
        this.interruptible = interruptible;
    }

    /** Returns a method that goes straight to the client. */
    static GuardedMethod unguarded(Method accessible) {
        return new GuardedMethod(accessible, null, ResultEnd.RETURNED, Object.class, false);
    }

    /** Returns a guarded method. Throws if what it returns cannot be guarded. */
    static GuardedMethod of(Method accessible, Policy policy, ResultTypes types) {
        Class<?> declared = types.declared(accessible);
        Class<?> returned = types.returned(accessible);
        boolean later = ResultTypes.isStage(declared) || ResultTypes.isFuture(declared);
        if ((later && !ResultTypes.takesFuture(declared))
                || LaterResults.isStream(declared)
                || LaterResults.isStream(returned)
                || ResultTypes.suspends(accessible)) {
            Class<?> reason = LaterResults.isStream(returned) ? returned : declared;
            throw new IllegalArgumentException(cannotBeGuarded(accessible, reason));
        }
        ResultEnd ending = ResultEnd.RETURNED;
        if (later) {
            ending = ResultEnd.LATER;
        } else if (ResultTypes.takesFuture(declared)) {
            later = ResultTypes.isStage(returned) || ResultTypes.isFuture(returned);
            ending = later ? ResultEnd.LATER : ResultTypes.takesFuture(returned) ? ResultEnd.OPEN : ResultEnd.RETURNED;
        }
        Class<?> resultType = ending == ResultEnd.LATER ? types.completedWith(accessible) : declared;
        return new GuardedMethod(accessible, policy, ending, resultType, declaresInterrupt(accessible));
    }

    private static String cannotBeGuarded(Method method, Class<?> type) {
        return "method " + Answering.text(method) + " cannot be guarded to its end, because it returns "
                + (ResultTypes.suspends(method) ? "before its continuation is called" : type.getName())
                + "; return a CompletionStage, a CompletableFuture or a Future, or leave it unguarded: for null from"
                + " the function of Policy.wrap(type, target, choice) it goes straight to the client";
    }

    /**
     * Whether a method declares the interrupt. An exception that it does not declare would reach its caller wrapped.
     */
    private static boolean declaresInterrupt(Method method) {
        for (Class<?> declared : method.getExceptionTypes()) {
            if (declared.isAssignableFrom(InterruptedException.class)) {
                return true;
            }
        }
        return false;
    }

    Method method() {
        return method;
    }

    Class<?> resultType() {
        return resultType;
    }

    /** Returns the policy; null if the method goes straight to the client. */
    @Nullable Policy policy() {
        return policy;
    }

    /** Whether calls look for results that end later. */
    boolean isOpen() {
        return ending == ResultEnd.OPEN;
    }

    @Nullable Object call(Object target, @Nullable Object[] arguments) throws Throwable {
        if (policy == null) {
            return invoke(target, arguments);
        }
        if (ending == ResultEnd.LATER) {
            return policy.callAsync(new GuardedCall(this, target, arguments, null));
        }
        return latestEndedLater ? callLater(policy, target, arguments) : callNow(policy, target, arguments);
    }

    /** Calls on the thread of the caller. A result that ends later is found there, and goes on as a stage. */
    private @Nullable Object callNow(Policy guard, Object target, @Nullable Object[] arguments) throws Throwable {
        GuardedCall call = interruptible
                ? new GuardedCall.Interruptible(this, target, arguments)
                : new GuardedCall(this, target, arguments, null);
        if (ending == ResultEnd.RETURNED) {
            return returned(run(guard, call));
        }
        Object result = null;
        Throwable error = null;
        try {
            result = run(guard, call);
        } catch (Throwable thrown) {
            error = thrown;
        }
        Object begun = call.end();
        if (begun != null) {
            latestEndedLater = true;
            return adopt(guard, new GuardedCall(this, target, arguments, begun));
        }
        if (error != null) {
            throw error;
        }
        return returned(result);
    }

    private static @Nullable Object run(Policy guard, GuardedCall call) throws Throwable {
        return call instanceof GuardedCall.Interruptible interruptible
                ? guard.callInterruptibly(interruptible)
                : guard.call(call);
    }

    /**
     * Guards work that has begun. If the policies do not let it in any more, its outcome is that of the call: to say
     * that it was refused would not be true.
     */
    private static CompletableFuture<@Nullable Object> adopt(Policy guard, GuardedCall begun) {
        CompletableFuture<@Nullable Object> guarded = guard.callAsync(begun);
        CallFuture<@Nullable Object> answer = new CallFuture<>();
        answer.passCancelTo(guarded);
        guarded.whenComplete((result, error) -> {
            CompletionStage<@Nullable Object> leftOut = begun.takeBegun();
            if (leftOut == null) {
                answer.finish(result, error);
            } else {
                answer.onCancel(reason -> CallFuture.requestCancel(leftOut.toCompletableFuture(), reason));
                leftOut.whenComplete(answer::finish);
            }
        });
        return answer;
    }

    /** Calls a method whose latest result was a stage or future. A value that it returns this time is waited for. */
    private @Nullable Object callLater(Policy guard, Object target, @Nullable Object[] arguments) throws Throwable {
        GuardedCall call = new GuardedCall(this, target, arguments, null);
        CompletableFuture<@Nullable Object> future = guard.callAsync(call);
        if (call.hasBegunStage() || !call.hasReturnedValue()) {
            return future;
        }
        Object result = null;
        Throwable error = null;
        try {
            result = future.get();
        } catch (InterruptedException interrupt) {
            CallFuture.requestCancel(future, calledOffBy(interrupt));
            if (interruptible) {
                throw interrupt;
            }
            Thread.currentThread().interrupt();
            throw new InterruptedWaitException(guard.kind().label(), guard.name(), interrupt);
        } catch (ExecutionException thrown) {
            error = Outcomes.unwrap(thrown);
        }
        if (call.hasBegunStage()) { // a later attempt
            return future;
        }
        if (error != null) {
            throw error;
        }
        latestEndedLater = false;
        return returned(result);
    }

    /** Returns the reason of a cancel that is no evidence, as that of a caller that has left. */
    private static CancellationException calledOffBy(InterruptedException interrupt) {
        CancellationException reason = new CancellationException("the caller was interrupted");
        reason.initCause(interrupt);
        return reason;
    }

    /** Checks what the policies answered: it need not be what the client returned. */
    private @Nullable Object returned(@Nullable Object result) {
        Class<?> type = MethodType.methodType(method.getReturnType()).wrap().returnType();
        if (type != Void.class && (result == null ? method.getReturnType().isPrimitive() : !type.isInstance(result))) {
            throw new ClassCastException(this + " returns "
                    + method.getReturnType().getName() + ", but the answer of its policies is "
                    + (result == null ? "null" : "a " + result.getClass().getName()));
        }
        if (result != null && LaterResults.endsLater(result.getClass())) {
            if (ending == ResultEnd.RETURNED) {
                warnOnce(result.getClass());
            } else if (LaterResults.isStream(result.getClass())) {
                // a stage is a substitute: that of the client is kept
                throw new IllegalStateException(cannotBeGuarded(method, result.getClass()));
            }
        }
        return result;
    }

    private void warnOnce(Class<?> type) {
        if (!warned) {
            warned = true;
            SafeLog.warn(
                    LOG,
                    "{} returned a {}, which may end later than the method: only its start is guarded."
                            + " Further results of this method are not logged",
                    this,
                    type.getName());
        }
    }

    @Nullable Object invoke(Object target, @Nullable Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getTargetException();
        }
    }

    @Override
    public String toString() {
        return Answering.text(method);
    }
}
