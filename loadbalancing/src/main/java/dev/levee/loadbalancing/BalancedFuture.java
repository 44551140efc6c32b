package dev.levee.loadbalancing;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The future of an asynchronous call to an endpoint: holds the ticket until the stage has really ended. */
final class BalancedFuture<T extends @Nullable Object> extends CallFuture<T> {
    private final Ticket<?> ticket;

    BalancedFuture(Ticket<?> ticket) {
        this.ticket = ticket;
    }

    <A> CompletableFuture<T> begin(
            A address, Function<? super A, ? extends CompletionStage<T>> exchange, Environment environment) {
        CallContext carrying = environment.carriesContext() ? environment.capture() : null;
        // Core starts the stage: an exception, and a null stage, fail the future.
        CompletableFuture<T> inner = Inner.OPERATION.callAsync(() -> exchange.apply(address));
        passCancelTo(inner);
        inner.whenComplete(
                carrying == null
                        ? this::settle
                        : (result, error) ->
                                carrying.carry(() -> settle(result, error)).run()); // gates and listeners
        return this;
    }

    @SuppressWarnings("NullAway") // the result is null only beside a failure, or where T includes it
    private void settle(@Nullable T result, @Nullable Throwable error) {
        Throwable failure = error == null ? null : Outcomes.unwrap(error);
        Throwable reason = cancelReason();
        boolean neverBegan = failure instanceof RefusedException refusal && !refusal.mayHaveRun();
        // A call that was cut short by a timeout is evidence, whatever the stage completes with later; one that was
        // cancelled never is, nor one that has waited for its turn at a gate further in.
        try {
            if (reason instanceof CancellationException || (failure != null && !neverBegan && wasCutShort())) {
                ticket.ignore(neverBegan);
            } else if (reason != null && !neverBegan) {
                ticket.complete(null, reason, false);
            } else {
                ticket.complete(result, failure, false);
            }
        } finally { // even if a gate of a user throws
            finish(result, failure);
        }
    }
}
