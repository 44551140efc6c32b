package dev.levee.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WatchedBodyTest {
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final ManualTime time = new ManualTime();
    private final List<String> heard = new ArrayList<>();
    private final List<String> upstream = new ArrayList<>();
    private final List<Throwable> cutOffs = new ArrayList<>();
    private final Reader reader = new Reader();
    private final WatchedBody body = new WatchedBody(
            reader,
            thrown -> heard.add("reader failed: " + thrown.getMessage()),
            cutOffs::add,
            TimeUnit.SECONDS.toNanos(10),
            time.environment());
    private boolean throwing;
    /** What happens while the reader has an item. */
    private Runnable meanwhile = () -> {};

    private Runnable onSubscribed = () -> {};

    private final class Reader implements BodySubscriber<String> {
        private Flow.Subscription subscription;

        @Override
        public CompletionStage<String> getBody() {
            return new CompletableFuture<>();
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            onSubscribed.run();
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            if (throwing) {
                throw new IllegalStateException("mine");
            }
            heard.add("next");
            Runnable now = meanwhile;
            meanwhile = () -> {};
            now.run();
        }

        @Override
        public void onError(Throwable thrown) {
            heard.add("error " + thrown.getClass().getSimpleName());
            if (throwing) {
                throw new IllegalStateException("mine");
            }
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
    void a_timer_that_cannot_be_cancelled_keeps_no_end_from_the_reader() {
        Environment uncancellable = time.environment().toBuilder()
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        super.schedule(task, delayNanos);
                        return () -> {
                            throw new IllegalStateException("no cancel");
                        };
                    }
                })
                .build();
        WatchedBody watched =
                new WatchedBody(reader, cutOffs::add, cutOffs::add, TimeUnit.SECONDS.toNanos(10), uncancellable);
        DrainedBody drained = new DrainedBody(uncancellable, false);
        for (Flow.Subscriber<List<ByteBuffer>> each : List.<Flow.Subscriber<List<ByteBuffer>>>of(watched, drained)) {
            each.onSubscribe(new Flow.Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {
                    upstream.add("cancel");
                }
            });
            reader.subscription.request(1);
            each.onComplete();
        }
        time.advance(Duration.ofDays(1));

        assertThat(heard).containsExactly("complete");
        assertThat(upstream).isEmpty();
        assertThat(cutOffs).isEmpty();
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

        time.runReady();

        assertThat(upstream).containsExactly("cancel");
        assertThat(heard).containsExactly("error IllegalStateException");
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

    @Test
    void a_cut_off_while_the_reader_has_an_item_tells_it_afterwards() {
        begin();
        reader.subscription.request(2);
        meanwhile = () -> {
            body.end(new HttpTimeoutException("silent"));
            time.runReady();
            heard.add("read");
        };
        body.onNext(List.of());
        time.runReady();

        assertThat(heard).containsExactly("next", "read", "error HttpTimeoutException");
        assertThat(upstream).endsWith("cancel");
        assertThat(body.broken()).isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void a_cut_off_while_the_reader_gets_its_subscription_tells_it_afterwards() {
        onSubscribed = () -> {
            body.end(new HttpTimeoutException("silent"));
            time.runReady();
            heard.add("subscribed");
        };
        begin();
        time.runReady();

        assertThat(heard).containsExactly("subscribed", "error HttpTimeoutException");
        assertThat(upstream).containsExactly("cancel");
    }

    @Test
    void a_reader_that_never_had_its_subscription_is_told_too() {
        body.end(new IllegalStateException());
        time.runReady();
        assertThat(reader.subscription).isNotNull();
        reader.subscription.request(1);
        reader.subscription.cancel();
        begin();
        body.onNext(List.of());
        body.onComplete();

        assertThat(upstream).containsExactly("cancel");
        assertThat(heard).containsExactly("error IllegalStateException");
    }

    @Test
    void the_silence_ends_it_also_without_an_executor_and_if_the_cancel_fails() {
        ManualTime own = new ManualTime();
        WatchedBody cut = new WatchedBody(
                reader,
                thrown -> heard.add("reader failed"),
                cutOffs::add,
                TimeUnit.SECONDS.toNanos(10),
                own.environment().toBuilder()
                        .executor(task -> {
                            throw new RejectedExecutionException("full");
                        })
                        .build());
        cut.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {}

            @Override
            public void cancel() {
                throw new IllegalStateException("the connection is closed already");
            }
        });
        reader.subscription.request(1);
        own.advance(IDLE);

        Nodes.eventually(() -> !heard.isEmpty());
        assertThat(heard).containsExactly("error HttpTimeoutException");
    }

    @Test
    void a_reader_that_throws_at_its_end_is_told_once() {
        ManualTime own = new ManualTime();
        WatchedBody cut = new WatchedBody(
                reader,
                thrown -> heard.add("reader failed"),
                cutOffs::add,
                TimeUnit.SECONDS.toNanos(10),
                own.environment().toBuilder().executor(Runnable::run).build());
        throwing = true;
        cut.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {}

            @Override
            public void cancel() {}
        });
        reader.subscription.request(1);
        own.advance(IDLE);

        assertThat(heard).containsExactly("error HttpTimeoutException");
    }

    @Test
    void a_body_that_is_given_at_once_when_asked_for_is_passed_on() {
        Flow.Subscription synchronous = new Flow.Subscription() {
            @Override
            public void request(long n) {
                upstream.add("request " + n);
                if (upstream.size() < 3) {
                    body.onNext(List.of());
                } else {
                    body.onComplete();
                }
            }

            @Override
            public void cancel() {
                upstream.add("cancel");
            }
        };
        onSubscribed = () -> {
            meanwhile = () -> {
                meanwhile = () -> reader.subscription.request(1);
                reader.subscription.request(1);
            };
            reader.subscription.request(1);
        };
        body.onSubscribe(synchronous);

        assertThat(heard).containsExactly("next", "next", "complete");
        assertThat(upstream).containsExactly("request 1", "request 1", "request 1");
        assertThat(body.broken()).isNull();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_reader_that_needs_no_more_than_its_end_is_waited_for_no_longer() {
        begin();
        reader.subscription.request(1);
        time.advance(IDLE);

        assertThat(cutOffs).singleElement().isInstanceOf(HttpTimeoutException.class);
        assertThat(heard).containsExactly("error HttpTimeoutException");
    }

    @Test
    void however_a_cut_off_and_the_body_meet_the_reader_is_told_exactly_one_end() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            AtomicInteger ends = new AtomicInteger();
            AtomicInteger overlaps = new AtomicInteger();
            WatchedBody cut = new WatchedBody(
                    new EndsCounter(ends, overlaps),
                    thrown -> ends.addAndGet(100),
                    thrown -> {},
                    IDLE.toNanos(),
                    Environment.system());
            CyclicBarrier together = new CyclicBarrier(2);
            int items = round % 4;
            CompletableFuture<Void> body = CompletableFuture.runAsync(() -> {
                meet(together);
                cut.onSubscribe(new Flow.Subscription() {
                    @Override
                    public void request(long n) {}

                    @Override
                    public void cancel() {}
                });
                for (int i = 0; i < items; i++) {
                    cut.onNext(List.of());
                }
                cut.onComplete();
            });
            meet(together);
            for (int i = 0; i < round % 50; i++) {
                Thread.onSpinWait();
            }
            cut.end(new HttpTimeoutException("silent"));
            body.get();
            Nodes.eventually(() -> ends.get() > 0);
            assertThat(ends).hasValue(1);
            assertThat(overlaps).hasValue(0);
        }
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class EndsCounter implements BodySubscriber<String> {
        private final AtomicInteger ends;
        private final AtomicInteger overlaps;
        private final AtomicInteger inside = new AtomicInteger();

        EndsCounter(AtomicInteger ends, AtomicInteger overlaps) {
            this.ends = ends;
            this.overlaps = overlaps;
        }

        private void signal() {
            if (inside.getAndIncrement() != 0 || ends.get() != 0) {
                overlaps.incrementAndGet();
            }
            inside.decrementAndGet();
        }

        @Override
        public CompletionStage<String> getBody() {
            return new CompletableFuture<>();
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            signal();
        }

        @Override
        public void onNext(List<ByteBuffer> item) {
            signal();
        }

        @Override
        public void onError(Throwable thrown) {
            signal();
            ends.incrementAndGet();
        }

        @Override
        public void onComplete() {
            signal();
            ends.incrementAndGet();
        }
    }
}
