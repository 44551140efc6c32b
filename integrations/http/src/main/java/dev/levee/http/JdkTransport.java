package dev.levee.http;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import dev.levee.http.internal.DeadlineHeader;
import dev.levee.http.internal.SessionHeader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's client. The caller's body handler is applied to the response that the caller gets, and not to those of
 * attempts that came second or said that they failed: it may write a file.
 */
final class JdkTransport implements Transport<URI, HttpRequest, HttpResponse<?>> {
    private final String name;
    private final HttpClient client;
    private final long idleNanos;
    private final Environment environment;
    private final BooleanSupplier isAborted;
    private final @Nullable String host;
    private final boolean sendSession;

    JdkTransport(
            String name,
            HttpClient client,
            UpstreamConfig<URI, HttpRequest> config,
            Environment environment,
            BooleanSupplier isAborted) {
        this.isAborted = isAborted;
        this.name = name;
        this.client = client;
        this.idleNanos = Nanos.of(config.idleTimeout());
        this.environment = environment;
        this.host = config.host();
        this.sendSession = config.sendSession();
        if (host != null) {
            requireHostHeader(host);
        }
    }

    private static void requireHostHeader(String host) {
        try {
            HttpRequest.newBuilder().setHeader("Host", host);
        } catch (IllegalArgumentException restricted) {
            throw new IllegalArgumentException(
                    "host \"" + host + "\" can be set only in a JVM that was started with"
                            + " -Djdk.httpclient.allowRestrictedHeaders=host",
                    restricted);
        }
    }

    @Override
    public CompletionStage<HttpResponse<?>> send(URI address, HttpRequest request) {
        return sendTo(address, (JdkCall<?>) request);
    }

    private <T> CompletionStage<HttpResponse<?>> sendTo(URI address, JdkCall<T> call) {
        HttpRequest attempt;
        try {
            Deadline deadline = CallContext.current().deadline();
            attempt = attempt(address, call, deadline, timeLeft(call, deadline), true);
        } catch (IOException | DeadlineExpiredException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        OpenedBody headers = new OpenedBody(environment);
        CompletableFuture<HttpResponse<Flow.Publisher<List<ByteBuffer>>>> sent = call.pushes == null
                ? client.sendAsync(attempt, headers)
                : client.sendAsync(attempt, headers, pushes(call.pushes));
        Session session = SessionHeader.current(sendSession);
        CallFuture<HttpResponse<?>> response = new CallFuture<>();
        // Only this one ends the exchange, not what is derived of it; and it does so only if it may interrupt.
        response.onCancel(reason -> sent.cancel(response.mayInterrupt()));
        sent.whenComplete((received, error) -> {
            if (error != null) {
                headers.drop();
                response.completeExceptionally(Outcomes.unwrap(error));
            } else {
                takeIn(session, received);
                response.complete(JdkResponse.headers(received, call));
            }
        });
        return response;
    }

    <T> AttemptBody<T> bodyOf(JdkCall<T> call, Predicate<HttpResponse<?>> isFailure) {
        return new AttemptBody<>(call, isFailure, idleNanos, environment);
    }

    /** As {@link #send}, on the thread of the caller; returns at the headers of a failure, otherwise with the body. */
    <T> JdkResponse<T> sendNow(URI address, JdkCall<T> call, AttemptBody<T> body)
            throws IOException, InterruptedException {
        Deadline deadline = CallContext.current().deadline();
        long left = timeLeft(call, deadline);
        AttemptRequest attempt = attempt(address, call, deadline, left, false);
        HeadersTimer timer = HeadersTimer.start(left, body, environment);
        try {
            HttpResponse<Object> received = client.send(attempt, body);
            timer.end(false);
            takeIn(SessionHeader.current(sendSession), received);
            return body.response(received);
        } catch (InterruptedException interrupt) {
            Exception thrown = timer.end(true) ? attempt.timedOut() : interrupt;
            body.drop(thrown);
            throw Unchecked.<IOException>asDeclared(thrown);
        } catch (Throwable thrown) {
            Throwable original =
                    timer.end(false) && thrown instanceof Exception ? attempt.timedOut() : original(thrown);
            body.drop(original);
            throw Unchecked.<IOException>asDeclared(original);
        }
    }

    private static void takeIn(@Nullable Session session, HttpResponse<?> received) {
        if (session != null) {
            SessionHeader.takeIn(session, received.headers().allValues(Session.HEADER));
        }
    }

    /**
     * The exception that the exchange ended with. {@code HttpClient.send} wraps it in one with the stack of the caller,
     * of the same class where it knows the class; where it does not, the class would be lost for outcome rules.
     */
    private static Throwable original(Throwable thrown) {
        if (thrown instanceof Error && !(thrown instanceof InternalError)) {
            return thrown;
        }
        Throwable cause = thrown.getCause();
        return cause == null || cause.getClass() == thrown.getClass() ? thrown : cause;
    }

    /** As {@link #receive}, on the thread of the caller. */
    HttpResponse<?> receiveNow(HttpResponse<?> response) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<?>> body = receive(response).toCompletableFuture();
        try {
            return body.get();
        } catch (InterruptedException interrupt) {
            body.cancel(true);
            throw interrupt;
        } catch (ExecutionException failed) {
            throw Unchecked.<IOException>asDeclared(Outcomes.unwrap(failed));
        }
    }

