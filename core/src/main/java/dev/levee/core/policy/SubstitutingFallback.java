package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Invocation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Answering;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.NoOutcome;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.policy.FallbackConfig.FallbackSource;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementation of {@link Fallback}. See ADR 30, and ADR 69 for answers by the call. */
final class SubstitutingFallback implements Fallback, Answering, FitsStackRoom {
    private static final Logger LOG = LoggerFactory.getLogger(Fallback.class);

    private final String name;
    private final Predicate<? super Throwable> when;
    private final FallbackSource[] chain;
    private final Environment environment;
    private final LongAdder[] degraded;

    /** The values of the tag of metrics, of each source. */
    private final List<List<String>> tags;

    private final LongAdder failed = new LongAdder();

    SubstitutingFallback(String name, FallbackConfig config, Environment environment) {
        this.name = Require.name(name);
        this.when = Require.nonNull("config", config).when();
        this.chain = config.chain().toArray(new FallbackSource[0]);
        this.degraded = Stream.generate(LongAdder::new).limit(chain.length).toArray(LongAdder[]::new);
        this.tags = Stream.of(chain).map(source -> List.of(source.name())).toList();
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        try {
            return inner.call(operation);
        } catch (Throwable error) {
            CallState state = CallState.current();
            if (error instanceof NoOutcome || state.isCalledOff() || isTimeUp(endOf(state)) || !replaces(error)) {
                throw error;
            }
            try {
                return this.<T, X>substitute(error, operation);
            } finally {
                if (error instanceof InterruptedException) {
                    Thread.currentThread().interrupt(); // the interrupt is replaced, not lost
                }
            }
        }
    }

    private <T extends @Nullable Object, X extends Throwable> T substitute(Throwable error, Operation<T, X> operation)
            throws X {
        CallState state = CallState.current();
        boolean ran = state.endedAfterRun(error) || mayHaveRun(error); // before a source makes calls
        SuppressedFailures earlier = new SuppressedFailures();
        earlier.add(error);
        for (int i = 0; ; i++) {
            try {
                T value = chain[i].later() == null
                        ? ask(chain[i], error, operation)
                        : awaitLater(chain[i], error, operation);
                answered(i, error);
                return value;
            } catch (InterruptedException interrupt) {
                if (!ran && AbstractTimeout.hasNotBegun(error) && isTimeUp(endOf(state))) {
                    Thread.currentThread().interrupt(); // by the clock, it is the interrupt of the timeout
                    throw Unchecked.<X>asDeclared(notBegun(error, interrupt));
                }
                boolean interruptible = operation instanceof InterruptibleOperation;
                throw Unchecked.<X>asDeclared(interrupted(error, earlier, interruptible, interrupt));
            } catch (Throwable failure) {
                boolean timeIsUp = isTimeUp(endOf(state));
                if (timeIsUp && !ran && AbstractTimeout.hasNotBegun(error)) {
                    throw Unchecked.<X>asDeclared(notBegun(error, failure));
                }
                if (timeIsUp || isLast(i, failure)) {
                    Throwable last = noneAnswered(error, earlier, failure, ran);
                    if (ran) {
                        state.endsAfterRun(last);
                    }
                    throw Unchecked.<X>asDeclared(last);
                }
                addUnlessOriginal(earlier, error, failure);
            }
        }
    }

    /** Asks a source that answers at once, in a call of an operation or of the supplier of a stage. */
    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"}) // the type is the user's promise
    <T extends @Nullable Object> T ask(FallbackSource source, Throwable error, Object operation) {
        Object answer = source.now() == null
                ? askByCall(source, error, operation)
                : source.now().apply(error);
        return (T) checked(source, answer, operation);
    }

    @SuppressWarnings("NullAway") // the source is one of that kind
    private static @Nullable Object askByCall(FallbackSource source, Throwable error, Object operation) {
        if (operation instanceof Invocation call) {
            return source.byCall().apply(call, error);
        }
        throw new IllegalStateException(
                "source \"" + source.name() + "\" answers the calls of wrapped clients, and this is none");
    }

