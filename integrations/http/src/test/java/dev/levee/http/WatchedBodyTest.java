package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WatchedBodyTest {
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final ManualTime time = new ManualTime();
    private final List<String> heard = new ArrayList<>();
    private final List<String> upstream = new ArrayList<>();
    private final Reader reader = new Reader();
    private final WatchedBody body = new WatchedBody(
            reader,
            thrown -> heard.add("reader failed: " + thrown.getMessage()),
            TimeUnit.SECONDS.toNanos(10),
            time.environment());
    private boolean throwing;

    private final class Reader implements BodySubscriber<String> {
        private Flow.Subscription subscription;

        @Override
        public CompletionStage<String> getBody() {
            return new CompletableFuture<>();
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            if (throwing) {
                throw new IllegalStateException("mine");
            }
            heard.add("next");
        }

        @Override
        public void onError(Throwable thrown) {
            heard.add("error " + thrown.getClass().getSimpleName());
        }

        @Override
        public void onComplete() {
            heard.add("complete");
        }
    }

    private void begin() {
        body.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                upstream.add("request " + n);
            }

            @Override
            public void cancel() {
                upstream.add("cancel");
            }
        });
    }

    @Test
    void passes_everything_on() {
        begin();
        reader.subscription.request(2);
        body.onNext(List.of());
        body.onNext(List.of());
        body.onComplete();
        body.onNext(List.of());
        body.onError(new IllegalStateException());
        time.advance(Duration.ofDays(1));

        assertThat(upstream).containsExactly("request 2");
        assertThat(heard).containsExactly("next", "next", "complete");
        assertThat(body.broken()).isNull();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void silence_while_the_reader_waits_ends_it() {
        begin();
        reader.subscription.request(1);
        time.advance(IDLE);

        assertThat(upstream).containsExactly("request 1", "cancel");
        assertThat(heard).containsExactly("error HttpTimeoutException");
        assertThat(body.broken()).isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void a_body_that_keeps_coming_may_take_as_long_as_it_likes() {
        begin();
        reader.subscription.request(Long.MAX_VALUE);
        for (int i = 0; i < 100; i++) {
            time.advance(Duration.ofSeconds(9));
            body.onNext(List.of());
        }
        assertThat(heard).hasSize(100).containsOnly("next");
        time.advance(IDLE.multipliedBy(2));
        assertThat(heard).endsWith("error HttpTimeoutException");
    }

    @Test
    void a_reader_that_takes_its_time_is_no_silence() {
        begin();
        reader.subscription.request(1);
        body.onNext(List.of());
        time.advance(Duration.ofDays(1));
        assertThat(heard).containsExactly("next");

        reader.subscription.request(1);
        time.advance(IDLE.multipliedBy(2));
        assertThat(heard).containsExactly("next", "error HttpTimeoutException");
    }

    @Test
    void a_reader_that_throws_is_not_the_bodys_fault() {
        begin();
        reader.subscription.request(1);
        throwing = true;
        body.onNext(List.of());
        body.onError(new IllegalStateException());

        assertThat(heard).containsExactly("reader failed: mine");
        assertThat(upstream).endsWith("cancel");
        assertThat(body.broken()).isNull();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_reader_that_has_enough_ends_it() {
        begin();
        reader.subscription.request(1);
        reader.subscription.cancel();
        body.onNext(List.of());
        body.onComplete();

        assertThat(heard).isEmpty();
        assertThat(upstream).containsExactly("request 1", "cancel");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void an_end_before_the_beginning_cancels_what_comes() {
        assertThat(body.end(new IllegalStateException())).isTrue();
        assertThat(body.end(new IllegalStateException())).isFalse();
        begin();

        assertThat(upstream).containsExactly("cancel");
        assertThat(heard).isEmpty();
    }

    @Test
    void an_end_in_the_middle_tells_the_reader() {
        begin();
        reader.subscription.request(1);
        body.end(new IllegalStateException());
        time.runReady();

        assertThat(upstream).endsWith("cancel");
        assertThat(heard).containsExactly("error IllegalStateException");
    }

    @Test
    void what_the_body_breaks_off_with_is_known() {
        begin();
        IllegalStateException reset = new IllegalStateException("reset");
        body.onError(reset);
        assertThat(body.broken()).isSameAs(reset);
        assertThat(heard).containsExactly("error IllegalStateException");
    }
}
