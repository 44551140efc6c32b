package dev.levee.http;

import dev.levee.core.Environment;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Lets a response end at its headers, with the body as a publisher; and knows that publisher even if the exchange is
 * cancelled at this moment, when the JDK's client neither hands it out nor closes it.
 */
final class OpenedBody implements BodyHandler<Flow.Publisher<List<ByteBuffer>>> {
    private final Environment environment;
    private final AtomicBoolean dropped = new AtomicBoolean();
    private volatile Flow.@Nullable Publisher<List<ByteBuffer>> body;
    private volatile boolean ended;

    OpenedBody(Environment environment) {
        this.environment = environment;
    }

    @Override
    public BodySubscriber<Flow.Publisher<List<ByteBuffer>>> apply(ResponseInfo info) {
        BodySubscriber<Flow.Publisher<List<ByteBuffer>>> subscriber = BodySubscribers.ofPublisher();
        subscriber.getBody().thenAccept(this::opened);
        return subscriber;
    }

    private void opened(Flow.Publisher<List<ByteBuffer>> publisher) {
        body = publisher;
        if (ended) {
            drop();
        }
    }

    /** The response will not be used. */
    void drop() {
        ended = true;
        Flow.Publisher<List<ByteBuffer>> publisher = body;
        if (publisher != null && dropped.compareAndSet(false, true)) {
            publisher.subscribe(new DrainedBody(environment, true));
        }
    }
}