    /** Starts a source. Never throws: an exception of the source fails the future. */
    @SuppressWarnings({"unchecked", "NullAway"}) // the type is the user's promise
    <T extends @Nullable Object> CompletableFuture<T> askLater(
            FallbackSource source, Throwable error, Object operation) {
        return Inner.OPERATION.callAsync(() -> source.later() != null
                ? (CompletionStage<T>) source.later().apply(error)
                : (CompletionStage<T>) stageOf(askByCall(source, error, operation)));
    }

    /** Returns the answer of a source that answers as the method does: later, or at once. */
    private CompletionStage<? extends @Nullable Object> stageOf(@Nullable Object answer) {
        if (answer instanceof CompletionStage<?> stage) {
            return stage;
        }
        return answer instanceof Future<?> future
                ? CallFuture.awaiting(future, environment.executor())
                : CompletableFuture.completedFuture(answer);
    }

    /** Returns an answer that fits the method that was called, if that is known. */
    <T extends @Nullable Object> T checked(FallbackSource source, T answer, Object operation) {
        if (operation instanceof Invocation call && !fits(answer, call.resultType())) {
            throw new ClassCastException(misfit(source, answer, call.method(), call.resultType()));
        }
        return answer;
    }

    private static boolean fits(@Nullable Object answer, Class<?> result) {
        if (answer == null) {
            return !result.isPrimitive() || result == void.class;
        }
        Class<?> type = MethodType.methodType(result).wrap().returnType();
        return type == Void.class || type.isInstance(answer);
    }

    private String misfit(FallbackSource source, @Nullable Object answer, Method method, Class<?> result) {
        return "fallback \"" + name + "\": source \"" + source.name() + "\" answers with "
                + (answer == null ? "null" : "a " + answer.getClass().getName()) + ", but " + Answering.text(method)
                + " needs a " + result.getName();
    }

    @Override
    public void requireFits(Method method, Class<?> result) {
        for (FallbackSource source : chain) {
            if (source.now() instanceof FixedAnswer fixed && !fits(fixed.value(), result)) {
                throw new IllegalArgumentException(misfit(source, fixed.value(), method, result));
            }
            if (source.byCall() instanceof SubstituteClient client
                    && !method.getDeclaringClass().isInstance(client.substitute())) {
                throw new IllegalArgumentException("fallback \"" + name + "\": source \"" + source.name() + "\" asks a "
                        + client.substitute().getClass().getName() + ", which has no " + Answering.text(method));
            }
        }
    }

    private <T extends @Nullable Object> T awaitLater(FallbackSource source, Throwable error, Operation<T, ?> operation)
            throws Throwable {
        CompletableFuture<T> running = askLater(source, error, operation);
        boolean done;
        try {
            done = FutureWait.awaitUntilDeadline(running, environment);
        } catch (InterruptedException interrupt) {
            CallFuture.requestCancel(running, new CancellationException("interrupted by the caller"));
            throw interrupt;
        } catch (RuntimeException | Error thrown) { // of a scheduler or a clock of a user
            CallFuture.requestCancel(running, new CancellationException("the wait for the source failed"));
            throw thrown;
        }
        if (!done) {
            IllegalStateException late = isLate(source);
            CallFuture.requestCancel(running, late);
            throw late;
        }
        Throwable failure = FutureWait.failureOf(running);
        if (failure != null) {
            throw ofSource(Outcomes.unwrap(failure));
        }
        return checked(source, running.join(), operation);
    }

    /** Returns the failure of a source that has no answer at the deadline of the call. */
    IllegalStateException isLate(FallbackSource source) {
        return new IllegalStateException("fallback \"" + name + "\": source \"" + source.name()
                + "\" had no answer when the deadline of the call passed");
    }

