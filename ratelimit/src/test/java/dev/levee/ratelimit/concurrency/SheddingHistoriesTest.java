package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random histories of a shedding bulkhead, beside a model that is a list: no call and no permit is lost, the bounds
 * hold, and turns come in the order that the documentation says.
 */
@SuppressWarnings("EnumOrdinal")
class SheddingHistoriesTest {
    private static final int STEPS = 250;
    private static final long MS = 1_000_000;

    /** One call of a history, as the model sees it. */
    private static final class Call {
        final Criticality criticality;
        final CompletableFuture<Long> turn;
        final long end;
        long until;
        boolean untilEnd;
        boolean held;
        boolean over;

        @Nullable ShedReason reason;

        Call(Criticality criticality, CompletableFuture<Long> turn, long end) {
            this.criticality = criticality;
            this.turn = turn;
            this.end = end;
        }
    }

    /** What the documentation says, in the simplest form. */
    private static final class Model {
        static final long TARGET = 5 * MS;
        static final long INTERVAL = 100 * MS;
        final List<Call> waiting = new ArrayList<>();
        final int maxWaiting;
        int limit;
        int inFlight;
        final long[] lastEmpty = new long[4];

        Model(int limit, int maxWaiting) {
            this.limit = limit;
            this.maxWaiting = maxWaiting;
        }

        void enter(Call call, long now) {
            if (waiting.isEmpty() && inFlight < limit) {
                hold(call);
                return;
            }
            if (call.end - now <= 0) {
                refuse(call, ShedReason.LATE);
                return;
            }
            if (waiting.size() == maxWaiting) {
                Call least = waiting.get(0);
                for (Call other : waiting) {
                    if (other.criticality.compareTo(least.criticality) >= 0) {
                        least = other;
                    }
                }
                if (least.criticality.compareTo(call.criticality) <= 0) {
                    refuse(call, ShedReason.FULL);
                    return;
                }
                refuse(least, ShedReason.DISPLACED);
            }
            for (Criticality each : Criticality.values()) {
                if (waiting.stream().noneMatch(it -> it.criticality.compareTo(each) <= 0)) {
                    lastEmpty[each.ordinal()] = now;
                }
            }
            long cap = now - lastEmpty[call.criticality.ordinal()] > INTERVAL ? TARGET : INTERVAL;
            call.untilEnd = call.end - now <= cap;
            call.until = call.untilEnd ? call.end : now + cap;
            waiting.add(call);
        }

        private void hold(Call call) {
            inFlight++;
            call.held = true;
        }

        private void refuse(Call call, ShedReason reason) {
            waiting.remove(call);
            call.over = true;
            call.reason = reason;
        }

        void exit(Call call, long now) {
            call.held = false;
            call.over = true;
            inFlight--;
            assign(now);
        }

        void assign(long now) {
            while (inFlight < limit && !waiting.isEmpty()) {
                Call next = waiting.get(0);
                for (Call other : waiting) {
                    if (other.criticality.compareTo(next.criticality) < 0) {
                        next = other;
                    }
                }
                if (now - lastEmpty[next.criticality.ordinal()] > INTERVAL) {
                    for (Call other : waiting) {
                        next = other.criticality == next.criticality ? other : next;
                    }
                }
                waiting.remove(next);
                hold(next);
            }
        }

        void cancel(Call call) {
            waiting.remove(call);
            call.over = true;
        }

        void expire(long now) {
            for (Call call : List.copyOf(waiting)) {
                if (call.until - now <= 0) {
                    refuse(call, call.untilEnd ? ShedReason.LATE : ShedReason.WAITED);
                }
            }
        }
    }

