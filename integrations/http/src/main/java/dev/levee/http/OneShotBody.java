package dev.levee.http;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;

/** A body that is given out once: a second request for it fails instead of sending what may be something else. */
final class OneShotBody implements BodyPublisher {
    private final BodyPublisher publisher;
    private final AtomicBoolean begun = new AtomicBoolean();

    OneShotBody(BodyPublisher publisher) {
        this.publisher = publisher;
    }

    @Override
    public long contentLength() {
        return publisher.contentLength();
    }

    boolean begun() {
        return begun.get();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
        if (begun.compareAndSet(false, true)) {
            publisher.subscribe(subscriber);
            return;
        }
        subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {}

            @Override
            public void cancel() {}
        });
        subscriber.onError(new IOException("the body of this request cannot be sent a second time"));
    }
}
