package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
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
        Mono<Object> call = Mono.deferContextual(context -> Mono.fromFuture(() -> {
            Policy policy = guarded.policy(attempts);
            return policy.callAsync(
                    () -> monoOf(attempts.runUnchecked(), context).toFuture());
        }));
        return guarded.hasFallback()
                ? call.onErrorResume(error -> Mono.from(substitute(guarded, attempts, error)))
                : call;
    }

    @SuppressWarnings("unchecked") // of a method with this return type
    private static Mono<Object> monoOf(@Nullable Object result, ContextView context) {
        if (result == null) {
            throw new IllegalStateException("a guarded method returned null instead of a Mono");
        }
        return ((Mono<Object>) result).contextWrite(context);
    }

    static Flux<Object> flux(GuardedInvocation guarded, GuardedInvocation.Attempts attempts) {
        Flux<Object> call = Flux.defer(() -> guardedFlux(guarded.policy(attempts), attempts));
        return guarded.hasFallback() ? call.onErrorResume(error -> substitute(guarded, attempts, error)) : call;
    }

    /** The call lasts from admission until the last element; what ends it early, a timeout, ends the elements. */
    private static Flux<Object> guardedFlux(Policy policy, GuardedInvocation.Attempts attempts) {
        CompletableFuture<@Nullable Void> elements = new CompletableFuture<>();
        CompletableFuture<Flux<Object>> admitted = new CompletableFuture<>();
        CompletableFuture<@Nullable Void> call = policy.callAsync(() -> {
            admitted.complete(fluxOf(attempts.runUnchecked()));
            return elements;
        });
        AtomicBoolean ended = new AtomicBoolean(); // by the elements: what the call then says is the same
        return Mono.fromFuture(admitted)
                .flatMapMany(source -> source)
                .doOnError(error -> {
                    ended.set(true);
                    elements.completeExceptionally(error);
                })
                .doOnComplete(() -> {
                    ended.set(true);
                    elements.complete(null);
                })
                .doOnCancel(() -> call.cancel(true))
                .takeUntilOther(Mono.fromFuture(call, true)
                        .then(Mono.never())
                        .onErrorResume(error -> ended.get() ? Mono.never() : Mono.error(error)));
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
