package dev.levee.loadbalancing.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.FailingExecutor;
import dev.levee.loadbalancing.FailingExecutor.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Executors, sources and receivers that throw anything, errors too: discovery goes on. */
class FailingPartsTest {
    private static final int CALLS = 6;

    private final ManualTime time = new ManualTime();

    @ParameterizedTest
    @EnumSource(Failure.class)
    void polling_goes_on_one_poll_at_a_time_and_its_log_names_the_source(Failure failure) {
        for (IntPredicate failing : FailingExecutor.each(CALLS)) {
            ManualTime time = new ManualTime();
            AtomicInteger polls = new AtomicInteger();
            Told<String> told = new Told<>();
            try (CapturedLog log = new CapturedLog(EndpointSource.class)) {
                EndpointSource.Subscription subscription = EndpointSource.polling(
                                "catalog",
                                () -> List.of(Endpoint.of("n" + polls.incrementAndGet())),
                                Duration.ofSeconds(10),
                                FailingExecutor.environment(time, failure, failing))
                        .subscribe(told);
                time.advance(Duration.ofMinutes(10));
                int before = polls.get();
                time.advance(Duration.ofMinutes(10));
                assertThat(polls.get() - before).isBetween(50, 61); // one chain of polls, not two
                assertThat(Told.line(told.last())).isEqualTo("n" + polls.get());
                assertThat(log.lines()).isNotEmpty().allMatch(line -> line.contains("Endpoints from catalog: "));
                subscription.close();
                time.advance(Duration.ofMinutes(2));
                assertThat(time.pendingTimers()).isZero();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void a_source_in_the_background_is_subscribed_to_in_the_end_and_once(Failure failure) {
        for (IntPredicate failing : FailingExecutor.each(3)) {
            ManualTime time = new ManualTime();
            Told<String> told = new Told<>();
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a")));
            try (CapturedLog log = new CapturedLog(EndpointSource.class)) {
                EndpointSource.Subscription subscription = source.inBackground(
                                FailingExecutor.environment(time, failure, failing))
                        .subscribe(told);
                time.advance(Duration.ofMinutes(1));
                assertThat(told.lines()).containsExactly("a");
                assertThat(log.lines()).allMatch(line -> line.contains("Endpoints from updatable"));
                subscription.close();
                source.set(List.of(Endpoint.of("b")));
                assertThat(told.lines()).containsExactly("a");
            }
        }
    }

    @Test
    void a_source_in_the_background_that_throws_is_subscribed_to_again() {
        AtomicInteger subscriptions = new AtomicInteger();
        EndpointSource<String> source = receiver -> {
            if (subscriptions.incrementAndGet() < 4) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            receiver.accept(List.of(Endpoint.of("a")));
            return () -> {};
        };
        Told<String> told = new Told<>();
        EndpointSource.Subscription subscription =
                source.inBackground(time.environment()).subscribe(told);
        time.advance(Duration.ofMinutes(1));
        assertThat(told.lines()).containsExactly("a");
        assertThat(subscriptions).hasValue(4);
        subscription.close();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_source_in_the_background_that_is_closed_is_subscribed_to_no_more() {
        AtomicInteger subscriptions = new AtomicInteger();
        EndpointSource<String> source = receiver -> {
            subscriptions.incrementAndGet();
            throw new IllegalStateException("not yet");
        };
        EndpointSource.Subscription subscription =
                source.inBackground(time.environment()).subscribe(new Told<>());
        time.advance(Duration.ofSeconds(1));
        int before = subscriptions.get();
        assertThat(before).isPositive();
        subscription.close();
        time.advance(Duration.ofMinutes(5));
        assertThat(subscriptions).hasValue(before);
        assertThat(time.pendingTimers()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void endpoints_that_linger_are_forgotten_in_time(Failure failure) {
        for (IntPredicate failing : FailingExecutor.each(CALLS)) {
            ManualTime time = new ManualTime();
            List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("z")));
            source.lingering(Duration.ofSeconds(10), FailingExecutor.environment(time, failure, failing))
                    .subscribe(endpoints -> sizes.add(endpoints.size()));
            for (int i = 0; i < CALLS + 1; i++) {
                source.set(List.of(Endpoint.of("n" + i)));
                assertThat(sizes.get(sizes.size() - 1)).isEqualTo(2);
                time.advance(Duration.ofSeconds(11));
                awaitOne(sizes);
                assertThat(sizes.get(sizes.size() - 1)).isEqualTo(1);
            }
        }
    }

    /** What the executor refuses runs on threads of the machine. */
    private static void awaitOne(List<Integer> sizes) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (sizes.get(sizes.size() - 1) != 1 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    @Test
    void a_receiver_that_throws_when_lingering_ends_gets_the_endpoints_again() {
        boolean[] broken = {false};
        Told<String> told = new Told<>();
        Consumer<List<Endpoint<String>>> receiver = endpoints -> {
            if (broken[0]) {
                throw new OutOfMemoryError("Java heap space");
            }
            told.accept(endpoints);
        };
        UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a")));
        source.lingering(Duration.ofSeconds(10), time.environment()).subscribe(receiver);
        source.set(List.of(Endpoint.of("b")));
        broken[0] = true;
        try (CapturedLog log = new CapturedLog(EndpointSource.class)) {
            time.advance(Duration.ofSeconds(11));
            assertThat(log.lines()).isNotEmpty().allMatch(line -> line.contains("Endpoints from updatable"));
        }
        broken[0] = false;
        time.advance(Duration.ofMinutes(1));
        assertThat(told.lines()).containsExactly("a", "b a", "b");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void an_error_of_a_function_or_of_a_receiver_is_no_end() {
        AtomicInteger polls = new AtomicInteger();
        Told<String> told = new Told<>();
        boolean[] broken = {false};
        Environment environment = time.environment();
        EndpointSource.<String>polling(
                        "catalog",
                        () -> {
                            if (polls.incrementAndGet() % 3 == 0) {
                                throw new StackOverflowError("deep");
                            }
                            return List.of(Endpoint.of("n" + polls));
                        },
                        Duration.ofSeconds(10),
                        environment)
                .subscribe(endpoints -> {
                    broken[0] = !broken[0];
                    if (broken[0]) {
                        throw new OutOfMemoryError("Java heap space");
                    }
                    told.accept(endpoints);
                });
        time.advance(Duration.ofMinutes(5));
        int before = told.sets.size();
        time.advance(Duration.ofMinutes(5));
        assertThat(told.sets.size()).isGreaterThan(before + 5);
    }

    @Test
    void closing_merged_sources_closes_all_whatever_one_of_them_throws() {
        List<String> closed = new ArrayList<>();
        EndpointSource<String> bad = receiver -> () -> {
            throw new OutOfMemoryError("Java heap space");
        };
        EndpointSource<String> good = receiver -> () -> closed.add("good");
        EndpointSource.Subscription subscription =
                EndpointSource.merge(bad, good).subscribe(new Told<>());
        assertThat(catchThrowable(subscription::close)).isInstanceOf(OutOfMemoryError.class);
        assertThat(closed).containsExactly("good");
    }
}
