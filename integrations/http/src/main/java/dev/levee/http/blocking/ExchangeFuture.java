package dev.levee.http.blocking;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.http.HttpOutcomes;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The headers of an exchange. At its deadline it fails at once; when it is cancelled it ends when the client has let go
 * of the exchange, because until then the endpoint has it.
 */
final class ExchangeFuture<R> extends CallFuture<R> {
    private final BlockingExchange<R> exchange;
    private final Consumer<? super R> received;
    private final String name;
    private final Environment environment;
    private final CallContext context = CallContext.current();
    /** Set by the one that begins, or by the one that keeps it from beginning. */
    private final AtomicBoolean begun = new AtomicBoolean();

    /**
     * Makes a future that is not begun.
     *
     * @param received sees a response before the future completes with it
     */
    ExchangeFuture(BlockingExchange<R> exchange, Consumer<? super R> received, String name, Environment environment) {
        this.received = received;
        this.exchange = exchange;
        this.name = name;
        this.environment = environment;
    }

    ExchangeFuture<R> start(long nanos) {
        exchange.bodyEnd()
                .onCancel(reason -> environment.handOver(() -> {
                    exchange.abort();
                    exchange.bodyEnd().completeExceptionally(reason);
                }));
        onCancel(this::stop);
        if (nanos < Nanos.NEVER) {
            Scheduler.Timer timer = environment.schedule(() -> environment.handOver(() -> timeOut(nanos)), nanos);
            whenComplete((response, error) -> timer.cancel());
        }
        environment.handOver(() -> context.call(this::run));
        return this;
    }

    private void stop(Throwable reason) {
        if (begun.compareAndSet(false, true)) {
            completeExceptionally(reason);
        } else {
            environment.handOver(exchange::abort);
        }
    }

    private void timeOut(long nanos) {
        SocketTimeoutException timeout =
                new SocketTimeoutException("client \"" + name + "\": no headers within " + Duration.ofNanos(nanos));
        if (begun.compareAndSet(false, true)) { // no thread came free for it
            completeExceptionally(NotSent.mark(timeout));
        } else if (completeExceptionally(timeout)) {
            exchange.abort();
        }
    }

    private ExchangeFuture<R> run() {
        if (!begun.compareAndSet(false, true)) {
            return this;
        }
        R response;
        try {
            response = exchange.run();
        } catch (Throwable thrown) {
            fail(thrown);
            return this;
        }
        received.accept(response);
        if (!complete(response)) {
            exchange.close(response);
        }
        return this;
    }

    private void fail(Throwable thrown) {
        Throwable reason = cancelReason();
        completeExceptionally(reason == null ? marked(thrown) : reason);
    }

    private Throwable marked(Throwable thrown) {
        boolean notSent = !exchange.maybeSent() || exchange.isUnprocessed(thrown);
        boolean known = HttpOutcomes.rule().judge(null, thrown) == Verdict.NOT_SENT;
        if (notSent == known) {
            return thrown;
        }
        return notSent ? NotSent.mark(thrown) : PerhapsSent.mark(thrown);
    }
}