    private static void check(long seed, long origin, Function<SheddingBulkheadConfig, ShedQueue> queues) {
        Random random = new Random(seed);
        ManualTime time = ManualTime.startingAt(origin);
        Environment environment = time.environment();
        int permits = 1 + random.nextInt(3);
        int maxWaiting = 1 + random.nextInt(6);
        SheddingBulkheadConfig config = SheddingBulkheadConfig.builder()
                .maxConcurrent(permits)
                .maxWaiting(maxWaiting)
                .refuseWithoutTime(false)
                .build();
        PriorityBulkhead bulkhead = new PriorityBulkhead(
                "b", config, environment, queues.apply(config), new PermitWord(config.maxConcurrent()));
        Model model = new Model(permits, maxWaiting);
        List<Call> calls = new ArrayList<>();
        int wait = 1 + random.nextInt(20);
        for (int step = 0; step < STEPS; step++) {
            long now = time.nanoTime();
            int what = random.nextInt(20);
            if (what < 9) {
                Criticality criticality = Criticality.values()[random.nextInt(4)];
                long left = random.nextInt(3) == 0
                        ? random.nextInt(120) * MS
                        : Duration.ofDays(1).toNanos();
                CompletableFuture<Long> turn = CallContext.current()
                        .withCriticality(criticality)
                        .call(() -> bulkhead.enterAsync(Deadline.afterNanos(left, environment.clock())));
                Call call = new Call(criticality, turn, now + left);
                model.enter(call, now);
                calls.add(call);
            } else if (what < 14) {
                Call held = any(random, calls, it -> it.held);
                if (held != null) {
                    bulkhead.exit(held.turn.join(), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
                    model.exit(held, now);
                }
            } else if (what < 16) {
                Call waiter = any(random, calls, it -> !it.held && !it.over);
                if (waiter != null) {
                    assertThat(waiter.turn.cancel(false)).isTrue();
                    model.cancel(waiter);
                }
            } else if (what < 17) {
                model.limit = 1 + random.nextInt(4);
                bulkhead.setMaxConcurrent(model.limit);
                model.assign(now);
            } else {
                time.advance(Duration.ofNanos(random.nextInt(wait) * MS));
                model.expire(time.nanoTime());
            }
            compare(bulkhead, model, calls, maxWaiting);
        }
        for (Call call : calls) {
            call.turn.cancel(false);
        }
        for (Call call : calls) {
            if (call.held) {
                bulkhead.exit(call.turn.join(), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
        }
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(time.pendingTimers()).isZero();
    }

    private static @Nullable Call any(Random random, List<Call> calls, java.util.function.Predicate<Call> which) {
        List<Call> found = calls.stream().filter(which).toList();
        return found.isEmpty() ? null : found.get(random.nextInt(found.size()));
    }

    private static void compare(PriorityBulkhead bulkhead, Model model, List<Call> calls, int maxWaiting) {
        assertThat(bulkhead.inFlight()).isEqualTo(model.inFlight);
        assertThat(bulkhead.waiting()).isEqualTo(model.waiting.size()).isLessThanOrEqualTo(maxWaiting);
        Deadline deadline =
                Deadline.after(Duration.ofDays(1), bulkhead.environment().clock());
        for (Call call : calls) {
            if (call.turn.isCancelled()) {
                continue;
            }
            boolean admitted = call.turn.isDone() && call.turn.join() != Gate.REFUSED;
            assertThat(call.turn.isDone()).isEqualTo(call.held || call.over);
            assertThat(admitted).isEqualTo(call.held || (call.over && call.reason == null));
            if (call.reason != null) {
                ShedException why = (ShedException) bulkhead.refusal(call.turn, deadline);
                assertThat(why.reason()).isEqualTo(call.reason);
            }
        }
    }

    @Property
    void every_history_is_that_of_the_model(@ForAll long seed) {
        check(seed, seed, ShedQueue::new);
    }

    @Property(tries = 30)
    void every_history_is_that_of_the_model_where_the_clock_wraps(@ForAll long seed) {
        check(seed, Long.MAX_VALUE - 300 * MS, ShedQueue::new);
    }

    /** Displaces a call of the right criticality that came first, and not last. */
    private static final class WrongEnd extends ShedQueue {
        WrongEnd(SheddingBulkheadConfig config) {
            super(config);
        }

        @Override
        @Nullable ShedWaiter displaceable(int level) {
            ShedWaiter found = super.displaceable(level);
            while (found != null && found.older != null) {
                found = found.older;
            }
            return found;
        }
    }

    /** Serves the oldest first in a standing queue too. */
    private static final class NeverNewest extends ShedQueue {
        NeverNewest(SheddingBulkheadConfig config) {
            super(config.toBuilder().newestFirst(false).build());
        }
    }

    @Test
    void the_check_finds_a_queue_that_displaces_from_the_wrong_end_and_one_that_is_never_newest_first() {
        assertThatThrownBy(() -> checkMany(WrongEnd::new)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> checkMany(NeverNewest::new)).isInstanceOf(AssertionError.class);
    }

    private static void checkMany(Function<SheddingBulkheadConfig, ShedQueue> queues) {
        for (int seed = 0; seed < 50; seed++) {
            check(seed, 0, queues);
        }
    }

    @Test
    void threads_that_enter_leave_cancel_and_change_the_limit_at_once_lose_nothing() throws Exception {
        SheddingBulkhead bulkhead =
                SheddingBulkhead.of("b", c -> c.maxConcurrent(2).maxWaiting(4));
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<CompletableFuture<?>> all = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int number = 0; number < 4; number++) {
            Thread thread = new Thread(() -> {
                for (int call = 0; call < 3_000; call++) {
                    one(bulkhead, inside, most, all);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (CompletableFuture<?> future : all) {
            future.handle((result, error) -> null).join();
        }
        assertThat(most.get()).isBetween(1, 3);
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        bulkhead.setMaxConcurrent(1);
        assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
    }

    private static void one(
            SheddingBulkhead bulkhead, AtomicInteger inside, AtomicInteger most, List<CompletableFuture<?>> all) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        CallContext context = CallContext.current().withCriticality(Criticality.values()[random.nextInt(4)]);
        switch (random.nextInt(8)) {
            case 0 -> bulkhead.setMaxConcurrent(1 + random.nextInt(3));
            case 1, 2, 3 -> {
                CompletableFuture<Object> future = context.call(() -> bulkhead.callAsync(() -> {
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    inside.decrementAndGet();
                    return CompletableFuture.completedFuture("done");
                }));
                if (random.nextBoolean()) {
                    future.cancel(true);
                }
                synchronized (all) {
                    all.add(future);
                }
            }
            default -> {
                try {
                    context.run(() -> bulkhead.run(() -> {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        inside.decrementAndGet();
                    }));
                } catch (ShedException refused) {
                    assertThat(refused.reason()).isNotNull();
                }
            }
        }
    }
}