    /** The nanoseconds that an attempt may take which begins now. */
    private long timeLeft(JdkCall<?> call, @Nullable Deadline deadline) throws IOException {
        long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
        if (isAborted.getAsBoolean()) {
            throw new IOException("the client has been shut down");
        }
        if (left == 0) {
            throw DeadlineExpiredException.shared("client", name).detached();
        }
        if (call.oneShot != null && call.oneShot.begun()) { // a rule of the user said that it was not sent
            throw new IOException("the body of this request cannot be sent a second time");
        }
        return left;
    }

    private AttemptRequest attempt(
            URI address, JdkCall<?> call, @Nullable Deadline deadline, long left, boolean isTimed) {
        boolean bounded = deadline != null && left < Nanos.NEVER;
        boolean isTold =
                bounded && DeadlineHeader.isLess(left, call.headers().allValues(Deadline.HEADER), environment.clock());
        return new AttemptRequest(
                call,
                Uris.at(address, call.uri()),
                host,
                bounded && isTimed ? Duration.ofNanos(left) : null,
                isTold ? deadline : null,
                SessionHeader.current(sendSession));
    }

    private <T> PushPromiseHandler<Flow.Publisher<List<ByteBuffer>>> pushes(PushPromiseHandler<T> handler) {
        return (initiating, pushed, acceptor) -> handler.applyPushPromise(initiating, pushed, bodyHandler -> {
            Require.nonNull("bodyHandler", bodyHandler);
            JdkCall<T> push = new JdkCall<>(pushed, bodyHandler, null, true);
            return acceptor.apply(BodyHandlers.ofPublisher())
                    .thenCompose(received -> receiveAs(JdkResponse.headers(received, push)))
                    .thenCompose(JdkTransport::orFailure);
        });
    }

    private static <T> CompletionStage<HttpResponse<T>> orFailure(JdkResponse<T> response) {
        Throwable failure = response.failure;
        return failure == null ? CompletableFuture.completedFuture(response) : CompletableFuture.failedFuture(failure);
    }

    @Override
    public CompletionStage<HttpResponse<?>> receive(HttpResponse<?> response) {
        CallFuture<HttpResponse<?>> done = new CallFuture<>();
        CallFuture<? extends JdkResponse<?>> body = receiveAs((JdkResponse<?>) response);
        done.onCancel(body::requestCancel);
        body.whenComplete((received, error) -> {
            if (error != null) {
                done.completeExceptionally(Outcomes.unwrap(error));
            } else {
                done.complete(received);
            }
        });
        return done;
    }

    private <T> CallFuture<JdkResponse<T>> receiveAs(JdkResponse<T> response) {
        CallFuture<JdkResponse<T>> done = new CallFuture<>();
        BodySubscriber<T> reader;
        CompletionStage<T> result;
        try {
            reader = Require.nonNull("body subscriber", response.call.handler.apply(response));
            result = Require.nonNull("body", reader.getBody());
        } catch (Throwable thrown) {
            discard(response);
            done.complete(response.failed(thrown));
            return done;
        }
        WatchedBody body = new WatchedBody(
                reader,
                thrown -> done.complete(response.failed(thrown)),
                done::completeExceptionally,
                idleNanos,
                environment);
        done.onCancel(reason -> {
            body.end(reason);
            done.completeExceptionally(reason);
        });
        result.whenComplete((value, error) -> {
            Throwable broken = body.broken();
            if (error == null) {
                done.complete(response.with(value));
            } else if (broken != null) {
                done.completeExceptionally(broken);
            } else {
                done.complete(response.failed(Outcomes.unwrap(error)));
            }
        });
        try {
            response.received.body().subscribe(body);
        } catch (Throwable thrown) {
            body.end(thrown);
        }
        return done;
    }

    @Override
    public void discard(HttpResponse<?> response) {
        ((JdkResponse<?>) response).received.body().subscribe(DrainedBody.of(response.headers(), environment));
    }

    @Override
    public int status(HttpResponse<?> response) {
        return response.statusCode();
    }

    @Override
    public @Nullable String header(HttpResponse<?> response, String header) {
        return response.headers().firstValue(header).orElse(null);
    }

    @Override
    public boolean isIdempotent(HttpRequest request) {
        return HttpOutcomes.isIdempotent(request.method());
    }

    @Override
    public boolean isReplayable(HttpRequest request) {
        return ((JdkCall<?>) request).oneShot == null;
    }

    @Override
    public OutcomeRule outcomes() {
        return HttpOutcomes.rule();
    }
}
