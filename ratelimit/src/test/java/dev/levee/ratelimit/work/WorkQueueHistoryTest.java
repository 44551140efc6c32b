package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Random histories: each accepted item is in exactly one place at any moment, and ends exactly once, whatever handlers
 * and executors throw; with an order by key, items of a key end in the order in which they were accepted.
 */
class WorkQueueHistoryTest {
    private record Item(int number, int key) {}

    private static final class History {
        final ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 30_000_000_000L);
        final Random random;
        final List<CompletableFuture<Object>> stages = new ArrayList<>();
        final Map<Integer, Integer> done = new HashMap<>();
        final Map<Integer, List<Integer>> begunOfKey = new HashMap<>();
        final Map<Integer, Integer> running = new HashMap<>();
        final Set<Integer> accepted = new HashSet<>();
        final boolean ordered;
        final int capacity;
        final WorkQueue<Item> queue;
        int next;
        long acceptances;

        History(long seed, boolean ordered, int capacity, int workers) {
            this.random = new Random(seed);
            this.ordered = ordered;
            this.capacity = capacity;
            Executor own = time.environment().executor();
            Environment environment = time.environment().toBuilder()
                    .executor(task -> {
                        switch (random.nextInt(8)) {
                            case 0 -> throw new RejectedExecutionException();
                            case 1 -> throw new OutOfMemoryError("unable to create native thread");
                            case 2 -> {
                                own.execute(task); // and keeps it
                                throw new IllegalStateException();
                            }
                            case 3 -> task.run();
                            default -> own.execute(task);
                        }
                    })
                    .build();
            this.queue = WorkQueue.of(
                    "history",
                    c -> {
                        c.capacity(capacity).workers(workers).maxAttempts(3).maxDeadLetters(5);
                        c.backoff((attempt, source) -> {
                            if (random.nextInt(10) == 0) {
                                throw new IllegalStateException("backoff");
                            }
                            return random.nextInt(3) * 500_000_000L;
                        });
                        c.outcomes(rule -> rule.onError(IllegalArgumentException.class, Verdict.IGNORED));
                        if (ordered) {
                            c.orderedBy(Item::key);
                        }
                    },
                    this::handle,
                    environment);
        }

        Object handle(Item item, int attempt) throws Exception {
            assertThat(running.merge(item.key, 1, Integer::sum) == 1 || !ordered)
                    .as("two items of key %s at once", item.key)
                    .isTrue();
            if (attempt == 1) {
                begunOfKey
                        .computeIfAbsent(item.key, ignored -> new ArrayList<>())
                        .add(item.number);
            }
            int choice = random.nextInt(12);
            if (choice >= 10) {
                CompletableFuture<Object> stage = new CompletableFuture<>();
                stages.add(stage);
                return stage.whenComplete((result, error) -> {
                    running.merge(item.key, -1, Integer::sum);
                    if (error == null) {
                        done.merge(item.number, 1, Integer::sum);
                    }
                });
            }
            running.merge(item.key, -1, Integer::sum);
            switch (choice) {
                case 0 -> throw new IOException();
                case 1 -> throw new OutOfMemoryError();
                case 2 -> endlessly(0);
                case 3 -> {
                    Thread.currentThread().interrupt();
                    throw new InterruptedException();
                }
                case 4 -> throw new IllegalArgumentException();
                case 5 -> throw new CancellationException();
                case 6 -> {
                    done.merge(item.number, 1, Integer::sum);
                    return CompletableFuture.completedFuture("at once");
                }
                default -> done.merge(item.number, 1, Integer::sum);
            }
            return null;
        }

        @SuppressWarnings("InfiniteRecursion")
        private static int endlessly(int depth) {
            return endlessly(depth + 1) + 1;
        }

        void step() {
            switch (random.nextInt(9)) {
                case 0, 1, 2, 3 -> {
                    Item item = new Item(next++, random.nextInt(3));
                    if (queue.offer(item)) {
                        accepted.add(item.number);
                        acceptances++;
                    }
                }
                case 4 -> time.advance(Duration.ofMillis(random.nextInt(1_000)));
                case 5 -> queue.runNext();
                case 6 -> {
                    if (!stages.isEmpty()) {
                        CompletableFuture<Object> stage = stages.remove(random.nextInt(stages.size()));
                        if (random.nextBoolean()) {
                            stage.complete(null);
                        } else {
                            stage.completeExceptionally(new IOException());
                        }
                    }
                }
                case 7 -> {
                    if (!ordered) { // a replay begins a second time, out of the order of numbers
                        acceptances += queue.replayAll();
                    }
                }
                default -> time.runReady();
            }
        }

