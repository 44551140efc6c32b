package dev.levee.spring;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Guards what a method of Reactor's types returns, from its subscription to its end. Loaded only where Reactor is. The
 * context of the subscriber reaches every attempt; a cancel ends the call, and is no evidence about the dependency.
 */
final class ReactorCalls {
    private ReactorCalls() {}

    /** Whether a type is one of those that can be guarded. */
    static boolean isMono(Class<?> type) {
        return type == Mono.class;
    }

    static boolean isFlux(Class<?> type) {
        return type == Flux.class;
    }

    static Mono<Object> mono(GuardedInvocation guarded, GuardedInvocation.Attempts attempts) {
        return Mono.deferContextual(context -> {
            Mono<Object> call = Mono.fromFuture(() -> start(
                    context,
                    guarded.policy(attempts),
                    () -> monoOf(attempts.runUnchecked(), attemptOf(context)).toFuture()));
            Function<Throwable, Publisher<Object>> answer = answering(guarded, attempts, context);
            return answer == null ? call : call.onErrorResume(error -> Mono.from(answer.apply(error)));
        });
    }

    /** Returns what answers for a failure, in the context of the subscriber; null if nothing does. */
    private static @Nullable Function<Throwable, Publisher<Object>> answering(
            GuardedInvocation guarded, GuardedInvocation.Attempts attempts, ContextView context) {
        if (!guarded.hasFallback()) {
            return null;
        }
        CallContext captured = guarded.capture();
        CallContext own = context.getOrDefault(CallContext.class, null);
        return error -> {
            Operation<Publisher<Object>, RuntimeException> asked = () -> substitute(guarded, attempts, error);
            return captured.<Publisher<Object>, RuntimeException>call(
                    own == null ? asked : () -> own.<Publisher<Object>, RuntimeException>call(asked));
        };
    }

    /** Deadline and session are those in the context of the subscriber, where a web filter has put them. */
    private static <T extends @Nullable Object> CompletableFuture<T> start(
            ContextView context, Policy policy, Supplier<? extends CompletionStage<T>> attempt) {
        Operation<CompletableFuture<T>, RuntimeException> begin = () -> policy.callAsync(attempt);
        CallContext own = context.getOrDefault(CallContext.class, null);
        return own == null ? begin.run() : own.call(begin);
    }

    /** Returns the context of an attempt, in which calls have no more time than the policy gives this one. */
    private static Context attemptOf(ContextView context) {
        CallContext own = context.getOrDefault(CallContext.class, null);
        Deadline deadline = CallContext.current().deadline();
        return own == null || deadline == null
                ? Context.of(context)
                : Context.of(context).put(CallContext.class, own.withDeadline(deadline));
    }

    @SuppressWarnings("unchecked") // of a method with this return type
    private static Mono<Object> monoOf(@Nullable Object result, Context context) {
        if (result == null) {
            throw new IllegalStateException("a guarded method returned null instead of a Mono");
        }
        return ((Mono<Object>) result).contextWrite(context);
    }

    static Flux<Object> flux(GuardedInvocation guarded, GuardedInvocation.Attempts attempts) {
        return Flux.deferContextual(context -> {
            Flux<Object> call = Flux.defer(() -> guardedFlux(context, guarded.policy(attempts), attempts));
            Function<Throwable, Publisher<Object>> answer = answering(guarded, attempts, context);
            return answer == null ? call : call.onErrorResume(answer);
        });
    }

    /**
     * The call lasts from admission until the last element. What ends it early, a timeout, ends the elements; what it
     * says then comes after them: its failure, or the answer of a fallback.
     */
    private static Flux<Object> guardedFlux(ContextView context, Policy policy, GuardedInvocation.Attempts attempts) {
        CompletableFuture<@Nullable Object> elements = new CompletableFuture<>();
        CompletableFuture<Flux<Object>> admitted = new CompletableFuture<>();
        CompletableFuture<@Nullable Object> call = start(context, policy, () -> {
            Context inside = attemptOf(context);
            admitted.complete(fluxOf(attempts.runUnchecked()).contextWrite(inside));
            return elements;
        });
        AtomicBoolean complete = new AtomicBoolean(); // then there is nothing more to be said
        return Mono.fromFuture(admitted)
                .flatMapMany(source -> source)
                .doOnError(elements::completeExceptionally)
                .doOnComplete(() -> {
                    complete.set(true);
                    elements.complete(null);
                })
                .doOnCancel(() -> call.cancel(true))
                .onErrorComplete()
                .takeUntilOther(Mono.fromFuture(call, true).onErrorComplete())
                .concatWith(Mono.defer(() -> complete.get() ? Mono.empty() : Mono.fromFuture(call)));
    }

    @SuppressWarnings("unchecked") // of a method with this return type
    private static Flux<Object> fluxOf(@Nullable Object result) {
        if (result == null) {
            throw new IllegalStateException("a guarded method returned null instead of a Flux");
        }
        return (Flux<Object>) result;
    }

    @SuppressWarnings("unchecked") // the fallback was checked to fit
    private static Publisher<Object> substitute(
            GuardedInvocation guarded, GuardedInvocation.Attempts attempts, Throwable error) {
        FallbackMethod fallback = guarded.fallback(error);
        if (fallback == null) {
            return Mono.error(error);
        }
        try {
            Object answer = fallback.answer(attempts.target(), attempts.arguments(), error);
            return answer == null ? Mono.empty() : (Publisher<Object>) answer;
        } catch (Throwable wrong) {
            throw Unchecked.<RuntimeException>asDeclared(wrong);
        }
    }
}