    /** Wraps an interrupt that a source reports, which is not one of this thread. */
    static Throwable ofSource(Throwable failure) {
        return failure instanceof InterruptedException
                ? new IllegalStateException("the source was interrupted", failure)
                : failure;
    }

    private static Throwable interrupted(
            Throwable error, SuppressedFailures earlier, boolean interruptible, InterruptedException interrupt) {
        if (interruptible) {
            earlier.suppressAllIn(interrupt);
        }
        Interrupts.throwOrFlag(interruptible, interrupt);
        return notBegun(error, interrupt);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        CallContext carrying = environment.carriesContext() ? environment.capture() : null; // before anything runs
        CompletableFuture<T> running = inner.callAsync(operation);
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        CallContext context = carrying == null ? CallContext.current() : carrying;
        return new AsyncFallback<T>(this, operation, context, endOf(CallState.current())).follow(running);
    }

    /**
     * Returns when a timeout around this ends the call, or null if none does. Within a call that has failed, which may
     * make an object.
     */
    static @Nullable Deadline endOf(CallState state) {
        return state.isTimed() ? CallContext.current().deadline() : null;
    }

    /** Whether a timeout around this ends the call now: no substitute would reach its caller. See ADR 195. */
    static boolean isTimeUp(@Nullable Deadline end) {
        try {
            return end != null && end.isExpired();
        } catch (Throwable thrown) { // a clock of a user must not hide the failure
            return false;
        }
    }

    boolean replaces(Throwable error) {
        try {
            return when.test(error);
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "fallback \"{}\": the condition threw; the failure is not replaced", name, thrown);
            return false;
        }
    }

    FallbackSource source(int index) {
        return chain[index];
    }

    boolean isLast(int index, Throwable failure) {
        return index == chain.length - 1 || !FallbackConfig.ORDINARY.test(failure);
    }

    /** Adds the failure of a source, which may be the original failure that it was given. */
    static void addUnlessOriginal(SuppressedFailures earlier, Throwable error, Throwable failure) {
        if (failure != error) {
            earlier.add(failure);
        }
    }

    void answered(int index, Throwable error) {
        degraded[index].increment();
        environment.listener().onDegraded(kind(), name, chain[index].name(), error);
    }

    /**
     * Returns the failure of the last source, with the original failure and those of the other sources suppressed.
     *
     * @param ran whether the call that failed may have run
     */
    Throwable noneAnswered(Throwable error, SuppressedFailures earlier, Throwable last, boolean ran) {
        failed.increment();
        if (last == error && chain.length == 1) {
            return error;
        }
        SafeLog.debug(LOG, "fallback \"{}\": no source answered; the failure of the call follows", name, error);
        return earlier.onto(last, ran);
    }

    /** Returns the failure of a call whose substitute comes too late, with the reason of that suppressed. */
    static Throwable notBegun(Throwable error, Throwable why) {
        Throwable shown = SuppressedFailures.ofOneCaller(error);
        SuppressedFailures.suppress(shown, why);
        return shown;
    }

    /** Whether the call that failed may have run: the failure of a source says nothing of that. */
    static boolean mayHaveRun(Throwable error) {
        return Outcomes.mayHaveRun(Outcomes.judge(OutcomeRule.standard(), null, error), error);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        long all = 0;
        for (LongAdder one : degraded) {
            all += one.sum();
        }
        sink.value(name, PolicyMetrics.FALLBACK_DEGRADED, (double) all);
        for (int i = 0; i < chain.length; i++) {
            if (!chain[i].name().equals(name)) {
                sink.value(name, PolicyMetrics.FALLBACK_SUBSTITUTES, tags.get(i), (double) degraded[i].sum());
            }
        }
        sink.value(name, PolicyMetrics.FALLBACK_FAILED, (double) failed.sum());
    }

    @Override
    public String toString() {
        return "fallback \"" + name + '"';
    }
}