        void check() {
            WorkCounts counts = queue.counts();
            assertThat(counts.accepted()).isEqualTo(acceptances);
            assertThat(counts.done() + counts.deadLettered() + counts.returned() + counts.running() + counts.waiting())
                    .as("%s", counts)
                    .isEqualTo(counts.accepted());
            assertThat(counts.done())
                    .isEqualTo(done.values().stream().mapToInt(it -> it).sum());
            assertThat(counts.running()).isEqualTo(stages.size());
            assertThat(counts.running() + counts.waiting()).isBetween(0L, (long) capacity);
            assertThat(counts.waiting()).isNotNegative();
            done.forEach((item, times) -> assertThat(times).as("item %s", item).isEqualTo(1));
            if (ordered) {
                begunOfKey
                        .values()
                        .forEach(numbers -> assertThat(distinct(numbers)).isSorted());
            }
        }

        /** An attempt that is made again with the same number, because a policy has refused it, begins again. */
        private static List<Integer> distinct(List<Integer> numbers) {
            return numbers.stream().distinct().toList();
        }
    }

    @Property(tries = 150)
    void each_item_is_in_one_place_and_ends_once(
            @ForAll long seed,
            @ForAll boolean ordered,
            @ForAll @IntRange(min = 1, max = 6) int capacity,
            @ForAll @IntRange(max = 3) int workers) {
        History history = new History(seed, ordered, capacity, workers);
        for (int i = 0; i < 120; i++) {
            history.step();
            history.check();
        }
    }

    @Property(tries = 100)
    void everything_ends_when_the_faults_have_an_end(
            @ForAll long seed, @ForAll boolean ordered, @ForAll @IntRange(min = 1, max = 3) int workers) {
        History history = new History(seed, ordered, 5, workers);
        for (int i = 0; i < 60; i++) {
            history.step();
        }
        for (int i = 0; i < 200 && history.queue.counts().waiting() + history.stages.size() > 0; i++) {
            List<CompletableFuture<Object>> stages = List.copyOf(history.stages);
            history.stages.clear();
            stages.forEach(stage -> stage.complete(null));
            history.time.advance(Duration.ofSeconds(1));
        }
        history.check();
        assertThat(history.queue.counts().waiting()).as("stuck").isZero();
        assertThat(history.queue.counts().running()).as("stuck").isZero();
        if (ordered) {
            assertThat(((BoundedWorkQueue<Item>) history.queue).keys()).isZero();
        }
    }

    @Property(tries = 100)
    void a_close_hands_back_all_that_has_not_ended(
            @ForAll long seed,
            @ForAll boolean ordered,
            @ForAll @IntRange(max = 3) int workers,
            @ForAll @IntRange(max = 1_500) int wait) {
        History history = new History(seed, ordered, 5, workers);
        for (int i = 0; i < 60; i++) {
            history.step();
        }
        history.time.autoAdvance(); // so that the close may wait
        WorkReport<Item> report = history.queue.close(Duration.ofMillis(wait));
        WorkCounts counts = history.queue.counts();
        assertThat(counts.accepted()).isEqualTo(history.acceptances);
        assertThat(report.done()
                        + report.deadLettered()
                        + report.returned().size()
                        + report.unfinished().size())
                .isEqualTo(counts.accepted());
        assertThat(counts.returned()).isEqualTo(report.returned().size());
        Set<Item> handedBack = new HashSet<>(report.returned());
        handedBack.addAll(report.unfinished());
        assertThat(handedBack)
                .as("%s / %s", report.returned(), report.unfinished())
                .hasSize(report.returned().size() + report.unfinished().size());
        report.returned().forEach(item -> assertThat(history.done).doesNotContainKey(item.number));
        history.time.advance(Duration.ofMinutes(1));
        report.returned().forEach(item -> assertThat(history.done).doesNotContainKey(item.number));
        assertThat(history.queue.counts().running()).isZero();
    }
}
