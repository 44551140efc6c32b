package dev.levee.http;

import dev.levee.core.Environment;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Require;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Predicate;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The body of an attempt that blocks its caller: decides at the headers. A response that is a failure by its status
 * keeps its body as a publisher; any other body goes to the caller's handler at once, because without a hedge it is the
 * one that the caller gets.
 */
final class AttemptBody<T> implements BodyHandler<Object> {
    private final JdkCall<T> call;
    private final Predicate<HttpResponse<?>> isFailure;
    private final long idleNanos;
    private final Environment environment;
    private volatile @Nullable OpenedBody opened;
    private volatile @Nullable WatchedBody watched;
    private volatile @Nullable Throwable readerFailure;
    private volatile boolean failed;
    private volatile boolean begun;
    /** Written before {@link #watched} and {@link #opened} are read, and read after they are written. */
    private volatile @Nullable Throwable dropped;

    AttemptBody(JdkCall<T> call, Predicate<HttpResponse<?>> isFailure, long idleNanos, Environment environment) {
        this.call = call;
        this.isFailure = isFailure;
        this.idleNanos = idleNanos;
        this.environment = environment;
    }

    @Override
    public BodySubscriber<Object> apply(ResponseInfo info) {
        begun = true;
        if (isFailure.test(new Headers(info, call))) {
            failed = true;
            OpenedBody body = new OpenedBody(environment);
            opened = body;
            if (dropped != null) { // meanwhile
                body.drop();
            }
            return BodySubscribers.mapping(body.apply(info), publisher -> publisher);
        }
        BodySubscriber<T> reader;
        CompletionStage<T> result;
        try {
            reader = Require.nonNull("body subscriber", call.handler.apply(info));
            result = Require.nonNull("body", reader.getBody());
        } catch (Throwable thrown) {
            readerFailure = thrown;
            return new Delegate(DrainedBody.of(info.headers(), environment), CompletableFuture.completedFuture(null));
        }
        CompletableFuture<@Nullable Object> done = new CompletableFuture<>();
        WatchedBody body = new WatchedBody(
                reader, thrown -> failReader(thrown, done), done::completeExceptionally, idleNanos, environment);
        watched = body;
        Throwable reason = dropped;
        if (reason != null) { // meanwhile
            body.end(reason);
        }
        result.whenComplete((value, error) -> {
            Throwable broken = body.broken();
            if (error == null) {
                done.complete(value);
            } else if (broken != null) {
                done.completeExceptionally(broken);
            } else {
                failReader(Outcomes.unwrap(error), done);
            }
        });
        return new Delegate(body, done);
    }

    private void failReader(Throwable thrown, CompletableFuture<@Nullable Object> done) {
        readerFailure = thrown;
        done.complete(null);
    }

    /** Whether the headers have come. */
    boolean isBegun() {
        return begun;
    }

    /** Whether the response is a failure by its status; its body has not been read then. */
    boolean isFailed() {
        return failed;
    }

    /** The attempt has ended without a response. */
    void drop(Throwable reason) {
        dropped = reason;
        WatchedBody body = watched;
        if (body != null) {
            body.end(reason);
        }
        OpenedBody headers = opened;
        if (headers != null) {
            headers.drop();
        }
    }

    @SuppressWarnings("unchecked") // the body is what apply made of it
    JdkResponse<T> response(HttpResponse<?> received) {
        JdkResponse<T> response = JdkResponse.headers((HttpResponse<Flow.Publisher<List<ByteBuffer>>>) received, call);
        Throwable failure = readerFailure;
        if (failed) {
            return response;
        }
        return failure == null ? response.with((T) received.body()) : response.failed(failure);
    }

    /** A subscriber of any kind, with a result of its own. */
    private record Delegate(Flow.Subscriber<List<ByteBuffer>> subscriber, CompletionStage<@Nullable Object> result)
            implements BodySubscriber<Object> {
        @Override
        @SuppressWarnings("NullAway") // a body may be null, and the JDK's interface does not say so
        public CompletionStage<Object> getBody() {
            return result;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscriber.onSubscribe(subscription);
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            subscriber.onNext(item);
        }

        @Override
        public void onError(Throwable thrown) {
            subscriber.onError(thrown);
        }

        @Override
        public void onComplete() {
            subscriber.onComplete();
        }
    }

    /** A response at its headers, for outcome rules. */
    private record Headers(ResponseInfo info, HttpRequest request) implements HttpResponse<Object> {
        @Override
        public int statusCode() {
            return info.statusCode();
        }

        @Override
        public Optional<HttpResponse<Object>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public HttpHeaders headers() {
            return info.headers();
        }

        @Override
        @SuppressWarnings("NullAway") // as in a response without a body
        public Object body() {
            return null;
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return Optional.empty();
        }

        @Override
        public URI uri() {
            return request.uri();
        }

        @Override
        public HttpClient.Version version() {
            return info.version();
        }
    }
}
