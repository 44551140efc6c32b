package dev.levee.spring.cloud;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Policy;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Publishers that go through a policy at each subscription. Cancelling one cancels the call, and through it the source;
 * the context of the subscriber reaches every attempt.
 */
final class PublisherCalls {
    private PublisherCalls() {}

    /** A policy may subscribe several times, one after the other or at once. */
    static <T> Mono<T> mono(Policy policy, Mono<T> source) {
        return Mono.deferContextual(context -> Mono.create(sink -> {
            CompletableFuture<@Nullable T> call = start(policy, context, () -> new ValueStage<T>(context).of(source));
            sink.onCancel(() -> call.cancel(true));
            call.whenComplete((value, error) -> {
                if (error != null) {
                    sink.error(Outcomes.unwrap(error));
                } else if (value == null) {
                    sink.success();
                } else {
                    sink.success(value);
                }
            });
        }));
    }

    /**
     * The call lasts until the source ends. It is subscribed to once: what was passed on cannot be taken back, so
     * nothing in the policy repeats it, and the answer of a fallback in the policy comes after it.
     */
    static <T> Flux<T> flux(Policy policy, Flux<T> source) {
        return Flux.deferContextual(context -> Flux.create(sink -> {
            AtomicBoolean begun = new AtomicBoolean();
            Operators.DeferredSubscription demand = new Operators.DeferredSubscription();
            CallContext once = contextOf(context).withIdempotent(false).withRepeating(true);
            Supplier<CompletionStage<@Nullable T>> attempt = () -> begun.compareAndSet(false, true)
                    ? new ElementStage<>(sink, demand, context).of(source)
                    : CompletableFuture.failedFuture(
                            new IllegalStateException("a Flux that has begun cannot be repeated"));
            Operation<CompletableFuture<@Nullable T>, RuntimeException> begin = () -> policy.callAsync(attempt);
            sink.onRequest(demand::request);
            CompletableFuture<@Nullable T> call = once.call(begin);
            sink.onCancel(() -> call.cancel(true));
            call.whenComplete((end, error) -> {
                if (error != null) {
                    sink.error(Outcomes.unwrap(error));
                    return;
                }
                if (end != null) { // of a fallback: the elements end with null
                    sink.next(end);
                }
                sink.complete();
            });
        }));
    }

    private static <T> CompletableFuture<@Nullable T> start(
            Policy policy, ContextView context, Supplier<CompletionStage<@Nullable T>> attempt) {
        Operation<CompletableFuture<@Nullable T>, RuntimeException> begin = () -> policy.callAsync(attempt);
        return contextOf(context).call(begin);
    }

    /** What a web filter has put there, since threads change on the way; else that of the thread. */
    private static CallContext contextOf(ContextView context) {
        CallContext own = context.getOrDefault(CallContext.class, null);
        return own == null ? CallContext.current() : own;
    }

    /** One subscription as a stage, which ends when the source does. */
    private abstract static class Stage<T> extends BaseSubscriber<T> {
        final CallFuture<@Nullable T> future = new CallFuture<>();
        private final Context context;

        Stage(ContextView context) {
            CallContext own = context.getOrDefault(CallContext.class, null);
            Deadline deadline = CallContext.current().deadline();
            this.context = own == null || deadline == null
                    ? Context.of(context)
                    : Context.of(context).put(CallContext.class, own.withDeadline(deadline)); // that of the policy
        }

        CompletionStage<@Nullable T> of(CorePublisherOf<T> source) {
            future.onCancel(reason -> cancel());
            source.subscribe(this);
            return future;
        }

        @Override
        public Context currentContext() {
            return context;
        }

        @Override
        protected void hookOnError(Throwable error) {
            future.completeExceptionally(error);
        }

        /** A source that was cancelled says no more, so this is its end, and permits go back. */
        @Override
        protected void hookOnCancel() {
            Throwable reason = future.cancelReason();
            future.completeExceptionally(reason == null ? new CancellationException("cancelled") : reason);
        }
    }

    /** What a Mono and a Flux have in common here. */
    private interface CorePublisherOf<T> {
        void subscribe(CoreSubscriber<? super T> subscriber);
    }

    private static final class ValueStage<T> extends Stage<T> {
        private volatile @Nullable T value;

        ValueStage(ContextView context) {
            super(context);
        }

        CompletionStage<@Nullable T> of(Mono<T> source) {
            return of((CorePublisherOf<T>) source::subscribe);
        }

        @Override
        protected void hookOnNext(T next) {
            value = next;
        }

        @Override
        protected void hookOnComplete() {
            if (!future.complete(value)) {
                discard();
            }
        }

        @Override
        protected void hookOnCancel() {
            super.hookOnCancel();
            discard();
        }

        private void discard() {
            T unused = value;
            if (unused != null) {
                Operators.onDiscard(unused, currentContext());
            }
        }
    }

    private static final class ElementStage<T> extends Stage<T> {
        private final FluxSink<T> sink;
        private final Operators.DeferredSubscription demand;

        ElementStage(FluxSink<T> sink, Operators.DeferredSubscription demand, ContextView context) {
            super(context);
            this.sink = sink;
            this.demand = demand;
        }

        CompletionStage<@Nullable T> of(Flux<T> source) {
            return of((CorePublisherOf<T>) source::subscribe);
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            demand.set(subscription);
        }

        @Override
        protected void hookOnNext(T next) {
            sink.next(next);
        }

        @Override
        protected void hookOnComplete() {
            future.complete(null);
        }
    }
}
